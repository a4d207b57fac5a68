"""Changing a spec from the command line: read, decide on what was read, write only into that version."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from benchwarden import names
from benchwarden.cli.cluster import CommandError, Target

if TYPE_CHECKING:
    from benchwarden.kube.desk import Desk

_ATTEMPTS: Final = 5


def edit(
    desk: "Desk", named: Target, decide: Callable[[Mapping[str, Any]], Mapping[str, Any] | None]
) -> dict[str, Any]:
    """Merge what `decide` makes of the object into its spec; None leaves it as it is.

    Returns:
        The object as it is then.

    Raises:
        CommandError: others changed it each time; or what `decide` raises.
    """
    from benchwarden.kube.errors import AlreadyExistsError, ApiConflictError

    for _ in range(_ATTEMPTS):
        found = desk.get(named.resource, named.name)
        change = decide(found)
        if change is None:
            return found
        version = {"resourceVersion": found["metadata"]["resourceVersion"]}
        try:
            return desk.patch(named.resource, named.name, {"metadata": version, "spec": change})
        except AlreadyExistsError:
            raise
        except ApiConflictError:
            continue  # the operator wrote its status in between
    raise CommandError(f"{named} is being changed by others all the time", names.EXIT_FAILED)
