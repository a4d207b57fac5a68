"""One scenario, with and without its change: the numbers `benchwarden simulate` prints."""

from dataclasses import replace
from typing import Any

import numpy as np

from benchwarden.stats.simulation import (
    NO_CHANGE,
    NOTICED_DAYS,
    YEAR_DAYS,
    Delays,
    Scenario,
    false_pages_a_year,
    first_page_rate,
    monitor_delays,
    pooled_delays,
    pooled_episodes_a_year,
    replay,
)

DELAY_DAYS = 150


def study(scenario: Scenario, seed: int) -> dict[str, Any]:
    """Replay a year without the change and `DELAY_DAYS` with it.

    Args:
        scenario: What to simulate; its number of days is replaced.
        seed: Seed of the random numbers; equal seeds give equal documents.

    Returns:
        False pages a year and delays in days for the monitor, the same for the pooled rule, runs a
        day before the change. Delays are None where a quantile was not reached.
    """
    quiet = replace(scenario, days=YEAR_DAYS, change=NO_CHANGE)
    changed = replace(scenario, days=DELAY_DAYS)
    calm, sick = replay(quiet, np.random.default_rng(seed)), None
    if scenario.change.effect > 0.0:
        sick = replay(changed, np.random.default_rng([seed, 1]))
    nothing = Delays(None, None, dict.fromkeys(NOTICED_DAYS, 0.0), 0)
    return {
        "panels": scenario.panels,
        "runs_per_day": calm.runs,
        "base_runs_per_day": float(scenario.instances * scenario.trials * (1.0 - scenario.missing)),
        "monitor": {
            "first_page_rate": first_page_rate(calm, quiet),
            "false_pages_per_year": false_pages_a_year(calm, quiet),
            **_delays(monitor_delays(sick) if sick else nothing),
        },
        "marginlab": {
            "false_episodes_per_year": pooled_episodes_a_year(calm, quiet),
            **_delays(pooled_delays(sick) if sick else nothing),
        },
    }


def _delays(delays: Delays) -> dict[str, Any]:
    return {
        "delay_median": delays.median,
        "delay_p90": delays.p90,
        "noticed_within": {str(days): share for days, share in delays.within.items()},
    }
