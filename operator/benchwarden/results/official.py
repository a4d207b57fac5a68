"""What a benchmark's own scorer would have said: it looks at nothing but the tests, and knows no missing trials."""

from collections.abc import Iterable

from benchwarden.results.row import Row


def officially_resolved(row: Row) -> bool:
    """Whether all wanted tests passed, however the agent ended and whether or not it changed anything."""
    before, before_total, kept, kept_total = row.tests
    return before == before_total and kept == kept_total and before_total + kept_total > 0


def official_pass_rate(verdicts: Iterable[Row], finished: int) -> float:
    """Share of finished trials that the official scorer would count as resolved.

    Args:
        verdicts: the row with the verdict of each trial that has one.
        finished: trials that have ended, those without a verdict included: the official scorer counts a
            missing image, a crashed parser and a timeout as failures.
    """
    return sum(map(officially_resolved, verdicts)) / finished if finished else 0.0
