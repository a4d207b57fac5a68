"""Where pods go and what images they use."""

from typing import Any

import pytest
from tests.unit.manifests.builders import TASKS, containers_of, instance, job_of, pod_of, run_spec

from benchwarden.api.execution import ImageRewrite
from benchwarden.manifests.scheduling import rewritten

SWE: dict[str, Any] = {"swebench": {"variant": "verified"}}
PRO: dict[str, Any] = {
    "swebenchPro": {"source": {"path": "/data/pro"}, "runScripts": {"path": "/data/scripts"}}
}


def rule(prefix: str, replacement: str) -> ImageRewrite:
    return ImageRewrite(prefix=prefix, replacement=replacement)


@pytest.mark.parametrize("suite", [SWE, PRO], ids=["swebench", "swebenchPro"])
def test_swe_suites_go_to_amd64_nodes(suite: dict[str, Any]) -> None:
    job = job_of(run_spec(suite=suite, execution={"nodeSelector": {"pool": "bench"}}))

    assert pod_of(job)["nodeSelector"] == {"pool": "bench", "kubernetes.io/arch": "amd64"}


def test_own_tasks_go_to_any_node() -> None:
    assert "nodeSelector" not in pod_of(job_of(run_spec(suite=TASKS)))


def test_an_architecture_that_the_run_chooses_stands() -> None:
    chosen = {"kubernetes.io/arch": "arm64"}
    job = job_of(run_spec(suite=SWE, execution={"nodeSelector": chosen}))

    assert pod_of(job)["nodeSelector"] == chosen


def test_an_architecture_in_the_node_affinity_stands_too() -> None:
    expression = {"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}
    job = job_of(run_spec(suite=SWE, execution={"nodeAffinity": {"required": [expression]}}))

    assert "nodeSelector" not in pod_of(job)


def test_every_choice_of_place_reaches_the_pod() -> None:
    pod = pod_of(
        job_of(
            run_spec(
                execution={
                    "tolerations": [
                        {"key": "bench", "operator": "Exists", "effect": "NoSchedule"},
                        {"key": "k", "value": "v", "effect": "NoExecute", "tolerationSeconds": 0},
                    ],
                    "runtimeClassName": "gvisor",
                    "priorityClassName": "low",
                    "imagePullSecrets": [{"name": "mirror"}],
                    "nodeAffinity": {
                        "required": [{"key": "disk", "operator": "Exists"}],
                        "preferred": [
                            {
                                "weight": 5,
                                "expressions": [{"key": "z", "operator": "In", "values": ["a"]}],
                            }
                        ],
                    },
                }
            )
        )
    )

    assert pod["tolerations"] == [
        {"key": "bench", "operator": "Exists", "effect": "NoSchedule"},
        {
            "key": "k",
            "operator": "Equal",
            "value": "v",
            "effect": "NoExecute",
            "tolerationSeconds": 0,
        },
    ]
    assert pod["runtimeClassName"] == "gvisor"
    assert pod["priorityClassName"] == "low"
    assert pod["imagePullSecrets"] == [{"name": "mirror"}]
    assert pod["affinity"]["nodeAffinity"] == {
        "requiredDuringSchedulingIgnoredDuringExecution": {
            "nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "Exists"}]}]
        },
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {
                "weight": 5,
                "preference": {
                    "matchExpressions": [{"key": "z", "operator": "In", "values": ["a"]}]
                },
            }
        ],
    }


def test_mirror_rules_apply_to_instance_images_and_not_to_the_runner() -> None:
    rules = [{"prefix": "localhost/", "replacement": "mirror.internal/hub/"}]
    containers = containers_of(job_of(run_spec(execution={"imageRewrites": rules}), instance("a")))

    assert containers["agent-0"]["image"] == "mirror.internal/hub/calc:1"
    assert containers["grade-0"]["image"] == "mirror.internal/hub/calc:1"
    assert containers["inject"]["image"] == "localhost/benchwarden-runner:1"


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("docker.io/a/b:1", "m.local/hub/a/b:1"),
        ("a/b:1", "m.local/hub/a/b:1"),
        ("python:3.12", "m.local/hub/library/python:3.12"),
        ("quay.io/a/b:1", "quay.io/a/b:1"),
        ("localhost:5000/a/b", "localhost:5000/a/b"),
    ],
)
def test_a_rule_for_the_default_registry_finds_short_names(image: str, expected: str) -> None:
    assert rewritten(image, [rule("docker.io/", "m.local/hub/")]) == expected


def test_the_first_rule_that_fits_is_used() -> None:
    rules = [rule("swe/", "one/"), rule("swe/eval", "two/eval"), rule("one/", "three/")]

    assert rewritten("swe/eval:1", rules) == "one/eval:1"


def test_a_digest_survives_a_rewrite() -> None:
    digest = "a/b@sha256:" + "0" * 64

    assert rewritten(digest, [rule("a/", "m/")]) == "m/b@sha256:" + "0" * 64
