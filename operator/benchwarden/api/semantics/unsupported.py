"""Fields that are part of the API and that this version does not act on: refused, never ignored."""

from collections.abc import Iterator

from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.api.semantics.fault import Fault


def unsupported_faults(spec: BenchmarkRunSpec) -> Iterator[Fault]:
    """One fault for each such field that is set."""
    for field, (given, instead) in _asked(spec).items():
        if given:
            yield Fault(field, f"is not supported by this version; {instead}")


def _asked(spec: BenchmarkRunSpec) -> dict[str, tuple[bool, str]]:
    suite, claude = spec.suite, spec.agent.claude_code
    source = suite.tasks.source if suite.tasks is not None else None
    file_instead = "use a file of tasks: configMap, path or an https:// url"
    return {
        "spec.suite.swebenchPro": (suite.swebench_pro is not None, "use suite.tasks"),
        "spec.suite.swebench": (suite.swebench is not None, "use suite.tasks"),
        "spec.suite.tasks.source.dataset": (
            source is not None and source.dataset is not None,
            file_instead,
        ),
        "spec.suite.tasks.source.url": (
            source is not None and (source.url or "").startswith("s3:"),
            file_instead,
        ),
        "spec.agent.claudeCode.registryUrl": (
            claude is not None and claude.registry_url is not None,
            "bake the CLI into the runner image and remove the field",
        ),
        "spec.artifacts.persistentVolumeClaim": (
            spec.artifacts.persistent_volume_claim is not None,
            "set artifacts to {none: {}}",
        ),
        "spec.artifacts.s3": (spec.artifacts.s3 is not None, "set artifacts to {none: {}}"),
    }
