"""What a schema cannot say of a spec: relations between values, and what is not built yet."""

from benchwarden.api.semantics.check import check

__all__ = ["check"]
