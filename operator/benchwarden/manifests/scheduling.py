"""Where pods go: the run's choices as the fields of a pod spec, and images as the mirror rules rewrite them."""

from collections.abc import Iterable
from typing import Any

from benchwarden import names
from benchwarden.api.execution import ExecutionSpec, ImageRewrite
from benchwarden.api.placement import NodeAffinity, NodeExpression
from benchwarden.api.run import BenchmarkRunSpec


def scheduling(spec: BenchmarkRunSpec) -> dict[str, Any]:
    """The fields of a pod spec that decide where the pod runs; those that nobody set are left out."""
    execution = spec.execution
    fields: dict[str, Any] = {
        "nodeSelector": _node_selector(spec),
        "affinity": _affinity(execution.node_affinity),
        "tolerations": [
            toleration.model_dump(mode="json", by_alias=True, exclude_none=True)
            for toleration in execution.tolerations
        ],
        "runtimeClassName": execution.runtime_class_name,
        "priorityClassName": execution.priority_class_name,
        "imagePullSecrets": [{"name": secret.name} for secret in execution.image_pull_secrets],
    }
    return {name: value for name, value in fields.items() if value}


def rewritten(image: str, rules: Iterable[ImageRewrite]) -> str:
    """`image` by the first rule whose prefix it starts with, short or in full (`docker.io/library/...`)."""
    for rule in rules:
        for spelling in (image, _in_full(image)):
            if spelling.startswith(rule.prefix):
                return rule.replacement + spelling.removeprefix(rule.prefix)
    return image


def _in_full(image: str) -> str:
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"


def _node_selector(spec: BenchmarkRunSpec) -> dict[str, str]:
    """SWE-bench images exist for amd64 only: on a mixed cluster the default must not pick another."""
    chosen = dict(spec.execution.node_selector)
    swe = spec.suite.swebench is not None or spec.suite.swebench_pro is not None
    if swe and not _mentions_architecture(spec.execution):
        chosen[names.LABEL_ARCHITECTURE] = "amd64"
    return chosen


def _mentions_architecture(execution: ExecutionSpec) -> bool:
    affinity = execution.node_affinity
    required = affinity.required if affinity else ()
    return names.LABEL_ARCHITECTURE in execution.node_selector or any(
        expression.key == names.LABEL_ARCHITECTURE for expression in required
    )


def _affinity(affinity: NodeAffinity | None) -> dict[str, Any]:
    if affinity is None:
        return {}
    rules: dict[str, Any] = {}
    if affinity.required:
        rules["requiredDuringSchedulingIgnoredDuringExecution"] = {
            "nodeSelectorTerms": [_term(affinity.required)]
        }
    if affinity.preferred:
        rules["preferredDuringSchedulingIgnoredDuringExecution"] = [
            {"weight": nodes.weight, "preference": _term(nodes.expressions)}
            for nodes in affinity.preferred
        ]
    return {"nodeAffinity": rules} if rules else {}


def _term(expressions: Iterable[NodeExpression]) -> dict[str, Any]:
    return {
        "matchExpressions": [
            {
                "key": expression.key,
                "operator": expression.operator,
                **({"values": list(expression.values)} if expression.values else {}),
            }
            for expression in expressions
        ]
    }
