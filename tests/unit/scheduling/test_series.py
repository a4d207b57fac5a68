"""What makes a series, and what is said of a change within it."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from tests.builders import CLAUDE, run_view

from benchwarden import names
from benchwarden.results.cells import NOTE_REBASELINE, Note, RunCells
from benchwarden.scheduling.attribution import cli_change
from benchwarden.scheduling.history import history_of
from benchwarden.scheduling.identity import series_identity


def identity(
    claude: dict[str, Any] | None = None, panel: str = "p", config: str = "", **spec: Any
) -> str:
    agent = {"claudeCode": {**CLAUDE["claudeCode"], **(claude or {})}}
    return series_identity(run_view(agent=agent, **spec).spec, panel, config)


@pytest.mark.parametrize(
    ("claude", "rest"),
    [
        ({"version": "2.1.331"}, {}),
        ({"version": "latest"}, {}),
        ({"credentials": {"authToken": {"name": "other", "key": "token"}}}, {}),
        ({"baseUrl": "https://gateway.example.test"}, {}),
        ({"env": [{"name": "A", "secretKeyRef": {"name": "s", "key": "k"}}]}, {}),
        ({"maxTurns": 200}, {}),  # the default, written out
        ({}, {"execution": {"parallelism": 3, "trialsPerInstance": 3, "batchSize": 2}}),
        ({}, {"budget": {"maxUsd": "100"}}),
        ({}, {"cleanupPolicy": "Never"}),
    ],
)
def test_a_series_goes_on_whatever_decides_no_result(claude, rest) -> None:
    assert identity(claude, **rest) == identity()


@pytest.mark.parametrize(
    ("claude", "rest"),
    [
        ({"model": "claude-opus-5"}, {}),
        ({"effort": "high"}, {}),
        ({"maxTurns": 100}, {}),
        ({"maxBudgetUsd": "2"}, {}),
        ({"allowedTools": ["Bash"]}, {}),
        ({"extraArgs": ["--verbose"]}, {}),
        ({"appendSystemPrompt": "be brief"}, {}),
        ({"env": [{"name": "A", "value": "1"}]}, {}),
        ({}, {"panel": "q"}),
        ({}, {"config": "c"}),
        ({}, {"execution": {"agentTimeoutSeconds": 60}}),
        ({}, {"execution": {"resources": {"limits": {"memory": "8Gi"}}}}),
    ],
)
def test_a_new_series_begins_with_whatever_does(claude, rest) -> None:
    assert identity(claude, **rest) != identity()


def test_agents_of_different_kinds_are_different_series() -> None:
    kinds = [
        {"oracle": {}},
        {"nop": {}},
        {"exec": {"command": ["fix"]}},
        {"exec": {"command": ["x"]}},
    ]
    found = {series_identity(run_view(agent=agent).spec, "p") for agent in kinds}
    assert len(found) == 4


def run(day: int, **changes: Any) -> RunCells:
    whole = RunCells(
        f"r{day}",
        f"uid-{day}",
        f"2026-03-{day:02d}T03:00:00Z",
        f"2026-03-{day:02d}",
        names.SERIES_LATEST,
        "a",
        instances=("i",),
        passes=(1,),
        trials=(1,),
    )
    return replace(whole, **changes)


def epochs(*entries: Any) -> list[tuple[str, list[int]]]:
    found = history_of(entries).epochs(names.SERIES_LATEST)
    return [(epoch.cause, [int(run.day[-2:]) for run in epoch.runs]) for epoch in found]


def test_a_change_there_and_back_makes_three_series() -> None:
    assert epochs(run(1), run(2, identity="b"), run(3)) == [
        ("first", [1]),
        ("identity", [2]),
        ("identity", [3]),
    ]


def test_a_rebaseline_takes_effect_with_the_next_slot_and_two_at_once_are_one() -> None:
    notes = [
        Note(NOTE_REBASELINE, f"2026-03-02T0{hour}:00:00Z", "", (("nonce", str(hour)),))
        for hour in (4, 5)
    ]
    assert epochs(run(1), run(2), run(3), *notes) == [("first", [1, 2]), ("rebaseline", [3])]


def test_a_rebaseline_before_the_first_run_changes_nothing() -> None:
    note = Note(NOTE_REBASELINE, "2026-03-01T01:00:00Z", "", (("nonce", "x"),))
    assert epochs(note, run(1), run(2)) == [("first", [1, 2])]


def test_a_network_that_opened_is_a_new_series_but_an_unknown_one_is_not() -> None:
    days = [
        run(1, network=""),
        run(2, network="enforced"),
        run(3, network=""),
        run(4, network="open"),
    ]
    assert epochs(*days) == [("first", [1, 2, 3]), ("identity", [4])]


def test_a_run_without_a_plan_and_the_other_series_are_in_no_epoch_of_this_one() -> None:
    failed = run(2, identity="", instances=(), passes=(), trials=())
    pinned = run(3, series=names.SERIES_PINNED, identity="z")
    assert epochs(run(1), failed, pinned, run(4)) == [("first", [1, 4])]


def test_a_later_entry_of_a_run_replaces_the_earlier_one() -> None:
    history = history_of([run(1), run(1, passes=(0,))])
    assert [each.passes for each in history.runs] == [(0,)]


VERSIONS = [run(day, cli_version=f"2.1.{329 + (day >= 5) + (day >= 9)}") for day in range(1, 13)]


@pytest.mark.parametrize(
    ("change_day", "says"),
    [
        (date(2026, 3, 5), "2.1.329 -> 2.1.330 on the same day"),
        (date(2026, 3, 6), "2.1.329 -> 2.1.330 the day before"),
        (date(2026, 3, 8), "2.1.329 -> 2.1.330 3 days before"),
        (date(2026, 3, 12), "2.1.330 -> 2.1.331 3 days before"),
        (date(2026, 3, 4), ""),
        (None, "2.1.330 -> 2.1.331 on 2026-03-09"),
    ],
)
def test_the_newest_change_of_the_cli_before_the_estimated_day_is_named(change_day, says) -> None:
    assert cli_change(VERSIONS, change_day) == says


def test_an_unknown_version_is_no_change() -> None:
    runs = [run(1, cli_version="2.1.329"), run(2), run(3, cli_version="2.1.329")]
    assert cli_change(runs, None) == ""
