"""Figures that are kept row by row say what the summary of all rows says, however the scrapes fall."""

from dataclasses import replace
from threading import Thread

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.report.builders import charge, release, summary, verdict

from benchwarden.report.summary import Heading, Summary
from benchwarden.results.row import Row
from benchwarden.results.tally import Tally
from benchwarden.telemetry import catalogue
from benchwarden.telemetry.figures import RunFigures
from benchwarden.telemetry.snapshot import Distribution, RunSample

PLANNED = ("a", "b", "c", "d")

_rows = st.builds(
    lambda name, make, outcome, launch, seconds, cents: make(
        name,
        **({} if make is release else {"outcome": outcome}),
        launch=launch,
        agent_seconds=float(seconds),
        grade_seconds=seconds / 4,
        cost_usd=f"0.{cents:02}",
        input_tokens=seconds,
        output_tokens=cents,
        cache_read_tokens=cents + 1,
        cache_write_tokens=cents + 2,
        finished_at=f"2026-01-01T00:00:{cents:02}Z",
    ),
    st.sampled_from(PLANNED),
    st.sampled_from([verdict, charge, release]),
    st.sampled_from(["resolved", "unresolved", "agent_oom", "image_pull"]),
    st.integers(1, 4),
    st.integers(0, 4000),
    st.integers(0, 59),
)


def taken(figures: RunFigures, tally: Tally) -> RunSample:
    return figures.sample(Heading(run="run"), tally.rows, conflicts=tally.conflicts)


def is_said_by(found: Summary, rows: list[Row], sample: RunSample) -> bool:
    agent = [row.agent_seconds for row in rows if row.agent_seconds > 0]
    grade = [row.grade_seconds for row in rows if row.grade_seconds > 0]
    last = max((row.finished_at for row in rows), default=None)
    return all(
        (
            sample.groups == found.groups,
            tuple(sample.outcomes.items()) == found.outcomes,
            sample.pass_ratio == found.pass_ratio,
            sample.interval == found.interval,
            sample.coverage_ratio == found.coverage_ratio,
            sample.cost_usd == found.cost_usd,
            tuple(sample.tokens.values())
            == (
                found.tokens.input,
                found.tokens.output,
                found.tokens.cache_read,
                found.tokens.cache_write,
            ),
            sample.retries == found.retries,
            sample.conflicts == found.conflicts,
            sample.agent_seconds == Distribution.of(agent, catalogue.RUN_AGENT_SECONDS.buckets),
            sample.grade_seconds == Distribution.of(grade, catalogue.RUN_GRADE_SECONDS.buckets),
            (sample.last_result_at and f"{sample.last_result_at:%Y-%m-%dT%H:%M:%SZ}") == last,
        )
    )


@given(st.lists(st.lists(_rows, max_size=8), max_size=5))
def test_each_scrape_says_what_the_summary_of_all_rows_until_then_says(
    portions: list[list[Row]],
) -> None:
    figures, tally = RunFigures(len(PLANNED)), Tally()
    for portion in [[], *portions]:
        for row in portion:
            tally.add(row)
        found = replace(summary(*tally.rows, planned=PLANNED), conflicts=tally.conflicts)
        assert is_said_by(found, tally.rows, taken(figures, tally))


def test_two_scrapes_at_the_same_time_count_no_row_twice() -> None:
    planned = tuple(f"i{number}" for number in range(3000))
    figures, tally = RunFigures(len(planned)), Tally(verdict(each) for each in planned)
    threads = [Thread(target=lambda: taken(figures, tally)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken(figures, tally).groups["pass"] == len(planned)


def test_a_run_without_trials_has_no_coverage() -> None:
    assert taken(RunFigures(0), Tally()).coverage_ratio == 0.0
