"""Names are functions of identity: any pass of any operator derives the same ones, and no two things share one.

A name is a readable prefix of the run's name and a hash of what it stands for. The hash holds the run's UID,
so that a run deleted and made again under the same name never meets the leftovers of the first.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from typing import Final

from benchwarden.planning.plan import Member

JOB_NAME_LENGTH: Final = 52  # leaves room for the pod's suffix and `-input-99` in 63 characters
LABEL_LENGTH: Final = 63
_HASH_LENGTH: Final = 13  # 65 bits
_NOT_DNS: Final = re.compile(r"[^a-z0-9]+")
_LABEL: Final = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")


def job_name(run_name: str, run_uid: str, members: Iterable[Member]) -> str:
    """Name of the Job that holds exactly these members, in this order; at most 52 characters."""
    return _name(run_name, ("batch", run_uid, *([*member] for member in members)))


def probe_name(run_name: str, run_uid: str, attempt: int) -> str:
    """Name of the run's probe Job; `attempt` counts from 1."""
    return _name(run_name, ("probe", run_uid, attempt))


def plan_name(run_name: str, run_uid: str) -> str:
    """Name of the ConfigMap that freezes the run's plan."""
    return _name(run_name, ("plan", run_uid))


def release_name(run_name: str, run_uid: str) -> str:
    """Name of the ConfigMap that pins the run's agent CLI."""
    return _name(run_name, ("release", run_uid))


def network_policy_name(run_name: str, run_uid: str) -> str:
    """Name of the run's NetworkPolicy."""
    return _name(run_name, ("network", run_uid))


def results_name(run_name: str, run_uid: str, shard: int) -> str:
    """Name of the run's result shard number `shard`, counted from 0."""
    return f"{_name(run_name, ('results', run_uid))}-{shard:04d}"


def shard_name(schedule_name: str, schedule_uid: str, shard: int) -> str:
    """Name of a schedule's shard of daily cells number `shard`, counted from 0."""
    return f"{_name(schedule_name, ('cells', schedule_uid))}-{shard:04d}"


def input_name(job: str, position: int) -> str:
    """Name of the input ConfigMap number `position` of a Job, counted from 0."""
    return f"{job}-input-{position}"


def label_value(text: str) -> str:
    """`text` if it may be a label's value, else a readable part of it with a hash of the whole."""
    if len(text) <= LABEL_LENGTH and _LABEL.fullmatch(text):
        return text
    readable = re.sub(r"[^-A-Za-z0-9_.]+", "-", text).strip("-_.")
    kept = readable[: LABEL_LENGTH - _HASH_LENGTH - 1].rstrip("-_.")
    return f"{kept}-{_digest(text)}" if kept else _digest(text)


def _name(run_name: str, identity: object) -> str:
    readable = _NOT_DNS.sub("-", run_name.lower()).strip("-")
    kept = readable[: JOB_NAME_LENGTH - _HASH_LENGTH - 1].rstrip("-")
    return f"{kept}-{_digest(identity)}" if kept else _digest(identity)


def _digest(identity: object) -> str:
    canonical = json.dumps(identity, ensure_ascii=True, separators=(",", ":"))
    sha256 = hashlib.sha256(canonical.encode("ascii")).digest()
    return base64.b32hexencode(sha256).decode("ascii").lower()[:_HASH_LENGTH]
