"""The built mini suite: real code, hidden tests that tell, a future that lies in wait, and no surprises."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from tests.mini_suite import ensure_mini_suite

from benchwarden import names
from benchwarden.api.suite import SuiteSpec
from benchwarden.errors import ConflictError
from benchwarden.minisuite.__main__ import main
from benchwarden.minisuite.build import MANIFEST, ensure_suite, suite_digest
from benchwarden.minisuite.image import image_layer, image_layers
from benchwarden.minisuite.rows import HARD_KINDS
from benchwarden.minisuite.trial import read_report, write_test_files
from benchwarden.suites.instance import Instance
from benchwarden.suites.load import load_panel
from benchwarden.suites.sources import OutsideSources

pytestmark = pytest.mark.timeout(600)  # the first test that asks builds the suite
SMALL = "parse-1.20.2"


@pytest.fixture(scope="session")
def suite() -> Path:
    return ensure_mini_suite()


@pytest.fixture(scope="session")
def panel(suite: Path) -> dict[str, Instance]:
    spec = SuiteSpec.model_validate({"tasks": {"source": {"path": str(suite / "tasks.jsonl")}}})
    loaded = load_panel(spec, OutsideSources(lambda name, key: b""))
    return {instance.id: instance for instance in loaded.instances}


@pytest.fixture
def work_tree(panel: dict[str, Instance], tmp_path: Path) -> Path:
    return unpack(panel[SMALL], tmp_path / "work")


def unpack(instance: Instance, folder: Path) -> Path:
    assert instance.local is not None
    folder.mkdir()
    subprocess.run(["tar", "-xf", instance.local.archive, "-C", folder], check=True)
    return folder


def git(folder: Path, *words: str) -> str:
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    # Unpacked by root, an archive's files belong to root; by others, to themselves.
    done = subprocess.run(
        ["git", *words],
        cwd=folder,
        env=os.environ | quiet,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def outcomes(instance: Instance, folder: Path) -> dict[str, str]:
    assert instance.local is not None
    path = os.pathsep.join([*instance.local.path_entries, os.environ["PATH"]])
    subprocess.run(
        ["sh", "-c", instance.test_command],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder.parent), **dict(instance.env)},
        capture_output=True,
        check=False,
        timeout=240,
    )
    return read_report((folder / instance.parser.path).read_bytes())


def real(panel: dict[str, Instance]) -> list[Instance]:
    return [item for item in panel.values() if not item.id.endswith(HARD_KINDS)]


def test_there_are_at_least_eight_real_instances_and_two_hard_ones(panel):
    assert len(real(panel)) >= 8
    assert len(panel) - len(real(panel)) == len(HARD_KINDS) == 2
    assert len({instance.repo for instance in real(panel)}) >= 6


def test_every_instance_has_gold_tests_and_a_prompt_that_does_not_give_the_gold_away(panel):
    for instance in panel.values():
        assert instance.fail_to_pass
        assert instance.pass_to_pass
        assert len(instance.prompt) > 80
        added = [line[1:].strip() for line in instance.gold_patch.splitlines() if line[:1] == "+"]
        code = [line for line in added if len(line) > 12]
        assert code
        assert not any(line in instance.prompt for line in code)


def test_the_gold_patch_brings_no_tests(panel):
    for instance in panel.values():
        headers = [line for line in instance.gold_patch.splitlines() if line.startswith("+++ ")]
        assert headers
        assert not any("/tests/" in line or "/test_" in line for line in headers), instance.id


def test_the_suite_fits_a_config_map(suite):
    assert (suite / "tasks.jsonl").stat().st_size <= names.INPUT_CONFIG_MAP_BYTES


def test_the_work_tree_is_clean_and_at_the_base_commit(panel, work_tree):
    assert git(work_tree, "rev-parse", "HEAD").strip() == panel[SMALL].base_commit
    assert git(work_tree, "status", "--porcelain") == ""
    assert git(work_tree, "rev-list", "--count", "HEAD").strip() == "1"


def test_the_future_lies_in_branches_tags_and_reflogs_for_a_run_to_cut(work_tree):
    refs = git(work_tree, "for-each-ref", "--format=%(refname)").split()
    assert refs == [
        "refs/heads/main",
        "refs/heads/next",
        "refs/remotes/origin/main",
        "refs/tags/v1.20.2",
    ]
    assert 'version__ = "1.20.2"' in git(work_tree, "show", "next:parse.py")
    assert "pull" in git(work_tree, "reflog", "HEAD")


def test_the_hidden_tests_fail_before_the_gold_patch_and_pass_after_it(panel, work_tree):
    instance = panel[SMALL]
    write_test_files(work_tree, instance.test_files)
    before = outcomes(instance, work_tree)
    subprocess.run(
        ["git", "apply", "-"], cwd=work_tree, input=instance.gold_patch.encode(), check=True
    )
    after = outcomes(instance, work_tree)
    assert all(before.get(name) != "passed" for name in instance.fail_to_pass)
    assert all(before.get(name) == "passed" for name in instance.pass_to_pass)
    everything = {*instance.fail_to_pass, *instance.pass_to_pass}
    assert {name for name in everything if after.get(name) != "passed"} == set()


def test_hidden_tests_that_travel_as_a_diff_apply_to_the_base(panel, tmp_path):
    patched = [instance for instance in panel.values() if instance.test_patch]
    assert patched
    for instance in patched:
        folder = unpack(instance, tmp_path / instance.id)
        words = ["git", "apply", "--check", "-"]
        subprocess.run(words, cwd=folder, input=instance.test_patch.encode(), check=True)
        assert instance.restore_paths


def test_one_instance_never_ends_within_its_limit_and_one_outgrows_its_memory(panel):
    hangs = panel[f"{SMALL}-hangs"]
    assert hangs.grade_timeout_seconds is not None
    assert hangs.grade_timeout_seconds <= 30
    assert "while True" in hangs.test_files[-1].content.decode()
    hungry = panel[f"{SMALL}-needs-memory"]
    assert hungry.resources is not None
    assert hungry.resources.memory_limit == "256Mi"
    assert "1 << 30" in hungry.test_files[-1].content.decode()


def test_building_again_changes_nothing(suite):
    before = (suite / "tasks.jsonl").stat()
    said: list[str] = []
    assert ensure_suite(suite, said.append) == suite
    assert (suite / "tasks.jsonl").stat() == before
    assert said == []


def test_the_archives_hold_only_plain_files_of_root_with_one_time(suite):
    for archive in sorted((suite / "repos").iterdir()):
        with tarfile.open(archive) as tar:
            members = tar.getmembers()
        assert [member.name for member in members] == sorted(member.name for member in members)
        assert {(m.uid, m.gid, m.mtime) for m in members} == {(0, 0, members[0].mtime)}
        assert all(member.isreg() or member.isdir() for member in members)


def test_nothing_in_the_tasks_names_this_machine(suite):
    content = (suite / "tasks.jsonl").read_text()
    for place in (suite.parent, sys.prefix, Path.cwd()):
        assert str(place) not in content
    assert all(
        not json.loads(line)["local"]["archive"].startswith("/") for line in content.splitlines()
    )


@pytest.fixture
def copied_suite(suite: Path, tmp_path: Path) -> Path:
    copy = tmp_path / "suite"
    shutil.copytree(suite, copy, symlinks=True, ignore=shutil.ignore_patterns("images"))
    return copy


def test_a_suite_may_be_moved_and_still_runs_its_own_pytest(copied_suite):
    # Beside this project's own conftest, which needs what the suite's pytest has not.
    said = subprocess.run(
        [copied_suite / "bin/pytest", "--version"],
        cwd=copied_suite,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "pytest 8" in said.stdout + said.stderr


def test_each_image_layer_holds_its_instances_and_pytest(copied_suite, panel):
    layers = image_layers(copied_suite)
    assert set(layers) == {instance.image for instance in panel.values()}
    assert len(layers) == 2
    for instance in panel.values():
        work_tree = layers[instance.image] / instance.workdir.lstrip("/")
        assert (work_tree / ".git/HEAD").is_file()
    for rootfs in layers.values():
        link = rootfs / "usr/local/bin/pytest"
        assert (rootfs / str(link.readlink()).lstrip("/")).is_file()
        assert (rootfs / "opt/mini-suite/site/pytest").is_dir()
        assert (rootfs.parent / "Dockerfile").is_file()
    assert image_layer(copied_suite) == layers[panel["click-8.1.8"].image]
    assert image_layers(copied_suite) == layers


def test_an_image_layer_holds_no_tests_or_gold_beyond_the_repositories(copied_suite):
    rootfs = image_layer(copied_suite)
    assert not list(rootfs.rglob("tasks.jsonl"))
    assert {path.name for path in rootfs.iterdir()} == {"opt", "repos", "usr"}


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConflictError, match="not empty"):
        ensure_suite(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_damaged_suite_is_not_taken_for_a_good_one(copied_suite, monkeypatch):
    (copied_suite / "tasks.jsonl").write_bytes(b"{}\n")
    rebuilt: list[Path] = []

    def build(out: Path, scratch: Path, digest: str, say: object) -> None:
        rebuilt.append(out)
        out.mkdir(parents=True)

    monkeypatch.setattr("benchwarden.minisuite.build._build", build)
    ensure_suite(copied_suite)
    assert len(rebuilt) == 1
    assert not (copied_suite / MANIFEST).exists()


def test_a_build_that_fails_leaves_the_old_suite_and_no_rubbish(copied_suite, monkeypatch):
    (copied_suite / MANIFEST).write_text(json.dumps({"digest": "of older code"}))
    before = hashlib.sha256((copied_suite / "tasks.jsonl").read_bytes()).hexdigest()

    def build(out: Path, scratch: Path, digest: str, say: object) -> None:
        out.mkdir(parents=True)
        raise OSError("disk full")

    monkeypatch.setattr("benchwarden.minisuite.build._build", build)
    with pytest.raises(OSError, match="disk full"):
        ensure_suite(copied_suite)
    assert hashlib.sha256((copied_suite / "tasks.jsonl").read_bytes()).hexdigest() == before
    beside = {path.name for path in copied_suite.parent.iterdir()}
    assert beside == {"suite", ".suite.lock"}


def test_the_command_prints_where_the_tasks_are(suite, capsys):
    assert main(["build", "--out", str(suite)]) == names.EXIT_OK
    assert capsys.readouterr().out == f"{suite / 'tasks.jsonl'}\n"


def test_the_digest_is_that_of_the_suite(suite):
    assert json.loads((suite / MANIFEST).read_text())["digest"] == suite_digest()
