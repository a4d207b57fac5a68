"""How numbers and outcomes are said to people, in every printer alike."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from benchwarden.report.clean import one_line
from benchwarden.report.summary import FAIL, INFRA, MISSING, PASS, Summary, TrialResult

GROUP_MARKS: Final = {PASS: "✓", FAIL: "✗", INFRA: "!", MISSING: "·"}
GROUP_TITLES: Final = {PASS: "passed", FAIL: "failed", INFRA: "infra", MISSING: "missing"}


def percent(ratio: float | None, digits: int = 1) -> str:
    """Return a ratio as a percentage, an en dash when there is none."""
    return "–" if ratio is None else f"{100 * ratio:.{digits}f} %"


def interval(summary: Summary) -> str:
    """Return the pass rate's interval as `32.4–67.1 %`, or an en dash without a verdict."""
    if not summary.valid:
        return "–"
    return f"{100 * summary.interval.lower:.1f}–{100 * summary.interval.upper:.1f} %"


def duration(seconds: float) -> str:
    """Return seconds as `0.4 s`, `12 s`, `3 min 05 s` or `2 h 10 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def worked(result: TrialResult) -> str:
    """Return how long a trial's deciding launch worked; empty when it never did."""
    return duration(result.seconds) if result.seconds else ""


def usd(amount: Decimal) -> str:
    """Return dollars to the cent; amounts below ten cents to four places, as single requests cost that."""
    if amount == 0:
        return "$0"
    places = Decimal("0.0001") if amount < Decimal("0.1") else Decimal("0.01")
    return f"${amount.quantize(places, rounding=ROUND_HALF_UP):,f}"


def count(number: int) -> str:
    """Return a count as `950`, `12.3 k` or `4.5 M`."""
    if number < 10_000:
        return str(number)
    if number < 1_000_000:
        return f"{number / 1000:.1f} k"
    return f"{number / 1_000_000:.1f} M"


def trial_name(result: TrialResult, *, many_trials: bool) -> str:
    """Return the instance's id, with the repeat's number (from 1) where there are several."""
    name = one_line(result.key.instance, 200)
    return f"{name} #{result.key.trial + 1}" if many_trials else name


def tests(result: TrialResult) -> str:
    """Return wanted and kept tests as `2/2 + 31/31`, empty when no grader spoke."""
    row = result.row
    if row is None or not any(row.tests):
        return ""
    passed, wanted, kept, existing = row.tests
    return f"{passed}/{wanted} + {kept}/{existing}" if existing else f"{passed}/{wanted}"


def sentence(summary: Summary) -> str:
    """Return the result in one sentence."""
    if not summary.valid:
        return f"No verdict for any of {summary.planned} trials."
    passed = summary.groups[PASS]
    rate = f"{passed} of {summary.valid} passed: {percent(summary.pass_ratio)}"
    return (
        f"{rate} (95 % interval {interval(summary)}); coverage {summary.valid}/{summary.planned}."
    )
