"""Rules of the execution: quantities, labels, mirror rules and networks that can mean something."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network

from benchwarden.api import patterns
from benchwarden.api.execution import ExecutionSpec, ImageRewrite
from benchwarden.api.network import Egress, LabelSelector
from benchwarden.api.placement import (
    NodeExpression,
    ResourceLimits,
    ResourceRequests,
    Resources,
)
from benchwarden.api.scalars import quantity_value
from benchwarden.api.semantics.agent import env_faults
from benchwarden.api.semantics.fault import Fault

_FIELD = "spec.execution"
_RESOURCES = {"cpu": "cpu", "memory": "memory", "ephemeral_storage": "ephemeralStorage"}
_LONGEST_LABEL_PREFIX = 253


def execution_faults(execution: ExecutionSpec) -> Iterator[Fault]:
    """Everything wrong with the execution."""
    yield from _resource_faults(f"{_FIELD}.resources", execution.resources)
    yield from _label_faults(f"{_FIELD}.nodeSelector", execution.node_selector)
    if execution.node_affinity is not None:
        field = f"{_FIELD}.nodeAffinity"
        yield from _expression_faults(f"{field}.required", execution.node_affinity.required)
        for position, nodes in enumerate(execution.node_affinity.preferred):
            yield from _expression_faults(
                f"{field}.preferred[{position}].expressions", nodes.expressions
            )
    yield from _rewrite_faults(f"{_FIELD}.imageRewrites", execution.image_rewrites)
    for position, egress in enumerate(execution.network_policy.allowed_egress):
        yield from _egress_faults(f"{_FIELD}.networkPolicy.allowedEgress[{position}]", egress)
    yield from env_faults(f"{_FIELD}.env", execution.env)


def _resource_faults(field: str, resources: Resources) -> Iterator[Fault]:
    usual_requests, usual_limits = ResourceRequests(), ResourceLimits()
    for attribute, name in _RESOURCES.items():
        request = getattr(resources.requests, attribute)
        limit = getattr(resources.limits, attribute)
        for kind, amount in (("requests", request), ("limits", limit)):
            if amount is not None and quantity_value(amount) == 0:
                yield Fault(f"{field}.{kind}.{name}", "must be more than 0")
        if request in (None, getattr(usual_requests, attribute)):
            continue
        if limit in (None, getattr(usual_limits, attribute)):
            continue  # a default gives way to what was chosen
        if quantity_value(request) > quantity_value(limit):
            yield Fault(
                f"{field}.requests.{name}", f"{request} is above the limit {limit}; lower it"
            )


def _label_faults(field: str, labels: Mapping[str, str]) -> Iterator[Fault]:
    for key in labels:
        prefix, slash, _ = key.rpartition("/")
        if not re.fullmatch(patterns.LABEL_KEY, key) or (
            slash and len(prefix) > _LONGEST_LABEL_PREFIX
        ):
            yield Fault(field, f"{key[:80]!r} is not {patterns.MEANINGS[patterns.LABEL_KEY]}")


def _expression_faults(field: str, expressions: tuple[NodeExpression, ...]) -> Iterator[Fault]:
    for position, expression in enumerate(expressions):
        if expression.operator in {"Gt", "Lt"} and not expression.values[0].isdigit():
            yield Fault(
                f"{field}[{position}].values", f"{expression.operator} needs a whole number"
            )


def _rewrite_faults(field: str, rules: tuple[ImageRewrite, ...]) -> Iterator[Fault]:
    for position, rule in enumerate(rules):
        place = f"{field}[{position}]"
        for name, text in (("prefix", rule.prefix), ("replacement", rule.replacement)):
            if "://" in text:
                yield Fault(f"{place}.{name}", "an image reference has no scheme; remove it")
        if rule.prefix.endswith("/") != rule.replacement.endswith("/"):
            yield Fault(
                f"{place}.replacement", "prefix and replacement must both end with '/', or neither"
            )
        for earlier in rules[:position]:
            if rule.prefix.startswith(earlier.prefix):
                yield Fault(
                    f"{place}.prefix",
                    f"is never used: the rule for {earlier.prefix} comes first; put this one before it",
                )
                break


def _egress_faults(field: str, egress: Egress) -> Iterator[Fault]:
    for name in ("podSelector", "namespaceSelector"):
        selector = egress.pod_selector if name == "podSelector" else egress.namespace_selector
        yield from _selector_faults(f"{field}.{name}", selector)
    if egress.cidr is None:
        return
    outer = _network(egress.cidr)
    if isinstance(outer, str):
        yield Fault(f"{field}.cidr", outer)
        return
    for position, text in enumerate(egress.except_):
        place = f"{field}.except[{position}]"
        inner = _network(text)
        if isinstance(inner, str):
            yield Fault(place, inner)
        elif not _strictly_inside(inner, outer):
            yield Fault(place, f"{text} is not a part of {egress.cidr}")


def _selector_faults(field: str, selector: LabelSelector | None) -> Iterator[Fault]:
    if selector is not None:
        yield from _label_faults(f"{field}.matchLabels", selector.match_labels)


def _network(text: str) -> IPv4Network | IPv6Network | str:
    """The network, or what is wrong with it."""
    try:
        return ip_network(text)
    except ValueError as error:
        return f"is not a CIDR: {error}"


def _strictly_inside(inner: IPv4Network | IPv6Network, outer: IPv4Network | IPv6Network) -> bool:
    return (
        inner.version == outer.version
        and inner.prefixlen > outer.prefixlen
        and inner.network_address in outer
    )
