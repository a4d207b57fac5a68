"""What containers may use: an instance's own needs over the run's, always with a request below its limit.

Agent and grader of an instance get the same. Where request and limit contradict each other, the one that was
chosen nearer to the instance (instance, then run, then default) moves the other.
"""

from dataclasses import dataclass
from typing import Any, Final

from benchwarden.api.placement import Resources
from benchwarden.api.scalars import quantity_value
from benchwarden.suites.instance import InstanceResources

INJECT: Final = {
    "requests": {"cpu": "50m", "memory": "64Mi"},
    "limits": {"cpu": "1", "memory": "256Mi"},
}
FINISH: Final = {
    "requests": {"cpu": "10m", "memory": "32Mi"},
    "limits": {"cpu": "1", "memory": "128Mi"},
}
PROBE: Final = {
    "requests": {"cpu": "100m", "memory": "256Mi"},
    "limits": {"cpu": "2", "memory": "1Gi"},
}
EPHEMERAL: Final = "ephemeral-storage"
_DEFAULTS: Final = Resources()
_NOBODY: Final = InstanceResources()


@dataclass(frozen=True, slots=True)
class _Choice:
    """A quantity and how near to the instance it was chosen: 0 default, 1 run, 2 instance."""

    quantity: str
    nearness: int


def instance_resources(run: Resources, instance: InstanceResources | None) -> dict[str, Any]:
    """`resources` of the agent and of the grader of an instance."""
    own = instance or _NOBODY
    pairs = {
        "cpu": (
            _choose(own.cpu_request, run.requests.cpu, _DEFAULTS.requests.cpu),
            _choose(own.cpu_limit, run.limits.cpu, _DEFAULTS.limits.cpu),
        ),
        "memory": (
            _choose(own.memory_request, run.requests.memory, _DEFAULTS.requests.memory),
            _choose(own.memory_limit, run.limits.memory, _DEFAULTS.limits.memory),
        ),
        EPHEMERAL: (
            _choose("", run.requests.ephemeral_storage, None),
            _choose(own.ephemeral_storage_limit, run.limits.ephemeral_storage, None),
        ),
    }
    agreed = {resource: _agree(*pair) for resource, pair in pairs.items()}
    kinds = {
        "requests": {name: request for name, (request, _) in agreed.items() if request},
        "limits": {name: limit for name, (_, limit) in agreed.items() if limit},
    }
    return {kind: amounts for kind, amounts in kinds.items() if amounts}


def finish_resources(members: list[dict[str, Any]], volumes_mib: int) -> dict[str, Any]:
    """`resources` of the container that ends a pod.

    The kubelet holds a pod's local disk (volumes and the writable layer of the running container)
    against the largest limit of its containers. So that a member may use all of its own, the last
    container's limit is the largest member's and the pod's volumes together.
    """
    limits = [
        quantity_value(member["limits"][EPHEMERAL])
        for member in members
        if EPHEMERAL in member.get("limits", {})
    ]
    if not limits:
        return FINISH
    return {
        "requests": {**FINISH["requests"], EPHEMERAL: "16Mi"},
        "limits": {**FINISH["limits"], EPHEMERAL: str(int(max(limits)) + volumes_mib * 1024**2)},
    }


def _choose(own: str, of_run: str | None, default: str | None) -> _Choice | None:
    if own:
        return _Choice(own, 2)
    if of_run is None:
        return None
    return _Choice(of_run, 0 if of_run == default else 1)


def _agree(request: _Choice | None, limit: _Choice | None) -> tuple[str, str]:
    """Request and limit as they go into the manifest; empty = left out."""
    if request is None or limit is None:
        return request.quantity if request else "", limit.quantity if limit else ""
    if quantity_value(request.quantity) <= quantity_value(limit.quantity):
        return request.quantity, limit.quantity
    if request.nearness > limit.nearness:
        return request.quantity, request.quantity
    return limit.quantity, limit.quantity
