"""The plan as an immutable ConfigMap: compressed, and read back to the very same value."""

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchwarden import names
from benchwarden.errors import InvalidInputError
from benchwarden.manifests.metadata import run_metadata
from benchwarden.manifests.naming import plan_name
from benchwarden.manifests.settings import RunIdentity
from benchwarden.planning.groups import group_trials
from benchwarden.planning.plan import Plan, TrialKey
from benchwarden.suites.instance import Instance

_KEY: Final = "plan-1.json.z"  # the number is that of the format
_LARGEST: Final = 64 * 1024 * 1024  # of the uncompressed plan: far more than a million trials
MOST_TRIALS: Final = 500_000  # a plan of more has never fitted
_SPARE_BYTES: Final = 4096
_NOT_A_PLAN: Final = (
    *(KeyError, TypeError, ValueError, AttributeError),
    *(RecursionError, zlib.error),
)


def check_plan_fits(instances: Sequence[Instance], trials_per_instance: int) -> None:
    """Refuse a run whose plan could not be stored, before anything of that size is made.

    Raises:
        InvalidInputError: there are too many trials, or their ids are too long for so many.
    """
    trials = len(instances) * trials_per_instance
    if trials > MOST_TRIALS:
        raise _too_many(trials)
    # One trial a group takes the most room; what the probe learns is small and comes on top.
    groups = group_trials(instances, trials_per_instance, 1)
    most_bytes = names.INPUT_CONFIG_MAP_BYTES - _SPARE_BYTES
    plan_config_map(RunIdentity("any", "any", "any"), Plan("", groups), most_bytes)


def plan_config_map(
    run: RunIdentity, plan: Plan, most_bytes: int = names.INPUT_CONFIG_MAP_BYTES
) -> dict[str, Any]:
    """The ConfigMap that freezes `plan`.

    Raises:
        InvalidInputError: the plan is larger than a ConfigMap can be.
    """
    document = {
        "panelDigest": plan.panel_digest,
        "groups": plan.groups,
        "agent": dict(plan.agent),
    }
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
    packed = zlib.compress(text.encode("ascii"), 9)
    if len(packed) > most_bytes:
        raise _too_many(plan.trials)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": run_metadata(run, names.ROLE_PLAN, plan_name(run.name, run.uid)),
        "immutable": True,
        "binaryData": {_KEY: base64.b64encode(packed).decode("ascii")},
    }


def plan_from_config_map(config_map: Mapping[str, Any]) -> Plan:
    """The plan that `plan_config_map` put into the ConfigMap.

    Raises:
        ValueError: the ConfigMap holds no plan of a format known here.
    """
    try:
        packed = base64.b64decode(config_map["binaryData"][_KEY], validate=True)
        document = json.loads(zlib.decompressobj().decompress(packed, _LARGEST))
        return Plan(
            panel_digest=document["panelDigest"],
            groups=tuple(
                tuple(_trial(instance, trial) for instance, trial in group)
                for group in document["groups"]
            ),
            agent=tuple(sorted(document["agent"].items())),
        )
    except _NOT_A_PLAN as error:
        raise ValueError(f"not a plan of benchwarden: {error}") from error


def _too_many(trials: int) -> InvalidInputError:
    return InvalidInputError(
        f"{trials} trials are too many for one run; split the suite over several runs",
        reason=names.REASON_INVALID_SPEC,
        field="spec.suite",
    )


def _trial(instance: Any, trial: Any) -> TrialKey:
    if type(instance) is not str or type(trial) is not int:
        raise TypeError("a trial is an instance's id and a number")
    return TrialKey(instance, trial)
