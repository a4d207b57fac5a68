"""`kubectl get` of the kinds that tests look at over and over, without a process for each look.

A kubectl process costs a tenth of a second of one core, and a test looks a hundred times. So a look at our own
cluster is one GET over a connection that is kept. What this module does not know, or what does not answer with
200, is `None`: kubectl itself is asked then, and its words are the ones that count.
"""

from __future__ import annotations

import atexit
import http.client
import json
import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from tests.cluster.config import API_URL, Paths

_GROUP = "/apis/benchwarden.dev/v1alpha1"
# Kinds in namespaces, as the tests name them: where they are served.
_SERVED = {
    "benchmarkruns": _GROUP,
    "benchmarkschedules": _GROUP,
    "configmaps": "/api/v1",
    "events": "/api/v1",
    "jobs": "/apis/batch/v1",
    "leases": "/apis/coordination.k8s.io/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "pods": "/api/v1",
    "resourcequotas": "/api/v1",
    "secrets": "/api/v1",
    "serviceaccounts": "/api/v1",
}
_SINGULAR = {"job": "jobs", "pod": "pods", "configmap": "configmaps"}
_SELECTORS = {"-l": "labelSelector", "--field-selector": "fieldSelector"}
_SECONDS = 10
_connections = threading.local()


@dataclass(frozen=True, slots=True)
class Look:
    """One parsed `kubectl get`: kinds, perhaps a name, perhaps selectors."""

    kinds: tuple[str, ...]
    name: str
    query: str

    def paths(self, namespace: str) -> list[str]:
        """Where to ask, one address a kind."""
        end = f"/{quote(self.name)}" if self.name else f"?{self.query}" if self.query else ""
        return [f"{_SERVED[kind]}/namespaces/{namespace}/{kind}{end}" for kind in self.kinds]


def parsed(arguments: Sequence[str]) -> Look | None:
    """Read the arguments of `kubectl get`; None for what is not known here."""
    words: list[str] = []
    query: dict[str, str] = {}
    rest = iter(arguments)
    for each in rest:
        flag, equals, value = each.partition("=")
        if flag in _SELECTORS:
            query[_SELECTORS[flag]] = value if equals else next(rest, "")
        elif each.startswith("-"):
            return None
        else:
            words.append(each)
    if not 1 <= len(words) <= 2:
        return None
    kinds = tuple(_SINGULAR.get(kind, kind) for kind in words[0].split(","))
    name = words[1] if len(words) == 2 else ""
    if any(kind not in _SERVED for kind in kinds) or (name and (query or len(kinds) > 1)):
        return None
    return Look(kinds, name, urlencode(query))


def read(where: Paths, namespace: str, look: Look) -> Any:
    """Return what kubectl would print as JSON, or None when the server does not answer with 200."""
    found = [_get(where, path) for path in look.paths(namespace)]
    if any(each is None for each in found):
        return None
    if look.name:
        return _shown(found[0])
    items = [item for each in found for item in _items(each)]
    return {"apiVersion": "v1", "kind": "List", "items": items, "metadata": {"resourceVersion": ""}}


def _items(found: Any) -> list[Any]:
    """The items of a list, each with the kind that the server leaves out of lists and kubectl puts in."""
    said = {"apiVersion": found["apiVersion"], "kind": found["kind"].removesuffix("List")}
    return [_shown({**said, **item}) for item in found["items"]]


def _shown(item: Any) -> Any:
    """The object as kubectl shows it, which is without who manages which field."""
    item["metadata"].pop("managedFields", None)
    return item


def _get(where: Paths, path: str) -> Any:
    try:
        connection = _connection(where)
        connection.request("GET", path, headers={"Accept": "application/json"})
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException):
        _close()
        return None
    return json.loads(body) if answer.status == http.HTTPStatus.OK else None


def _close() -> None:
    if hasattr(_connections, "open"):
        _connections.open.close()
    _connections.__dict__.clear()


atexit.register(_close)  # the main thread's; others' end with their threads


def _connection(where: Paths) -> http.client.HTTPSConnection:
    """This thread's connection to the cluster as it is now: a cluster made anew has new certificates."""
    certificate = where.pki / "admin.crt"
    key = (str(certificate), certificate.stat().st_mtime_ns)
    if getattr(_connections, "key", None) != key:
        _close()
        context = ssl.create_default_context(cafile=str(where.pki / "ca.crt"))
        context.load_cert_chain(certificate, where.pki / "admin.key")
        place = urlsplit(API_URL)
        _connections.open = http.client.HTTPSConnection(
            str(place.hostname), place.port, timeout=_SECONDS, context=context
        )
        _connections.key = key
    found: http.client.HTTPSConnection = _connections.open
    return found
