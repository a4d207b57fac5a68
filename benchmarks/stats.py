"""The numbers behind the monitor, as Markdown: false pages, delays, window test, speed.

`make bench-stats` simulates and writes the tables into docs/concepts/statistics.md, between the marks
`<!-- bench-stats: NAME -->` and `<!-- /bench-stats -->`. A quarter of an hour on a busy core; equal
seeds give equal tables on the same image, but for the speed. `--panels 100 --docs ""` for a glance.
"""

import argparse
import itertools
import json
import re
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "operator"))

from benchwarden.stats.analysis import analyze
from benchwarden.stats.baseline import Baseline, freeze
from benchwarden.stats.documents import analysis_document
from benchwarden.stats.episodes import Alarm, watch, watchman
from benchwarden.stats.history import Grid
from benchwarden.stats.history_file import parse_history
from benchwarden.stats.monitor import MergeRule, build_model
from benchwarden.stats.simulation import (
    DEFAULT_RERUNS_A_MONTH,
    NO_CHANGE,
    Delays,
    Paths,
    Scenario,
    false_pages_a_year,
    first_page_rate,
    monitor_delays,
    pooled_delays,
    pooled_episodes_a_year,
    replay,
)
from benchwarden.stats.stratified import PanelCounts, stratified_test
from benchwarden.stats.synthetic import (
    Change,
    PanelKind,
    Shape,
    daily_shifts,
    degraded,
    draw_panels,
    shifted,
)

DOCS = Path(__file__).parents[1] / "docs" / "concepts" / "statistics.md"
FIRST = date(2026, 1, 1)
DELAY_DAYS = 150
LAST_CHANGE_DAY = 90
SD_POINTS = (0, 1, 2, 3)
CHANGES = (
    ("capability 2 pt", Change(Shape.CAPABILITY, 0.02)),
    ("capability 5 pt", Change(Shape.CAPABILITY, 0.05)),
    ("capability 10 pt", Change(Shape.CAPABILITY, 0.10)),
    ("breakage 5 pt", Change(Shape.BREAKAGE, 0.05)),
    ("20 % of instances fail for good", Change(Shape.COLLAPSE, 0.20)),
)
FIVE_POINTS, BROKEN, TEN_POINTS = CHANGES[1][1], CHANGES[3][1], CHANGES[2][1]

Section = Callable[[int, int], str]
"""Makes one table from a number of panels and a seed."""


def table(columns: tuple[str, ...], rows: list[tuple[object, ...]], note: str = "") -> str:
    """Return a Markdown table, with a sentence below it."""
    lines = [columns, tuple("---" for _ in columns), *rows]
    text = "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
    return f"{text}\n\n{note}" if note else text


def delays(found: Delays) -> str:
    """Return median/p90 in days."""
    reached = [str(v) if v is not None else f">{DELAY_DAYS - LAST_CHANGE_DAY}"
               for v in (found.median, found.p90)]  # fmt: skip
    return "/".join(reached)


def simulated(seed: list[int], **scenario: object) -> tuple[Paths, Scenario]:
    """Replay one scenario."""
    found = Scenario(**scenario)
    return replay(found, np.random.default_rng(seed)), found


def per_sd(numbers: list[float], digits: int = 2) -> str:
    return " / ".join(f"{number:.{digits}f}" for number in numbers)


def time_to_page(panels: int, seed: int) -> str:
    rows, within, runs = [], {}, {}
    for name, change in CHANGES:
        own, pooled = [], []
        for kind, reruns in itertools.product(PanelKind, (1, 3)):
            paths, _ = simulated(
                [seed, 2], panels=panels, kind=kind, days=DELAY_DAYS, change=change, reruns=reruns
            )
            own.append(delays(monitor_delays(paths)))
            runs[kind, reruns] = paths.runs
            if change is FIVE_POINTS:
                within[kind, reruns] = monitor_delays(paths).within
            if reruns == 1:
                pooled.append(delays(pooled_delays(paths)))
        rows.append((name, *own, *pooled))
    shares = within[PanelKind.MIXED, 3]
    note = (
        f"Runs a day before the change: 50; with re-runs {runs[PanelKind.RANDOM, 3]:.1f} (random) and"
        f" {runs[PanelKind.MIXED, 3]:.1f} (mixed), at most {DEFAULT_RERUNS_A_MONTH} re-run days a month."
        f"\nWith re-runs on a mixed panel {100 * shares[3]:.1f} % of 5-point drops are paged within 3"
        f" days, {100 * shares[7]:.1f} % within 7."
    )
    columns = ("Change", "random panel", "random, re-runs x3", "mixed panel", "mixed, re-runs x3",
               "pooled, random", "pooled, mixed")  # fmt: skip
    return table(columns, rows, note)


def false_pages(panels: int, seed: int) -> str:
    rows = []
    cells = [(PanelKind.RANDOM, days) for days in (7, 14, 28)]
    cells += [(PanelKind.MIXED, days) for days in (14, 28)]
    for kind, days in cells:
        first, pages, again, pooled = [], [], [], []
        for points, reruns in itertools.product(SD_POINTS, (1, 3)):
            paths, scenario = simulated(
                [seed, reruns], panels=panels, kind=kind, baseline_days=days,
                daily_sd=points / 100, reruns=reruns,
            )  # fmt: skip
            if reruns == 3:
                again.append(first_page_rate(paths, scenario))
                continue
            first.append(first_page_rate(paths, scenario))
            pages.append(false_pages_a_year(paths, scenario))
            pooled.append(pooled_episodes_a_year(paths, scenario))
        rows.append((kind, f"{days} d", *map(per_sd, (first, pages, again)), per_sd(pooled, 1)))
    paths, scenario = simulated([seed], panels=panels, daily_sd=0.02, autocorrelation=0.7)
    note = (
        "Daily effects that last (2 points, autocorrelation 0.7; random panel, 14 days):"
        f" {first_page_rate(paths, scenario):.2f} first pages and"
        f" {false_pages_a_year(paths, scenario):.2f} pages a year."
    )
    columns = ("Panel", "Baseline", "first page a year at daily sd 0 / 1 / 2 / 3 pt", "pages a year",
               "re-runs x3: first page", "pooled: false episodes a year")  # fmt: skip
    return table(columns, rows, note)


def marginlab(panels: int, seed: int) -> str:
    rows = []
    for kind in PanelKind:
        quiet, scenario = simulated([seed, 10], panels=panels, kind=kind)
        found = {}
        for change in (FIVE_POINTS, BROKEN):
            found[change], _ = simulated(
                [seed, 11], panels=panels, kind=kind, days=DELAY_DAYS, change=change
            )
        rows.append((kind, "benchwarden", f"{false_pages_a_year(quiet, scenario):.2f}",
                     *(delays(monitor_delays(paths)) for paths in found.values())))  # fmt: skip
        rows.append((kind, "pooled p < 0.05", f"{pooled_episodes_a_year(quiet, scenario):.1f}",
                     *(delays(pooled_delays(paths)) for paths in found.values())))  # fmt: skip
    columns = ("Panel", "Rule", "false pages (episodes) a year", "capability 5 pt", "breakage 5 pt")
    return table(columns, rows)


def merge_rules(panels: int, seed: int) -> str:
    rows = []
    for kind, rule in itertools.product(PanelKind, MergeRule):
        rates = []
        for sd in (0.0, 0.03):
            paths, scenario = simulated(
                [seed, 3], panels=panels, kind=kind, daily_sd=sd, merge_rule=rule
            )
            rates.append(first_page_rate(paths, scenario))
        found = []
        for change in (FIVE_POINTS, BROKEN):
            paths, _ = simulated(
                [seed, 4], panels=panels, kind=kind, days=DELAY_DAYS, change=change, merge_rule=rule
            )
            found.append(delays(monitor_delays(paths)))
        rows.append((kind, f"`{rule}`", per_sd(rates), *found))
    columns = ("Panel", "Days join the rates when", "first page a year, 0 / 3 pt",
               "capability 5 pt", "breakage 5 pt")  # fmt: skip
    return table(columns, rows)


def unconfirmed_days(panels: int, seed: int) -> str:
    rows = []
    for days, sd in itertools.product((7, 14, 28), (0.0, 0.03)):
        cells = []
        for absorb in (False, True):
            paths, scenario = simulated(
                [seed, 8], panels=panels, baseline_days=days, daily_sd=sd, absorb_unconfirmed=absorb
            )
            cells.append(false_pages_a_year(paths, scenario))
        first = first_page_rate(paths, scenario)
        rows.append((f"{days} d", f"{100 * sd:.0f} pt", *(f"{c:.2f}" for c in (first, *cells))))
    columns = ("Baseline", "Daily sd", "first page a year",
               "pages a year, unconfirmed week discarded (shipped)", "... absorbed")  # fmt: skip
    return table(columns, rows)


def week_test(panels: int, seed: int) -> str:
    rows = []
    for points in SD_POINTS:
        sd = points / 100
        cells = [rejections(panels, seed, sd, days, NO_CHANGE) for days in (1, 7, 30)]
        cells.append(rejections(panels, seed, sd, 7, FIVE_POINTS))
        rows.append((f"{points} pt", *(f"{cell:.3f}" for cell in cells)))
    columns = ("Daily sd", "size, 1 d", "size, 7 d", "size, 30 d", "power for 5 pt, 7 d")
    return table(columns, rows)


def rejections(panels: int, seed: int, sd: float, days: int, change: Change) -> float:
    rng = np.random.default_rng([seed, 5, days])
    rates = draw_panels(rng, panels, 50, PanelKind.RANDOM)
    after = degraded(rng, rates, change)
    shifts = daily_shifts(rng, 20 + days, panels, sd)
    base = sum(rng.random(rates.shape) < shifted(rates, s[:, None]) for s in shifts[:20])
    new = sum(rng.random(rates.shape) < shifted(after, s[:, None]) for s in shifts[20:])
    p_values = [
        stratified_test(PanelCounts.of(x, days, s, 20)).midp_less
        for x, s in zip(new, base, strict=True)
    ]
    return float(np.mean(np.array(p_values) < 0.05))


def recovery(panels: int, seed: int) -> str:
    rng = np.random.default_rng([seed, 9])
    began, ended = 14 + 30, 14 + 50
    spent = []
    for _ in range(max(20, panels // 10)):
        for alarm in one_year(rng, TEN_POINTS, (began, ended)):
            if began <= (alarm.day - FIRST).days < ended and alarm.confirmed_on is not None:
                last = alarm.ended_on or date.max
                spent.append((last - (FIRST + timedelta(days=ended))).days + 1)
    days = np.sort(np.array(spent))
    marks = [int(days[int(share * len(days))]) for share in (0.1, 0.25, 0.5, 0.75, 0.9)]
    columns = ("Confirmed episodes", "still open after 300 days",
               "days from recovery to `resolved`, 10/25/50/75/90 %")  # fmt: skip
    return table(columns, [(len(days), int(np.sum(days > 300)), "/".join(map(str, marks)))])


def one_year(
    rng: np.random.Generator, change: Change, changed: tuple[int, int]
) -> tuple[Alarm, ...]:
    """Return the alarms of the single, complete machine over a year with an incident."""
    baseline_days, instances = 14, 50
    total = baseline_days + 365
    rates = draw_panels(rng, 1, instances, PanelKind.RANDOM)
    number = np.arange(total)[:, None]
    worse = (number >= changed[0]) & (number < changed[1])
    daily = np.where(worse, degraded(rng, rates, change), rates)
    passes = (rng.random((total, instances)) < daily).astype(np.int64)
    ones = np.ones_like(passes)
    days = tuple(FIRST + timedelta(days=n) for n in range(total))
    names = tuple(f"{n:03d}" for n in range(instances))
    baseline = freeze(Grid(days, names, passes, ones, ones > 0), days[-1], baseline_days)
    assert isinstance(baseline, Baseline)
    model = build_model(baseline, 365)
    state = watchman(model)
    for day in range(baseline_days, total):
        state, _ = watch(model, state, days[day], passes[day], ones[day])
    return state.alarms


def speed(_: int, seed: int) -> str:
    rows = []
    for name, days, instances, trials in (
        ("10 years x 50 instances", 3650, 50, 1),
        ("5 years x 731 instances x 3 trials", 1826, 731, 3),
    ):
        text = history_text(np.random.default_rng([seed, 7]), days, instances, trials)
        marks = [time.process_time()]
        cells = parse_history(text)
        marks.append(time.process_time())
        analysis = analyze(cells)
        marks.append(time.process_time())
        json.dumps(analysis_document(analysis))
        marks.append(time.process_time())
        spent = [f"{end - begin:.2f}" for begin, end in itertools.pairwise(marks)]
        rows.append((name, days * instances, *spent, f"{marks[-1] - marks[0]:.2f}"))
    columns = ("History", "rows", "read, s", "analyse, s", "print JSON, s", "together, s")
    return table(columns, rows, "Processor seconds of one core.")


def history_text(rng: np.random.Generator, days: int, instances: int, trials: int) -> str:
    rates = draw_panels(rng, 1, instances, PanelKind.RANDOM)[0]
    lines = []
    for number in range(days):
        day = (FIRST + timedelta(days=number)).isoformat()
        passes = rng.binomial(trials, rates).tolist()
        lines += [
            f'{{"day": "{day}", "instance": "owner__name-{i:05d}", "passes": {y}, "trials": {trials}}}'
            for i, y in enumerate(passes)
        ]
    return "\n".join(lines) + "\n"


SECTIONS: dict[str, Section] = {
    "speed": speed,
    "delays": time_to_page,
    "false-pages": false_pages,
    "marginlab": marginlab,
    "merge-rules": merge_rules,
    "unconfirmed": unconfirmed_days,
    "window-test": week_test,
    "recovery": recovery,
}


def filled(text: str, tables: dict[str, str]) -> str:
    """Return the page with every table between its marks.

    Raises:
        ValueError: A table has no place, or more than one.
    """
    for name, content in tables.items():
        begin, end = f"<!-- bench-stats: {name} -->", "<!-- /bench-stats -->"
        place = re.compile(re.escape(begin) + r"\n.*?" + re.escape(end), re.DOTALL)
        new = f"{begin}\n{content}\n{end}"
        text, found = place.subn(lambda _, new=new: new, text)
        if found != 1:
            raise ValueError(f"the page must have one place for {name}, it has {found}")
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panels", type=int, default=1000, help="panels per cell")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--docs", default=str(DOCS), help="page to fill; empty for none")
    parser.add_argument("--only", nargs="*", choices=SECTIONS, default=list(SECTIONS))
    arguments = parser.parse_args()
    print(f"{arguments.panels} panels a cell, seed {arguments.seed}", flush=True)
    for name in arguments.only:
        made = SECTIONS[name](arguments.panels, arguments.seed)
        print(f"\n### {name}\n\n{made}", flush=True)
        if arguments.docs:
            page = Path(arguments.docs)
            page.write_text(
                filled(page.read_text(encoding="utf-8"), {name: made}), encoding="utf-8"
            )


if __name__ == "__main__":
    main()
