"""What is left out of a Job or pod is never missed: the same facts come of it as of all its JSON."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json
from tests.unit.kube.builders import T0, raw_job, raw_pod, running, terminated
from tests.unit.kube.jsonish import JSONISH, KEYS, disfigured

from benchwarden.kube.projection import job_fact, pod_fact
from benchwarden.kube.pruning import JOBS, PODS, Shape

KINDS = pytest.mark.parametrize(("shape", "project"), [(PODS, pod_fact), (JOBS, job_fact)])
WRITTEN = [
    {"manager": "kubelet", "subresource": "status", "time": T0, "fieldsV1": {"f:status": {}}},
    {"manager": "kube-controller-manager", "time": T0},
]


def a_pod() -> dict[str, Any]:
    raw = raw_pod(
        phase="Running",
        init=(terminated("inject"), running("agent-0")),
        members=(("a", 0, 1),),
        startTime=T0,
        conditions=[{"type": "PodScheduled", "status": "True", "lastTransitionTime": T0}],
    )
    raw["metadata"]["managedFields"] = WRITTEN
    raw["spec"] |= {"nodeName": "one", "volumes": [{"name": "v"}]}
    return raw


OBJECTS = st.builds(a_pod) | st.builds(
    lambda: raw_job(failed=1, finished=("Failed", "x", T0), suspend=True)
)


def facts(project: Any, page: Any) -> list[object]:
    items = page.get("items")
    found = items if isinstance(items, list) else []
    return [project(each) if isinstance(each, dict) else "no object" for each in found]


@KINDS
@given(
    items=st.lists(disfigured(OBJECTS) | st.dictionaries(KEYS, JSONISH, max_size=6), max_size=3)
    | JSONISH
)
def test_a_page_gives_the_facts_that_all_its_json_gives(
    shape: Shape, project: Any, items: Any
) -> None:
    body = json.dumps({"metadata": {"continue": "next"}, "items": items}).encode()
    pruned, whole = shape.page(body), from_json(body)
    assert pruned["metadata"] == whole["metadata"]
    assert repr(facts(project, pruned)) == repr(facts(project, whole))  # a nan is no nan


@KINDS
@given(kind=st.sampled_from(["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]), raw=disfigured(OBJECTS))
def test_an_event_gives_the_fact_that_all_its_json_gives(
    shape: Shape, project: Any, kind: str, raw: Any
) -> None:
    line = json.dumps({"type": kind, "object": raw}).encode()
    pruned = shape.event(line)
    assert pruned["type"] == kind
    assert repr(project(pruned["object"])) == repr(project(from_json(line)["object"]))


def test_what_no_fact_needs_is_left_out() -> None:
    (kept,) = PODS.page(json.dumps({"items": [a_pod()]}).encode())["items"]
    assert set(kept["spec"]) <= {"nodeName", "initContainers", "containers"}
    assert "fieldsV1" not in kept["metadata"]["managedFields"][0]


@KINDS
def test_an_error_in_a_watch_is_read_whole(shape: Shape, project: Any) -> None:
    status = {"kind": "Status", "code": 410, "reason": "Expired", "details": {"causes": []}}
    line = json.dumps({"type": "ERROR", "object": status}).encode()
    assert shape.event(line)["object"] == status


@pytest.mark.parametrize("text", [b"", b"{", b'{"items": [', b"\xff"])
@pytest.mark.parametrize("read", [PODS.page, PODS.event])
def test_what_is_no_json_is_refused(read: Any, text: bytes) -> None:
    with pytest.raises(ValueError, match=r"EOF|expected"):
        read(text)
