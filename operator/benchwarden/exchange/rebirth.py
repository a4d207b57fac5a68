"""Objects that are restored get new UIDs: what is named by, labelled with or owned through the old ones follows.

Names of plans and result shards hold a hash of their run's UID, cells hold the UIDs of runs, and the operator
finds everything by labels. So a restored object is not a copy: it is what the operator would have made.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from benchwarden import names
from benchwarden.exchange.results import unreadable
from benchwarden.manifests import naming
from benchwarden.results.cells import KEY_CELLS, RunCells, pack_cells, unpack_cells

TAKEN_ROLES: Final = frozenset({names.ROLE_PLAN, names.ROLE_RESULTS, names.ROLE_CELLS})
_KEPT_METADATA: Final = ("name", "labels", "annotations")
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
_UID_LABELS: Final = (names.LABEL_RUN_UID, names.LABEL_SCHEDULE_UID)


@dataclass(frozen=True, slots=True)
class Reborn:
    """The run or schedule that an old one has become."""

    kind: str
    name: str
    uid: str


def named_config_maps(spec: Any) -> set[str]:
    """Names of the user's own ConfigMaps that a spec refers to, wherever it does."""
    if isinstance(spec, list):
        return {name for each in spec for name in named_config_maps(each)}
    if not isinstance(spec, Mapping):
        return set()
    found = {name for value in spec.values() for name in named_config_maps(value)}
    for key in ("configMap", "configMapRef", "configMapKeyRef"):
        named = spec.get(key)
        if isinstance(named, Mapping) and isinstance(named.get("name"), str):
            found.add(named["name"])
    return found


def exported(raw: Mapping[str, Any], kind: str, api_version: str) -> dict[str, Any]:
    """An object without what only its old cluster knows; the old UID and owners are kept for `reborn`."""
    metadata = raw["metadata"]
    kept = {
        key: metadata[key] for key in (*_KEPT_METADATA, "uid", "ownerReferences") if key in metadata
    }
    if "annotations" in kept:
        kept["annotations"] = {k: v for k, v in kept["annotations"].items() if k != _LAST_APPLIED}
    body = {
        key: raw[key] for key in ("spec", "status", "data", "binaryData", "immutable") if key in raw
    }
    return {"apiVersion": api_version, "kind": kind, "metadata": kept, **body}


def reborn(old: Mapping[str, Any], namespace: str, uids: Mapping[str, Reborn]) -> dict[str, Any]:
    """The object as it is to be created.

    Raises:
        InvalidInputError: it belongs to a run or schedule that is not in the export.
    """
    metadata = {key: old["metadata"][key] for key in _KEPT_METADATA if key in old["metadata"]}
    metadata["namespace"] = namespace
    labels = dict(metadata.get("labels") or {})
    for label in _UID_LABELS:
        if label in labels:
            labels[label] = _of(uids, labels[label], old).uid
    if labels:
        metadata["labels"] = labels
    owners = [
        {**each, "uid": _of(uids, each["uid"], old).uid}
        for each in old["metadata"].get("ownerReferences") or ()
    ]
    if owners:
        metadata["ownerReferences"] = owners
    body = {key: old[key] for key in ("spec", "data", "binaryData", "immutable") if key in old}
    found = {"apiVersion": old["apiVersion"], "kind": old["kind"], "metadata": metadata, **body}
    return _renamed(found, old, uids) if old["kind"] == "ConfigMap" else found


def status_of(
    old: Mapping[str, Any], generation: int, renamed: Mapping[str, str]
) -> dict[str, Any]:
    """The status for the new object: shards by their new names, and observed as it is now."""
    status = dict(old.get("status") or {})
    if not status:
        return status
    status["observedGeneration"] = generation
    status["conditions"] = [
        {**each, "observedGeneration": generation} for each in status.get("conditions") or ()
    ]
    if "results" in status:
        status["results"] = _shards(status["results"], renamed)
    if isinstance(status.get("history"), Mapping) and "shards" in status["history"]:
        shards = _shards(status["history"]["shards"], renamed)
        status["history"] = {**status["history"], "shards": shards}
    return status


def _shards(
    shards: Iterable[Mapping[str, Any]], renamed: Mapping[str, str]
) -> list[dict[str, Any]]:
    return [{**each, "name": renamed.get(each["name"], each["name"])} for each in shards]


def _renamed(
    found: dict[str, Any], old: Mapping[str, Any], uids: Mapping[str, Reborn]
) -> dict[str, Any]:
    role, name = _label(old, names.LABEL_ROLE), old["metadata"]["name"]
    if role not in TAKEN_ROLES:
        return found
    label = names.LABEL_SCHEDULE_UID if role == names.ROLE_CELLS else names.LABEL_RUN_UID
    owner = _of(uids, _label(old, label), old)
    number = name.rpartition("-")[2]
    if role == names.ROLE_PLAN:
        fresh = naming.plan_name(owner.name, owner.uid)
    elif not number.isdecimal():
        raise unreadable("its name does not end in the number of a shard", f"ConfigMap {name}")
    elif role == names.ROLE_RESULTS:
        fresh = naming.results_name(owner.name, owner.uid, int(number))
    else:
        fresh = naming.shard_name(owner.name, owner.uid, int(number))
        packed = (old.get("binaryData") or {}).get(KEY_CELLS, "")
        found["binaryData"] = {KEY_CELLS: _cells(str(packed), uids)}
    found["metadata"]["name"] = fresh
    return found


def _cells(packed: str, uids: Mapping[str, Reborn]) -> str:
    """Cells that know their runs by the new UIDs; those of runs that are gone stay as they are."""
    entries = [
        replace(entry, run_uid=uids[entry.run_uid].uid)
        if isinstance(entry, RunCells) and entry.run_uid in uids
        else entry
        for entry in unpack_cells(base64.b64decode(packed))
    ]
    return base64.b64encode(pack_cells(entries)).decode()


def _of(uids: Mapping[str, Reborn], uid: str, place: Mapping[str, Any]) -> Reborn:
    found = uids.get(uid)
    if found is None:
        raise unreadable(
            f"belongs to {uid}, which is not in the export",
            f"{place['kind']} {place['metadata']['name']}",
        )
    return found


def _label(thing: Mapping[str, Any], label: str) -> str:
    return str((thing["metadata"].get("labels") or {}).get(label) or "")
