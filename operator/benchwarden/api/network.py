"""What the pods of a run may reach."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from benchwarden.api import patterns
from benchwarden.api.model import KubeModel, Rule
from benchwarden.api.scalars import Bool, Int, LabelKey, Labels, LabelValue

Cidr = Annotated[str, StringConstraints(pattern=patterns.CIDR, max_length=64)]


class NetworkPort(KubeModel):
    """A port or a range of ports."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.endPort) || self.endPort >= self.port",
            message="endPort is the last port of the range; it cannot be below port",
            holds=lambda own: own.end_port is None or own.end_port >= own.port,
            field="endPort",
        ),
    )

    port: Annotated[Int, Field(ge=1, le=65_535)]
    """The port, or the first of a range."""
    end_port: Annotated[Int, Field(ge=1, le=65_535)] | None = None
    """Last port of the range."""
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"
    """Protocol of the port."""


class SelectorExpression(KubeModel):
    """One requirement on a label."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=(
                "(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)"
            ),
            message="In and NotIn need values, Exists and DoesNotExist take none",
            holds=lambda own: (own.operator in {"In", "NotIn"}) == bool(own.values),
            field="values",
        ),
    )

    key: LabelKey
    """Key of the label."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    """How the label is compared."""
    values: Annotated[tuple[LabelValue, ...], Field(max_length=32)] = ()
    """Values to compare with."""


class LabelSelector(KubeModel):
    """Objects chosen by their labels; `{}` chooses all."""

    match_labels: Labels = Field(default_factory=dict)
    """Labels with exactly these values."""
    match_expressions: Annotated[tuple[SelectorExpression, ...], Field(max_length=16)] = ()
    """Further requirements, all of which must hold."""


class Egress(KubeModel):
    """One destination: a CIDR, or pods chosen by their labels and those of their namespace."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.cidr) != (has(self.podSelector) || has(self.namespaceSelector))",
            message="set either cidr, or podSelector and/or namespaceSelector",
            holds=lambda own: (
                (own.cidr is not None)
                != (own.pod_selector is not None or own.namespace_selector is not None)
            ),
        ),
        Rule(
            cel="!has(self.except) || self.except.size() == 0 || has(self.cidr)",
            message="except narrows a cidr; it needs one",
            holds=lambda own: not own.except_ or own.cidr is not None,
            field="except",
        ),
    )

    cidr: Cidr | None = None
    """Addresses, such as `203.0.113.0/24`."""
    except_: Annotated[tuple[Cidr, ...], Field(max_length=32, alias="except")] = ()
    """Parts of `cidr` that stay closed."""
    pod_selector: LabelSelector | None = None
    """Pods of the run's namespace, or of the namespaces chosen beside it."""
    namespace_selector: LabelSelector | None = None
    """Namespaces whose pods are open, all of them or those of `podSelector`."""
    ports: Annotated[tuple[NetworkPort, ...], Field(max_length=32)] = ()
    """Open ports; all if empty."""


class NetworkPolicySpec(KubeModel):
    """The run's own NetworkPolicy: DNS, the API or gateway, and what is allowed here."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.enabled || !has(self.allowedEgress) || self.allowedEgress.size() == 0",
            message="without the policy everything is open; remove allowedEgress or enable the policy",
            holds=lambda own: own.enabled or not own.allowed_egress,
            field="allowedEgress",
        ),
    )

    enabled: Bool = True
    """Create the policy; whether it is enforced depends on the cluster's network."""
    allowed_egress: Annotated[tuple[Egress, ...], Field(max_length=32)] = ()
    """Destinations that stay open."""
