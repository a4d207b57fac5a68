"""Fields that are part of the API and that this version does not act on: refused, never ignored."""

from collections.abc import Iterator
from typing import Final

from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.api.semantics.fault import Fault

INSTEAD: Final = {
    "spec.suite.swebenchPro": "use suite.tasks",
    "spec.suite.swebench": "use suite.tasks",
    "spec.suite.tasks.source.url (s3://)": "mount the bucket and use path, or use an https:// url",
    "spec.agent.claudeCode.registryUrl": "bake the CLI into the runner image and remove the field",
    "spec.artifacts.persistentVolumeClaim": "set artifacts to {none: {}}",
    "spec.artifacts.s3": "set artifacts to {none: {}}",
}
"""What to do instead, by field; words in brackets are a kind of value."""


def unsupported_faults(spec: BenchmarkRunSpec) -> Iterator[Fault]:
    """One fault for each such field that is set."""
    asked = _asked(spec)
    for entry, instead in INSTEAD.items():
        if asked[entry]:
            yield Fault(entry.partition(" ")[0], f"is not supported by this version; {instead}")


def _asked(spec: BenchmarkRunSpec) -> dict[str, bool]:
    suite, claude, artifacts = spec.suite, spec.agent.claude_code, spec.artifacts
    url = suite.tasks.source.url if suite.tasks is not None else None
    return {
        "spec.suite.swebenchPro": suite.swebench_pro is not None,
        "spec.suite.swebench": suite.swebench is not None,
        "spec.suite.tasks.source.url (s3://)": (url or "").startswith("s3://"),
        "spec.agent.claudeCode.registryUrl": claude is not None and claude.registry_url is not None,
        "spec.artifacts.persistentVolumeClaim": artifacts.persistent_volume_claim is not None,
        "spec.artifacts.s3": artifacts.s3 is not None,
    }
