"""The summary as a terminal table. All text goes in as `Text`, so nothing in it is taken for markup."""

from typing import Final

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchwarden.report import phrases
from benchwarden.report.clean import one_line
from benchwarden.report.summary import FAIL, GROUPS, INFRA, MISSING, PASS, Summary, TrialResult

_STYLES: Final = {PASS: "green", FAIL: "red", INFRA: "yellow", MISSING: "dim"}


def render(summary: Summary) -> RenderableType:
    """Return the results table followed by the totals."""
    return Group(_results(summary), Text(), *_totals(summary))


def to_text(summary: Summary, width: int = 100) -> str:
    """Return the table as plain text without colours."""
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(render(summary))
    return captured.get()


def mark(group: str) -> Text:
    """Return the group's sign in its colour; it makes sense without colour too."""
    return Text(phrases.GROUP_MARKS[group], style=_STYLES[group])


def _results(summary: Summary) -> Table:
    many = any(result.key.trial for result in summary.results)
    table = Table(box=None, pad_edge=False, header_style="bold", expand=False)
    table.add_column("")
    table.add_column("INSTANCE", overflow="fold")
    table.add_column("OUTCOME", no_wrap=True)
    table.add_column("TESTS", no_wrap=True)
    table.add_column("TIME", justify="right", no_wrap=True)
    table.add_column("COST", justify="right", no_wrap=True)
    table.add_column("REASON", overflow="fold")
    for result in summary.results:
        table.add_row(
            mark(result.group),
            Text(phrases.trial_name(result, many_trials=many)),
            Text(result.outcome or "missing", style=_STYLES[result.group]),
            Text(phrases.tests(result)),
            Text(phrases.worked(result)),
            Text(phrases.usd(result.cost_usd)),
            Text(_reason(result), style="dim"),
        )
    return table


def _reason(result: TrialResult) -> str:
    parts = [one_line(result.row.reason, 120)] if result.row and result.row.reason else []
    if result.retries:
        parts.append(f"{result.retries} {'retry' if result.retries == 1 else 'retries'}")
    return "; ".join(parts)


def _totals(summary: Summary) -> list[Text]:
    groups = ", ".join(
        f"{summary.groups[group]} {phrases.GROUP_TITLES[group]}"
        for group in GROUPS
        if summary.groups[group] or group in {PASS, FAIL}
    )
    agents = phrases.duration(summary.agent_seconds)
    graders = phrases.duration(summary.grade_seconds)
    lines = [
        ("Pass rate", f"{phrases.percent(summary.pass_ratio)}  (95 % {phrases.interval(summary)})"),
        ("Trials", groups),
        ("Coverage", f"{summary.valid}/{summary.planned}"),
        ("Cost", f"{phrases.usd(summary.cost_usd)}, {phrases.count(summary.tokens.total)} tokens"),
        ("Time", f"agents {agents}, graders {graders}"),
    ]
    if summary.heading.message:
        lines.append(("Ended", one_line(summary.heading.message)))
    return [Text.assemble((f"{title:<10}", "bold"), value) for title, value in lines]
