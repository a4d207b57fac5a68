"""The operator does with its documented Role what it promises, and asks for nothing else: the audit log says so."""

import contextlib
import json
import os
from typing import Any

import pytest
from tests.cluster import config
from tests.cluster_promises.scene import (
    SOLVE,
    assert_true_end,
    await_work,
    charges,
    events_of,
    reason,
    run_of,
    scripted,
    scripted_run,
    wait_for,
)
from tests.installed import (
    await_true,
    condition,
    install_inside,
    run_manifest,
    suite_config_map,
    wait_for_end,
)
from tests.tiny_suite import task

from benchwarden import names
from benchwarden.manifests.install import LEASE_PERMISSION, PERMISSIONS

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(700)]

Asked = tuple[str, str, str]
"""API group, resource with its subresource, verb."""

# Every authenticated user may look at these (system:discovery); they name no resource.
DISCOVERY = ("/api", "/apis", "/version", "/openapi")
DOCUMENTED: set[Asked] = {
    (each.group, each.resource, verb)
    for each in (*PERMISSIONS, LEASE_PERMISSION)
    for verb in each.verbs
}
SELDOM: set[Asked] = {
    (each.group, each.resource, verb)
    for each in (*PERMISSIONS, LEASE_PERMISSION)
    for verb, _ in each.seldom
}


class Audit:
    """What the operator of one namespace asks of the API server from now on, read as it is written."""

    def __init__(self, namespace: str) -> None:
        self._user = f"system:serviceaccount:{namespace}:benchwarden"
        self._log = config.paths().audit_log.open("rb")
        self._log.seek(0, os.SEEK_END)
        self._entries: list[dict[str, Any]] = []

    def entries(self) -> list[dict[str, Any]]:
        """All so far; a log that was rotated under the test is read to its end, then anew."""
        self._read()
        current = config.paths().audit_log
        if os.fstat(self._log.fileno()).st_ino != current.stat().st_ino:
            self._read()
            self._log.close()
            self._log = current.open("rb")
            self._read()
        return self._entries

    def _read(self) -> None:
        while line := self._log.readline():
            if not line.endswith(b"\n"):
                self._log.seek(-len(line), os.SEEK_CUR)  # still being written
                return
            if self._user.encode() in line:
                entry = json.loads(line)
                if entry["user"]["username"] == self._user:
                    self._entries.append(entry)

    def close(self) -> None:
        self._log.close()

    def refused(self) -> list[Asked]:
        return [asked(each) for each in self.entries() if each["responseStatus"]["code"] == 403]

    def used(self) -> set[Asked]:
        return {asked(each) for each in self.entries()}


@pytest.fixture
def audit(cluster, kubectl, images, tiny_image):
    """The operator in a pod, with exactly the documented Role; the audit of what it asks."""
    if not cluster.own:
        pytest.skip("the audit log of this cluster is not ours")
    audit = Audit(kubectl.namespace)
    try:
        install_inside(kubectl, images)
        yield audit
    finally:
        audit.close()


def asked(entry: dict[str, Any]) -> Asked:
    about = entry.get("objectRef") or {}
    resource = about.get("resource", "")
    if about.get("subresource"):
        resource += f"/{about['subresource']}"
    return about.get("apiGroup", ""), resource, entry["verb"]


def assert_only_documented(audit: Audit, namespace: str) -> None:
    """Nothing was refused, and nothing beside the documented permissions was asked for, nor elsewhere."""
    assert not audit.refused(), "something was refused"
    beyond = [each for each in audit.entries() if asked(each) not in DOCUMENTED]
    assert not [each["requestURI"] for each in beyond if each.get("objectRef")]
    assert not [
        each["requestURI"] for each in beyond if not each["requestURI"].startswith(DISCOVERY)
    ]
    places = {(each.get("objectRef") or {}).get("namespace") for each in audit.entries()}
    assert places <= {namespace, None}, "asked for something of another namespace"


def test_a_run_asks_for_nothing_beside_the_documented_permissions(kubectl, audit):
    kubectl.apply(suite_config_map(*(task(f"t{n}") for n in range(3))))
    kubectl.apply(run_manifest("once", execution={"batchSize": 2}))
    run = wait_for_end(kubectl, "once")
    assert run["status"]["counts"]["resolved"] == 3, run["status"]
    assert ("batch", "jobs", "create") in audit.used()
    assert_only_documented(audit, kubectl.namespace)


@pytest.mark.long
@pytest.mark.early
def test_a_run_and_a_schedule_use_every_permission_and_no_other(kubectl, audit):
    kubectl.apply(suite_config_map(*(task(f"t{n}") for n in range(3))))
    kubectl.apply(run_manifest("once", execution={"batchSize": 2}))
    kubectl.apply(
        {
            "apiVersion": names.API_VERSION,
            "kind": names.SCHEDULE_KIND,
            "metadata": {"name": "often"},
            "spec": {"schedule": "* * * * *", "template": {"spec": run_manifest("x")["spec"]}},
        }
    )
    with contextlib.suppress(AssertionError):  # said below, with what is missing
        await_true(lambda: audit.used() >= DOCUMENTED - SELDOM, 200, "every permission is used")
    assert not DOCUMENTED - SELDOM - audit.used()
    assert_only_documented(audit, kubectl.namespace)


def test_a_permission_that_is_taken_is_told_and_the_run_goes_on_once_it_is_back(kubectl, audit):
    kubectl.apply(suite_config_map(scripted("i0")))
    whole = kubectl.get("role", "benchwarden")
    less = {**whole, "metadata": {"name": "benchwarden", "namespace": kubectl.namespace}}
    less["rules"] = [
        {**rule, "verbs": [verb for verb in rule["verbs"] if verb != "create"]}
        if rule["resources"] == ["jobs"]
        else rule
        for rule in whole["rules"]
    ]
    kubectl.apply(less)
    kubectl.apply(scripted_run("stuck"))
    run = wait_for(kubectl, "stuck", lambda run: reason(run) == names.REASON_POD_REFUSED, 60)
    told = condition(run, "Progressing")
    assert told["status"] == "False"
    assert "cannot create resource" in told["message"]
    assert names.REASON_POD_REFUSED in events_of(kubectl, run)
    kubectl.apply({**less, "rules": whole["rules"]})
    run = wait_for_end(kubectl, "stuck", 150)
    assert_true_end(kubectl, run, {"i0": "resolved"})
    assert charges(kubectl, run) == []


@pytest.mark.long
def test_nothing_is_lost_while_all_permissions_are_gone(kubectl, audit):
    slowly = "sleep 6\n" + SOLVE
    kubectl.apply(suite_config_map(*(scripted(f"i{n}", slowly) for n in range(3))))
    kubectl.apply(scripted_run("robbed", execution={"batchSize": 3}))
    wait_for(kubectl, "robbed", lambda run: run.get("status"))
    run = run_of(kubectl, "robbed")
    await_work(kubectl, run, "i1")
    binding = kubectl.get("rolebinding", "benchwarden")
    kubectl.run("delete", "rolebinding", "benchwarden")

    await_true(audit.refused, 60, "the operator met the missing permissions")
    await_true(lambda: "403" in log_of(kubectl), 60, "the operator's log tells")
    metadata = {"name": "benchwarden", "namespace": kubectl.namespace}
    kubectl.apply({**binding, "metadata": metadata})
    run = wait_for_end(kubectl, "robbed", 200)
    assert_true_end(kubectl, run, {f"i{n}": "resolved" for n in range(3)})
    assert charges(kubectl, run) == []


def log_of(kubectl) -> str:
    """The operator's log, the life before its last restart included."""
    found = kubectl.run("logs", "deployment/benchwarden", "--tail=-1")
    pods = kubectl.get("pods", "-l", "app.kubernetes.io/name=benchwarden")["items"]
    restarted = any(
        status["restartCount"]
        for pod in pods
        for status in pod.get("status", {}).get("containerStatuses", ())
    )
    if restarted:
        found += kubectl.run("logs", "deployment/benchwarden", "--previous", "--tail=-1")
    return str(found)
