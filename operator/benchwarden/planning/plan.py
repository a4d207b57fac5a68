"""A plan freezes what a run consists of; batches are its groups of trials, launched under derived names.

Identity is the whole idea. A *trial key* is (instance, trial). A *member* is a trial key with its launch
number: how many Jobs have already held it, plus one. Two Jobs can therefore never hold the same member,
and a Job's name is a hash of the run's UID and its members: any pass of any operator derives the same one.
"""

from dataclasses import dataclass, field
from typing import NamedTuple


class TrialKey(NamedTuple):
    """One repeat of one instance; trials count from 0."""

    instance: str
    trial: int


class Member(NamedTuple):
    """A trial in a batch; launch counts from 1 and never repeats for a trial."""

    instance: str
    trial: int
    launch: int

    @property
    def key(self) -> TrialKey:
        """The trial this member is a launch of."""
        return TrialKey(self.instance, self.trial)


@dataclass(frozen=True, slots=True)
class Batch:
    """Members that share one Job and pod, in the order they run."""

    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What was decided once and may not change while the run lives.

    Attributes:
        panel_digest: digest of the panel that the run was planned with.
        groups: trial keys of each first-launch batch, in launch order.
        agent: facts resolved once for all pods (such as `cliVersion`, `cliSha256`), sorted by name.
    """

    panel_digest: str
    groups: tuple[tuple[TrialKey, ...], ...]
    agent: tuple[tuple[str, str], ...] = field(default=())

    @property
    def trials(self) -> int:
        """Number of planned trials."""
        return sum(len(group) for group in self.groups)
