"""The summary as one HTML file that loads nothing from anywhere: autoescaped, no script, readable on paper.

Instance ids, reasons and tool names come from tasks and agents. They are cleaned and escaped, and a content
security policy forbids scripts and requests should anything slip through.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from benchwarden import __version__
from benchwarden.planning.plan import TrialKey
from benchwarden.report import phrases
from benchwarden.report.clean import one_line
from benchwarden.report.summary import GROUPS, Summary, TrialResult
from benchwarden_runner.protocol import PASS_CLASSES

_TEMPLATE = "report.html.j2"


@dataclass(frozen=True, slots=True)
class Link:
    """A file beside the report; `href` is relative and already percent-encoded."""

    title: str
    href: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """A row of the page's table: only text to be shown."""

    group: str
    mark: str
    name: str
    outcome: str
    tests: str
    duration: str
    cost: str
    facts: tuple[tuple[str, str], ...]
    links: tuple[Link, ...]


def to_html(
    summary: Summary,
    links: Mapping[TrialKey, Sequence[Link]] | None = None,
    plots: Sequence[tuple[str, str]] = (),
) -> str:
    """Return the report page.

    Args:
        summary: what to show.
        links: the files that exist for each trial.
        plots: titles and pictures of the days before, as SVG text of our own making: it is not escaped.
    """
    many = any(result.key.trial for result in summary.results)
    entries = [
        _entry(result, tuple((links or {}).get(result.key, ())), many_trials=many)
        for result in summary.results
    ]
    return _template().render(
        title=one_line(summary.heading.run, 200),
        summary=summary,
        sentence=phrases.sentence(summary),
        rate=phrases.percent(summary.pass_ratio),
        interval=phrases.interval(summary),
        facts=_run_facts(summary),
        tiles=_tiles(summary),
        groups=[
            (group, phrases.GROUP_TITLES[group], summary.groups[group])
            for group in GROUPS
            if summary.groups[group]
        ],
        outcomes=[
            (one_line(name, 60), number, "pass" if name in PASS_CLASSES else "other")
            for name, number in summary.outcomes
        ],
        entries=entries,
        plots=[(title, Markup(picture)) for title, picture in plots],  # noqa: S704  # our own
        quarantined=[
            (one_line(id_, 200), one_line(why)) for id_, why in summary.heading.quarantined
        ],
        version=__version__,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("benchwarden.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(_TEMPLATE)


def _entry(result: TrialResult, links: tuple[Link, ...], *, many_trials: bool) -> _Entry:
    return _Entry(
        group=result.group,
        mark=phrases.GROUP_MARKS[result.group],
        name=phrases.trial_name(result, many_trials=many_trials),
        outcome=one_line(result.outcome or "missing", 60),
        tests=phrases.tests(result),
        duration=phrases.worked(result) or "–",
        cost=phrases.usd(result.cost_usd),
        facts=_trial_facts(result),
        links=links,
    )


def _trial_facts(result: TrialResult) -> tuple[tuple[str, str], ...]:
    row = result.row
    if row is None:
        return ()
    tools = ", ".join(f"{one_line(tool, 40)} × {times}" for tool, times in row.tools)
    tokens = result.tokens
    facts = [
        ("Reason", one_line(row.reason)),
        ("Agent", f"{row.agent_class or '–'}, {phrases.duration(row.agent_seconds)}"),
        ("Waited for the API", _if(row.throttle_seconds, phrases.duration(row.throttle_seconds))),
        ("Grader", phrases.duration(row.grade_seconds)),
        ("Turns", _if(row.turns, str(row.turns))),
        ("Tools", tools),
        ("Denied tool calls", _if(row.denials, str(row.denials))),
        ("Tokens", _if(tokens.total, _token_text(tokens.input, tokens.output, tokens.cache_read))),
        ("Patch", _if(row.patch_bytes, f"{row.patch_bytes} bytes, sha256 {row.patch_sha256[:16]}")),
        ("Retries", _if(result.retries, str(result.retries))),
        ("Network", row.network),
        ("Claude Code", row.cli_version),
        ("Batch", row.batch),
        ("Finished", row.finished_at),
    ]
    return tuple((name, one_line(value)) for name, value in facts if value)


def _token_text(read: int, written: int, cached: int) -> str:
    return (
        f"{phrases.count(read)} in, {phrases.count(written)} out, "
        f"{phrases.count(cached)} read from cache"
    )


def _if(number: float, text: str) -> str:
    return text if number else ""


def _run_facts(summary: Summary) -> list[tuple[str, str]]:
    heading = summary.heading
    facts = [
        ("Suite", heading.suite),
        ("Panel", heading.panel_digest[:16]),
        ("Agent", heading.agent),
        ("Model", heading.model),
        ("Claude Code", heading.cli_version),
        ("Namespace", heading.namespace),
        ("Executor", heading.executor),
        ("Started", _instant(heading.started_at)),
        ("Finished", _instant(heading.finished_at)),
        ("Ended", heading.message or heading.reason),
    ]
    return [(name, one_line(value)) for name, value in facts if value]


def _tiles(summary: Summary) -> list[tuple[str, str, str]]:
    tokens = summary.tokens
    return [
        (
            "Coverage",
            phrases.percent(summary.coverage_ratio, 0),
            f"{summary.valid} of {summary.planned} trials have a verdict",
        ),
        ("Cost", phrases.usd(summary.cost_usd), f"{phrases.count(tokens.total)} tokens"),
        (
            "Agent time",
            phrases.duration(summary.agent_seconds),
            f"graders {phrases.duration(summary.grade_seconds)}",
        ),
        ("Retries", str(summary.retries), "infra failures tried again"),
    ]


def _instant(value: datetime | None) -> str:
    return value.strftime("%Y-%m-%d %H:%M:%S UTC") if value else ""
