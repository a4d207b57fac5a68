"""`benchwarden logs RUN INSTANCE`: one file of one launch, from where it is kept or from the pod that still runs."""

import json
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchwarden import names
from benchwarden.artifacts import layout
from benchwarden.cli.cluster import CommandError, Target, connected, on_a_cluster
from benchwarden.cli.kept import (
    READER_IMAGE,
    EndpointOption,
    ReaderImageOption,
    RunArgument,
    opened,
)
from benchwarden.cli.stored import place

if TYPE_CHECKING:
    from benchwarden.kube.desk import Desk


class Kind(StrEnum):
    """What there is of a launch."""

    test_log = layout.KIND_TEST_LOG
    transcript = layout.KIND_TRANSCRIPT
    stream = layout.KIND_STREAM
    patch = layout.KIND_PATCH
    prompt = layout.KIND_PROMPT


_LIVE = {Kind.test_log: names.GRADE_PREFIX, Kind.stream: names.AGENT_PREFIX}
"""Containers that print something like it while they run."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("logs")(on_a_cluster(logs))


def logs(
    run: RunArgument,
    instance: Annotated[str, typer.Argument(metavar="INSTANCE", help="Id of the instance.")],
    kind: Annotated[Kind, typer.Option("--kind", help="Which file.")] = Kind.test_log,
    trial: Annotated[int, typer.Option(min=0, help="Which repeat, counted from 0.")] = 0,
    endpoint_url: EndpointOption = "",
    reader_image: ReaderImageOption = READER_IMAGE,
) -> None:
    """Print a file of an instance: test log, transcript, CLI stream, patch or prompt.

    Of the trial's newest launch. While its pod is there and nothing is kept yet, the container's own log is
    shown instead; this works for runs without artifacts too.
    """
    try:
        with opened(run, endpoint_url, reader_image) as shelf:
            kept = [e for e in shelf.entries(instance, trial) if e.file.kind == kind]
            if kept:
                for chunk in shelf.read(kept[-1]):
                    sys.stdout.buffer.write(chunk)
                sys.stdout.buffer.flush()
                return
            missing = f"nothing of kind {kind} is kept of {instance}, trial {trial}"
    except CommandError as error:
        if error.exit_code != names.EXIT_FAILED:
            raise
        missing = str(error)
    named = place(run)
    live = _live(named, instance, trial, kind) if isinstance(named, Target) else None
    if live is None:
        raise CommandError(
            f"{missing}; benchwarden artifacts {run} lists what is", names.EXIT_FAILED
        )
    sys.stdout.write("".join(f"{line}\n" for line in live))


def _live(named: Target, instance: str, trial: int, kind: Kind) -> list[str] | None:
    """The log of the container that works on it, None if there is none."""
    if kind not in _LIVE:
        return None
    with connected() as desk:
        run = desk.get(named.resource, named.name)
        found = _container(desk, run, instance, trial, _LIVE[kind])
        if found is None:
            return None
        from benchwarden.kube.reader import log_of

        pod, container = found
        lines = desk.ask(lambda client: log_of(client, desk.namespace, pod, container))
    print(f"from pod {pod}, container {container}", file=sys.stderr)
    return lines


def _container(
    desk: "Desk", run: Mapping[str, Any], instance: str, trial: int, prefix: str
) -> tuple[str, str] | None:
    """Pod and container of the newest launch, among pods that still exist."""
    from benchwarden.kube.resources import PODS

    labels = f"{names.LABEL_RUN_UID}={run['metadata']['uid']},{names.LABEL_ROLE}={names.ROLE_BATCH}"
    found: list[tuple[int, str, str]] = []
    for pod in desk.list(PODS, labels=labels):
        meta = pod["metadata"]
        members = json.loads((meta.get("annotations") or {}).get(names.ANNOTATION_MEMBERS) or "[]")
        for position, (member, its_trial, launch) in enumerate(members):
            container = f"{prefix}{position}"
            if (member, its_trial) == (instance, trial) and _has_begun(pod, container):
                found.append((launch, meta["name"], container))
    return max(found)[1:] if found else None


def _has_begun(pod: Mapping[str, Any], container: str) -> bool:
    statuses = (pod.get("status") or {}).get("initContainerStatuses") or ()
    return any(
        each["name"] == container and "waiting" not in (each.get("state") or {})
        for each in statuses
    )
