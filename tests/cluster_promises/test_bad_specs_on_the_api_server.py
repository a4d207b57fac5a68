"""The real API server holds what the generated CRD promises, and our model of it in the unit tests is true."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config
from tests.bad_specs.corpus import GOOD, BadSpec, Change, a_run, bad_specs, changes
from tests.cluster.kubectl import Kubectl
from tests.cluster.reach import Cluster

from benchwarden import names
from benchwarden.api.parse import parse_run
from benchwarden.api.run import BenchmarkRun
from benchwarden.api.semantics import check
from benchwarden.errors import InvalidInputError

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("bad specs")]

ROOT = Path(__file__).parents[2]
CRD = "benchmarkruns.benchwarden.dev"
KIND = ("benchwarden.dev", "v1alpha1", "default", "benchmarkruns")
ALL = list(bad_specs())
EXAMPLES = [
    path
    for path in sorted((ROOT / "examples").glob("*.yaml"))
    if yaml.safe_load(path.read_text())["kind"] == names.RUN_KIND
]


@pytest.fixture(scope="module")
def api(cluster: Cluster) -> Iterator[client.CustomObjectsApi]:
    """The real API server, with our CRD; what the tests create there are dry runs."""
    kubectl = cluster.kubectl()
    kubectl.run("apply", "--server-side", "--force-conflicts", "-k", str(ROOT / "crds"))
    kubectl.run("wait", "--for=condition=Established", f"crd/{CRD}", "--timeout=30s")
    with config.new_client_from_config(str(cluster.kubeconfig)) as connection:
        yield client.CustomObjectsApi(connection)


def created(api: client.CustomObjectsApi, spec: Any) -> Any:
    return api.create_namespaced_custom_object(
        *KIND, a_run(spec), dry_run="All", field_validation="Strict"
    )


def refusal(error: client.ApiException) -> tuple[list[str], str]:
    """The fields that the API server blames, and its whole message."""
    body = json.loads(error.body)
    causes = (body.get("details") or {}).get("causes") or []
    return [cause.get("field", "") for cause in causes], body["message"]


def named(case: BadSpec | Change) -> str:
    return case.name


@pytest.mark.parametrize("spec", list(GOOD.values()), ids=list(GOOD))
def test_good_specs_are_admitted_with_the_defaults_of_the_models(
    api: client.CustomObjectsApi, spec: Any
) -> None:
    stored = created(api, spec)
    assert parse_run(stored).spec == BenchmarkRun.model_validate(a_run(spec)).spec


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_every_example_is_admitted(api: client.CustomObjectsApi, file: Path) -> None:
    check(parse_run(created(api, yaml.safe_load(file.read_text())["spec"])).spec)


@pytest.mark.parametrize("case", [c for c in ALL if c.at_the_server], ids=named)
def test_the_api_server_refuses_the_spec_and_names_the_field(
    api: client.CustomObjectsApi, case: BadSpec
) -> None:
    with pytest.raises(client.ApiException) as caught:
        created(api, case.spec)
    fields, message = refusal(caught.value)
    if case.unknown:
        assert f'unknown field "{case.unknown}"' in message
    else:
        assert any(field.startswith(case.field) for field in fields), message


@pytest.mark.parametrize("case", [c for c in ALL if not c.at_the_server], ids=named)
def test_what_the_api_server_admits_the_operator_refuses_by_field(
    api: client.CustomObjectsApi, case: BadSpec
) -> None:
    stored = created(api, case.spec)
    with pytest.raises(InvalidInputError) as caught:
        check(parse_run(stored).spec)
    assert (caught.value.field, caught.value.reason) == (case.field, case.reason)


@pytest.fixture
def runs(api: client.CustomObjectsApi, kubectl: Kubectl) -> tuple[client.CustomObjectsApi, str]:
    """The API server and a namespace of the test's own."""
    return api, kubectl.namespace


def update(runs: tuple[client.CustomObjectsApi, str], change: Change) -> Any:
    """Create the run as it was and replace it, as a dry run, with what it shall become."""
    api, namespace = runs
    group, version, _, plural = KIND
    old = api.create_namespaced_custom_object(
        group, version, namespace, plural, a_run(change.before, "changing")
    )
    try:
        new = {**old, "spec": change.after}
        return api.replace_namespaced_custom_object(
            group, version, namespace, plural, "changing", new, dry_run="All"
        )
    finally:
        api.delete_namespaced_custom_object(group, version, namespace, plural, "changing")


def test_what_a_run_consists_of_cannot_be_changed(
    runs: tuple[client.CustomObjectsApi, str],
) -> None:
    for change in changes("changes.yaml"):
        with pytest.raises(client.ApiException) as caught:
            update(runs, change)
        fields, message = refusal(caught.value)
        assert fields == [change.field], f"{change.name}: {message}"


def test_a_run_can_be_suspended_resumed_cancelled_and_retried(
    runs: tuple[client.CustomObjectsApi, str],
) -> None:
    for change in changes("allowed_changes.yaml"):
        changed = update(runs, change)
        assert changed["spec"].get("retry", 0) == change.after.get("retry", 0), change.name


def test_client_side_apply_takes_the_crd_too(
    api: client.CustomObjectsApi, cluster: Cluster
) -> None:
    del api
    file = str(ROOT / "crds" / f"{CRD}.yaml")
    said = cluster.kubectl().run("apply", "--dry-run=server", "-f", file)
    assert CRD in said


def test_kubectl_explains_every_field(api: client.CustomObjectsApi, cluster: Cluster) -> None:
    del api
    text = cluster.kubectl().run("explain", "bmr.spec.agent.claudeCode.model")
    assert "never an alias" in text
    tree = cluster.kubectl().run("explain", "benchmarkruns", "--recursive")
    assert "infraRetriesPerTrial" in tree


def test_the_crd_reports_no_problem_of_its_own(
    api: client.CustomObjectsApi, cluster: Cluster
) -> None:
    del api
    conditions = cluster.kubectl().get("crd", CRD)["status"]["conditions"]
    states = {condition["type"]: condition["status"] for condition in conditions}
    assert states["Established"] == "True"
    assert states.get("NonStructuralSchema", "False") == "False"


def test_the_status_is_written_apart_from_the_spec(
    runs: tuple[client.CustomObjectsApi, str],
) -> None:
    api, namespace = runs
    group, version, _, plural = KIND
    api.create_namespaced_custom_object(
        group, version, namespace, plural, a_run(GOOD["oracle"], "with-status")
    )
    status = {
        "progress": "1/2",
        "counts": {"planned": 2, "resolved": 1},
        "outcomes": {"resolved": 1},
        "conditions": [
            {
                "type": "Succeeded",
                "status": "Unknown",
                "reason": "InProgress",
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }
        ],
    }
    written = api.patch_namespaced_custom_object_status(
        group, version, namespace, plural, "with-status", {"status": status}
    )
    assert written["status"] == status
    api.delete_namespaced_custom_object(group, version, namespace, plural, "with-status")
