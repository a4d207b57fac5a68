"""The page of a run shows the days before it: rates with intervals, statistics with threshold, instances."""

from pathlib import Path

import pytest
import typer
from click.testing import Result
from tests.unit.cli_stats.commands import write_rows
from tests.unit.report.builders import summary, verdict
from tests.unit.stats.histories import harder, history
from typer.testing import CliRunner

from benchwarden.cli import report
from benchwarden.report.html import to_html
from benchwarden.results import shards
from benchwarden.scheduling.observed import controlling_schedule


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    report.register(app)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def results(tmp_path: Path) -> Path:
    found = tmp_path / "results.jsonl"
    found.write_bytes(shards.lines([verdict("a"), verdict("b", "unresolved")]))
    return found


def test_a_runs_page_holds_the_three_plots_of_the_history_given(
    results: Path, tmp_path: Path
) -> None:
    days = write_rows(tmp_path / "days.jsonl", history(40, change=harder(30, 60, 1.5)))
    page = tmp_path / "page.html"
    told = run("report", results, "--html", page, "--history", days)
    assert told.exit_code == 0, told.exception
    text = page.read_text()
    assert text.count("<svg") == 3
    for title in ("Pass rate", "Monitor", "Instances by week"):
        assert f"<h2>{title}</h2>" in text
    assert "<script" not in text


def test_without_a_history_the_page_of_a_folder_has_no_plots(results: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert run("report", results, "--html", page).exit_code == 0
    assert "<svg" not in page.read_text()


def test_a_picture_is_put_in_as_it_is_and_its_title_is_escaped() -> None:
    page = to_html(summary(verdict("a")), plots=[("<b>", "<svg id='p'></svg>")])
    assert "<svg id='p'></svg>" in page
    assert "<h2>&lt;b&gt;</h2>" in page


def test_the_schedule_of_a_run_is_its_controller_only() -> None:
    owner = {"kind": "BenchmarkSchedule", "name": "daily", "uid": "u"}
    run_of = {"metadata": {"ownerReferences": [{**owner, "controller": True}]}}
    assert controlling_schedule(run_of) == "daily"
    assert controlling_schedule({"metadata": {"ownerReferences": [owner]}}) == ""
    assert controlling_schedule({"metadata": {}}) == ""
