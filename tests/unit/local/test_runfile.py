from pathlib import Path

import pytest

from benchwarden.errors import InvalidInputError
from benchwarden.local.runfile import read_run_file

RUN = """\
apiVersion: benchwarden.dev/v1alpha1
kind: BenchmarkRun
metadata: {name: nightly}
spec:
  suite: {tasks: {source: {configMap: {name: tasks}}}}
  agent: {nop: {}}
"""
CONFIG_MAP = """\
---
apiVersion: v1
kind: ConfigMap
metadata: {name: tasks}
data: {tasks.jsonl: "from the file"}
binaryData: {packed: aGVsbG8=}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "run.yaml"
    path.write_text(text)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(InvalidInputError) as refused:
        read_run_file(path)
    return str(refused.value)


def test_a_file_brings_its_config_maps_along(tmp_path: Path) -> None:
    file = read_run_file(write(tmp_path, RUN + CONFIG_MAP))
    assert file.run.metadata.name == "nightly"
    assert file.read_config_map("tasks", "tasks.jsonl") == b"from the file"
    assert file.read_config_map("tasks", "packed") == b"hello"
    assert file.local_root() == tmp_path


def test_a_folder_given_for_a_config_map_wins_and_is_where_tasks_paths_start(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "tasks"
    folder.mkdir()
    (folder / "tasks.jsonl").write_text("from the folder")
    file = read_run_file(write(tmp_path, RUN + CONFIG_MAP), {"tasks": folder})
    assert file.read_config_map("tasks", "tasks.jsonl") == b"from the folder"
    assert file.local_root() == folder


def test_a_config_map_that_is_not_there_says_how_to_give_it(tmp_path: Path) -> None:
    file = read_run_file(write(tmp_path, RUN))
    with pytest.raises(InvalidInputError, match="--config-map tasks=PATH"):
        file.read_config_map("tasks", "tasks.jsonl")


def test_a_key_that_is_not_there_says_which_are(tmp_path: Path) -> None:
    file = read_run_file(write(tmp_path, RUN + CONFIG_MAP))
    with pytest.raises(InvalidInputError, match=r"it holds: packed, tasks\.jsonl"):
        file.read_config_map("tasks", "other")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (RUN + "---\n" + RUN, "expected one BenchmarkRun, found 2"),
        ("", "expected one BenchmarkRun, found 0"),
        ("kind: Secret\n", "found 'Secret'"),
        ("- a list\n", "each document must be an object"),
        ("kind: [", "is not YAML"),
        (RUN.replace("name: nightly", "generateName: nightly-"), "metadata.name: is required here"),
        (RUN.replace("name: nightly", "name: ../elsewhere"), "metadata.name: must be a name"),
        (RUN.replace("apiVersion: benchwarden.dev/v1alpha1", ""), "apiVersion: is required"),
        (RUN.replace("nop:", "nope:"), "spec.agent.nope"),
        (RUN + CONFIG_MAP.replace("aGVsbG8=", "'%%%'"), "binaryData.packed"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, text: str, says: str) -> None:
    assert says in refusal(write(tmp_path, text))


def test_a_missing_file_is_bad_input(tmp_path: Path) -> None:
    assert "there is no" in refusal(tmp_path / "absent.yaml")
