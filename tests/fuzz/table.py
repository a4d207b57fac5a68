"""All targets: what each one is, which parsers it is for, and its share of a campaign."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import result_targets, runner_targets, spec_targets, tree_target

CORPUS = Path(__file__).parent / "corpus"


@dataclass(frozen=True)
class Target:
    """One function that takes any bytes and raises only if a promise is broken.

    Attributes:
        share: of a campaign's executions, beside the others'.
        parsers: modules whose branches it must reach.
        most_bytes: the largest input that is tried.
    """

    run: Callable[[bytes], None]
    share: float
    parsers: tuple[str, ...]
    most_bytes: int = 4096

    @property
    def name(self) -> str:
        return self.run.__name__

    def corpus(self) -> list[Path]:
        return sorted(path for path in (CORPUS / self.name).glob("*") if path.is_file())


TARGETS = {
    target.name: target
    for target in (
        Target(
            spec_targets.run_spec,
            80,
            ("benchwarden/api/parse.py", "benchwarden/api/semantics/check.py"),
            8192,
        ),
        Target(spec_targets.schedule_spec, 50, ("benchwarden/api/parse.py",), 8192),
        Target(spec_targets.run_file, 10, ("benchwarden/local/runfile.py",)),
        Target(
            spec_targets.task_rows,
            100,
            (
                "benchwarden/suites/rows.py",
                "benchwarden/suites/schema.py",
                "benchwarden/suites/tasks.py",
            ),
        ),
        Target(
            spec_targets.dataset_rows,
            60,
            (
                "benchwarden/suites/columns.py",
                "benchwarden/suites/swebench.py",
                "benchwarden/suites/swebench_pro.py",
            ),
        ),
        Target(spec_targets.script_archives, 30, ("benchwarden/suites/run_scripts.py",), 16384),
        Target(
            result_targets.result_shards,
            100,
            ("benchwarden/results/shards.py", "benchwarden/results/base.py"),
        ),
        Target(result_targets.daily_cells, 80, ("benchwarden/results/cells.py",)),
        Target(result_targets.plans, 40, ("benchwarden/manifests/plan_object.py",)),
        Target(result_targets.observed, 100, ("benchwarden/kube/projection.py",)),
        Target(
            result_targets.result_files,
            80,
            ("benchwarden/stats/history_file.py", "benchwarden/stats/outcome_files.py"),
        ),
        Target(runner_targets.messages, 120, ("benchwarden_runner/protocol.py",), 8192),
        Target(runner_targets.specs, 50, ("benchwarden_runner/specs.py",)),
        Target(runner_targets.archives, 10, ("benchwarden_runner/inputs.py",), 16384),
        Target(
            runner_targets.claude_stream,
            70,
            (
                "benchwarden_runner/agents/claude_outcome.py",
                "benchwarden_runner/agents/claude_stream.py",
                "benchwarden_runner/agents/claude_usage.py",
            ),
        ),
        Target(
            runner_targets.reports,
            60,
            (
                "benchwarden_runner/grading/results.py",
                "benchwarden_runner/grading/results_tap.py",
                "benchwarden_runner/grading/results_junit.py",
            ),
        ),
        Target(runner_targets.patches, 30, ("benchwarden_runner/grading/attempts.py",)),
        Target(runner_targets.hostile_trees, 4, ("benchwarden_runner/safe_files.py",), 512),
        Target(
            tree_target.patched_trees, 0.3, ("benchwarden_runner/grading/patched_tree.py",), 2048
        ),
    )
}
