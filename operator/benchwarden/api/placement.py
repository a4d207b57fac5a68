"""Where pods may run and what they may use: resources, node selection, tolerations."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from benchwarden.api.model import KubeModel, Rule
from benchwarden.api.scalars import INT32_MAX, Int, LabelKey, LabelValue, Quantity


class ResourceRequests(KubeModel):
    """What the scheduler sets aside."""

    cpu: Quantity = "500m"
    """Cores, such as `500m` or `2`."""
    memory: Quantity = "1Gi"
    """Bytes, such as `2Gi`."""
    ephemeral_storage: Quantity | None = None
    """Bytes of local disk, such as `5Gi`."""


class ResourceLimits(KubeModel):
    """What a container may use."""

    cpu: Quantity | None = None
    """Cores, such as `2`; no limit if unset."""
    memory: Quantity = "4Gi"
    """Bytes, such as `8Gi`; never unlimited, because an agent can leak a whole node's memory."""
    ephemeral_storage: Quantity | None = None
    """Bytes of local disk, such as `20Gi`; no limit if unset."""


class Resources(KubeModel):
    """Requests and limits of each agent and each grader container."""

    requests: ResourceRequests = ResourceRequests()
    """What the scheduler sets aside; a pod asks for the largest of its containers, not the sum."""
    limits: ResourceLimits = ResourceLimits()
    """What a container may use; an agent over its memory limit ends as agent_oom."""


class Toleration(KubeModel):
    """A taint the pods put up with, as in a pod spec."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.operator != 'Exists' || !has(self.value)",
            message="operator Exists takes no value; remove it",
            holds=lambda own: own.operator != "Exists" or own.value is None,
            field="value",
        ),
        Rule(
            cel="has(self.key) || self.operator == 'Exists'",
            message="without a key the operator must be Exists",
            holds=lambda own: own.key is not None or own.operator == "Exists",
            field="operator",
        ),
        Rule(
            cel="!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
            message="tolerationSeconds needs effect NoExecute",
            holds=lambda own: own.toleration_seconds is None or own.effect == "NoExecute",
            field="tolerationSeconds",
        ),
    )

    key: LabelKey | None = None
    """Key of the taint; all taints if unset."""
    operator: Literal["Exists", "Equal"] = "Equal"
    """`Equal` compares the value, `Exists` takes any."""
    value: LabelValue | None = None
    """Value of the taint."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Effect of the taint; all effects if unset."""
    toleration_seconds: Annotated[Int, Field(ge=0, le=INT32_MAX)] | None = None
    """How long a NoExecute taint is put up with."""


class NodeExpression(KubeModel):
    """One requirement on a node label."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=(
                "self.operator in ['Exists', 'DoesNotExist']"
                " ? !has(self.values) || self.values.size() == 0"
                " : has(self.values) && (self.operator in ['Gt', 'Lt']"
                " ? self.values.size() == 1 : self.values.size() > 0)"
            ),
            message="In and NotIn need values, Gt and Lt exactly one, Exists and DoesNotExist none",
            holds=lambda own: _values_fit(own.operator, len(own.values)),
            field="values",
        ),
    )

    key: LabelKey
    """Key of the node label."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
    """How the label is compared."""
    values: Annotated[tuple[LabelValue, ...], Field(max_length=32)] = ()
    """Values to compare with."""


def _values_fit(operator: str, count: int) -> bool:
    if operator in {"Exists", "DoesNotExist"}:
        return count == 0
    return count == 1 if operator in {"Gt", "Lt"} else count > 0


class PreferredNodes(KubeModel):
    """Nodes that are better than others."""

    weight: Annotated[Int, Field(ge=1, le=100)]
    """How much better."""
    expressions: Annotated[tuple[NodeExpression, ...], Field(min_length=1, max_length=16)]
    """Requirements that such a node meets, all of them."""


class NodeAffinity(KubeModel):
    """The part of node affinity that batch work needs."""

    required: Annotated[tuple[NodeExpression, ...], Field(max_length=16)] = ()
    """Requirements that a node must meet, all of them."""
    preferred: Annotated[tuple[PreferredNodes, ...], Field(max_length=16)] = ()
    """Nodes that are better than others."""
