"""BenchmarkRun: one evaluation, immutable but for suspend, cancel and a growing retry."""

from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from benchwarden.api.agent import AgentSpec
from benchwarden.api.artifacts import ArtifactsSpec, BudgetSpec, CompareToSpec, NoArtifacts
from benchwarden.api.execution import ExecutionSpec
from benchwarden.api.model import KubeModel, Rule, immutable
from benchwarden.api.scalars import INT32_MAX, Bool, Int
from benchwarden.api.status import BenchmarkRunStatus
from benchwarden.api.suite import SuiteSpec


def _one_instance_fits_the_budget(spec: "BenchmarkRunSpec") -> bool:
    agent = spec.agent.claude_code
    if agent is None or spec.budget is None or spec.budget.max_usd is None:
        return True
    return Decimal(agent.max_budget_usd) <= Decimal(spec.budget.max_usd)


class BenchmarkRunSpec(KubeModel):
    """What is to be run, by whom, and how."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=(
                "!has(self.budget) || !has(self.budget.maxUsd) || !has(self.agent.claudeCode)"
                " || double(self.agent.claudeCode.maxBudgetUsd) <= double(self.budget.maxUsd)"
            ),
            message="budget.maxUsd is below agent.claudeCode.maxBudgetUsd: not one instance could start",
            holds=_one_instance_fits_the_budget,
            field="budget",
        ),
        immutable("suite", optional=False),
        immutable("agent", optional=False),
        immutable("execution", optional=False),
        immutable("budget", optional=True),
        immutable("artifacts", optional=False),
        immutable("compareTo", optional=True),
        immutable("ttlSecondsAfterFinished", optional=True),
        immutable("cleanupPolicy", optional=False),
        Rule(
            cel="self.cancel || !oldSelf.cancel",
            message="a cancelled run stays cancelled; create a new run instead",
            field="cancel",
        ),
        Rule(
            cel="self.retry >= oldSelf.retry",
            message="retry may only grow: add 1 to try the missing trials again",
            field="retry",
        ),
    )

    suite: SuiteSpec
    """What the agent is tried on."""
    agent: AgentSpec
    """Who solves the instances."""
    execution: ExecutionSpec = ExecutionSpec()
    """How the run is carried out."""
    budget: BudgetSpec | None = None
    """What the whole run may spend."""
    artifacts: ArtifactsSpec = ArtifactsSpec(none=NoArtifacts())
    """Where prompt, transcript, patch and test log go."""
    compare_to: CompareToSpec | None = None
    """Compare with an earlier run at the end, instance by instance."""
    ttl_seconds_after_finished: Annotated[Int, Field(ge=0, le=INT32_MAX)] | None = None
    """Delete the run, with its results, so long after its end; never if unset."""
    cleanup_policy: Literal["Always", "OnSuccess", "Never"] = "Always"
    """When batch Jobs are deleted after their results are stored."""
    suspend: Bool = False
    """Start no new batches; those running finish."""
    cancel: Bool = False
    """End the run now and keep what it has; cannot be taken back."""
    retry: Annotated[Int, Field(ge=0, le=1000)] = 0
    """Add 1 to a finished run to try its missing trials again."""


class Metadata(KubeModel):
    """The part of the object's metadata that benchwarden reads."""

    name: Annotated[str, Field(max_length=253)] = ""
    """Name of the run."""
    generate_name: Annotated[str, Field(max_length=253)] = ""
    """Start of a name that the API server completes."""
    namespace: str = ""
    """Namespace of the run."""
    uid: str = ""
    """UID of the run."""
    resource_version: str = ""
    """Version of the object."""
    generation: Int = 0
    """Generation of the spec."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels."""
    annotations: dict[str, str] = Field(default_factory=dict)
    """Annotations."""
    creation_timestamp: str | None = None
    """When the run was created, RFC 3339."""
    deletion_timestamp: str | None = None
    """When its deletion was asked for, RFC 3339."""


class BenchmarkRun(KubeModel):
    """One evaluation of a coding agent on a suite of instances."""

    api_version: Literal["benchwarden.dev/v1alpha1"] = "benchwarden.dev/v1alpha1"
    """Version of the API."""
    kind: Literal["BenchmarkRun"] = "BenchmarkRun"
    """Kind of the object."""
    metadata: Metadata = Metadata()
    """Name, namespace, labels."""
    spec: BenchmarkRunSpec
    """What is to be run, by whom, and how."""
    status: BenchmarkRunStatus = BenchmarkRunStatus()
    """What became of the run so far."""
