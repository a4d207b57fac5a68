import io

from rich.console import Console
from tests.unit.report.builders import charge, release, verdict

from benchwarden.cli.progress import ProgressLine
from benchwarden.planning.plan import Plan, TrialKey

PLAN = Plan("digest", ((TrialKey("a", 0), TrialKey("b", 0)),))
MANY = Plan("digest", ((TrialKey("a", 0),), (TrialKey("a", 1),)))


def shown(*, terminal: bool = False) -> tuple[ProgressLine, io.StringIO]:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, markup=False, highlight=False)
    return ProgressLine(console), out


def test_without_a_terminal_there_is_one_plain_line_per_result() -> None:
    progress, out = shown()
    with progress:
        progress.planned(PLAN, ())
        progress.recorded((charge("b", reason="no such image"), release("a")))
        progress.recorded((verdict("a"), verdict("b", "unresolved", launch=2)))
    assert out.getvalue().splitlines() == [
        "2 trials in 1 batch",
        "0/2 ! b  image_pull  0.0 s  (no such image)",
        "1/2 ✓ a  resolved  0.0 s",
        "2/2 ✗ b  unresolved  0.0 s",
    ]


def test_going_on_counts_what_is_done_already() -> None:
    progress, out = shown()
    with progress:
        progress.planned(PLAN, (verdict("a"),))
        progress.recorded((verdict("b"),))
    assert out.getvalue().splitlines()[1:] == [
        "going on: 1 of 2 have their verdict",
        "2/2 ✓ b  resolved  0.0 s",
    ]


def test_repeats_are_told_apart() -> None:
    progress, out = shown()
    with progress:
        progress.planned(MANY, ())
        progress.recorded((verdict("a", trial=1),))
    assert "1/2 ✓ a #2  resolved" in out.getvalue()


def test_hostile_text_cannot_steer_the_terminal() -> None:
    progress, out = shown()
    with progress:
        progress.told("\x1b[2Jgone [red]red[/red]", warning=True)
        progress.recorded((verdict("a", "unresolved", reason="\x1b]0;owned\x07\u202ex"),))
    assert "\x1b" not in out.getvalue()
    assert "\u202e" not in out.getvalue()
    assert "gone [red]red[/red]" in out.getvalue()


def test_news_that_the_result_repeats_is_not_told() -> None:
    progress, out = shown()
    with progress:
        progress.told("2 of 2 trials have a verdict", warning=False)
    assert out.getvalue() == ""


def test_a_terminal_gets_a_live_bar() -> None:
    progress, out = shown(terminal=True)
    with progress:
        progress.planned(PLAN, ())
        progress.recorded((verdict("a"),))
    assert "running, 1 passed" in out.getvalue()
    assert "1/2" in out.getvalue()
