"""The numbers behind the monitor, as Markdown: false pages, delays, window test, speed.

Run `python benchmarks/stats.py` (about five minutes on one core; `--panels 300` for a glance). Equal
seeds give equal tables on the same image. The tables of docs/concepts/statistics.md come from here.
"""

import argparse
import itertools
import json
import sys
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "operator"))

from benchwarden.stats.analysis import analyze
from benchwarden.stats.baseline import Baseline, freeze
from benchwarden.stats.documents import analysis_document
from benchwarden.stats.episodes import Outcome, watch, watchman
from benchwarden.stats.history import Grid
from benchwarden.stats.history_file import parse_history
from benchwarden.stats.monitor import MergeRule, build_model
from benchwarden.stats.simulation import (
    NO_CHANGE,
    Delays,
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

FIRST = date(2026, 1, 1)
DELAY_DAYS = 150
CHANGES = (
    ("capability 2 pt", Change(Shape.CAPABILITY, 0.02)),
    ("capability 5 pt", Change(Shape.CAPABILITY, 0.05)),
    ("capability 10 pt", Change(Shape.CAPABILITY, 0.10)),
    ("breakage 5 pt", Change(Shape.BREAKAGE, 0.05)),
    ("20 % of instances fail for good", Change(Shape.COLLAPSE, 0.20)),
)


def heading(text: str, *columns: str) -> None:
    print(f"\n### {text}\n")
    if columns:
        row(*columns)
        row(*["---"] * len(columns))


def row(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def delays(found: Delays) -> str:
    ends = [
        str(value) if value is not None else f">{DELAY_DAYS - 90}"
        for value in (found.median, found.p90)
    ]
    return "/".join(ends)


def false_pages(panels: int, seed: int) -> None:
    heading(
        "False pages a year, no change",
        "panel", "baseline", "daily sd", "first page", "counted", "re-runs x3: first page",
        "pooled p<0.05: episodes",
    )  # fmt: skip
    cells = [(PanelKind.RANDOM, days) for days in (7, 14, 28)]
    cells += [(PanelKind.MIXED, days) for days in (14, 28)]
    for kind, days in cells:
        for points in (0, 1, 2, 3):
            found = []
            for reruns in (1, 3):
                scenario = Scenario(
                    panels, kind=kind, baseline_days=days, daily_sd=points / 100, reruns=reruns
                )
                found.append((scenario, replay(scenario, np.random.default_rng([seed, reruns]))))
            (plain, paths), (again, repeated) = found
            row(
                kind, f"{days} d", f"{points} pt",
                f"{first_page_rate(paths, plain):.2f}",
                f"{false_pages_a_year(paths, plain):.2f}",
                f"{first_page_rate(repeated, again):.2f}",
                f"{pooled_episodes_a_year(paths, plain):.1f}",
            )  # fmt: skip
    scenario = Scenario(panels, daily_sd=0.02, autocorrelation=0.7)
    paths = replay(scenario, np.random.default_rng(seed))
    row(
        "random", "14 d", "2 pt, AR 0.7 (not promised)",
        f"{first_page_rate(paths, scenario):.2f}", f"{false_pages_a_year(paths, scenario):.2f}",
        "-", f"{pooled_episodes_a_year(paths, scenario):.1f}",
    )  # fmt: skip


def time_to_page(panels: int, seed: int) -> None:
    heading(
        "Days to page, median/p90, 14-day baseline, 50 runs a day",
        "change", "random", "random, re-runs x3", "mixed", "mixed, re-runs x3",
        "pooled p<0.05, random", "pooled p<0.05, mixed",
    )  # fmt: skip
    runs = {}
    for name, change in CHANGES:
        own, pooled = [], []
        for kind in PanelKind:
            for reruns in (1, 3):
                scenario = Scenario(
                    panels, kind=kind, days=DELAY_DAYS, change=change, reruns=reruns
                )
                paths = replay(scenario, np.random.default_rng([seed, 2]))
                own.append(delays(monitor_delays(paths)))
                runs[kind, reruns] = paths.runs
                if reruns == 1:
                    pooled.append(delays(pooled_delays(paths)))
        row(name, *own, *pooled)
    for (kind, reruns), mean in runs.items():
        print(f"\n{kind}, re-runs x{reruns}: {mean:.1f} runs a day before the change", end="")
    print()


def merge_rules(panels: int, seed: int) -> None:
    heading(
        "Merge rule (14-day baseline)", "panel", "rule", "first page, 0/3 pt", "capability 5 pt",
        "breakage 5 pt",
    )  # fmt: skip
    for kind in PanelKind:
        for rule in MergeRule:
            rates = []
            for sd in (0.0, 0.03):
                scenario = Scenario(panels, kind=kind, daily_sd=sd, merge_rule=rule)
                paths = replay(scenario, np.random.default_rng([seed, 3]))
                rates.append(f"{first_page_rate(paths, scenario):.2f}")
            found = []
            for change in (CHANGES[1][1], CHANGES[3][1]):
                scenario = Scenario(
                    panels, kind=kind, days=DELAY_DAYS, change=change, merge_rule=rule
                )
                paths = replay(scenario, np.random.default_rng([seed, 4]))
                found.append(delays(monitor_delays(paths)))
            row(kind, rule, "/".join(rates), *found)


def unconfirmed_days(panels: int, seed: int) -> None:
    heading(
        "What becomes of the days of a page nobody confirmed (random panel)",
        "baseline", "daily sd", "first page", "counted, discarded (shipped)", "counted, absorbed",
    )  # fmt: skip
    for days, sd in itertools.product((7, 14, 28), (0.0, 0.03)):
        cells = []
        for absorb in (False, True):
            scenario = Scenario(panels, baseline_days=days, daily_sd=sd, absorb_unconfirmed=absorb)
            paths = replay(scenario, np.random.default_rng([seed, 8]))
            cells.append(false_pages_a_year(paths, scenario))
        first = first_page_rate(paths, scenario)
        row(f"{days} d", f"{100 * sd:.0f} pt", *(f"{cell:.2f}" for cell in (first, *cells)))


def week_test(panels: int, seed: int) -> None:
    heading(
        "Window test, mid-p at one-sided 0.05, 20-trial baseline", "daily sd", "size, 1 d",
        "size, 7 d", "size, 30 d", "power for 5 pt, 7 d",
    )  # fmt: skip
    for points in (0, 1, 2, 3):
        cells = [rejections(panels, seed, points / 100, days, NO_CHANGE) for days in (1, 7, 30)]
        cells.append(rejections(panels, seed, points / 100, 7, CHANGES[1][1]))
        row(f"{points} pt", *(f"{cell:.3f}" for cell in cells))


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


def whole_machine(panels: int, seed: int) -> None:
    heading(
        "The complete state machine, one panel at a time, a year without a change",
        "daily sd", "pages a year", "first page", "not confirmed", "confirmed", "days paging a year",
    )  # fmt: skip
    for points in (0, 3):
        rng = np.random.default_rng([seed, 6])
        counted, outcomes, paging = [], Counter(), 0
        for _ in range(panels):
            alarms, days = one_year(rng, points / 100)
            counted.append(len(alarms))
            outcomes.update(alarm.outcome for alarm in alarms)
            paging += days
        pages = np.array(counted)
        unconfirmed = outcomes[Outcome.UNCONFIRMED] / max(1, pages.sum())
        row(
            f"{points} pt", f"{pages.mean():.2f}",
            f"{-np.log(max(np.mean(pages == 0), 1e-9)):.2f}",
            f"{100 * unconfirmed:.0f} %", f"{100 * (1 - unconfirmed):.0f} %",
            f"{paging / panels:.1f}",
        )  # fmt: skip


def recovery(panels: int, seed: int) -> None:
    heading(
        "From complete recovery to resolved: 10 pt for 20 days, then as before",
        "confirmed episodes", "still open after 300 days", "days, 10/25/50/75/90 %",
    )  # fmt: skip
    rng = np.random.default_rng([seed, 9])
    change, began, ended = CHANGES[2][1], 14 + 30, 14 + 50
    spent = []
    for _ in range(panels):
        for alarm in one_year(rng, 0.0, change=change, changed=(began, ended))[0]:
            if began <= (alarm.day - FIRST).days < ended and alarm.confirmed_on is not None:
                last = alarm.ended_on or date.max
                spent.append((last - (FIRST + timedelta(days=ended))).days + 1)
    days = np.sort(np.array(spent))
    marks = [int(days[int(share * len(days))]) for share in (0.1, 0.25, 0.5, 0.75, 0.9)]
    row(len(days), int(np.sum(days > 300)), "/".join(map(str, marks)))


def one_year(
    rng: np.random.Generator,
    sd: float,
    baseline_days: int = 14,
    change: Change = NO_CHANGE,
    changed: tuple[int, int] = (0, 0),
) -> tuple[tuple, int]:
    total, instances = baseline_days + 365, 50
    rates = draw_panels(rng, 1, instances, PanelKind.RANDOM)
    number = np.arange(total)[:, None]
    worse = (number >= changed[0]) & (number < changed[1])
    daily = np.where(worse, degraded(rng, rates, change), rates)
    shifts = daily_shifts(rng, total, 1, sd)
    passes = (rng.random((total, instances)) < shifted(daily, shifts)).astype(np.int64)
    ones = np.ones_like(passes)
    days = tuple(FIRST + timedelta(days=n) for n in range(total))
    names = tuple(f"{n:03d}" for n in range(instances))
    baseline = freeze(Grid(days, names, passes, ones, ones > 0), days[-1], baseline_days)
    assert isinstance(baseline, Baseline)
    model = build_model(baseline, 365)
    state, paging = watchman(model), 0
    for number in range(baseline_days, total):
        state, report = watch(model, state, days[number], passes[number], ones[number])
        paging += report.status in {"degraded", "confirmed"}
    return state.alarms, paging


def speed(seed: int) -> None:
    heading(
        "Speed of one core, processor seconds", "history", "rows", "read", "analyse", "print JSON"
    )
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
        row(name, days * instances, *spent)


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--panels", type=int, default=2000, help="panels per cell")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    panels, seed = arguments.panels, arguments.seed
    print(f"{panels} panels a cell, seed {seed}")
    time_to_page(panels, seed)
    false_pages(panels, seed)
    merge_rules(panels, seed)
    unconfirmed_days(panels, seed)
    week_test(panels, seed)
    whole_machine(max(20, panels // 5), seed)
    recovery(max(20, panels // 10), seed)
    speed(seed)


if __name__ == "__main__":
    main()
