"""Loading: from each kind of source to a panel, or an error that says where and why."""

import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.unit.suites.https_server import HttpsServer, https_server
from tests.unit.suites.rows import full_row, jsonl, task_row

from benchwarden import names
from benchwarden.api.suite import Dataset, SuiteSpec
from benchwarden.errors import BenchwardenError, InvalidInputError, UnavailableError
from benchwarden.suites.load import load_panel
from benchwarden.suites.sources import OutsideSources

CONTENT = jsonl(task_row(id="b"), full_row(id="a"))


class MemorySources(OutsideSources):
    """ConfigMaps and datasets from memory; files and addresses are the real ones."""

    def __init__(
        self,
        config_maps: Mapping[tuple[str, str], bytes] | None = None,
        rows: list[dict[str, Any]] | None = None,
        **limits: Any,
    ) -> None:
        super().__init__(self._config_map, **limits)
        self._config_maps = config_maps or {}
        self._rows = rows or []

    def _config_map(self, name: str, key: str) -> bytes:
        try:
            return self._config_maps[name, key]
        except KeyError as error:
            raise UnavailableError(f"ConfigMap {name} has no key {key}") from error

    def read_dataset(self, dataset: Dataset) -> Iterator[Mapping[str, Any]]:
        yield from self._rows


def tasks_suite(source: dict[str, Any], **selection: Any) -> SuiteSpec:
    return SuiteSpec.model_validate({"tasks": {"source": source}, "selection": selection})


def ids(panel: Any) -> list[str]:
    return [instance.id for instance in panel.instances]


def test_a_config_map_is_read_by_name_and_key():
    sources = MemorySources({("suite", "tasks.jsonl"): CONTENT})
    panel = load_panel(tasks_suite({"configMap": {"name": "suite"}}), sources)
    assert ids(panel) == ["a", "b"]
    assert panel.suite == "suite"


def test_a_missing_config_map_is_unavailable_not_invalid():
    with pytest.raises(UnavailableError, match="no key"):
        load_panel(tasks_suite({"configMap": {"name": "none"}}), MemorySources())


def test_local_paths_are_resolved_against_the_suite_file(tmp_path: Path):
    (tmp_path / "tasks.jsonl").write_bytes(CONTENT)
    panel = load_panel(tasks_suite({"path": str(tmp_path / "tasks.jsonl")}), MemorySources())
    local = panel.instances[0].local
    assert local is not None
    assert local.archive == str(tmp_path / "repos/demo.tar")
    assert local.path_entries == (str(tmp_path / "bin"),)


def test_a_suite_from_elsewhere_may_not_name_files_of_this_machine():
    sources = MemorySources({("suite", "tasks.jsonl"): CONTENT})
    panel = load_panel(tasks_suite({"configMap": {"name": "suite"}}), sources)
    assert panel.instances[0].local is None


def test_a_caller_may_name_the_folder_that_local_paths_of_a_config_map_belong_to(tmp_path: Path):
    sources = MemorySources({("suite", "tasks.jsonl"): CONTENT})
    spec = tasks_suite({"configMap": {"name": "suite"}})
    local = load_panel(spec, sources, local_root=tmp_path).instances[0].local
    assert local is not None
    assert local.archive == str(tmp_path / "repos/demo.tar")


def test_the_digest_does_not_depend_on_where_the_suite_file_lies(tmp_path: Path):
    digests = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        path = tmp_path / name / "tasks.jsonl"
        path.write_bytes(CONTENT)
        digests.add(load_panel(tasks_suite({"path": str(path)}), MemorySources()).digest)
    assert len(digests) == 1


def test_a_bad_row_is_named_with_its_line_and_its_file():
    sources = MemorySources({("suite", "t"): jsonl(task_row(), task_row(id="x", image="A B"))})
    spec = tasks_suite({"configMap": {"name": "suite", "key": "t"}})
    with pytest.raises(InvalidInputError, match=r"line 2: image: .*ConfigMap suite, key t"):
        load_panel(spec, sources)


def test_an_empty_file_blames_the_source():
    sources = MemorySources({("suite", "tasks.jsonl"): b""})
    with pytest.raises(InvalidInputError) as caught:
        load_panel(tasks_suite({"configMap": {"name": "suite"}}), sources)
    assert caught.value.field == "spec.suite.tasks.source.configMap"
    assert caught.value.reason == names.REASON_EMPTY_PANEL


def test_the_selection_of_the_spec_is_applied():
    sources = MemorySources({("suite", "tasks.jsonl"): CONTENT})
    spec = tasks_suite({"configMap": {"name": "suite"}}, include=["b"])
    assert ids(load_panel(spec, sources)) == ["b"]


def test_a_missing_file_is_unavailable(tmp_path: Path):
    with pytest.raises(UnavailableError, match="No such file"):
        MemorySources().read_path(str(tmp_path / "none"))


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidInputError, match="regular file"):
        MemorySources().read_path(str(tmp_path / "pipe"))


@pytest.mark.parametrize("path", ["/dev/zero", "/"])
def test_devices_and_folders_are_refused(path):
    with pytest.raises((InvalidInputError, UnavailableError)):
        MemorySources().read_path(path)


def test_a_file_over_the_cap_is_refused(tmp_path: Path):
    (tmp_path / "big").write_bytes(b"x" * 101)
    with pytest.raises(InvalidInputError, match="over 100 bytes"):
        MemorySources(max_bytes=100).read_path(str(tmp_path / "big"))


def test_a_checksum_is_held_against_the_content(tmp_path: Path):
    path = tmp_path / "tasks.jsonl"
    path.write_bytes(CONTENT)
    good = hashlib.sha256(CONTENT).hexdigest()
    spec = tasks_suite({"path": str(path), "sha256": good})
    assert ids(load_panel(spec, MemorySources())) == ["a", "b"]
    path.write_bytes(CONTENT + b"\n")
    with pytest.raises(InvalidInputError, match=f"not {good}"):
        load_panel(spec, MemorySources())


def test_a_datasets_nulls_are_keys_that_are_absent():
    row = full_row(setup_command=None, base_commit=None) | {"resources": None}
    spec = tasks_suite({"dataset": {"id": "team/tasks", "revision": "a" * 40}})
    panel = load_panel(spec, MemorySources(rows=[row]))
    assert panel.instances[0].setup_command == ""
    assert panel.instances[0].resources is None


def test_a_bad_row_of_a_dataset_is_named_by_its_number():
    spec = tasks_suite({"dataset": {"id": "team/tasks", "revision": "a" * 40}})
    with pytest.raises(InvalidInputError, match="row 2: image"):
        load_panel(spec, MemorySources(rows=[task_row(), task_row(id="x", image="A")]))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpsServer]:
    with https_server(tmp_path) as served:
        monkeypatch.setenv("SSL_CERT_FILE", str(served.certificate))
        monkeypatch.setenv("no_proxy", "localhost")
        yield served


def test_an_https_address_is_read(server: HttpsServer):
    server.files["/suites/nightly.jsonl"] = CONTENT
    panel = load_panel(tasks_suite({"url": server.url("/suites/nightly.jsonl")}), MemorySources())
    assert ids(panel) == ["a", "b"]
    assert panel.suite == "nightly"


def test_a_redirect_to_https_is_followed(server: HttpsServer):
    server.files["/new"] = CONTENT
    server.moved["/old"] = server.url("/new")
    assert MemorySources().read_url(server.url("/old")) == CONTENT


@pytest.mark.parametrize("target", ["http://localhost:1/x", "file:///etc/passwd", "ftp://x/y"])
def test_a_redirect_to_anything_but_https_is_refused(server: HttpsServer, target: str):
    server.moved["/old"] = target
    with pytest.raises((InvalidInputError, UnavailableError)) as caught:
        MemorySources().read_url(server.url("/old"))
    assert "https" in str(caught.value) or "302" in str(caught.value)


def test_an_address_without_a_file_is_unavailable_and_says_the_status(server: HttpsServer):
    with pytest.raises(UnavailableError, match="answered 404"):
        MemorySources().read_url(server.url("/none"))


def test_an_unknown_certificate_is_unavailable(
    server: HttpsServer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(UnavailableError, match=r"(?i)certificate"):
        MemorySources().read_url(server.url("/x"))


def test_an_answer_over_the_cap_is_refused(server: HttpsServer):
    server.files["/big"] = b"x" * 100_001
    with pytest.raises(InvalidInputError, match="over 100000 bytes"):
        MemorySources(max_bytes=100_000).read_url(server.url("/big"))


def test_an_answer_that_drips_for_ever_is_given_up(server: HttpsServer):
    server.dripping.add("/slow")
    begun = time.monotonic()
    with pytest.raises(UnavailableError, match="too slowly"):
        MemorySources(url_seconds=0.5).read_url(server.url("/slow"))
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("url", ["http://localhost/x", "file:///etc/passwd", "/etc/passwd"])
def test_only_https_addresses_are_opened(url):
    with pytest.raises(InvalidInputError, match="not an https address"):
        MemorySources().read_url(url)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("s3://bucket", "no object in it"),
        ("s3://bucket/", "no object in it"),
        ("s3://bucket/tasks.jsonl", "no credentials for bucket"),
    ],
)
def test_a_bucket_needs_an_object_and_credentials_of_the_operators_own(url, problem):
    sources = OutsideSources(lambda name, key: b"", environment={})
    with pytest.raises(BenchwardenError, match=problem):
        load_panel(tasks_suite({"url": url}), sources)
