"""How far a node's clock is off, by what the kubelet and the API server wrote into one and the same pod.

The kubelet stamps containers with its node's clock; everything else that decisions compare is in the API
server's. Two facts of a pod bound the difference: the kubelet takes a pod on after it was bound, and nothing
that the kubelet reports happened after the report.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

AGREE = timedelta(0)
_SLACK = timedelta(seconds=2)  # times have whole seconds


@dataclass(frozen=True, slots=True)
class Stamps:
    """Times of one pod, each None where it is not there yet.

    Attributes:
        bound_at: when it was given to its node, by the API server.
        reported_at: when the kubelet last changed its status, by the API server.
        taken_on_at: when the kubelet took it on, by the node.
        happened_at: when its containers began and ended, by the node.
    """

    bound_at: datetime | None = None
    reported_at: datetime | None = None
    taken_on_at: datetime | None = None
    happened_at: Iterable[datetime | None] = field(default=())


def node_ahead(stamps: Stamps) -> timedelta:
    """How far the node's clock is ahead of the API server's; zero unless the stamps prove otherwise."""
    if stamps.taken_on_at is None:
        return AGREE
    latest = max(filter(None, stamps.happened_at), default=stamps.taken_on_at)
    most = stamps.taken_on_at - stamps.bound_at if stamps.bound_at is not None else None
    least = max(latest, stamps.taken_on_at) - stamps.reported_at if stamps.reported_at else None
    if most is not None and most < -_SLACK:
        return most
    if least is not None and least > _SLACK:
        # A kubelet takes a pod on at once, unless it was away: the wider bound is the better guess.
        return least if most is None else max(most, least)
    return AGREE
