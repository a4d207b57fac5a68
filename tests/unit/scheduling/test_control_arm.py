"""The control arm: a second model on a few instances shows what both share, and pages nobody."""

import pytest
from tests.unit.scheduling.bench import CLAUDE, START, ScheduleBench, raw_schedule, schedule_view

from benchwarden import names
from benchwarden.api.parse import parse_schedule
from benchwarden.errors import InvalidInputError
from benchwarden.scheduling.control import without_shared
from benchwarden.scheduling.launching import run_manifest
from benchwarden.scheduling.starting import run_name

CONTROL = {"control": {"model": "claude-haiku-5", "instances": 10}}


def template(**selection: object) -> dict:
    suite = {"tasks": {"source": {"configMap": {"name": "suite"}}}, "selection": selection}
    return {"spec": {"suite": suite, "agent": CLAUDE}}


def bench(outcome, days: float) -> ScheduleBench:
    found = ScheduleBench(
        instances=100,
        outcome=outcome,
        template=template(),
        detection={"rerun": {"factor": 1}},
        **CONTROL,
    )
    return found.days(days)


def test_the_control_run_has_its_own_model_and_the_beginning_of_the_panel() -> None:
    sampled = template(sample={"size": 50, "seed": 7, "stratifyBy": "repo"}, repos=["a/b"])
    view = schedule_view(template=sampled, **CONTROL)
    control = run_manifest(view, "x", START, names.SERIES_CONTROL)
    assert control["spec"]["agent"]["claudeCode"]["model"] == "claude-haiku-5"
    assert control["spec"]["suite"]["selection"] == {
        "repos": ["a/b"],
        "sample": {"size": 10, "seed": 7, "stratifyBy": "repo"},
    }
    assert control["metadata"]["labels"][names.LABEL_SERIES] == "control"
    latest = run_manifest(view, "x", START, names.SERIES_LATEST)
    assert latest["spec"]["agent"]["claudeCode"]["model"] == "claude-sonnet-5-5"
    assert latest["spec"]["suite"]["selection"]["sample"]["size"] == 50
    small = schedule_view(template=template(sample={"size": 3}), **CONTROL)
    few = run_manifest(small, "x", START, names.SERIES_CONTROL)
    assert few["spec"]["suite"]["selection"]["sample"]["size"] == 3


def test_a_shared_drop_is_subtracted_and_the_monitor_pages_all_the_same() -> None:
    def outcome(_series: str, today: str, position: int) -> float:
        return (0.95, 0.6)[position % 2] * (0.6 if today >= "2026-03-20" else 1.0)

    found = bench(outcome, 27)
    latest, control = (found.evaluation(s) for s in (names.SERIES_LATEST, names.SERIES_CONTROL))
    assert latest.analysis is not None
    assert control.analysis is not None
    panel, beside = latest.analysis.windows[7], control.analysis.windows[7]
    assert panel is not None
    assert beside is not None
    rest = without_shared(panel, beside)
    assert panel.delta < -0.2
    assert abs(rest.delta) < 0.4 * abs(panel.delta)
    assert rest.delta == panel.delta - beside.delta
    assert found.condition("Degraded")["status"] == "True"
    assert found.status["control"] in found.condition("Degraded")["message"]
    assert "without what both share" in found.status["control"]


def test_a_drop_of_the_agent_alone_is_left_after_the_control_arm() -> None:
    def outcome(series: str, today: str, position: int) -> float:
        hit = today >= "2026-03-20" and series == names.SERIES_LATEST
        return (0.95, 0.6)[position % 2] * (0.6 if hit else 1.0)

    found = bench(outcome, 27)
    latest, control = (found.evaluation(s) for s in (names.SERIES_LATEST, names.SERIES_CONTROL))
    assert latest.analysis is not None
    assert control.analysis is not None
    panel, beside = latest.analysis.windows[7], control.analysis.windows[7]
    assert panel is not None
    assert beside is not None
    assert without_shared(panel, beside).interval.upper < 0
    assert control.state in {"ok", "watch"}


def test_it_says_how_far_its_baseline_is_and_changes_no_number_of_the_panel() -> None:
    def outcome(_series: str, _today: str, position: int) -> float:
        return (0.3, 0.5, 0.7, 0.9)[position % 4]

    found = bench(outcome, 3)
    assert found.status["control"] == "control arm: baseline 3/14"
    plain = ScheduleBench(instances=100, outcome=outcome, template=template()).days(3)
    assert found.evaluation().document == plain.evaluation().document
    assert "control" not in plain.status
    slots = {slot for _, slot, _ in found.created}
    assert {name for name, _, _ in found.created} == {
        run_name("daily", slot, series)
        for slot in slots
        for series in (names.SERIES_LATEST, names.SERIES_CONTROL)
    }


def test_an_agent_without_a_model_has_no_control_arm() -> None:
    with pytest.raises(InvalidInputError, match="claudeCode"):
        parse_schedule(raw_schedule(**CONTROL))
