"""The agent's CLI is settled before anything is started, once, and the plan keeps it."""

from __future__ import annotations

import pytest
from tests.builders import CLAUDE, NOW, Bench, ended, panel_of, pod

from benchwarden import names
from benchwarden.reconcile.decision import DeleteBatch, LaunchProbe, PinRelease, StorePlan
from benchwarden.reconcile.observed import ObservedBatch
from benchwarden.reconcile.probing import release_of
from benchwarden.reconcile.world import Unreleased
from benchwarden_runner import protocol
from benchwarden_runner.specs import CliBuild, CliRelease

RELEASE = CliRelease("2.1.331", (CliBuild("claude-glibc", "x64", "http://n/a.tgz", "sha512-A"),))
LATEST = {"claudeCode": {**CLAUDE["claudeCode"], "version": "latest"}}


def probed(bench: Bench, name: str, report: protocol.ProbeReport) -> None:
    message = protocol.encode(report, 4096).decode()
    bench.batches[name] = ObservedBatch(
        name,
        names.ROLE_PROBE,
        "uid-probe",
        created_at=NOW,
        pod=pod(ended("probe", message), phase="Succeeded"),
    )


def test_latest_is_asked_for_until_it_is_known_then_probed_then_frozen_in_the_plan() -> None:
    bench = Bench(panel_of(1), agent=LATEST)
    for _ in range(2):
        decision = bench.step()
        assert decision.actions == (PinRelease(),)
        assert decision.requeue_after_seconds < 1
        assert bench.condition("Planned")["reason"] == names.REASON_RESOLVING
    bench.cycle.release = RELEASE
    (probe,) = bench.step().actions
    assert isinstance(probe, LaunchProbe)
    probed(bench, probe.name, protocol.ProbeReport(protocol.COMPLETED, cli_version="2.1.331"))
    (store,) = bench.step().actions
    assert isinstance(store, StorePlan)
    assert release_of(store.plan) == RELEASE
    assert dict(store.plan.agent)["cliVersion"] == "2.1.331"


def test_an_exact_version_from_an_image_asks_no_registry() -> None:
    bench = Bench(panel_of(1), agent=CLAUDE)
    (probe,) = bench.step().actions
    assert isinstance(probe, LaunchProbe)


def test_a_version_that_cannot_be_had_ends_the_run_and_a_retry_asks_again() -> None:
    bench = Bench(panel_of(1), agent=LATEST)
    bench.step()
    reason, text = names.REASON_REGISTRY_UNAVAILABLE, "spec.agent.claudeCode.registryUrl: down"
    bench.cycle.release = Unreleased(reason, text)
    bench.step()
    for kind in ("Planned", "Succeeded"):
        assert bench.condition(kind)["status"] == "False"
        assert bench.condition(kind)["reason"] == reason
        assert bench.condition(kind)["message"] == text
    bench.cycle.release = None  # as after a restart of the operator
    assert PinRelease() not in bench.step().actions
    assert bench.condition("Succeeded")["reason"] == reason
    bench.cycle.release = Unreleased(reason, text)
    assert bench.step(retry=1).actions == (PinRelease(),)
    bench.cycle.release = RELEASE
    assert isinstance(bench.step(retry=1).actions[0], LaunchProbe)


def test_another_version_than_asked_ends_the_run_at_the_first_probe() -> None:
    bench = Bench(panel_of(1), agent=CLAUDE)
    (probe,) = bench.step().actions
    said = f"{protocol.REASON_CLI_MISMATCH}: asked for Claude Code 2.1.330, found 2.1.329"
    probed(bench, probe.name, protocol.ProbeReport(protocol.HARNESS, reason=said))
    bench.step()
    condition = bench.condition("Succeeded")
    assert condition["reason"] == names.REASON_CLI_VERSION_MISMATCH
    assert condition["message"].startswith("spec.agent.claudeCode.version: ")
    assert "asked for Claude Code 2.1.330, found 2.1.329" in condition["message"]


def test_a_registry_that_denies_pods_ends_the_run_at_the_first_probe_and_a_retry_asks_again() -> (
    None
):
    bench = Bench(panel_of(1), agent=LATEST)
    bench.cycle.release = RELEASE
    (probe,) = bench.step().actions
    said = f"ReleaseError: {protocol.REASON_REGISTRY_DENIED}: http://n/a.tgz: HTTP 401, asked without credentials"
    bench.batches[probe.name] = ObservedBatch(
        probe.name,
        names.ROLE_PROBE,
        "uid-probe",
        created_at=NOW,
        pod=pod(ended("inject", said, exit_code=64), phase="Failed"),
    )
    bench.step()
    for kind in ("Planned", "Succeeded"):
        condition = bench.condition(kind)
        assert condition["reason"] == names.REASON_REGISTRY_UNAVAILABLE
        assert condition["message"].startswith("spec.agent.claudeCode.registryCredentials: ")
        assert condition["message"].endswith("http://n/a.tgz: HTTP 401, asked without credentials")
    assert bench.step().actions == (DeleteBatch(probe.name, "uid-probe"),)
    del bench.batches[probe.name]
    assert bench.step().actions == ()
    assert isinstance(bench.step(retry=1).actions[0], LaunchProbe)


@pytest.mark.parametrize("name", ["inject", "probe"])
def test_why_inject_failed_is_in_the_condition_and_no_other_containers_word(name: str) -> None:
    bench = Bench(panel_of(1), agent=LATEST)
    bench.cycle.release = RELEASE
    for attempt in range(1, 4):
        launches = [a for a in bench.step().actions if isinstance(a, LaunchProbe)]
        assert [each.attempt for each in launches] == [attempt]
        (probe,) = launches
        bench.batches[probe.name] = ObservedBatch(
            probe.name,
            names.ROLE_PROBE,
            f"uid-{attempt}",
            created_at=bench.now,
            pod=pod(ended(name, "the registry is down", exit_code=64), phase="Failed"),
        )
        bench.after(seconds=60)
    bench.step()
    condition = bench.condition("Succeeded")
    assert condition["reason"] == names.REASON_PROBE_FAILED
    assert ("the registry is down" in condition["message"]) == (name == "inject")
