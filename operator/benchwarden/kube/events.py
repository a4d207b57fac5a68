"""Kubernetes events: few, short and under derived names going out; why a pod was refused coming in."""

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from benchwarden import names
from benchwarden.errors import BenchwardenError
from benchwarden.kube.client import KubeClient
from benchwarden.kube.errors import AlreadyExistsError
from benchwarden.kube.resources import EVENTS

MESSAGE_CHARACTERS = 1024
FAILED_CREATE = "FailedCreate"
_NAME_CHARACTERS = 253
_MEMORY = 2000  # events remembered for repeats

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Subject:
    """The object an event is about."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class EventSettings:
    """How many events one object may have.

    Attributes:
        window_seconds: the same event again within it only counts.
        burst: different events of one object at once.
        refill_seconds: one more is allowed each so often.
    """

    window_seconds: float = 600.0
    burst: int = 25
    refill_seconds: float = 60.0


@dataclass(slots=True)
class _Said:
    """An event that was sent, and how often it happened since."""

    sent_at: datetime
    first_at: datetime
    count: int = 1


@dataclass(slots=True)
class _Allowance:
    """How many events an object may still have."""

    left: float
    counted_at: datetime


class EventRecorder:
    """Sends events; an event is a courtesy, so no failure of one is ever raised.

    Attributes:
        sent: events written to the cluster.
        suppressed: repeats that were only counted, and events above an object's allowance.
    """

    def __init__(
        self, client: KubeClient, instance: str, settings: EventSettings | None = None
    ) -> None:
        self._client = client
        self._instance = instance
        self._settings = settings or EventSettings()
        self._said: OrderedDict[str, _Said] = OrderedDict()
        self._allowances: OrderedDict[str, _Allowance] = OrderedDict()
        self.sent = 0
        self.suppressed = 0

    async def emit(
        self, subject: Subject, reason: str, message: str, now: datetime, *, warning: bool = False
    ) -> bool:
        """Send an event, or count it if it was sent a short while ago; says whether it was sent."""
        name = event_name(subject, reason, message)
        said = self._said.get(name)
        if said is not None:
            said.count += 1
            if (now - said.sent_at).total_seconds() < self._settings.window_seconds:
                self.suppressed += 1
                return False
        if not self._allow(subject.uid, now):
            self.suppressed += 1
            return False
        said = said or _Said(sent_at=now, first_at=now)
        said.sent_at = now
        self._said[name] = said
        self._said.move_to_end(name)
        while len(self._said) > _MEMORY:
            self._said.popitem(last=False)
        kind = "Warning" if warning else "Normal"
        manifest = self._manifest(subject, name, reason, message, kind, said)
        try:
            await self._write(manifest)
        except BenchwardenError as error:
            _LOG.warning("event %s on %s: %s", reason, subject.name, error)
            return False
        self.sent += 1
        return True

    async def _write(self, manifest: dict[str, Any]) -> None:
        try:
            await self._client.create(manifest)
        except AlreadyExistsError:
            metadata = manifest["metadata"]
            change = {"count": manifest["count"], "lastTimestamp": manifest["lastTimestamp"]}
            if (
                manifest["count"] == 1
            ):  # sent by an earlier life of this operator, which counted too
                found = await self._client.get(EVENTS, metadata["namespace"], metadata["name"])
                before = found.get("count")
                change["count"] = (before if isinstance(before, int) else 0) + 1
            await self._client.patch(EVENTS, metadata["namespace"], metadata["name"], change)

    def _allow(self, uid: str, now: datetime) -> bool:
        allowance = self._allowances.setdefault(uid, _Allowance(self._settings.burst, now))
        self._allowances.move_to_end(uid)
        while len(self._allowances) > _MEMORY:
            self._allowances.popitem(last=False)
        refill = (now - allowance.counted_at).total_seconds() / self._settings.refill_seconds
        allowance.left = min(self._settings.burst, allowance.left + max(refill, 0.0))
        allowance.counted_at = now
        if allowance.left < 1:
            return False
        allowance.left -= 1
        return True

    def _manifest(
        self, subject: Subject, name: str, reason: str, message: str, kind: str, said: _Said
    ) -> dict[str, Any]:
        return {
            "apiVersion": EVENTS.api_version,
            "kind": EVENTS.kind,
            "metadata": {"name": name, "namespace": subject.namespace},
            "involvedObject": {
                "apiVersion": subject.api_version,
                "kind": subject.kind,
                "namespace": subject.namespace,
                "name": subject.name,
                "uid": subject.uid,
            },
            "reason": reason,
            "message": shortened(message),
            "type": kind,
            "count": said.count,
            "firstTimestamp": _stamp(said.first_at),
            "lastTimestamp": _stamp(said.sent_at),
            "source": {"component": names.COMPONENT},
            "reportingComponent": names.COMPONENT,
            "reportingInstance": self._instance,
        }


def event_name(subject: Subject, reason: str, message: str) -> str:
    """The one name of this event on this object, whoever sends it and how often."""
    identity = "\0".join((subject.uid, reason, shortened(message)))
    digest = hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()[:16]
    return f"{subject.name[: _NAME_CHARACTERS - 17].rstrip('.-')}.{digest}"


def shortened(message: str) -> str:
    """`message` within what the API server accepts, marked where it was cut."""
    if len(message) <= MESSAGE_CHARACTERS:
        return message
    return message[: MESSAGE_CHARACTERS - 4] + " ..."


async def refusal_of(client: KubeClient, namespace: str, job_uid: str) -> str:
    """Why the Job's pod could not be created, in the words of the last FailedCreate event; or nothing.

    One request; meant for Jobs that have had no pod for a few seconds.
    """
    fields = f"involvedObject.uid={job_uid},reason={FAILED_CREATE}"
    query = {"fieldSelector": fields, "limit": "50"}
    page = await client.request("GET", EVENTS.collection(namespace), query=query)
    items = page.get("items")
    found = [each for each in items if isinstance(each, Mapping)] if isinstance(items, list) else []
    latest = max(found, key=_happened_at, default=None)
    message = latest.get("message") if latest is not None else ""
    return message if isinstance(message, str) else ""


def _happened_at(event: Mapping[str, Any]) -> str:
    """RFC 3339 times in UTC sort as text."""
    for key in ("lastTimestamp", "eventTime", "firstTimestamp"):
        stamp = event.get(key)
        if isinstance(stamp, str) and stamp:
            return stamp
    return ""


def _stamp(moment: datetime) -> str:
    return (moment - timedelta(microseconds=moment.microsecond)).strftime("%Y-%m-%dT%H:%M:%SZ")
