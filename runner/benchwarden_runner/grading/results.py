"""Test outcomes, read from what a test run leaves, and the verdict they add up to.

A test that is reported more than once has the worst of its outcomes, unless its suite says that one pass is
enough; a test that is not reported has not passed.
"""

from dataclasses import dataclass
from typing import Dict, Iterable, Mapping, Sequence, Tuple

PASSED = "PASSED"
SKIPPED = "SKIPPED"
FAILED = "FAILED"
ERROR = "ERROR"
_WORST_FIRST = (ERROR, FAILED, SKIPPED, PASSED)


class NoResultsError(RuntimeError):
    """The run left nothing that could be read; the message says what was looked for."""


class ResultsError(RuntimeError):
    """What the run left cannot be read by the task's own parser: the task's fault, or ours."""


@dataclass(frozen=True)
class Score:
    """Passed and total of the two lists of a task."""

    fail_to_pass: Tuple[int, int]
    pass_to_pass: Tuple[int, int]

    @property
    def resolved(self) -> bool:
        """All of both lists passed, and there was something to pass."""
        passed = self.fail_to_pass[0] + self.pass_to_pass[0]
        total = self.fail_to_pass[1] + self.pass_to_pass[1]
        return passed == total > 0


def merge(reports: Iterable[Tuple[str, str]], *, any_pass_counts: bool = False) -> Dict[str, str]:
    """Worst status by test name, or the best; unknown statuses count as FAILED."""
    found: Dict[str, str] = {}
    choose = max if any_pass_counts else min
    for name, status in reports:
        known = status if status in _WORST_FIRST else FAILED
        found[name] = choose(known, found.get(name, known), key=_WORST_FIRST.index)
    return found


def score(
    results: Mapping[str, str],
    fail_to_pass: Sequence[str],
    pass_to_pass: Sequence[str],
    *,
    skipped_counts_as_pass: bool,
) -> Score:
    """How many of a task's tests passed; `skipped_counts_as_pass` is for pass_to_pass only."""
    good = {PASSED, SKIPPED} if skipped_counts_as_pass else {PASSED}
    before = sum(results.get(name) == PASSED for name in fail_to_pass)
    kept = sum(results.get(name) in good for name in pass_to_pass)
    return Score((before, len(fail_to_pass)), (kept, len(pass_to_pass)))
