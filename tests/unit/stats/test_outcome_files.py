"""Result files: a run's own rows are one of the kinds."""

import json

import pytest

from benchwarden.errors import InvalidInputError
from benchwarden.stats.outcome_files import parse_outcomes


def test_a_runs_own_result_rows_count_their_verdicts_only() -> None:
    rows = (
        '{"instance":"a","trial":0,"launch":1,"kind":"charge","outcome":"evicted"}\n'
        '{"instance":"a","trial":0,"launch":2,"kind":"verdict","outcome":"resolved"}\n'
        '{"instance":"b","trial":0,"launch":1,"kind":"verdict","outcome":"agent_timeout"}\n'
        '{"instance":"c","trial":0,"launch":1,"kind":"release","outcome":""}\n'
    )
    found = parse_outcomes(rows, "rows")
    assert found == {"a": (1, 1), "b": (0, 1), "c": (0, 0)}


def test_a_harness_report_that_contradicts_itself_is_refused() -> None:
    report = json.dumps({"resolved_ids": ["b", "a"], "unresolved_ids": ["c", "a"]})
    with pytest.raises(InvalidInputError, match="r: unresolved_ids: a is also among resolved_ids"):
        parse_outcomes(report, "r")


def test_more_trials_than_any_run_has_are_refused_with_their_line() -> None:
    rows = (
        '{"instance":"a","passes":0,"trials":1}\n{"instance":"a","passes":0,"trials":1' + "0" * 30
    )
    with pytest.raises(InvalidInputError, match="r: line 2: trials must be at most 1000000"):
        parse_outcomes(rows + "}\n", "r")
