"""What a run works on: a suite, where its instances come from, and which of them are taken."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from benchwarden.api import patterns
from benchwarden.api.model import KubeModel, Rule, Unique, exactly_one
from benchwarden.api.references import ConfigMapKeyRef
from benchwarden.api.scalars import (
    INT53_MAX,
    Bool,
    DataKey,
    DnsSubdomain,
    InstanceId,
    Int,
    Path,
    Sha256,
    SourceUrl,
)

InstanceIds = Annotated[tuple[InstanceId, ...], Field(max_length=5000), Unique()]
Words = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=200)], ...],
    Field(max_length=200),
    Unique(),
]


class TasksConfigMap(KubeModel):
    """The ConfigMap and key that hold the tasks."""

    name: DnsSubdomain
    """Name of the ConfigMap, in the run's namespace."""
    key: DataKey = "tasks.jsonl"
    """Key inside the ConfigMap."""


class Dataset(KubeModel):
    """A dataset on the Hugging Face hub, pinned to a revision."""

    id: Annotated[
        str,
        StringConstraints(pattern=patterns.DATASET_ID, max_length=200),
    ]
    """Dataset id, such as `princeton-nlp/SWE-bench_Verified`."""
    revision: Annotated[str, StringConstraints(pattern=patterns.REVISION, max_length=200)]
    """Commit (40 hex digits, best) or tag of the dataset, so that the panel cannot drift."""
    split: Annotated[str, StringConstraints(min_length=1, max_length=100)] = "test"
    """Split to read."""
    config: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    """Configuration of the dataset, where it has several."""


_SHA256_RULE = Rule(
    cel="!has(self.sha256) || has(self.url) || has(self.path)",
    message="sha256 goes with url or path; remove it",
    holds=lambda source: source.sha256 is None or bool(source.url or source.path),
    field="sha256",
)


class Source(KubeModel):
    """Where the instances are read from: exactly one of configMap, path, url, dataset."""

    rules: ClassVar[tuple[Rule, ...]] = (
        exactly_one("configMap", "path", "url", "dataset"),
        _SHA256_RULE,
    )

    config_map: TasksConfigMap | None = None
    """A key of a ConfigMap (up to 1 MiB)."""
    path: Path | None = None
    """Absolute path on the operator's disk, such as a mounted volume; local runs read their own disk."""
    url: SourceUrl | None = None
    """An https:// or s3:// address."""
    sha256: Sha256 | None = None
    """Expected sha256 of the file at `url` or `path`, 64 hex digits; anything else is refused."""
    dataset: Dataset | None = None
    """A dataset on the Hugging Face hub."""


class FileSource(KubeModel):
    """Where a file is read from: exactly one of configMap, path, url."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one("configMap", "path", "url"), _SHA256_RULE)

    config_map: ConfigMapKeyRef | None = None
    """A key of a ConfigMap (up to 1 MiB)."""
    path: Path | None = None
    """Absolute path on the operator's disk, such as a mounted volume."""
    url: SourceUrl | None = None
    """An https:// or s3:// address."""
    sha256: Sha256 | None = None
    """Expected sha256 of the file at `url` or `path`, 64 hex digits."""


class TasksSuite(KubeModel):
    """Your own tasks, one JSON object a line."""

    source: Source
    """Where the tasks are read from."""


class SwebenchProSuite(KubeModel):
    """SWE-bench Pro, with its per-instance run scripts."""

    source: Source
    """Where the instances are read from."""
    run_scripts: FileSource
    """Folder (path only) or tar or zip archive with `<id>/run_script.sh` and `<id>/parser.py`."""
    prompt_template: Annotated[str, StringConstraints(min_length=1, max_length=16384)] | None = None
    """Prompt with {problem_statement}, {requirements}, {interface}; the official one if unset."""
    official_scoring: Bool = False
    """Also report the official rate, where a trial without a verdict has failed."""


class SwebenchSuite(KubeModel):
    """SWE-bench in one of its variants."""

    variant: Literal["verified", "lite", "full", "multilingual"]
    """Which variant."""
    source: Source | None = None
    """Where the instances are read from; the variant's own dataset by default."""


class Sample(KubeModel):
    """A reproducible random sample: the same content and seed give the same instances."""

    size: Annotated[Int, Field(ge=1, le=100_000)]
    """Number of instances to take."""
    seed: Annotated[Int, Field(ge=0, le=INT53_MAX)] = 0
    """Seed of the sample."""
    stratify_by: Literal["none", "repo"] = "none"
    """`repo` takes from each repository in proportion to its share."""


class Quarantined(KubeModel):
    """An instance that is left out, and why."""

    id: InstanceId
    """Id of the instance."""
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    """Why it is left out; it is shown in reports."""


class Selection(KubeModel):
    """Which instances are taken; filters narrow each other, the sample comes last."""

    include: InstanceIds = ()
    """Take only these ids; empty = all."""
    exclude: InstanceIds = ()
    """Leave these ids out."""
    repos: Words = ()
    """Take only instances of these repositories; empty = all."""
    languages: Words = ()
    """Take only instances in these languages; empty = all."""
    sample: Sample | None = None
    """Take a random sample of what is left."""
    quarantine: Annotated[
        tuple[Quarantined, ...],
        Field(max_length=500),
        Unique("id"),
    ] = ()
    """Instances left out with a reason, such as a flaky test; they are counted in the status."""


class SuiteSpec(KubeModel):
    """What the agent is tried on: exactly one of tasks, swebenchPro, swebench."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one("tasks", "swebenchPro", "swebench"),)

    tasks: TasksSuite | None = None
    """Your own tasks, one JSON object a line."""
    swebench_pro: SwebenchProSuite | None = None
    """SWE-bench Pro."""
    swebench: SwebenchSuite | None = None
    """SWE-bench verified, lite, full or multilingual."""
    selection: Selection = Selection()
    """Which instances of the suite are taken."""
