"""From a suite's spec to its panel: read, parse, select, and only then fetch what the selected ones need."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchwarden.api.suite import Source, SuiteSpec, SwebenchProSuite, SwebenchSuite
from benchwarden.errors import BenchwardenError
from benchwarden.suites import prompt, swebench, swebench_package, swebench_pro, tasks
from benchwarden.suites.digest import panel_digest
from benchwarden.suites.instance import Instance, LocalWorkspace, Panel
from benchwarden.suites.reading import read_instances, read_run_scripts
from benchwarden.suites.select import select_panel
from benchwarden.suites.sources import Sources

_PRO = "spec.suite.swebenchPro"
_SWEBENCH = "spec.suite.swebench"


def load_panel(spec: SuiteSpec, sources: Sources, *, local_root: Path | None = None) -> Panel:
    """The panel a suite's spec asks for. Blocks on disk and network: call it in a thread.

    Args:
        spec: the suite part of a run's spec.
        sources: how files, ConfigMaps, addresses and datasets are read.
        local_root: folder that `local` paths are relative to when the source is not a path; without
            it, such instances lose their `local` part: a file from elsewhere may not name files here.

    Raises:
        InvalidInputError: the content cannot be used (SuiteInvalid, EmptyPanel, InvalidSpec), or an
            extra that it needs is not installed (Unsupported).
        UnavailableError: the source cannot be read now.
    """
    if spec.swebench_pro is not None:
        return _pro(spec, spec.swebench_pro, sources, local_root)
    if spec.swebench is not None:
        return _swebench(spec, spec.swebench, sources, local_root)
    if spec.tasks is None:
        raise BenchwardenError("a suite without a kind passed validation")
    source = spec.tasks.source
    instances = read_instances(source, sources, tasks.instance_of, "spec.suite.tasks.source")
    return select_panel(_name(source), _rooted(instances, source, local_root), spec.selection)


def _pro(
    spec: SuiteSpec, suite: SwebenchProSuite, sources: Sources, local_root: Path | None
) -> Panel:
    convert = swebench_pro.reader(suite.prompt_template or prompt.SWEBENCH_PRO)
    instances = read_instances(suite.source, sources, convert, f"{_PRO}.source")
    rooted = _rooted(instances, suite.source, local_root)
    panel = select_panel("swebenchPro", rooted, spec.selection)
    scripts = read_run_scripts(suite.run_scripts, sources, panel.instances, f"{_PRO}.runScripts")
    return _completed(panel, lambda each: swebench_pro.with_scripts(each, *scripts[each.id]))


def _swebench(
    spec: SuiteSpec, suite: SwebenchSuite, sources: Sources, local_root: Path | None
) -> Panel:
    source = suite.source or Source(dataset=swebench.dataset(suite.variant))
    convert = swebench.reader(swebench_package.columns_of)
    instances = read_instances(source, sources, convert, f"{_SWEBENCH}.source")
    rooted = _rooted(instances, source, local_root)
    panel = select_panel(f"swebench-{suite.variant}", rooted, spec.selection)
    scripts = swebench_package.ParserScripts(f"{_SWEBENCH}.source")
    return _completed(panel, lambda each: swebench.with_parser(each, scripts.of))


def _completed(panel: Panel, complete: Callable[[Instance], Instance]) -> Panel:
    instances = tuple(complete(instance) for instance in panel.instances)
    return replace(panel, instances=instances, digest=panel_digest(instances))


def _name(source: Source) -> str:
    """A short name of the suite for reports and metrics."""
    if source.config_map is not None:
        return source.config_map.name
    if source.dataset is not None:
        return source.dataset.id
    path = Path((source.path or source.url or "").partition("?")[0])
    return path.stem if path.stem not in {"tasks", ""} else path.parent.name or path.stem


def _rooted(
    instances: tuple[Instance, ...], source: Source, root: Path | None
) -> tuple[Instance, ...]:
    if source.path is not None:
        root = Path(source.path).parent
    return tuple(_rooted_at(instance, root) for instance in instances)


def _rooted_at(instance: Instance, root: Path | None) -> Instance:
    if instance.local is None:
        return instance
    if root is None:
        return replace(instance, local=None)
    local = instance.local
    workspace = LocalWorkspace(
        archive=str(root / local.archive),
        path_entries=tuple(str(root / entry) for entry in local.path_entries),
    )
    return replace(instance, local=workspace)
