"""The plan as an immutable ConfigMap: compressed, and read back to the very same value."""

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any, Final

from benchwarden import names
from benchwarden.errors import InvalidInputError
from benchwarden.manifests.metadata import run_metadata
from benchwarden.manifests.naming import plan_name
from benchwarden.manifests.settings import RunIdentity
from benchwarden.planning.plan import Plan, TrialKey

_KEY: Final = "plan-1.json.z"  # the number is that of the format
_LARGEST: Final = 64 * 1024 * 1024  # of the uncompressed plan: far more than a million trials
_NOT_A_PLAN: Final = (
    *(KeyError, TypeError, ValueError, AttributeError),
    *(RecursionError, zlib.error),
)


def plan_config_map(run: RunIdentity, plan: Plan) -> dict[str, Any]:
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
    if len(packed) > names.INPUT_CONFIG_MAP_BYTES:
        raise InvalidInputError(
            f"{plan.trials} trials are too many for one run; split the suite over several runs",
            reason=names.REASON_INVALID_SPEC,
            field="spec.suite",
        )
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


def _trial(instance: Any, trial: Any) -> TrialKey:
    if type(instance) is not str or type(trial) is not int:
        raise TypeError("a trial is an instance's id and a number")
    return TrialKey(instance, trial)
