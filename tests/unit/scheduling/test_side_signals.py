"""What goes along with the verdicts is shown beside them, and moves no number of the monitor."""

from dataclasses import replace

import pytest
from tests.unit.scheduling.bench import ScheduleBench

from benchwarden.results.cells import RunCells, pack_cells, unpack_cells
from benchwarden.results.signals import packed
from benchwarden.scheduling.observed import RunFact, moment_or_none
from benchwarden.scheduling.rollup import roll_up
from benchwarden.scheduling.side_signals import image_change


class WordyBench(ScheduleBench):
    """Agents take half as many turns again from some day on; one image changes on another."""

    wordier_from, image_from, changed = "2026-03-16", "2026-03-17", ("i03",)

    def _cells(self, run: RunFact, day: str) -> RunCells:
        found = super()._cells(run, day)
        more = 1.5 if day >= self.wordier_from else 1.0
        turns = {
            instance: more * (20.0 + 3.0 * n + ((n * 7 + int(day[-2:]) * 3) % 5))
            for n, instance in enumerate(self.panel)
        }
        fresh = day >= self.image_from
        images = tuple(
            "b" * 12 if fresh and instance in self.changed else "a" * 12 for instance in self.panel
        )
        return replace(found, signals=packed({"turns": turns}, self.panel), images=images)


@pytest.fixture(scope="module")
def bench() -> ScheduleBench:
    return WordyBench().days(22)


def test_a_week_of_more_turns_is_told_beside_the_monitor_and_does_not_move_it(
    bench: ScheduleBench,
) -> None:
    plain = ScheduleBench().days(22)
    assert bench.evaluation().document == plain.evaluation().document
    (signal,) = bench.evaluation().signals
    assert signal.name == "turns"
    assert signal.interval.lower < 1.5 < signal.interval.upper
    assert signal.p_value < 1e-6
    (text,) = bench.status["monitor"]["signals"]
    assert text.startswith("turns x1.")
    assert text.endswith("20 instances")
    assert plain.status["monitor"]["signals"] == []


def test_an_image_that_changed_since_the_baseline_is_named_with_its_day(
    bench: ScheduleBench,
) -> None:
    told = "1 image changed since the baseline: i03 on 2026-03-17"
    assert bench.status["monitor"]["imageChange"] == told


def test_a_page_says_which_images_changed() -> None:
    bench = WordyBench(instances=40, outcome=lambda _s, day, _n: 0.8 if day < "2026-03-16" else 0.3)
    bench.days(24)
    assert bench.status["monitor"]["alarmDay"]
    assert "1 image changed since the baseline" in bench.condition("Degraded")["message"]


def test_images_that_came_back_or_were_never_known_are_no_change() -> None:
    def day(number: int, *images: str) -> RunCells:
        return RunCells(
            f"r{number}", f"u{number}", f"2026-03-{number:02d}T03:00:00Z", f"2026-03-{number:02d}",
            "latest", instances=("a", "b", "c", "d"), passes=(0,) * 4, trials=(1,) * 4, images=images,
        )  # fmt: skip

    frozen = moment_or_none("2026-03-02T00:00:00Z")
    assert frozen is not None
    runs = [day(1, "1", "1", "", "1"), day(2, "2", "1", "", "1"), day(3, "2", "9", "5", "")]
    assert image_change(runs, frozen.date()).endswith("b on 2026-03-03")
    assert image_change([*runs, day(4, "2", "1", "5", "1")], frozen.date()) == ""
    assert image_change([*runs, day(4)], frozen.date()) != ""
    many = image_change([*runs, day(4, "3", "9", "6", "7")], frozen.date())
    assert many.startswith("4 images changed")
    assert many.endswith("and 1 more")


def test_a_run_leaves_its_images_and_signals_in_the_history() -> None:
    from tests.unit.report.builders import verdict

    from benchwarden.planning.plan import TrialKey

    class Panel:
        groups = ((TrialKey("a", 0), TrialKey("b", 0), TrialKey("c", 0)),)
        panel_digest = "p" * 64
        agent = ()

    slot = moment_or_none("2026-03-01T03:00:00Z")
    assert slot is not None
    rows = [
        verdict("a", turns=7, agent_image_id=f"docker.io/x@sha256:{'1' * 64}"),
        verdict("b", turns=9, agent_image_id="x:latest"),
    ]
    entry = roll_up(RunFact("r", "u", slot, "latest"), "2026-03-01", Panel(), rows, "i")  # type: ignore[arg-type]  # rows of the builder
    assert entry.images == ("1" * 12, "", "")
    (again,) = unpack_cells(pack_cells([entry]))
    assert again == entry
    assert len(entry.signals) == 2 * 4 * 3
