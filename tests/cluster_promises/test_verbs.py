"""The command line on a real API server with a real operator: each verb does what it says, refusals say the fix."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.cluster.kubectl import Kubectl, kubectl_program
from tests.cluster_promises.scene import (
    NOWHERE,
    SOLVE,
    change,
    jobs_of,
    run_of,
    scripted,
    scripted_run,
    wait_for,
    watched_operator,
)
from tests.cluster_promises.test_schedules import schedule_manifest, seed, shards, weeks
from tests.installed import (
    await_true,
    condition,
    free_port,
    rows_of,
    suite_config_map,
    wait_for_end,
)

from benchwarden import names
from benchwarden.cli import app as command_line
from benchwarden.controller.schedule_store import entries_of
from benchwarden.results.cells import (
    NOTE_ACKNOWLEDGED,
    NOTE_FROZEN,
    NOTE_REBASELINE,
    NOTE_VOIDED,
    Note,
)

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(300)]

PLUGIN = "kubectl-benchwarden"
GITOPS = ("--server-side", "--field-manager=gitops", "-f", "-")


@dataclass(frozen=True)
class Done:
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Plugin:
    """`kubectl benchwarden` in a namespace, in this process: dozens of interpreters take their time to start."""

    kubectl: Kubectl
    environment: pytest.MonkeyPatch

    def __call__(self, *words: object, code: int = 0, namespace: str = "") -> Done:
        place = namespace or self.kubectl.namespace
        told = [*map(str, words), "-n", place]
        self.environment.setattr(sys, "argv", [PLUGIN, *told])
        self.environment.setenv("KUBECONFIG", str(self.kubectl.kubeconfig))
        self.environment.setenv("COLUMNS", "200")
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            command_line.main()
        done = Done(ended.value.code or 0, out.getvalue(), err.getvalue())
        assert done.code == code, (told, done)
        return done


@pytest.fixture
def plugin(kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch) -> Plugin:
    return Plugin(kubectl, monkeypatch)


@pytest.fixture
def operator(kubectl, images, tiny_image, tmp_path) -> Iterator[Any]:
    with watched_operator(kubectl, images, tmp_path) as running:
        yield running


def test_runs_are_watched_compared_exported_retried_and_cancelled(
    kubectl, operator, plugin, tmp_path
):
    kubectl.apply(
        suite_config_map(scripted("a"), scripted("b", "true"), scripted("lost", **NOWHERE)),
        suite_config_map(scripted("slow", "sleep 100\n" + SOLVE), name="slow"),
        suite_config_map(scripted("a", "true"), scripted("b", "true"), name="worse"),
    )
    quick = {"execution": {"infraRetriesPerTrial": 0, "batchSize": 3}}
    kubectl.apply(scripted_run("first", **quick), scripted_run("long", "slow"))
    wait_for_end(kubectl, "first", 90)

    table = plugin("status").out
    assert "CompletedWithMissing" in table
    found = plugin("status", "-o", "json").data["items"]
    assert sorted(each["metadata"]["name"] for each in found) == ["first", "long"]
    assert kubectl.namespace in plugin("status", "-A", "-o", "wide").out
    assert "1 resolved" in plugin("status", "first").out
    rows = plugin("results", "first", "-o", "json").data
    assert {(row["instance"], row["kind"]) for row in rows} == {
        ("a", "verdict"),
        ("b", "verdict"),
        ("lost", "charge"),
    }
    page = tmp_path / "page.html"
    assert "Coverage  2/3" in plugin("report", "run/first", "--html", page).out
    assert "<!doctype html>" in page.read_text()

    for form in ("jsonl", "parquet", "eval-results", "inspect", "harbor"):
        there, back = tmp_path / form, tmp_path / f"{form}.jsonl"
        plugin("export", "first", "--format", form, "--out", there)
        plugin("import", there, "--out", back)
        compared = plugin("compare", "run/first", back, "-o", "json").data
        assert (compared["n_common"], compared["delta"]) == (2, 0.0)
    plugin("import", tmp_path / "inspect", "--config-map", "base")
    assert "exists" in plugin("import", tmp_path / "inspect", "--config-map", "base", code=1).err
    base = {"configMap": {"name": "base", "key": "rows.jsonl.gz"}}
    kubectl.apply(scripted_run("second", "worse", compareTo=base, suspend=True, **quick))

    assert "verdicts stand" in plugin("retry", "first", code=2).err
    assert "has not ended" in plugin("retry", "long", "--failed-infra", code=1).err
    assert plugin("retry", "first", "--failed-infra").out == "run/first retried\n"
    assert plugin("resume", "run/second").out == "run/second resumed\n"
    assert plugin("resume", "run/second").out == "run/second resumed (unchanged)\n"
    assert plugin("cancel", "long").out == "run/long cancelled\n"
    wait_for(kubectl, "first", lambda run: run["status"].get("retriesHandled") == 1)
    for name in ("second", "long"):
        wait_for_end(kubectl, name, 60)
    assert "has ended already" in plugin("cancel", "second", code=1).err
    (changed,) = plugin("flipped", "run/second", "-o", "json").data
    assert (changed["instance"], changed["change"], changed["run"]) == ("a", "lost", "second")
    assert changed["outcome"] == "empty_patch"


def as_list(items: list[Any]) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})


@contextmanager
def held(kubectl: Kubectl, schedule: dict[str, Any]) -> Iterator[None]:
    """What is applied inside is there before the operator looks: it reads a schedule's history once."""
    schedule["metadata"]["annotations"] = {names.ANNOTATION_RESTORING: "yes"}
    yield
    del schedule["metadata"]["annotations"]
    name = schedule["metadata"]["name"]
    kubectl.run("annotate", names.SCHEDULE_PLURAL, name, f"{names.ANNOTATION_RESTORING}-")


def test_decisions_about_a_schedule_are_kept_with_author_and_reason(
    kubectl, operator, plugin, tmp_path
):
    past = weeks(24, drop_after=20)
    wanted = schedule_manifest("daily", schedule="0 3 * * *", suspend=True)
    with held(kubectl, wanted):
        kubectl.apply(wanted)
        seed(kubectl, "daily", past)
    found = kubectl.wait_until(
        [names.SCHEDULE_PLURAL, "daily"],
        lambda each: condition(each, "Degraded").get("status") == "True",
        60,
    )
    state, alarm = (found["status"]["monitor"][key] for key in ("state", "alarmDay"))
    assert state in plugin("status", "-o", "wide").out
    assert state in plugin("status", "schedule/daily").out
    changed = plugin("flipped", "daily", "-o", "json").data
    assert [each["instance"] for each in changed] == [
        each["instance"] for each in found["status"]["flipped"]
    ]
    page = tmp_path / "page.html"
    assert state in plugin("report", "schedule/daily", "--html", page).out
    assert "Has it got worse?" in page.read_text()
    days = plugin("results", "schedule/daily", "-o", "json").data
    assert [day["day"] for day in days] == [run.day for run in reversed(past)]
    side = plugin("compare", "schedule/daily", "schedule/daily", "-o", "json").data
    assert (side["n_common"], side["delta"]) == (40, 0.0)

    assert "--reason: is needed" in plugin("acknowledge", "daily", code=2).err
    told = plugin("acknowledge", "daily", "--reason", "reported upstream").out
    assert f"alarm of {alarm} acknowledged" in told
    plugin("void-day", "daily", past[-1].day, "--reason", "outage", "--author", "ann")
    plugin("void-day", "daily", past[-2].day, "--reason", "mistake", "--author", "ann")
    plugin("void-day", "daily", past[-2].day, "--undo")
    plugin("void-day", "daily", past[-2].day, "--undo", code=1)
    plugin("rebaseline", "daily", "--reason", "new model", "--author", "ann")
    assert "does not accept it" in plugin("rebaseline", "daily", "--nonce", "x" * 65, code=2).err

    def noted() -> set[tuple[str, ...]]:
        stored = [
            entry
            for shard in shards(kubectl, found["metadata"]["uid"])
            for entry in entries_of(shard)
        ]
        return {
            (note.kind, *(text for _, text in note.data))
            for note in stored
            if isinstance(note, Note) and note.kind != NOTE_FROZEN
        }

    def complete() -> bool:
        kinds = {each[0] for each in noted()}
        return {NOTE_ACKNOWLEDGED, NOTE_VOIDED, NOTE_REBASELINE} <= kinds

    await_true(complete, 30, "the decisions are not in the history")
    kept = noted()
    assert (NOTE_VOIDED, "ann", past[-1].day, "outage") in kept
    (word,) = [each for each in kept if each[0] == NOTE_ACKNOWLEDGED]
    assert word[2:] == (alarm, "reported upstream")
    assert word[1], "who the API server says we are"
    (nonce,) = [each[1] for each in kept if each[0] == NOTE_REBASELINE]
    assert nonce.endswith("ann: new model")


def assert_no_drift(kubectl: Kubectl, applied: str, name: str) -> None:
    """As GitOps tools see it: the same manifest again, server-side, under their own field manager."""
    before = run_of(kubectl, name)
    assert kubectl.run("diff", *GITOPS, stdin=applied) == ""
    kubectl.run("apply", *GITOPS, stdin=applied)
    after = json.loads(
        kubectl.run("get", names.RUN_PLURAL, name, "-o", "json", "--show-managed-fields")
    )
    assert after["metadata"]["generation"] == before["metadata"]["generation"] == 1
    fields = after["metadata"]["managedFields"]
    writers = {(each["manager"], each.get("subresource", "")) for each in fields}
    assert writers == {("gitops", ""), (names.FIELD_MANAGER, "status")}


def test_an_applied_namespace_shows_no_drift_and_is_restored_without_running_anything_again(
    kubectl, operator, plugin, tmp_path
):
    suite = suite_config_map(scripted("a"), scripted("b", "true"))
    items = [suite, scripted_run("kept"), schedule_manifest("daily", suspend=True)]
    with held(kubectl, items[-1]):
        kubectl.run("apply", *GITOPS, stdin=as_list(items))
        seed(kubectl, "daily", weeks(16, drop_after=16))
    applied = as_list(items)
    kubectl.run("apply", *GITOPS, stdin=applied)
    before = wait_for_end(kubectl, "kept", 60)
    schedule = kubectl.wait_until(
        [names.SCHEDULE_PLURAL, "daily"],
        lambda each: condition(each, "BaselineReady").get("status") == "True",
        60,
    )
    assert_no_drift(kubectl, applied, "kept")
    rows = rows_of(kubectl, before)
    archive = tmp_path / "all.tar"
    plugin("export", "--all", "--out", archive)
    kubectl.run("delete", f"{names.RUN_PLURAL},{names.SCHEDULE_PLURAL},configmaps", "--all")
    told = plugin("import", archive).out
    assert "benchmarkrun/kept restored" in told
    assert "benchmarkschedule/daily restored" in told
    assert "configmap/suite restored" in told
    assert plugin("import", archive).out.count("exists already") == 3

    def settled(each: Any) -> bool:
        seen = each["status"].get("observedGeneration")
        return bool(seen == each["metadata"]["generation"])

    after = kubectl.wait_until([names.RUN_PLURAL, "kept"], settled, 30)
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert rows_of(kubectl, after) == rows
    for part in ("counts", "passRate", "costUsd", "startedAt", "finishedAt", "progress"):
        assert after["status"].get(part) == before["status"].get(part), part
    again = kubectl.wait_until([names.SCHEDULE_PLURAL, "daily"], settled, 30)
    for part in ("baseline", "monitor", "windows"):
        assert again["status"][part] == schedule["status"][part], part
    change(kubectl, "kept", retry=1)
    wait_for(kubectl, "kept", lambda run: run["status"].get("retriesHandled") == 1, 30)
    assert jobs_of(kubectl, after) == [], "nothing is missing, so nothing may run again"
    assert rows_of(kubectl, after) == rows


def test_what_the_cluster_refuses_is_said_with_its_fix(kubectl, images, plugin, tmp_path):
    told = plugin("results", "run/absent", code=6).err
    assert '"absent" not found; benchwarden status -A' in told
    nowhere = plugin("status", "--kubeconfig", tmp_path / "none", code=3).err
    assert "give --kubeconfig" in nowhere
    stranger = tmp_path / "stranger"
    view = json.loads(kubectl.run("config", "view", "--raw", "--flatten", "-o", "json"))
    token = kubectl.run("create", "token", "default").strip()
    view["users"] = [{"name": each["name"], "user": {"token": token}} for each in view["users"]]
    stranger.write_text(json.dumps(view))
    refused = plugin("status", "--kubeconfig", stranger, code=5).err
    assert "cannot list resource" in refused
    assert "kubectl auth can-i" in refused
    for cluster in view["clusters"]:
        cluster["cluster"]["server"] = f"https://127.0.0.1:{free_port()}"
    stranger.write_text(json.dumps(view))
    lost = plugin("status", "--kubeconfig", stranger, "--request-timeout", "1", code=3).err
    assert "the cluster does not answer" in lost


def test_kubectl_finds_the_plugin_and_completes_its_words(kubectl, images):
    kubectl.apply(schedule_manifest("daily", suspend=True))
    place = ["-n", kubectl.namespace]
    environment = {
        **os.environ,
        "KUBECONFIG": str(kubectl.kubeconfig),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "NO_COLOR": "1",
    }

    def said(*words: str) -> str:
        command = [kubectl_program() or "kubectl", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    assert "daily" in said("benchwarden", "status", *place)
    assert said("__complete", "benchwarden", *place, "void-day", "d").split() == ["daily", ":4"]
