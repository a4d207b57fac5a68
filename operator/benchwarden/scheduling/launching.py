"""Launching: the BenchmarkRun of a slot, made from the template."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from benchwarden import names
from benchwarden.api.schedule import ControlArm
from benchwarden.api.suite import Sample
from benchwarden.manifests.naming import label_value
from benchwarden.reconcile.capture import stamp
from benchwarden.scheduling.world import ScheduleView


def schedule_labels(schedule: ScheduleView) -> dict[str, str]:
    """Labels of everything that a schedule makes."""
    return {
        names.LABEL_MANAGED_BY: names.MANAGED_BY,
        names.LABEL_PART_OF: names.MANAGED_BY,
        names.LABEL_SCHEDULE: label_value(schedule.name),
        names.LABEL_SCHEDULE_UID: schedule.uid,
    }


def owner(schedule: ScheduleView) -> dict[str, Any]:
    """The owner reference: what a schedule made goes when it goes."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.SCHEDULE_KIND,
        "name": schedule.name,
        "uid": schedule.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


def run_manifest(
    schedule: ScheduleView,
    name: str,
    slot: datetime,
    series: str,
    factor: int = 1,
    config_digest: str = "",
) -> dict[str, Any]:
    """The run of a slot.

    Args:
        schedule: whose template to use.
        name: from `run_name`.
        slot: the moment it stands for.
        series: with `pinned`, the CLI version is the pinned one; with `control`, model and sample are the
            control arm's.
        factor: run the panel so often; a budget grows by the same factor.
        config_digest: digest of the user's own agent configuration, empty if there is none.
    """
    template = schedule.spec.template
    annotations = {**template.metadata.annotations, names.ANNOTATION_SLOT: stamp(slot)}
    if factor > 1:
        annotations[names.ANNOTATION_TRIALS_FACTOR] = str(factor)
    if config_digest:
        annotations[names.ANNOTATION_CONFIG_DIGEST] = config_digest
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.RUN_KIND,
        "metadata": {
            "name": name,
            "namespace": schedule.namespace,
            "labels": {
                **template.metadata.labels,
                **schedule_labels(schedule),
                names.LABEL_SERIES: series,
            },
            "annotations": annotations,
            "ownerReferences": [owner(schedule)],
        },
        "spec": _spec(schedule, series, factor),
    }


def _spec(schedule: ScheduleView, series: str, factor: int) -> dict[str, Any]:
    template = schedule.spec.template.spec
    spec: dict[str, Any] = template.model_dump(
        mode="json", by_alias=True, exclude_unset=True, exclude_none=True
    )
    if series == names.SERIES_PINNED and schedule.spec.pinned is not None:
        claude = template.agent.claude_code
        spec["agent"]["claudeCode"]["version"] = schedule.spec.pinned.version
        # A template of `latest` implies where the CLI comes from; the pinned one comes from there too.
        spec["agent"]["claudeCode"]["delivery"] = claude.delivered_by if claude else ""
    if series == names.SERIES_CONTROL and schedule.spec.control is not None:
        _make_control(spec, schedule.spec.control, template.suite.selection.sample)
    if factor > 1:
        trials = min(template.execution.trials_per_instance * factor, 100)
        spec["execution"] = {**_object(spec.get("execution")), "trialsPerInstance": trials}
        budget = template.budget
        if budget is not None and budget.max_usd is not None:
            spec["budget"]["maxUsd"] = (
                f"{min(Decimal(budget.max_usd) * factor, Decimal(10**9 - 1))}"
            )
        if budget is not None and budget.max_tokens is not None:
            spec["budget"]["maxTokens"] = min(budget.max_tokens * factor, 2**53 - 1)
    return spec


def _make_control(spec: dict[str, Any], control: ControlArm, sample: Sample | None) -> None:
    """Another model, and a sample that the template's own sample would begin with."""
    spec["agent"]["claudeCode"]["model"] = control.model
    own = sample.model_dump(mode="json", by_alias=True) if sample is not None else {}
    size = min(control.instances, sample.size) if sample is not None else control.instances
    selection = {**_object(spec["suite"].get("selection")), "sample": {**own, "size": size}}
    spec["suite"] = {**spec["suite"], "selection": selection}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
