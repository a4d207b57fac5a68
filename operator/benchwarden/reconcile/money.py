"""Budget by reservation: a batch is launched only if the worst it can cost still fits."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.planning.plan import Batch
from benchwarden.results.tally import Tally


@dataclass(frozen=True, slots=True)
class Purse:
    """What may still be spent; None means without limit."""

    usd_left: Decimal | None
    tokens_left: int | None
    usd_per_member: Decimal

    def admits(self, batch: Batch, reserved_members: int) -> bool:
        """Whether the batch fits beside `reserved_members` trials that are running already."""
        if self.tokens_left is not None and self.tokens_left <= 0:
            return False
        if self.usd_left is None:
            return True
        wanted = self.usd_per_member * (reserved_members + len(batch.members))
        return wanted <= self.usd_left


def purse(spec: BenchmarkRunSpec, tally: Tally) -> Purse:
    """What the spec's budget leaves after all that the rows say was spent."""
    budget = spec.budget
    usd = Decimal(budget.max_usd) if budget and budget.max_usd is not None else None
    tokens = budget.max_tokens if budget else None
    return Purse(
        usd_left=None if usd is None else usd - tally.cost_usd,
        tokens_left=None if tokens is None else tokens - tally.tokens.total,
        usd_per_member=worst_cost_usd(spec),
    )


def worst_cost_usd(spec: BenchmarkRunSpec) -> Decimal:
    """The most one trial can cost: the agent's own limit; nothing for agents that cost nothing."""
    claude = spec.agent.claude_code
    return Decimal(claude.max_budget_usd) if claude is not None else Decimal(0)


def worst_cost_of_run_usd(spec: BenchmarkRunSpec, groups: Sequence[Sequence[object]]) -> Decimal:
    """The most all first attempts together can cost, before the run's own budget stops them."""
    return worst_cost_usd(spec) * sum(len(group) for group in groups)
