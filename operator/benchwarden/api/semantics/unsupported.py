"""Fields that are part of the API and that this version does not act on: refused, never ignored."""

from collections.abc import Iterator
from typing import Final

from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.api.semantics.fault import Fault
from benchwarden.api.semantics.suite import source_fields

_NO_S3: Final = "mount the bucket and use path, or use an https:// url"

INSTEAD: Final = {
    "spec.suite.tasks.source.url (s3://)": _NO_S3,
    "spec.suite.swebenchPro.source.url (s3://)": _NO_S3,
    "spec.suite.swebenchPro.runScripts.url (s3://)": _NO_S3,
    "spec.suite.swebench.source.url (s3://)": _NO_S3,
}
"""What to do instead, by field; words in brackets are a kind of value."""


def unsupported_faults(spec: BenchmarkRunSpec) -> Iterator[Fault]:
    """One fault for each such field that is set."""
    asked = _asked(spec)
    for entry, instead in INSTEAD.items():
        if asked[entry]:
            yield Fault(entry.partition(" ")[0], f"is not supported by this version; {instead}")


def _asked(spec: BenchmarkRunSpec) -> dict[str, bool]:
    return {
        **{
            f"{field}.url (s3://)": source is not None and (source.url or "").startswith("s3://")
            for field, source in source_fields(spec.suite).items()
        },
    }
