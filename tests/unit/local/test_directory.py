from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.artifacts.layout import safe_name
from benchwarden.errors import ConflictError, InvalidInputError
from benchwarden.local.directory import RunDirectory, files_of, read_rows
from benchwarden.planning.plan import Plan, TrialKey
from benchwarden.results.row import Row

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ROW = Row("a", 0, 1, "verdict", "resolved", "batch", "2026-01-01T12:00:00Z")


def spec(**changes: Any) -> BenchmarkRunSpec:
    known = {"suite": {"tasks": {"source": {"path": "/t.jsonl"}}}, "agent": {"nop": {}}}
    return BenchmarkRunSpec.model_validate(known | changes)


def opened(root: Path, name: str = "run", **changes: Any) -> RunDirectory:
    directory = RunDirectory(root)
    directory.open(name, spec(**changes), NOON)
    return directory


def test_a_directory_keeps_its_identity(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    first = directory.open("run", spec(), NOON)
    directory.close()
    assert directory.open("run", spec(), datetime.now(UTC)) == first
    directory.close()


def test_a_second_process_is_refused_while_the_first_works(tmp_path: Path) -> None:
    directory = opened(tmp_path)
    with pytest.raises(ConflictError, match="in use by another benchwarden"):
        opened(tmp_path)
    directory.close()
    opened(tmp_path).close()


def test_another_run_or_spec_is_refused_with_the_way_out(tmp_path: Path) -> None:
    opened(tmp_path).close()
    for arguments in ({"name": "other"}, {"agent": {"oracle": {}}}):
        with pytest.raises(
            InvalidInputError, match="choose another directory or delete"
        ) as refused:
            opened(tmp_path, **arguments)
        assert refused.value.field == "--out"


def test_suspend_cancel_and_retry_may_change(tmp_path: Path) -> None:
    opened(tmp_path).close()
    opened(tmp_path, retry=2, suspend=True).close()


def test_a_plan_survives(tmp_path: Path) -> None:
    directory = opened(tmp_path)
    assert directory.read_plan() is None
    plan = Plan("d", ((TrialKey("a", 0), TrialKey("b", 1)),), (("cliVersion", "1.2.3"),))
    directory.write_plan(plan)
    assert directory.read_plan() == plan
    directory.close()


def test_appended_rows_are_read_back_and_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    directory = opened(tmp_path)
    directory.append_rows([ROW])
    directory.append_rows([ROW])
    whole = directory.results.read_bytes()
    directory.results.write_bytes(whole + whole[: len(whole) // 3])
    assert read_rows(directory.results) == [ROW, ROW]
    assert directory.results.read_bytes() != whole
    assert directory.read_rows() == [ROW, ROW]
    assert directory.results.read_bytes() == whole
    directory.close()


def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path) -> None:
    directory = opened(tmp_path)
    directory.append_rows([ROW])
    with directory.results.open("ab") as file:
        file.write(b"{broken\n")
    directory.append_rows([ROW])
    with pytest.raises(InvalidInputError, match="line 2"):
        directory.read_rows()
    directory.close()


def test_scratch_of_a_killed_predecessor_is_removed(tmp_path: Path) -> None:
    directory = opened(tmp_path)
    first = directory.fresh_scratch()
    locked = first / "locked"
    locked.mkdir()
    (locked / "file").touch()
    locked.chmod(0o500)
    second = directory.fresh_scratch()
    assert not first.exists()
    assert second.exists()
    directory.remove_scratch()
    assert not second.exists()
    directory.close()


@given(st.text(min_size=1), st.text(min_size=1))
def test_folder_names_are_safe_and_distinct(one: str, other: str) -> None:
    for name in (safe_name(one), safe_name(other)):
        assert name not in {"", ".", ".."}
        assert "/" not in name
        assert len(name) < 120
    assert (safe_name(one) == safe_name(other)) == (one == other)


def test_only_regular_non_empty_files_are_offered(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("x")
    (tmp_path / "empty").touch()
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder").mkdir()
    assert files_of(tmp_path, ["real", "empty", "link", "folder", "absent"]) == ["real"]
