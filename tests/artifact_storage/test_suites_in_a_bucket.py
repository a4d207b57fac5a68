"""Rows and run scripts in a real S3 server that checks signatures, read with the operator's own credentials."""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.s3_server import BUCKET, SECRET_KEY, S3Server
from tests.unit.suites.pro_rows import PARSER, RUN_SCRIPT
from tests.unit.suites.rows import jsonl, task_row

from benchwarden import names
from benchwarden.api.suite import SuiteSpec
from benchwarden.errors import InvalidInputError, UnavailableError
from benchwarden.suites.load import load_panel
from benchwarden.suites.sources import OutsideSources

# Its server is built like the cluster's programs.
pytestmark = [pytest.mark.cluster, pytest.mark.long]

ROWS = jsonl(task_row(id="a"), task_row(id="b"))
ID = "instance_own__calc-1"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with S3Server(tmp_path_factory.mktemp("s3")) as running:
        folder = running.root / "data" / BUCKET / "suites"
        folder.mkdir()
        (folder / "tasks.jsonl").write_bytes(ROWS)
        yield running


def sources(server: S3Server, **limits: int) -> OutsideSources:
    environment = {**server.environment, names.ENV_AWS_ENDPOINT_URL: server.url}
    return OutsideSources(lambda name, key: b"", environment=environment, **limits)


def tasks(url: str, **more: str) -> SuiteSpec:
    return SuiteSpec.model_validate({"tasks": {"source": {"url": url, **more}}})


def test_rows_are_read_from_a_bucket_and_held_to_their_sum(server: S3Server) -> None:
    url = f"s3://{BUCKET}/suites/tasks.jsonl"
    digest = hashlib.sha256(ROWS).hexdigest()
    panel = load_panel(tasks(url, sha256=digest), sources(server))
    assert [each.id for each in panel.instances] == ["a", "b"]
    with pytest.raises(InvalidInputError, match=digest):
        load_panel(tasks(url, sha256="0" * 64), sources(server))


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_data_set_and_its_run_scripts_are_read_from_a_bucket(server: S3Server, form: str) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, text in (("run_script.sh", RUN_SCRIPT), ("parser.py", PARSER)):
            member = tarfile.TarInfo(f"run_scripts/{ID}/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    folder = server.root / "data" / BUCKET / "suites"
    (folder / "scripts.tgz").write_bytes(archive.getvalue())
    row = {
        "instance_id": ID,
        "repo": "own/calc",
        "base_commit": "0" * 40,
        "problem_statement": "Adding subtracts.",
        "fail_to_pass": "['test_add']",
        "selected_test_files_to_run": '["test_calc.py"]',
    }
    if form == "jsonl":
        (folder / "pro.jsonl").write_bytes(jsonl(row))
    else:
        pq.write_table(pa.Table.from_pylist([row]), folder / "pro.parquet")
    place = f"s3://{BUCKET}/suites"
    suite = {
        "source": {"url": f"{place}/pro.{form}"},
        "runScripts": {"url": f"{place}/scripts.tgz"},
    }
    panel = load_panel(SuiteSpec.model_validate({"swebenchPro": suite}), sources(server))
    assert panel.instances[0].parser.script == PARSER


def test_what_cannot_be_read_is_trouble_that_names_the_object_and_no_secret(
    server: S3Server, tmp_path: Path
) -> None:
    wrong = OutsideSources(
        lambda name, key: b"",
        environment={
            **server.environment,
            names.ENV_AWS_ENDPOINT_URL: server.url,
            names.ENV_AWS_SECRET_ACCESS_KEY: "another" + SECRET_KEY,
        },
    )
    for place, readers in (("absent", sources(server)), ("tasks", wrong)):
        with pytest.raises(UnavailableError, match=f"suites/{place}.jsonl") as caught:
            load_panel(tasks(f"s3://{BUCKET}/suites/{place}.jsonl"), readers)
        assert SECRET_KEY not in str(caught.value)


def test_more_than_a_suite_may_have_is_refused(server: S3Server) -> None:
    with pytest.raises(InvalidInputError, match="over 100 bytes"):
        load_panel(tasks(f"s3://{BUCKET}/suites/tasks.jsonl"), sources(server, max_bytes=100))
