"""Rules of the suite: paths that stay where they point, selections that do not contradict themselves."""

from collections.abc import Iterator
from typing import Final

from benchwarden.api.semantics.address import address_fault
from benchwarden.api.semantics.fault import Fault
from benchwarden.api.suite import FileSource, Selection, Source, SuiteSpec

_STATEMENT: Final = "{problem_statement}"


def suite_faults(suite: SuiteSpec) -> Iterator[Fault]:
    """Everything wrong with the suite."""
    for field, source in source_fields(suite).items():
        if source is not None:
            yield from _source_faults(field, source)
    yield from _template_faults(suite)
    yield from _selection_faults("spec.suite.selection", suite.selection)


def source_fields(suite: SuiteSpec) -> dict[str, Source | FileSource | None]:
    """Every place that names a source, with the source if it is set."""
    pro = suite.swebench_pro
    return {
        "spec.suite.tasks.source": suite.tasks.source if suite.tasks else None,
        "spec.suite.swebenchPro.source": pro.source if pro else None,
        "spec.suite.swebenchPro.runScripts": pro.run_scripts if pro else None,
        "spec.suite.swebench.source": suite.swebench.source if suite.swebench else None,
    }


def _template_faults(suite: SuiteSpec) -> Iterator[Fault]:
    template = suite.swebench_pro.prompt_template if suite.swebench_pro else None
    if template is not None and _STATEMENT not in template:
        yield Fault(
            "spec.suite.swebenchPro.promptTemplate",
            f"must hold {_STATEMENT}, or the agent is not told what to do",
        )


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
