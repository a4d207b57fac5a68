"""A result row: the durable record of what one launch of one trial came to."""

from dataclasses import dataclass

from benchwarden.planning.plan import Member, TrialKey

KIND_VERDICT = "verdict"  # final: counts as pass or fail
KIND_CHARGE = "charge"  # an infra outcome that used one attempt of the trial
KIND_RELEASE = "release"  # never started, or stopped on purpose: planned again, nothing charged


@dataclass(frozen=True, slots=True)
class Row:
    """One launch of one trial.

    Attributes:
        kind: `verdict`, `charge` or `release`.
        outcome: outcome class (`benchwarden_runner.protocol`); empty on a release.
        batch: name of the Job that held the launch.
        pod_uid: UID of its pod, empty if there never was one.
        finished_at: RFC 3339, UTC, whole seconds.
        agent_seconds, grade_seconds: wall time of the two containers' work.
        cost_usd: decimal string.
        tests: F2P passed, F2P total, P2P passed, P2P total.
        agent_image_id, grade_image_id: digests of the images that really ran.
    """

    instance: str
    trial: int
    launch: int
    kind: str
    outcome: str
    batch: str
    finished_at: str
    pod_uid: str = ""
    reason: str = ""
    agent_class: str = ""
    agent_seconds: float = 0.0
    throttle_seconds: float = 0.0
    grade_seconds: float = 0.0
    turns: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: str = "0"
    cli_version: str = ""
    network: str = ""
    denials: int = 0
    tools: tuple[tuple[str, int], ...] = ()
    tests: tuple[int, int, int, int] = (0, 0, 0, 0)
    patch_sha256: str = ""
    patch_bytes: int = 0
    log_sha256: str = ""
    artifact: str = ""
    agent_image_id: str = ""
    grade_image_id: str = ""

    @property
    def key(self) -> TrialKey:
        """The trial this row is about."""
        return TrialKey(self.instance, self.trial)

    @property
    def member(self) -> Member:
        """The launch this row is about."""
        return Member(self.instance, self.trial, self.launch)
