"""BenchmarkSchedule: the same evaluation again and again, with a frozen baseline and a monitor."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from benchwarden.api import patterns
from benchwarden.api.model import KubeModel, Rule, Unique
from benchwarden.api.run import BenchmarkRunSpec, Metadata
from benchwarden.api.scalars import INT32_MAX, Bool, Int, Labels
from benchwarden.api.schedule_status import BenchmarkScheduleStatus

Day = Annotated[str, StringConstraints(pattern=patterns.DAY, max_length=10)]
Ratio = Annotated[str, StringConstraints(pattern=patterns.RATIO, max_length=6)]
Person = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500)]
AnnotationValue = Annotated[str, StringConstraints(max_length=1024)]
Annotations = Annotated[dict[str, AnnotationValue], Field(max_length=32)]


class RunTemplateSpec(BenchmarkRunSpec):
    """The spec of every run; see BenchmarkRun for its fields."""

    rules: ClassVar[tuple[Rule, ...]] = (
        # Rules about changes guard a run that exists; a template may change.
        *(rule for rule in BenchmarkRunSpec.rules if rule.holds is not None),
        Rule(
            cel="!self.suspend && !self.cancel && self.retry == 0",
            message="suspend, cancel and retry belong to a run that exists; leave them out of the template",
            holds=lambda spec: not (spec.suspend or spec.cancel or spec.retry),
        ),
        Rule(
            cel="!has(self.ttlSecondsAfterFinished)",
            message="the history limits decide when runs are deleted; remove ttlSecondsAfterFinished",
            holds=lambda spec: spec.ttl_seconds_after_finished is None,
            field="ttlSecondsAfterFinished",
        ),
    )


class TemplateMetadata(KubeModel):
    """Labels and annotations for every run."""

    labels: Labels = Field(default_factory=dict)
    """Labels, beside benchwarden's own."""
    annotations: Annotations = Field(default_factory=dict)
    """Annotations, beside benchwarden's own."""


class RunTemplate(KubeModel):
    """What is run at every slot."""

    metadata: TemplateMetadata = TemplateMetadata()
    """Labels and annotations for every run."""
    spec: RunTemplateSpec
    """The spec of every run; a change of what is measured starts a new series."""


class BaselinePolicy(KubeModel):
    """The first complete days, then frozen: every later number is compared with them."""

    days: Annotated[Int, Field(ge=7, le=60)] = 14
    """Complete days wanted; multiples of 7 cover the weekly cycle."""
    rebaseline: Annotated[str, StringConstraints(max_length=64)] = ""
    """Any new text starts a new baseline with the next slot; nothing else but a change of what is
    measured does."""


class RerunPolicy(KubeModel):
    """A closer look: while the monitor watches, the next slot runs the panel several times."""

    factor: Annotated[Int, Field(ge=1, le=10)] = 3
    """How often the panel is run then; 1 for never more than once. A budget in the template grows by
    the same factor."""
    max_per_month: Annotated[Int, Field(ge=0, le=31)] = 6
    """Most closer looks in a calendar month of `timeZone`."""


class DetectionPolicy(KubeModel):
    """How sure the monitor must be."""

    mean_days_between_false_pages: Annotated[Int, Field(ge=30, le=36_500)] = 365
    """Mean number of days between two pages when nothing has changed."""
    minimum_effect: Ratio = "0.05"
    """The drop that must not be missed: a window that could not see it is inconclusive, never ok."""
    windows: Annotated[
        tuple[Annotated[Int, Field(ge=1, le=90)], ...], Field(min_length=1, max_length=5), Unique()
    ] = (1, 7, 30)
    """Lengths in days of the windows that are reported and corrected for one another."""
    rerun: RerunPolicy = RerunPolicy()
    """A closer look while the monitor watches."""


class VoidDay(KubeModel):
    """A day that does not count, as if it had not been run."""

    day: Day
    """The slot's date in `timeZone`."""
    author: Person
    """Who decided it."""
    reason: Reason
    """Why."""


class Acknowledgement(KubeModel):
    """An alarm that somebody has taken note of."""

    day: Day
    """The day of the alarm, as in status.monitor.alarmDay."""
    author: Person
    """Who took note."""
    reason: Reason
    """What is known or done about it."""


class PinnedSeries(KubeModel):
    """A second series with a fixed CLI: a drop in both is the model or the service, in one it is the CLI."""

    version: Annotated[str, StringConstraints(pattern=patterns.EXACT_VERSION, max_length=64)]
    """Exact CLI version of the second series."""


class ControlArm(KubeModel):
    """A few instances with a second, cheap model: what both arms share is not the agent's."""

    model: Annotated[str, StringConstraints(pattern=patterns.MODEL, max_length=256)]
    """Full id of the model."""
    instances: Annotated[Int, Field(ge=2, le=1000)] = 10
    """How many instances of the suite."""


class BenchmarkScheduleSpec(KubeModel):
    """When and what is run, and what counts as worse."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.pinned) || has(self.template.spec.agent.claudeCode)",
            message="a pinned CLI needs the agent claudeCode",
            holds=lambda own: own.pinned is None or own.template.spec.agent.claude_code is not None,
            field="pinned",
        ),
        Rule(
            cel="!has(self.control) || has(self.template.spec.agent.claudeCode)",
            message="a control arm needs the agent claudeCode",
            holds=lambda own: (
                own.control is None or own.template.spec.agent.claude_code is not None
            ),
            field="control",
        ),
    )

    schedule: Annotated[str, StringConstraints(pattern=patterns.CRON, max_length=128)]
    """Cron expression of five fields, or @hourly, @daily, @weekly, @monthly, @yearly."""
    time_zone: Annotated[str, StringConstraints(pattern=patterns.TIME_ZONE, max_length=64)] = (
        "Etc/UTC"
    )
    """Time zone of the expression and of the days."""
    starting_deadline_seconds: Annotated[Int, Field(ge=10, le=INT32_MAX)] | None = None
    """A slot missed for longer is skipped; without it the newest missed slot is made up for."""
    concurrency_policy: Literal["Allow", "Forbid", "Replace"] = "Forbid"
    """What to do while an earlier run is active: run beside it, wait, or cancel it."""
    suspend: Bool = False
    """Start no new runs."""
    successful_runs_history_limit: Annotated[Int, Field(ge=0, le=1000)] = 3
    """Ended runs that are kept; their daily results are kept in any case."""
    failed_runs_history_limit: Annotated[Int, Field(ge=0, le=1000)] = 1
    """Failed runs that are kept."""
    template: RunTemplate
    """What is run at every slot."""
    baseline: BaselinePolicy = BaselinePolicy()
    """What later results are compared with."""
    detection: DetectionPolicy = DetectionPolicy()
    """How sure the monitor must be."""
    pinned: PinnedSeries | None = None
    """A second series with a fixed CLI, to tell whose fault a drop is."""
    control: ControlArm | None = None
    """A second, small arm that shows what both share; it never pages."""
    void_days: Annotated[tuple[VoidDay, ...], Field(max_length=200), Unique("day")] = ()
    """Days that do not count; a day of a frozen baseline stays in it."""
    acknowledge: Annotated[tuple[Acknowledgement, ...], Field(max_length=200), Unique("day")] = ()
    """Alarms that somebody has taken note of."""


class BenchmarkSchedule(KubeModel):
    """The same evaluation at every slot, and whether the agent got worse."""

    api_version: Literal["benchwarden.dev/v1alpha1"] = "benchwarden.dev/v1alpha1"
    """Version of the API."""
    kind: Literal["BenchmarkSchedule"] = "BenchmarkSchedule"
    """Kind of the object."""
    metadata: Metadata = Metadata()
    """Name, namespace, labels."""
    spec: BenchmarkScheduleSpec
    """When and what is run, and what counts as worse."""
    status: BenchmarkScheduleStatus = BenchmarkScheduleStatus()
    """What the monitor says."""
