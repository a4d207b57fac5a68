"""Pointers to other objects of the run's namespace, and environment variables."""

from typing import Annotated, ClassVar

from pydantic import Field

from benchwarden.api.model import KubeModel, Rule, Unique, exactly_one
from benchwarden.api.scalars import DataKey, DnsSubdomain, EnvName, Text


class SecretKeyRef(KubeModel):
    """One key of a Secret in the run's namespace."""

    name: DnsSubdomain
    """Name of the Secret."""
    key: DataKey
    """Key inside the Secret."""


class ConfigMapRef(KubeModel):
    """A ConfigMap in the run's namespace."""

    name: DnsSubdomain
    """Name of the ConfigMap."""


class ConfigMapKeyRef(KubeModel):
    """One key of a ConfigMap in the run's namespace."""

    name: DnsSubdomain
    """Name of the ConfigMap."""
    key: DataKey
    """Key inside the ConfigMap."""


class SecretRef(KubeModel):
    """A Secret in the run's namespace."""

    name: DnsSubdomain
    """Name of the Secret."""


class EnvVar(KubeModel):
    """An environment variable, given as a value or taken from a Secret."""

    rules: ClassVar[tuple[Rule, ...]] = (exactly_one("value", "secretKeyRef"),)

    name: EnvName
    """Name of the variable."""
    value: Text | None = None
    """Value as plain text; never put a secret here."""
    secret_key_ref: SecretKeyRef | None = None
    """Secret key that holds the value."""


Environment = Annotated[
    tuple[EnvVar, ...],
    Field(max_length=64),
    Unique("name"),
]
