from benchwarden.results.official import official_pass_rate, officially_resolved
from benchwarden.results.row import Row


def row(outcome: str, tests: tuple[int, int, int, int]) -> Row:
    return Row("a", 0, 1, "verdict", outcome, "b", "2026-03-01T12:00:00Z", tests=tests)


def test_the_official_scorer_looks_at_nothing_but_the_tests():
    assert officially_resolved(row("resolved", (1, 1, 0, 0)))
    assert officially_resolved(row("agent_timeout", (1, 1, 2, 2)))
    assert officially_resolved(row("empty_patch", (0, 0, 2, 2)))
    assert not officially_resolved(row("unresolved", (1, 1, 1, 2)))
    assert not officially_resolved(row("patch_does_not_apply", (0, 0, 0, 0)))


def test_trials_without_a_verdict_count_as_failures():
    verdicts = [row("resolved", (1, 1, 0, 0)), row("unresolved", (0, 1, 0, 0))]
    assert official_pass_rate(verdicts, 4) == 0.25
    assert official_pass_rate([], 0) == 0.0
