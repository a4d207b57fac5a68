"""The kinds the operator touches, and the paths where the API serves them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from benchwarden import names


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind by its API version and plural; all of ours are namespaced."""

    api_version: str
    plural: str
    kind: str

    def collection(self, namespace: str = "") -> str:
        """Path of the collection; without a namespace, of all namespaces."""
        root = "/apis" if "/" in self.api_version else "/api"
        scope = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
        return f"{root}/{self.api_version}{scope}/{self.plural}"

    def item(self, namespace: str, name: str, subresource: str = "") -> str:
        """Path of one object or of its subresource."""
        if not namespace or not name:
            raise ValueError(f"a {self.kind} needs a namespace and a name")
        path = f"{self.collection(namespace)}/{quote(name, safe='')}"
        return f"{path}/{subresource}" if subresource else path


JOBS = Resource("batch/v1", "jobs", "Job")
PODS = Resource("v1", "pods", "Pod")
SECRETS = Resource(
    "v1", "secrets", "Secret"
)  # read for a user on the command line, never by the operator
CONFIG_MAPS = Resource("v1", "configmaps", "ConfigMap")
EVENTS = Resource("v1", "events", "Event")
LEASES = Resource("coordination.k8s.io/v1", "leases", "Lease")
NETWORK_POLICIES = Resource("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy")
RUNS = Resource(names.API_VERSION, names.RUN_PLURAL, names.RUN_KIND)
SCHEDULES = Resource(names.API_VERSION, names.SCHEDULE_PLURAL, names.SCHEDULE_KIND)

ALL = (JOBS, PODS, CONFIG_MAPS, EVENTS, LEASES, NETWORK_POLICIES, RUNS, SCHEDULES)
_BY_KIND: Mapping[tuple[str, str], Resource] = {(each.api_version, each.kind): each for each in ALL}


def resource_of(manifest: Mapping[str, Any]) -> Resource:
    """The kind of a manifest.

    Raises:
        ValueError: it is not one the operator creates.
    """
    key = (str(manifest.get("apiVersion", "")), str(manifest.get("kind", "")))
    try:
        return _BY_KIND[key]
    except KeyError:
        raise ValueError(f"the operator does not create {key[1]} of {key[0]}") from None


def place_of(manifest: Mapping[str, Any]) -> tuple[str, str]:
    """Namespace and name of a manifest, both required."""
    metadata = manifest.get("metadata") or {}
    return str(metadata.get("namespace") or ""), str(metadata.get("name") or "")


def is_ours(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether `found`, which took the name of `wanted`, is what an earlier pass created.

    The owner's UID decides where `wanted` has an owner, else the label with the run's UID: a name alone
    proves nothing, since a run may be deleted and created anew under the same name.
    """
    owners = _owner_uids(wanted)
    if owners:
        return owners <= _owner_uids(found)
    run_uid = _label(wanted, names.LABEL_RUN_UID)
    return bool(run_uid) and run_uid == _label(found, names.LABEL_RUN_UID)


def _owner_uids(manifest: Mapping[str, Any]) -> set[str]:
    owners = (manifest.get("metadata") or {}).get("ownerReferences") or ()
    return {str(owner.get("uid")) for owner in owners}


def _label(manifest: Mapping[str, Any], label: str) -> str:
    labels = (manifest.get("metadata") or {}).get("labels") or {}
    return str(labels.get(label) or "")
