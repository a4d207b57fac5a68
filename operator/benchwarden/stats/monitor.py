"""The monitor's arithmetic: two self-starting CUSUMs, their mirror, and the evidence beside them.

A day's log-likelihood ratio against the current rates, divided by the over-dispersion factor, is
added to each statistic, which never falls below zero. Days wait until the capability statistic is
back at zero; then they join the rates (self-start), so a short baseline keeps improving and a
degradation never teaches the monitor that bad is normal.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from benchwarden.stats.baseline import Baseline
from benchwarden.stats.dispersion import Dispersion, squared_residual
from benchwarden.stats.distributions import FloatArray
from benchwarden.stats.evidence import Evidence, evidence_weights
from benchwarden.stats.likelihood import (
    CAPABILITY_SHIFT,
    Weights,
    breakage,
    capability,
    stacked,
    weights,
)
from benchwarden.stats.shrinkage import instance_rates
from benchwarden.stats.stratified import IntArray
from benchwarden.stats.threshold import monitor_threshold

WATCH_NATS = 1.5
"""From so many nats the next run may look closer."""

_BOTH_WAYS = np.array([[CAPABILITY_SHIFT], [-CAPABILITY_SHIFT]])


class MergeRule(StrEnum):
    """When waiting days join the rates."""

    CAPABILITY_AT_ZERO = "capability_at_zero"
    ALL_QUIET = "all_quiet"


class Component(StrEnum):
    """The three statistics."""

    CAPABILITY = "capability"
    BREAKAGE = "breakage"
    IMPROVEMENT = "improvement"


class Day(NamedTuple):
    """One gated day of the panel: passes and valid trials per instance."""

    day: date
    passes: IntArray
    trials: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What is fixed at freeze: baseline, threshold (nats), weights of the evidence, merge rule."""

    baseline: Baseline
    threshold: float
    run_length_days: int
    evidence_table: Weights | None
    merge_rule: MergeRule = MergeRule.CAPABILITY_AT_ZERO


@dataclass(frozen=True, slots=True)
class Statistics:
    """The three CUSUMs in nats, with the last day the first two were at zero."""

    capability: float = 0.0
    breakage: float = 0.0
    improvement: float = 0.0
    capability_zero: date = date.min
    breakage_zero: date = date.min


@dataclass(frozen=True, slots=True, eq=False)
class Learning:
    """What the monitor has learnt: counts per instance, rates, dispersion, days that wait."""

    passes: FloatArray
    trials: FloatArray
    rates: FloatArray
    table: Weights
    dispersion: Dispersion
    pending: tuple[tuple[Day, float], ...] = ()

    def waiting(self, pending: tuple[tuple[Day, float], ...]) -> "Learning":
        """Return the same with other days that wait; `replace` is slow where there are thousands of days."""
        return Learning(self.passes, self.trials, self.rates, self.table, self.dispersion, pending)


@dataclass(frozen=True, slots=True, eq=False)
class MonitorState:
    """Everything that changes from day to day."""

    statistics: Statistics
    learning: Learning
    evidence: Evidence


def build_model(
    baseline: Baseline,
    run_length_days: int,
    merge_rule: MergeRule = MergeRule.CAPABILITY_AT_ZERO,
) -> Model:
    """Fix threshold and evidence for a frozen baseline.

    Args:
        baseline: The frozen baseline.
        run_length_days: Mean days between false pages.
        merge_rule: When waiting days join the rates.
    """
    alternatives = evidence_weights(baseline.rates)
    return Model(
        baseline=baseline,
        threshold=monitor_threshold(baseline.scale, run_length_days),
        run_length_days=run_length_days,
        evidence_table=stacked(alternatives) if alternatives else None,
        merge_rule=merge_rule,
    )


def start(model: Model) -> MonitorState:
    """Return the monitor on the evening the baseline was frozen."""
    baseline = model.baseline
    learning = Learning(
        passes=baseline.passes.astype(np.float64),
        trials=baseline.trials.astype(np.float64),
        rates=baseline.rates,
        table=_cusum_table(baseline.rates),
        dispersion=baseline.dispersion,
    )
    return MonitorState(restarted(baseline.frozen_on), learning, Evidence.start(_detectors(model)))


def restarted(day: date) -> Statistics:
    """Return statistics at zero as of the evening of ``day``."""
    return Statistics(capability_zero=day, breakage_zero=day)


def reset(model: Model, state: MonitorState, day: date, keep_before: date | None) -> MonitorState:
    """Return the monitor with all statistics at zero.

    Args:
        model: The model.
        state: State of the evening of ``day``.
        day: Today.
        keep_before: Waiting days before this one go on waiting; None drops all of them.
    """
    kept = tuple(
        entry
        for entry in state.learning.pending
        if keep_before is not None and entry[0].day < keep_before
    )
    return MonitorState(
        restarted(day),
        state.learning.waiting(kept),
        Evidence.start(_detectors(model)),
    )


def advance(model: Model, state: MonitorState, today: Day) -> MonitorState:
    """Return the monitor after one gated day.

    Order: the factor phi from absorbed days only; the three statistics; the day joins those that
    wait; if the merge rule allows, all of them join the rates in order.

    Args:
        model: Fixed at freeze.
        state: Yesterday's state.
        today: A day the gate lets through, so it holds at least one valid trial.
    """
    learning = state.learning
    passes, trials = today.passes.astype(np.float64), today.trials.astype(np.float64)
    phi = learning.dispersion.factor
    ratios = learning.table.days(passes, trials)
    statistics = _updated(state.statistics, [ratio / phi for ratio in ratios], today.day)
    evidence = state.evidence
    if model.evidence_table is not None:
        evidence = evidence.after(model.evidence_table.days(passes, trials))
    waiting = (*learning.pending, (today, squared_residual(passes, trials, learning.rates)))
    learning = learning.waiting(waiting)
    if _may_merge(model, statistics):
        learning = _merged(learning)
    return MonitorState(statistics, learning, evidence)


def _updated(before: Statistics, ratios: list[float], day: date) -> Statistics:
    shifted, broken, improved = ratios
    capability_now = max(0.0, before.capability + shifted)
    breakage_now = max(0.0, before.breakage + broken)
    return Statistics(
        capability=capability_now,
        breakage=breakage_now,
        improvement=max(0.0, before.improvement + improved),
        capability_zero=day if capability_now == 0.0 else before.capability_zero,
        breakage_zero=day if breakage_now == 0.0 else before.breakage_zero,
    )


def _may_merge(model: Model, statistics: Statistics) -> bool:
    if statistics.capability > 0.0:
        return False
    if model.merge_rule is MergeRule.CAPABILITY_AT_ZERO:
        return True
    return statistics.breakage < WATCH_NATS and statistics.improvement < model.threshold


def _merged(learning: Learning) -> Learning:
    passes, trials = learning.passes.copy(), learning.trials.copy()
    dispersion = learning.dispersion
    for day, squared in learning.pending:
        passes += day.passes
        trials += day.trials
        dispersion = dispersion.absorb(squared)
    rates = instance_rates(passes, trials).rates
    return Learning(passes, trials, rates, _cusum_table(rates), dispersion)


def _cusum_table(rates: FloatArray) -> Weights:
    worse, better = capability(rates, _BOTH_WAYS)
    return weights(rates, np.array((worse, breakage(rates), better)))


def _detectors(model: Model) -> int:
    return 0 if model.evidence_table is None else len(model.evidence_table.on_pass)


def crossed(model: Model, statistics: Statistics) -> Component | None:
    """Return the paging component at or above the threshold; capability when both are.

    A panel that passed nothing in its baseline cannot get worse and never pages: its shrunken rates
    are above zero, so failing for ever would otherwise add up.
    """
    if model.baseline.total_passes == 0:
        return None
    if statistics.capability >= model.threshold:
        return Component.CAPABILITY
    if statistics.breakage >= model.threshold:
        return Component.BREAKAGE
    return None


def highest(statistics: Statistics) -> float:
    """Return the larger of the two paging statistics, in nats."""
    return max(statistics.capability, statistics.breakage)
