"""Result files: a run's own rows are one of the kinds."""

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
