"""What the operator says of a run; rates, intervals and money are text, so nothing is rounded twice."""

from typing import Annotated, Literal

from pydantic import Field

from benchwarden.api.model import KubeModel, Unique
from benchwarden.api.scalars import Int


class Condition(KubeModel):
    """One condition, as everywhere in Kubernetes."""

    type: str
    """Accepted, Planned, Progressing, Succeeded or Regressed."""
    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""
    reason: str
    """Why, in one CamelCase word."""
    message: str = ""
    """Why, for people."""
    last_transition_time: str
    """When `status` last changed, RFC 3339."""
    observed_generation: Int = 0
    """Generation of the spec this is about."""


class SuiteStatus(KubeModel):
    """The panel the run works on."""

    name: str = ""
    """Name of the suite."""
    panel_digest: str = ""
    """sha256 over everything that decides a verdict."""
    instances: Int = 0
    """Instances in the panel."""
    trials: Int = 0
    """Instances times trials."""
    quarantined: Int = 0
    """Instances left out by `quarantine`."""


class Counts(KubeModel):
    """Trials by where they stand."""

    planned: Int = 0
    """All trials of the run."""
    waiting: Int = 0
    """Not in a pod now and without a verdict."""
    running: Int = 0
    """In a batch now."""
    finished: Int = 0
    """With a verdict, or given up as missing."""
    valid: Int = 0
    """With a verdict that counts: resolved and failed."""
    resolved: Int = 0
    """Solved: the grader says so."""
    failed: Int = 0
    """Not solved, for a reason that counts against the agent."""
    missing: Int = 0
    """Given up because the infrastructure failed too often."""
    retried: Int = 0
    """Infra retries so far."""
    conflicts: Int = 0
    """Second verdicts for a trial that had one already; the first one counts."""


class IntervalStatus(KubeModel):
    """A 95 % interval."""

    lower: str
    """Lower end, decimal text."""
    upper: str
    """Upper end, decimal text."""


class Tokens(KubeModel):
    """Tokens used by all agents."""

    input: Int = 0
    """Input tokens that no cache served."""
    output: Int = 0
    """Output tokens."""
    cache_read: Int = 0
    """Input tokens read from the prompt cache."""
    cache_write: Int = 0
    """Input tokens written to the prompt cache."""


class AgentStatus(KubeModel):
    """The agent that really ran."""

    kind: str = ""
    """claudeCode, oracle, nop or exec."""
    model: str = ""
    """Model id."""
    cli_version: str = ""
    """Exact version of the CLI."""
    cli_sha256: str = ""
    """sha256 of the CLI's binary."""


class ResultShard(KubeModel):
    """A ConfigMap with result rows."""

    name: str
    """Name of the ConfigMap."""
    rows: Int
    """Rows in it."""


class SampleError(KubeModel):
    """One instance that went wrong, as a sample."""

    instance: str
    """Id of the instance."""
    outcome: str
    """Outcome class."""
    message: str = ""
    """What is known."""


class Comparison(KubeModel):
    """The paired comparison with `compareTo`; differences are this run minus the other."""

    base: str = ""
    """The other side."""
    pairs: Int = 0
    """Instances with an outcome on both sides."""
    only_here: Int = 0
    """Instances of this run that the other side lacks."""
    only_base: Int = 0
    """Instances of the other side that this run lacks."""
    gained: Int = 0
    """Solved here and not by the other side."""
    lost: Int = 0
    """Solved by the other side and not here."""
    base_rate: str = ""
    """Pass rate of the other side over the pairs."""
    new_rate: str = ""
    """Pass rate of this run over the pairs."""
    difference: str = ""
    """Difference of the two rates."""
    difference_interval: IntervalStatus | None = None
    """95 % interval of the difference."""
    p_value: str = ""
    """Exact McNemar test, two-sided."""
    p_worse: str = ""
    """Mid-p McNemar test of "this run is worse"."""
    p_better: str = ""
    """Mid-p McNemar test of "this run is better"."""
    lost_instances: tuple[str, ...] = ()
    """Some of the instances that were lost."""
    gained_instances: tuple[str, ...] = ()
    """Some of the instances that were gained."""


class BenchmarkRunStatus(KubeModel):
    """What became of the run so far."""

    observed_generation: Int = 0
    """Generation of the spec that this status is about."""
    conditions: Annotated[tuple[Condition, ...], Unique("type")] = ()
    """Accepted, Planned, Progressing, Succeeded; Regressed only with compareTo."""
    suite: SuiteStatus | None = None
    """The panel the run works on."""
    agent: AgentStatus | None = None
    """The agent that really ran."""
    counts: Counts | None = None
    """Trials by where they stand."""
    outcomes: dict[str, Int] = Field(default_factory=dict)
    """Trials by outcome class."""
    progress: str = ""
    """Finished and planned trials, such as `37/50`."""
    resolved_of_total: str = ""
    """Resolved and valid trials, such as `12/37`."""
    coverage: str = ""
    """Valid trials over planned ones, such as `0.740`."""
    pass_rate: str = ""
    """Resolved trials over valid ones, such as `0.3243`."""
    pass_rate_interval: IntervalStatus | None = None
    """95 % Wilson interval of the pass rate."""
    official_pass_rate: str = ""
    """What SWE-bench Pro's own scorer would say; with officialScoring."""
    cost_usd: str = ""
    """US dollars spent, as the agents report it."""
    tokens: Tokens | None = None
    """Tokens used."""
    results: Annotated[tuple[ResultShard, ...], Unique("name")] = ()
    """Where the result rows are."""
    errors: tuple[SampleError, ...] = ()
    """At most 20 instances that went wrong."""
    comparison: Comparison | None = None
    """The paired comparison with `compareTo`."""
    retries_handled: Int = 0
    """Value of spec.retry that has been acted upon."""
    started_at: str | None = None
    """When the first batch was launched, RFC 3339."""
    finished_at: str | None = None
    """When the last verdict was stored, RFC 3339."""
