"""Preparing: a raw object becomes a run with its panel, or a refusal that says what to mend."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from benchwarden import names
from benchwarden.api.parse import parse_run
from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.api.semantics import check
from benchwarden.controller.reading import Readers
from benchwarden.controller.record import Record
from benchwarden.errors import InvalidInputError, UnavailableError
from benchwarden.kube.errors import ApiError
from benchwarden.manifests.acceptance import check as check_manifests
from benchwarden.manifests.plan_object import check_plan_fits
from benchwarden.manifests.settings import ManifestSettings
from benchwarden.reconcile.work import moment
from benchwarden.reconcile.world import Refusal, RunView
from benchwarden.suites.instance import Panel
from benchwarden.suites.load import load_panel
from benchwarden.suites.sources import Sources

_LOG = logging.getLogger(__name__)

_READERS = Readers[Panel | Refusal]()


def view_of(raw: Mapping[str, Any], status: Mapping[str, Any]) -> RunView:
    """The run as decisions see it.

    Raises:
        InvalidInputError: the spec cannot be used; the message names the field.
    """
    run = parse_run(raw)
    check(run.spec)
    metadata = run.metadata
    created = metadata.creation_timestamp
    return RunView(
        name=metadata.name,
        namespace=metadata.namespace,
        uid=metadata.uid,
        generation=metadata.generation,
        created_at=moment(created) if created else datetime.now(UTC),
        spec=run.spec,
        status=status,
    )


def load(spec: BenchmarkRunSpec, sources: Sources, settings: ManifestSettings) -> Panel | Refusal:
    """Read the suite (blocking); every failure is a refusal with its reason."""
    try:
        panel = load_panel(spec.suite, sources)
        if not panel.instances:
            text = "the selection leaves no instance; widen spec.suite.selection"
            return Refusal(names.REASON_EMPTY_PANEL, text)
        check_plan_fits(panel.instances, spec.execution.trials_per_instance)
        check_manifests(spec, panel.instances, settings)
    except InvalidInputError as error:
        # What is not there yet may come: GitOps applies in any order.
        return Refusal(
            error.reason, str(error), retry=error.reason == names.REASON_SUITE_UNAVAILABLE
        )
    except (UnavailableError, ApiError, OSError) as error:
        return Refusal(names.REASON_SUITE_UNAVAILABLE, f"spec.suite: {error}", retry=True)
    return panel


async def prepare(
    record: Record,
    view: RunView,
    sources: Sources,
    settings: ManifestSettings,
    done: Callable[[], None],
) -> None:
    """Load the panel in a thread and keep it in the record; `done` is called when it is there."""
    try:
        found = await _READERS.read(view.namespace, lambda: load(view.spec, sources, settings))
    except Exception as error:  # noqa: BLE001  # a source may fail in any way
        # A loader's bug must become a condition, never a silent wait.
        _LOG.exception("loading the suite of %s/%s failed", view.namespace, view.name)
        found = Refusal(names.REASON_SUITE_INVALID, f"{type(error).__name__}: {error}", retry=True)
    record.panel = found
    record.instances = (
        {} if isinstance(found, Refusal) else {each.id: each for each in found.instances}
    )
    record.loading = None
    done()
