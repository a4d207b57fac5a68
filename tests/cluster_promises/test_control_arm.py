"""The control arm on a real cluster: each slot runs a second model on a few instances, and a page tells both apart."""

import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from tests.claude_image import ensure_claude_image
from tests.cluster_promises.claude_runs import MODEL, claude_run, messages_api, secret
from tests.cluster_promises.own_operator import an_operator
from tests.cluster_promises.schedules import (
    change,
    metrics,
    runs_of,
    schedule,
    seed,
    stored_runs,
)
from tests.installed import await_true, condition, ensure_crds, suite_config_map
from tests.scripted_api.script import bash
from tests.tiny_suite import task

from benchwarden import names
from benchwarden.results.cells import RunCells, history_lines, merged_cells
from benchwarden.stats.analysis import analyze
from benchwarden.stats.documents import analysis_document
from benchwarden.stats.history_file import parse_history

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.claude,
    pytest.mark.long,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("claude code"),
]

CONTROL_MODEL = "claude-haiku-5"
INSTANCES, IN_CONTROL = 6, 3
SERIES = (names.SERIES_LATEST, names.SERIES_CONTROL)
FIXING = [bash("sed -i 's/1 - /1 + /' add.sh && git commit -qam fix")]
TRIALS_A_DAY = 8
DAYS, BAD_DAYS = 24, 9


@pytest.fixture(scope="module")
def runner(cluster) -> str:
    """The runner image with Claude Code."""
    if not cluster.own:
        pytest.skip(
            "the scripted API listens where only pods of the project's own cluster reach it"
        )
    ensure_crds(cluster.kubectl())
    return ensure_claude_image(cluster)


def by_series(runs: list[RunCells]) -> dict[str, RunCells]:
    return {run.series: run for run in runs}


def past_of(run: RunCells) -> list[RunCells]:
    """Days before a real run, of the same series; in the last of them half of what passed fails."""
    draw = random.Random(run.series)
    found = []
    for back in range(DAYS, 0, -1):
        day = date.fromisoformat(run.day) - timedelta(days=back)
        rate = 0.45 if back <= BAD_DAYS else 0.9
        passes = tuple(
            sum(draw.random() < rate for _ in range(TRIALS_A_DAY)) for _ in run.instances
        )
        found.append(
            replace(
                run,
                run=f"{run.series}-{day}",
                run_uid=f"uid-{run.series}-{day}",
                slot=f"{day}T03:00:00Z",
                day=str(day),
                finished_at=f"{day}T04:00:00Z",
                passes=passes,
                trials=(TRIALS_A_DAY,) * len(passes),
                signals="",
            )
        )
    return found


def week_of(runs: list[RunCells], series: str) -> dict[str, Any]:
    """The 7-day window that `benchwarden analyze` gives for what the cluster has stored of a series."""
    cells = history_lines(merged_cells([run for run in runs if run.series == series]))
    document = analysis_document(analyze(parse_history(cells)))
    return dict(document["windows"]["7"])


def test_every_slot_runs_the_control_arm_and_a_page_says_what_both_arms_share(
    kubectl, runner, tiny_image, tmp_path
):
    tasks = [task(f"t{n}", prompt="make add.sh add") for n in range(INSTANCES)]
    with (
        messages_api(turns=FIXING) as api,
        an_operator(kubectl, tmp_path, runner) as operator,
    ):
        kubectl.apply(secret(), suite_config_map(*tasks))
        kubectl.apply(
            {
                "apiVersion": names.API_VERSION,
                "kind": names.SCHEDULE_KIND,
                "metadata": {"name": "armed"},
                "spec": {
                    "schedule": "* * * * *",
                    "template": {"spec": claude_run("x", api)["spec"]},
                    "control": {"model": CONTROL_MODEL, "instances": IN_CONTROL},
                },
            }
        )
        uid = schedule(kubectl, "armed")["metadata"]["uid"]
        await_true(lambda: len(runs_of(kubectl, uid)) >= 2, 90, "both arms of a slot")
        change(kubectl, "armed", suspend=True)
        await_true(lambda: len(stored_runs(kubectl, uid)) == 2, 240, "both arms rolled up")

        real = by_series(stored_runs(kubectl, uid))
        assert set(real) == set(SERIES)
        latest, control = (real[series] for series in SERIES)
        assert (latest.slot, latest.day) == (control.slot, control.day)
        assert (latest.model, control.model) == (MODEL, CONTROL_MODEL)
        assert latest.identity != control.identity
        assert len(latest.instances) == INSTANCES
        assert len(control.instances) == IN_CONTROL
        assert set(control.instances) < set(latest.instances)
        assert (latest.passed, control.passed) == (INSTANCES, IN_CONTROL)
        asked = {request["body"]["model"] for request in api.message_requests}
        assert {MODEL, CONTROL_MODEL} <= asked
        young = kubectl.wait_until(
            [names.SCHEDULE_PLURAL, "armed"],
            lambda found: found["status"].get("control") == "control arm: baseline 1/14",
            30,
        )
        assert young["status"]["baseline"]["progress"] == "1/14"

        operator.kill()
        seed(kubectl, "armed", [*past_of(latest), *past_of(control)], shard=7)
        operator.start()
        found = kubectl.wait_until(
            [names.SCHEDULE_PLURAL, "armed"],
            lambda found: condition(found, "Degraded").get("status") == "True",
            120,
        )
        stored = stored_runs(kubectl, uid)
        assert len(stored) == 2 * (DAYS + 1)
        here, there = (week_of(stored, series) for series in SERIES)
        assert here["delta"] < -0.3
        assert there["delta"] < -0.3
        told = found["status"]["control"]
        assert told.startswith(f"control arm {100 * there['delta']:+.1f} points [")
        rest = 100 * (here["delta"] - there["delta"])
        assert f"; without what both share {rest:+.1f} points [" in told
        assert told in condition(found, "Degraded")["message"]

        # Both arms fell, and only the panel is watched: the control arm has no series that could page.
        await_true(lambda: "benchwarden_monitor_alarm{" in metrics(operator.port), 30, "alarms")
        alarms = [
            line
            for line in metrics(operator.port).splitlines()
            if line.startswith("benchwarden_monitor_alarm{") and 'schedule="armed"' in line
        ]
        assert alarms != []
        assert all('series="latest"' in line for line in alarms)
