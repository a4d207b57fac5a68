"""A schedule on a real API server and kubelet: slots become runs, runs become cells, cells outlive everything."""

import os
import random
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.cluster_promises.schedules import (
    change,
    metrics,
    runs_of,
    schedule,
    seed,
    shards,
    stored_runs,
)
from tests.installed import (
    await_true,
    condition,
    free_port,
    install_inside,
    operator_outside,
    run_manifest,
    suite_config_map,
)
from tests.tiny_suite import task

from benchwarden import names
from benchwarden.results.cells import (
    RunCells,
    history_lines,
    merged_cells,
)
from benchwarden.results.signals import packed
from benchwarden.stats.analysis import Settings, analyze
from benchwarden.stats.documents import analysis_document
from benchwarden.stats.history_file import parse_history

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(500)]

PORT = free_port()  # tests of this file run side by side, each process with its own


@pytest.fixture
def operator(kubectl, images, tmp_path):
    log = tmp_path / "operator.log"
    with operator_outside(kubectl, log, runner_image=images.runner, port=PORT) as running:
        yield running
        assert running.alive(), log.read_text()[-4000:]


def schedule_manifest(name: str, agent: Any = None, **spec: Any) -> dict[str, Any]:
    template = run_manifest("x", agent=agent or {"oracle": {}})["spec"]
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.SCHEDULE_KIND,
        "metadata": {"name": name},
        "spec": {"schedule": "* * * * *", "template": {"spec": template}, **spec},
    }


@pytest.mark.early
@pytest.mark.long
def test_slots_become_runs_and_their_cells_outlive_them(kubectl, operator, tiny_image):
    kubectl.apply(suite_config_map(*(task(f"t{n}") for n in range(2))))
    limits = {"successfulRunsHistoryLimit": 1, "startingDeadlineSeconds": 30}
    kubectl.apply(schedule_manifest("minutely", concurrencyPolicy="Allow", **limits))
    uid = schedule(kubectl, "minutely")["metadata"]["uid"]
    await_true(lambda: len(stored_runs(kubectl, uid)) >= 2, 240, "two runs rolled up")
    change(kubectl, "minutely", suspend=True)
    kubectl.wait_until(
        [names.SCHEDULE_PLURAL, "minutely"],
        lambda found: (
            condition(found, "Scheduling").get("reason") == names.REASON_SUSPENDED
            and not found["status"].get("active")
        ),
        200,
    )
    await_true(lambda: len(runs_of(kubectl, uid)) == 1, 30, "the history limit")

    kept = stored_runs(kubectl, uid)
    assert len({run.slot for run in kept}) == len(kept)
    for run in kept:
        minutes = int(datetime.fromisoformat(run.slot).timestamp()) // 60
        assert run.run == f"minutely-{minutes}"
        assert (run.instances, run.passes, run.trials) == (("t0", "t1"), (1, 1), (1, 1))
        assert run.succeeded
        assert len(set(run.images)) == 1
        assert len(run.images[0]) == 12
    before = schedule(kubectl, "minutely")["status"]
    assert before["baseline"]["progress"].endswith("/14")
    assert before["history"]["runs"] == len(kept)
    assert len({run.identity for run in kept}) == 1

    kubectl.run("delete", names.RUN_PLURAL, "--all", "--wait=true")
    operator.kill()
    operator.start()
    change(kubectl, "minutely", failedRunsHistoryLimit=2)
    after = kubectl.wait_until(
        [names.SCHEDULE_PLURAL, "minutely"],
        lambda found: found["status"]["observedGeneration"] == found["metadata"]["generation"],
        90,
    )["status"]
    for part in ("baseline", "monitor", "history", "lastRuns", "lastScheduleTime"):
        assert after[part] == before[part], part
    assert stored_runs(kubectl, uid) == kept
    assert runs_of(kubectl, uid) == []


def weeks(count: int, drop_after: int, instances: int = 40) -> list[RunCells]:
    draw, noise = random.Random(7), random.Random(8)
    panel = tuple(f"i{n:02d}" for n in range(instances))
    last = datetime.now(UTC).date() - timedelta(days=1)
    found = []
    for back in reversed(range(count)):
        day: date = last - timedelta(days=back)
        lost = 0.35 if back < count - drop_after else 0.0
        passes = tuple(
            int(draw.random() < 0.2 + 0.7 * (n % 5) / 4 - lost) for n in range(instances)
        )
        found.append(
            RunCells(
                f"past-{day}",
                f"uid-{day}",
                f"{day}T03:00:00Z",
                str(day),
                names.SERIES_LATEST,
                "c" * 64,
                cli_version="2.1.330" if lost else "2.1.329",
                succeeded=True,
                reason="Completed",
                finished_at=f"{day}T04:00:00Z",
                instances=panel,
                passes=passes,
                trials=(1,) * instances,
                images=tuple(
                    "f00d" * 3 if lost and n == 3 else "beef" * 3 for n in range(instances)
                ),
                signals=packed(
                    {"turns": {i: (30 if lost else 20) * noise.uniform(0.8, 1.2) for i in panel}},
                    panel,
                ),
            )
        )
    return found


def page_of(kubectl, run: str, file: Path) -> str:
    """The page of a run as the command line writes it."""
    command = [sys.executable, "-m", "benchwarden", "report", f"run/{run}", "--html", str(file)]
    told = subprocess.run(
        [*command, "-n", kubectl.namespace],
        env={**os.environ, "KUBECONFIG": str(kubectl.kubeconfig)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert told.returncode == 0, told.stderr
    return file.read_text()


@pytest.mark.early
def test_a_drop_is_called_with_the_numbers_of_analyze_to_the_last_bit(kubectl, images, tmp_path):
    kubectl.apply(schedule_manifest("daily", schedule="0 3 * * *", suspend=True))
    past = weeks(24, drop_after=20)
    seed(kubectl, "daily", past)
    log = tmp_path / "operator.log"
    with operator_outside(kubectl, log, runner_image=images.runner, port=PORT):
        found = kubectl.wait_until(
            [names.SCHEDULE_PLURAL, "daily"],
            lambda each: condition(each, "Degraded").get("status") == "True",
            90,
        )
        uid = found["metadata"]["uid"]
        exported = history_lines(merged_cells(stored_runs(kubectl, uid)))
        own = analysis_document(analyze(parse_history(exported), Settings()))
        status = found["status"]
        assert status["baseline"]["digest"] == own["baseline"]["digest"]
        assert status["monitor"]["state"] == own["monitor"]["state"]
        last = own["monitor"]["days"][-1]
        for key in ("capability", "breakage", "improvement"):
            assert float(status["monitor"][key]) == last[key]
        for window in status["windows"]:
            told = own["windows"][str(window["days"])]
            assert float(window["pWorse"]) == told["midp_less"]
            assert float(window["delta"]) == told["delta"]
            assert float(window["pWorseHolm"]) == told["holm"]
        assert "2.1.329 -> 2.1.330" in status["monitor"]["cliChange"]
        assert status["monitor"]["imageChange"].startswith(
            "1 image changed since the baseline: i03"
        )
        assert status["monitor"]["signals"][0].startswith("turns x1.")

        owner = {"kind": names.SCHEDULE_KIND, "name": "daily", "uid": uid, "controller": True}
        mine = run_manifest("mine", suspend=True)
        mine["metadata"]["ownerReferences"] = [{"apiVersion": names.API_VERSION, **owner}]
        kubectl.apply(mine)
        assert page_of(kubectl, "mine", tmp_path / "mine.html").count("<svg") == 3

        alarms = [
            line
            for line in metrics(PORT).splitlines()
            if line.startswith("benchwarden_monitor_alarm{") and 'schedule="daily"' in line
        ]
        assert sorted(line.rsplit(" ", 1)[1] for line in alarms) == ["0.0", "1.0"]
        reasons = {each["reason"] for each in kubectl.get("events")["items"]}
        assert names.EVENT_BASELINE_FROZEN in reasons
        assert {names.REASON_SUSPECTED, names.REASON_CONFIRMED} & reasons

        day = status["monitor"]["alarmDay"]
        word = {"day": day, "author": "ann", "reason": "reported upstream"}
        change(kubectl, "daily", acknowledge=[word])
        kubectl.wait_until(
            [names.SCHEDULE_PLURAL, "daily"],
            lambda each: each["status"]["monitor"]["acknowledgedBy"] == "ann: reported upstream",
            30,
        )
        kubectl.run("delete", names.SCHEDULE_PLURAL, "daily")
        await_true(lambda: 'schedule="daily"' not in metrics(PORT), 30, "its series are gone")
        await_true(lambda: shards(kubectl, uid) == [], 60, "its shards are collected")


@pytest.mark.long
def test_a_schedule_that_cannot_work_says_why(kubectl, operator):
    kubectl.apply(schedule_manifest("never", schedule="0 0 31 4 *"))
    kubectl.apply(schedule_manifest("nowhere", timeZone="Mars/Base"))
    for name, field in (("never", "spec.schedule"), ("nowhere", "spec.timeZone")):
        found = kubectl.wait_until(
            [names.SCHEDULE_PLURAL, name],
            lambda each: condition(each, "Accepted").get("status") == "False",
            60,
        )
        assert field in condition(found, "Accepted")["message"]
    change(kubectl, "never", schedule="0 0 31 5 *")
    kubectl.wait_until(
        [names.SCHEDULE_PLURAL, "never"],
        lambda each: condition(each, "Accepted").get("status") == "True",
        30,
    )


@pytest.mark.long
def test_the_operator_in_a_pod_with_exactly_its_role_runs_a_schedule(kubectl, images, tiny_image):
    install_inside(kubectl, images)
    kubectl.apply(suite_config_map(task("t0")))
    # The image must know the names of time zones: here it is tomorrow already for ten hours of the day.
    zone = "Pacific/Kiritimati"
    kubectl.apply(schedule_manifest("inside", concurrencyPolicy="Replace", timeZone=zone))
    half_hours = schedule_manifest("half-hours", schedule="30 2 * * *")
    half_hours["spec"]["timeZone"] = "Australia/Lord_Howe"
    kubectl.apply(half_hours)
    uid = schedule(kubectl, "inside")["metadata"]["uid"]
    await_true(lambda: len(stored_runs(kubectl, uid)) >= 1, 240, "a run rolled up")
    change(kubectl, "inside", suspend=True)
    for run in stored_runs(kubectl, uid):
        slot = datetime.fromisoformat(run.slot).astimezone(ZoneInfo(zone))
        assert run.day == slot.date().isoformat()
    upcoming = schedule(kubectl, "half-hours")["status"]["nextScheduleTime"]
    there = datetime.fromisoformat(upcoming).astimezone(ZoneInfo("Australia/Lord_Howe"))
    assert (there.hour, there.minute) == (2, 30)
