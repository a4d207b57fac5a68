"""What a local run shows while it works: a live bar on a terminal, one plain line per result elsewhere."""

from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from benchwarden.report import phrases, table
from benchwarden.report.clean import one_line
from benchwarden.report.summary import FAIL, INFRA, PASS
from benchwarden.results.row import KIND_CHARGE, KIND_VERDICT, Row
from benchwarden_runner.protocol import PASS_CLASSES

if TYPE_CHECKING:
    from benchwarden.planning.plan import Plan
    from benchwarden.reconcile.decision import LaunchBatch


class ProgressLine:
    """Follows a run on standard error; its methods are a `Listener`'s."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("planning", total=None)
        self._done: set[tuple[str, int]] = set()
        self._passed = 0
        self._total = 0
        self._many_trials = False

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def planned(self, plan: "Plan", rows: tuple[Row, ...]) -> None:
        """Show how much there is to do, and how much of it an earlier call has done."""
        self._total = plan.trials
        self._many_trials = any(key.trial for group in plan.groups for key in group)
        self._count(rows)
        batches = "batch" if len(plan.groups) == 1 else "batches"
        self._say(Text(f"{plan.trials} trials in {len(plan.groups)} {batches}"))
        if self._done:
            self._say(Text(f"going on: {len(self._done)} of {plan.trials} have their verdict"))
        self._show()

    def launched(self, action: "LaunchBatch") -> None:
        """Nothing to say: results say enough."""

    def recorded(self, rows: tuple[Row, ...]) -> None:
        """Say each result."""
        for row in rows:
            if row.kind in {KIND_VERDICT, KIND_CHARGE}:
                self._count((row,))
                self._say(self._line(row))
        self._show()

    def told(self, sentence: str, warning: bool) -> None:
        """Say what went wrong with the run as a whole; the rest is in the result."""
        if warning:
            self._say(Text(one_line(sentence), style="yellow"))

    def _count(self, rows: Iterable[Row]) -> None:
        for row in rows:
            key = (row.instance, row.trial)
            if row.kind == KIND_VERDICT and key not in self._done:
                self._done.add(key)
                self._passed += row.outcome in PASS_CLASSES

    def _line(self, row: Row) -> Text:
        group = PASS if row.outcome in PASS_CLASSES else FAIL
        if row.kind == KIND_CHARGE:
            group = INFRA
        name = one_line(row.instance, 200) + (f" #{row.trial + 1}" if self._many_trials else "")
        took = phrases.duration(row.agent_seconds + row.grade_seconds)
        counted = f"{len(self._done)}/{self._total}".rjust(2 * len(str(self._total)) + 1)
        rest = f" {name}  {row.outcome}  {took}"
        if row.reason:
            rest += f"  ({one_line(row.reason, 200)})"
        return Text.assemble(f"{counted} ", table.mark(group), rest)

    def _show(self) -> None:
        description = f"running, {self._passed} passed"
        self._bar.update(
            self._task,
            description=description,
            completed=len(self._done),
            total=self._total or None,
        )

    def _say(self, text: Text) -> None:
        self._bar.console.print(text, soft_wrap=True)
