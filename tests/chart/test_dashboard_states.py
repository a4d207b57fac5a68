"""The dashboard shows each state of a monitor by its name and in a colour of its own."""

from __future__ import annotations

import json

import pytest
from tests.chart.generated import CHART
from tests.chart.test_rules import assert_passes, of

from benchwarden.telemetry.schedule_series import STATES

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("chart")]

SHOWN = json.loads((CHART / "files/dashboards/benchwarden.json").read_text())
(TIMELINE,) = (panel for panel in SHOWN["panels"] if panel["type"] == "state-timeline")
(MAPPING,) = TIMELINE["fieldConfig"]["defaults"]["mappings"]


def number_of(state: str) -> int:
    """The value that the panel shows as this state."""
    text = state.replace("_", " ")
    (number,) = (key for key, shown in MAPPING["options"].items() if shown["text"] == text)
    return int(number)


def test_no_two_states_share_a_colour():
    assert len({shown["color"] for shown in MAPPING["options"].values()}) == len(STATES)


def test_a_monitor_is_one_line_that_changes_with_its_state(promtool, tmp_path):
    """One monitor goes through all states, a minute each; another one stays well."""
    (target,) = TIMELINE["targets"]
    query = target["expr"].replace("$namespace", ".*").replace("$schedule", ".*")
    moving = {
        of("monitor_state", state=state): " ".join(str(int(state == now)) for now in STATES)
        for state in STATES
    }
    still = {
        of("monitor_state", "other", state=state): f"{int(state == 'ok')}x{len(STATES)}"
        for state in STATES
    }
    of_both = '{{namespace="bench", schedule="{}", series="latest"}}'
    checks = [
        {
            "expr": query,
            "eval_time": f"{minute}m",
            "exp_samples": [
                {"labels": of_both.format("daily"), "value": number_of(state)},
                {"labels": of_both.format("other"), "value": number_of("ok")},
            ],
        }
        for minute, state in enumerate(STATES)
    ]
    series = [{"series": name, "values": values} for name, values in (moving | still).items()]
    document = {"tests": [{"interval": "1m", "input_series": series, "promql_expr_test": checks}]}
    assert_passes(promtool, tmp_path, document)
