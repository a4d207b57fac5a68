"""What a local run kept, listed, printed and copied by the command line."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.unit.local.builders import Suite

from benchwarden import names

Run = Callable[..., tuple[int, str, str]]
FOLDER = Path("out/tiny/trials/two/trial-0/launch-1")


def suite_in(folder: Path) -> Suite:
    suite = Suite(folder / "suite")
    suite.write({"one": "say goodbye", "two": "say goodbye"})
    return suite


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what one local run left; each test works on a copy."""
    folder = tmp_path_factory.mktemp("finished")
    suite = suite_in(folder)
    command = [sys.executable, "-m", "benchwarden", "run", "--local"]
    subprocess.run([*command, suite.run_file(agent="{oracle: {}}")], cwd=folder, check=True)
    return folder


@pytest.fixture
def ran(run: Run, finished: Path, tmp_path: Path) -> Path:
    for name in ("out", "suite"):
        shutil.copytree(finished / name, tmp_path / name)
    return tmp_path


def test_artifacts_of_a_local_run_are_listed_with_their_digests(run: Run, ran: Path) -> None:
    code, out, _ = run("artifacts", "out/tiny", "-o", "json")
    found = json.loads(out)

    assert code == 0
    assert {each["instance"] for each in found} == {"one", "two"}
    kinds = [each["kind"] for each in found if each["instance"] == "two"]
    assert kinds == ["patch", "prompt", "sums", "test-log"]
    for each in found:
        assert hashlib.sha256(Path(each["path"]).read_bytes()).hexdigest() == each["sha256"]
    _, table, _ = run("artifacts", "out/tiny", "--instance", "two")
    assert table.split()[:6] == ["INSTANCE", "TRIAL", "LAUNCH", "KIND", "BYTES", "SHA256"]
    assert "one" not in table


def test_the_verdicts_digest_is_that_of_the_kept_digests(run: Run, ran: Path) -> None:
    _, rows, _ = run("results", "out/tiny", "-o", "json")
    row = next(each for each in json.loads(rows) if each["instance"] == "two")

    sums = (ran / FOLDER / "SHA256SUMS").read_bytes()
    assert hashlib.sha256(sums).hexdigest() == row["artifact"]
    assert f"{row['patch_sha256']}  agent.patch" in sums.decode()
    assert f"{row['log_sha256']}  test.log" in sums.decode()


def test_logs_prints_one_file_and_names_what_is_not_there(run: Run, ran: Path) -> None:
    code, out, _ = run("logs", "out/tiny", "two", "--kind", "prompt")
    assert (code, out) == (0, "say goodbye")
    _, patch, _ = run("logs", "out/tiny", "two", "--kind", "patch")
    assert patch == (ran / FOLDER / "agent.patch").read_text()
    _, log, _ = run("logs", "out/tiny", "two")
    assert log == (ran / FOLDER / "test.log").read_text()

    code, _, err = run("logs", "out/tiny", "two", "--kind", "transcript")
    assert code == names.EXIT_FAILED
    assert "nothing of kind transcript is kept of two" in err
    code, _, err = run("logs", "out/tiny", "three")
    assert (code, "three" in err) == (names.EXIT_FAILED, True)
    code, _, err = run("logs", "suite", "two")
    assert (code, "not a run's folder" in err) == (names.EXIT_USAGE, True)


def test_a_download_is_checked(run: Run, ran: Path) -> None:
    code, _, _ = run("artifacts", "out/tiny", "--download", "copy")
    assert code == 0
    copied = Path("two/trial-0/launch-1/agent.patch")
    assert (ran / "copy" / copied).read_text() == (ran / FOLDER / "agent.patch").read_text()

    (ran / FOLDER / "agent.patch").write_text("another patch")
    code, _, err = run("artifacts", "out/tiny", "--download", "again")
    assert code == names.EXIT_FAILED
    assert "it was changed or damaged" in err
    assert not (ran / "again" / copied).exists()


def test_a_manifest_that_names_a_way_out_leads_nowhere(run: Run, ran: Path) -> None:
    (ran / "secret").write_text("s")
    manifest = json.loads((ran / FOLDER / "manifest.json").read_bytes())
    manifest["files"][0]["name"] = "../../../../../../secret"
    (ran / FOLDER / "manifest.json").write_text(json.dumps(manifest))

    code, out, _ = run("artifacts", "out/tiny", "-o", "yaml", "--download", "copy")

    assert code == 0
    assert "secret" not in out


def test_artifacts_for_a_cluster_stay_here_in_a_local_run_and_it_says_so(
    run: Run, tmp_path: Path
) -> None:
    suite = suite_in(tmp_path)
    kept = {"artifacts": {"s3": {"url": "s3://bench", "credentials": {"name": "storage"}}}}
    code, _, err = run("run", suite.run_file(agent="{oracle: {}}", **kept), "--local")

    assert code == 0
    assert "spec.artifacts is for clusters" in err
    _, out, _ = run("artifacts", "out/tiny")
    assert "agent.patch" not in out
    assert "patch" in out
