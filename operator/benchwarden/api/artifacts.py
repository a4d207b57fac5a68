"""What a run keeps beside its results, what it may spend, and what it is compared with."""

from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from benchwarden.api import patterns
from benchwarden.api.model import KubeModel, Rule, at_least_one, exactly_one
from benchwarden.api.references import ConfigMapKeyRef, SecretRef
from benchwarden.api.scalars import INT53_MAX, DnsSubdomain, HttpUrl, Int, Money


class NoArtifacts(KubeModel):
    """Nothing is kept beside the results."""


class VolumeArtifacts(KubeModel):
    """Artifacts on a volume."""

    claim_name: DnsSubdomain
    """Name of the PersistentVolumeClaim, in the run's namespace."""
    path: Annotated[str, StringConstraints(pattern=patterns.FOLDER, max_length=1024)] = (
        "benchwarden"
    )
    """Folder inside the volume."""


class S3Artifacts(KubeModel):
    """Artifacts in S3-compatible storage."""

    url: Annotated[str, StringConstraints(pattern=patterns.S3_URL, max_length=1024)]
    """Bucket and prefix, such as `s3://bucket/benchwarden`."""
    endpoint_url: HttpUrl | None = None
    """Address of the storage service, where it is not AWS."""
    credentials: SecretRef
    """Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, given to the uploader only."""


class ArtifactsSpec(KubeModel):
    """Where prompt, transcript, patch and test log go: exactly one of none, persistentVolumeClaim, s3."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one("none", "persistentVolumeClaim", "s3"),)

    none: NoArtifacts | None = None
    """Nothing is kept beside the results."""
    persistent_volume_claim: VolumeArtifacts | None = None
    """On a volume."""
    s3: S3Artifacts | None = None
    """In S3-compatible storage."""


class BudgetSpec(KubeModel):
    """What the whole run may spend; no new batch starts once it is spent, running ones finish."""

    rules: ClassVar[tuple[Rule, ...]] = (
        at_least_one("maxUsd", "maxTokens"),
        Rule(
            cel="!has(self.maxUsd) || double(self.maxUsd) > 0.0",
            message="must be more than 0",
            holds=lambda budget: budget.max_usd is None or Decimal(budget.max_usd) > 0,
            field="maxUsd",
        ),
    )

    max_usd: Money | None = None
    """US dollars as text, such as "100"; each instance's maxBudgetUsd is reserved before it starts."""
    max_tokens: Annotated[Int, Field(ge=1, le=INT53_MAX)] | None = None
    """Input, output and cache tokens together."""


class CompareToSpec(KubeModel):
    """The other side of a paired comparison: exactly one of run, configMap."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one("run", "configMap"),)

    run: DnsSubdomain | None = None
    """Name of a finished BenchmarkRun in the same namespace."""
    config_map: ConfigMapKeyRef | None = None
    """Exported results of an earlier run."""
