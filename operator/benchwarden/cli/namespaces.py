"""A namespace's runs, schedules and results: taken as they are, and restored so that the operator goes on with them.

While a run or schedule is being restored it carries an annotation at which the operator leaves it alone: it must
not plan a run anew whose results are still on their way.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from benchwarden import names
from benchwarden.cli.cluster import CommandError
from benchwarden.exchange import rebirth
from benchwarden.exchange.rebirth import Reborn

if TYPE_CHECKING:
    from benchwarden.kube.desk import Desk
    from benchwarden.kube.resources import Resource

_OURS: Final = f"{names.LABEL_ROLE} in ({','.join(sorted(rebirth.TAKEN_ROLES))})"
_SCHEDULES_FIRST: Final = (names.SCHEDULE_KIND, names.RUN_KIND)


def take(desk: "Desk") -> list[dict[str, Any]]:
    """Everything that a restore needs; no Secret is among it."""
    from benchwarden.kube.resources import CONFIG_MAPS, RUNS, SCHEDULES

    objects: list[dict[str, Any]] = []
    for resource in (SCHEDULES, RUNS):
        objects += [_exported(each, resource) for each in desk.list(resource)]
    wanted = {name for each in objects for name in rebirth.named_config_maps(each["spec"])}
    known = {str(each["metadata"]["uid"]) for each in objects}
    for each in desk.list(CONFIG_MAPS, labels=_OURS):
        labels = each["metadata"]["labels"]
        if known & {labels.get(names.LABEL_RUN_UID), labels.get(names.LABEL_SCHEDULE_UID)}:
            objects.append(_exported(each, CONFIG_MAPS))
    for name in sorted(wanted):
        found = desk.find(CONFIG_MAPS, name)
        if found is not None:
            objects.append(_exported(found, CONFIG_MAPS))
    return objects


def _exported(raw: Mapping[str, Any], resource: "Resource") -> dict[str, Any]:
    return rebirth.exported(raw, resource.kind, resource.api_version)


def restore(desk: "Desk", objects: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Bring back what is not there; yields what was done. The same again goes on where it stopped."""
    tops = [each for kind in _SCHEDULES_FIRST for each in objects if each["kind"] == kind]
    others = [each for each in objects if each["kind"] not in _SCHEDULES_FIRST]
    uids: dict[str, Reborn] = {}
    held: list[tuple[Mapping[str, Any], dict[str, Any]]] = []
    for old in tops:
        found, fresh = _hold(desk, old, uids)
        metadata = found["metadata"]
        uids[str(old["metadata"]["uid"])] = Reborn(
            old["kind"], str(metadata["name"]), str(metadata["uid"])
        )
        if fresh:
            held.append((old, found))
        else:
            yield f"{_place(old)} exists already: left alone"
    held_uids = {str(found["metadata"]["uid"]) for _, found in held}
    renamed: dict[str, str] = {}
    for old in others:
        wanted = rebirth.reborn(old, desk.namespace, uids)
        owners = {each["uid"] for each in wanted["metadata"].get("ownerReferences") or ()}
        renamed[old["metadata"]["name"]] = wanted["metadata"]["name"]
        if not owners or owners & held_uids:
            yield from _create(desk, wanted, quiet=bool(owners))
    for old, found in reversed(held):  # runs before the schedules that list them
        _let_go(desk, old, found, renamed)
        yield f"{_place(old)} restored"


def _hold(
    desk: "Desk", old: Mapping[str, Any], uids: Mapping[str, Reborn]
) -> tuple[dict[str, Any], bool]:
    """The new object, and whether it is ours to fill: made now, or by a restore that did not end."""
    from benchwarden.kube.errors import AlreadyExistsError
    from benchwarden.kube.resources import resource_of

    wanted = rebirth.reborn(old, desk.namespace, uids)
    annotations = wanted["metadata"].setdefault("annotations", {})
    annotations[names.ANNOTATION_RESTORING] = str(old["metadata"]["uid"])
    try:
        return desk.create(wanted), True
    except AlreadyExistsError:
        found = desk.get(resource_of(wanted), str(wanted["metadata"]["name"]))
        held = (found["metadata"].get("annotations") or {}).get(names.ANNOTATION_RESTORING)
        return found, held == old["metadata"]["uid"]


def _create(desk: "Desk", wanted: Mapping[str, Any], *, quiet: bool) -> Iterator[str]:
    from benchwarden.kube.errors import AlreadyExistsError

    try:
        desk.create(wanted)
    except AlreadyExistsError:
        if not quiet:
            yield f"{_place(wanted)} exists already: left alone"
    else:
        if not quiet:
            yield f"{_place(wanted)} restored"


def _let_go(
    desk: "Desk", old: Mapping[str, Any], found: Mapping[str, Any], renamed: Mapping[str, str]
) -> None:
    from benchwarden.kube.resources import resource_of

    resource, name = resource_of(old), str(found["metadata"]["name"])
    generation = int(found["metadata"].get("generation") or 1)
    status = rebirth.status_of(old, generation, renamed)
    if status:
        desk.patch(resource, name, {"status": status}, subresource="status")
    done = desk.patch(
        resource, name, {"metadata": {"annotations": {names.ANNOTATION_RESTORING: None}}}
    )
    if done["metadata"]["uid"] != found["metadata"]["uid"]:
        raise CommandError(f"{_place(old)} was replaced meanwhile", names.EXIT_FAILED)


def _place(thing: Mapping[str, Any]) -> str:
    return f"{str(thing['kind']).lower()}/{thing['metadata']['name']}"
