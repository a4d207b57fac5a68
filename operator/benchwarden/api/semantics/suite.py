"""Rules of the suite: paths that stay where they point, selections that do not contradict themselves."""

from collections.abc import Iterator

from benchwarden.api.semantics.address import address_fault
from benchwarden.api.semantics.fault import Fault
from benchwarden.api.suite import FileSource, Selection, Source, SuiteSpec


def suite_faults(suite: SuiteSpec) -> Iterator[Fault]:
    """Everything wrong with the suite."""
    for field, source in _sources(suite).items():
        yield from _source_faults(field, source)
    yield from _selection_faults("spec.suite.selection", suite.selection)


def _sources(suite: SuiteSpec) -> dict[str, Source | FileSource]:
    sources: dict[str, Source | FileSource] = {}
    if suite.tasks is not None:
        sources["spec.suite.tasks.source"] = suite.tasks.source
    if suite.swebench_pro is not None:
        sources["spec.suite.swebenchPro.source"] = suite.swebench_pro.source
        sources["spec.suite.swebenchPro.runScripts"] = suite.swebench_pro.run_scripts
    if suite.swebench is not None and suite.swebench.source is not None:
        sources["spec.suite.swebench.source"] = suite.swebench.source
    return sources


def _source_faults(field: str, source: Source | FileSource) -> Iterator[Fault]:
    if source.path is not None and ".." in source.path.split("/"):
        yield Fault(f"{field}.path", "must not climb with '..'; write the path out")
    if source.url is not None and (fault := address_fault(source.url)):
        yield Fault(f"{field}.url", fault)


def _selection_faults(field: str, selection: Selection) -> Iterator[Fault]:
    both = sorted(set(selection.include) & set(selection.exclude))
    if both:
        yield Fault(f"{field}.exclude", f"{both[0]} is in include too; remove it from one of them")
    left = len(selection.include) - len(both)
    sample = selection.sample
    if sample is not None and selection.include and sample.size > left:
        yield Fault(
            f"{field}.sample.size",
            f"a sample of {sample.size} cannot be taken from the {left} ids in include",
        )
