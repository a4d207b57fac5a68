"""The tables of the docs are written by the benchmark, each in its one place."""

from pathlib import Path

import pytest
from benchmarks import stats

PAGE = Path(__file__).parents[3] / "docs" / "concepts" / "statistics.md"


def test_every_table_of_the_page_comes_from_the_benchmark_and_every_one_is_there() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.count("<!-- bench-stats:") == len(stats.SECTIONS)
    marked = stats.filled(text, dict.fromkeys(stats.SECTIONS, "here"))
    assert marked.count("-->\nhere\n<!-- /bench-stats -->") == len(stats.SECTIONS)
    # What stood there were tables of simulations.
    assert text.count("| --- |") >= len(stats.SECTIONS) > marked.count("| --- |")
    assert stats.filled(marked, dict.fromkeys(stats.SECTIONS, "here")) == marked


def test_a_table_without_a_place_is_an_error() -> None:
    with pytest.raises(ValueError, match="one place for speed, it has 0"):
        stats.filled("# A page", {"speed": "x"})


def test_a_table_is_made_of_what_was_simulated() -> None:
    made = stats.week_test(20, 3)
    sizes = [float(cell) for cell in made.splitlines()[2].split("|")[2:6]]
    assert all(0.0 <= size <= 0.3 for size in sizes[:3])
    assert sizes[3] > max(sizes[:3])
    assert made == stats.week_test(20, 3)
