import json
from pathlib import Path

import pytest
from tests.unit.cli_stats.commands import json_of, run, write_rows
from tests.unit.stats.histories import broken, day, harder, history

from benchwarden.errors import InvalidInputError
from benchwarden.names import EXIT_REGRESSED
from benchwarden.stats.history_file import parse_history

WINDOW_KEYS = {"pass_rate", "wilson", "expected", "delta", "delta_ci", "midp_less", "holm", "mde"}
DAY_KEYS = {"day", "capability", "breakage", "improvement", "evidence_log10", "gate"}


@pytest.fixture
def quiet(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "quiet.jsonl", history(45))


@pytest.fixture
def sick(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "sick.jsonl", history(40, change=broken(30, 60, 0.5), seed=2))


def test_the_document_has_the_promised_keys(quiet: Path) -> None:
    found = json_of("analyze", quiet)
    assert found["baseline"].keys() >= {"days", "digest", "pass_rate", "trials"}
    assert found["windows"].keys() == {"1", "7", "30"}
    for window in found["windows"].values():
        assert window.keys() >= WINDOW_KEYS
    monitor = found["monitor"]
    assert monitor.keys() >= {"state", "threshold", "phi", "changepoint", "days"}
    assert all(entry.keys() >= DAY_KEYS for entry in monitor["days"])
    assert len(monitor["days"]) == 31
    assert (found["baseline"]["days"], found["baseline"]["trials"]) == (14, 420)


def test_the_same_history_gives_the_same_bytes_in_any_order(quiet: Path, tmp_path: Path) -> None:
    shuffled = tmp_path / "shuffled.jsonl"
    shuffled.write_text("\n".join(reversed(quiet.read_text().splitlines())) + "\n\n")
    one = run("analyze", quiet, "-o", "json").stdout
    assert one == run("analyze", shuffled, "-o", "json").stdout
    assert one == run("analyze", "-", "-o", "json", stdin=quiet.read_text()).stdout


def test_a_sick_history_pages_and_names_its_change_point(sick: Path) -> None:
    found = json_of("analyze", sick)
    assert found["monitor"]["state"] in {"degraded", "confirmed"}
    assert abs(int(found["monitor"]["changepoint"][-2:]) - 31) <= 2
    assert found["windows"]["7"]["verdict"] == "regressed"
    assert found["flipped"][0]["delta"] < 0
    assert run("analyze", sick, "--fail-on-regression").exit_code == EXIT_REGRESSED


def test_before_the_baseline_is_full_the_state_says_how_far_it_is(tmp_path: Path) -> None:
    short = write_rows(tmp_path / "short.jsonl", history(5))
    found = json_of("analyze", short)
    assert found["monitor"]["state"] == "baseline_collecting"
    assert (found["baseline"]["days"], found["baseline"]["digest"]) == (5, None)
    assert found["windows"]["7"]["pass_rate"] is None
    assert found["baseline"]["wilson"][0] < found["baseline"]["pass_rate"]
    assert "baseline_collecting 5/14" in run("analyze", short).stdout


def test_a_baseline_that_cannot_freeze_says_so(tmp_path: Path) -> None:
    rows = history(40, trials=lambda d, i: 0 if i % 4 == 0 and d > 3 else 1)
    found = json_of("analyze", write_rows(tmp_path / "sparse.jsonl", rows), "--baseline-days", "10")
    assert found["monitor"]["state"] == "baseline_impossible"
    assert "valid trials" in found["baseline"]["problem"]


def test_the_table_shows_windows_monitor_and_what_changed(sick: Path) -> None:
    text = run("analyze", sick).stdout
    for piece in ("baseline", "30 d", "monitor", "change put at", "changed most", "regressed"):
        assert piece in text


def test_options_reach_the_analysis(quiet: Path, tmp_path: Path) -> None:
    rarer = json_of("analyze", quiet, "--arl", "3650")["monitor"]["threshold"]
    assert rarer > json_of("analyze", quiet)["monitor"]["threshold"]
    assert json_of("analyze", quiet, "--baseline-days", "21")["baseline"]["days"] == 21
    strict = json_of("analyze", quiet, "--min-effect", "0.001")
    assert {w["verdict"] for w in strict["windows"].values()} == {"inconclusive"}
    late = json_of("analyze", quiet, "--start", day(10).isoformat())
    assert late["baseline"]["first_day"] == day(10).isoformat()
    assert late["ignored"]["before_first_day"] == 300
    voided = json_of("analyze", quiet, "--void", day(3).isoformat())
    assert voided["baseline"]["frozen_on"] == day(14).isoformat()
    panel = tmp_path / "panel.txt"
    panel.write_text("".join(f"i{n:03d}\n" for n in range(20)))
    assert json_of("analyze", quiet, "--panel", panel)["baseline"]["instances"] == 20
    assert json_of("analyze", quiet, "--trials", "2")["baseline"]["trials_per_instance"] == 2


def test_the_end_of_data_moves_the_windows(quiet: Path) -> None:
    found = json_of("analyze", quiet, "--until", day(46).isoformat())
    assert found["windows"]["1"]["pass_rate"] is None
    assert found["windows"]["7"]["days_present"] == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('{"day": "2026-01-01", "instance": "a"}', "line 2: needs day"),
        ("[]", "line 2: needs day"),
        ("{", "line 2: not JSON"),
        ('{"day": "2026-1-1", "instance": "a", "passes": 0, "trials": 1}', "line 2: day must be"),
        ('{"day": "2026-02-30", "instance": "a", "passes": 0, "trials": 1}', "line 2: day must be"),
        ('{"day": 5, "instance": "a", "passes": 0, "trials": 1}', "line 2: day must be text"),
        (
            '{"day": "2026-01-01", "instance": 3, "passes": 0, "trials": 1}',
            "line 2: needs text for instance",
        ),
        ('{"day": "2026-01-01", "instance": "a", "passes": true, "trials": 1}', "line 2: needs"),
        ('{"day": "2026-01-01", "instance": "a", "passes": 2, "trials": 1}', "line 2: passes"),
        ('{"day": "2026-01-01", "instance": "b", "passes": 0, "trials": 1}', r"\(lines 1, 2\)"),
        (
            '{"day": "2026-01-01", "instance": "a", "passes": 0, "trials": 1000001}',
            "line 2: trials must be at most 1000000",
        ),
        (
            f'{{"day": "2026-01-01", "instance": "a", "passes": 0, "trials": 1{"0" * 400}}}',
            "line 2: trials must be at most 1000000, got 10000",
        ),
        (
            f'{{"day": "2026-01-01", "instance": "a", "passes": 1{"0" * 30}, "trials": 1}}',
            "line 2: passes must be within",
        ),
        (
            '{"day": "9999-12-31", "instance": "a", "passes": 0, "trials": 1}',
            "line 2: day must lie in 1900 to 2999",
        ),
    ],
)
def test_a_bad_line_is_refused_by_file_and_number(
    tmp_path: Path, change: str, message: str
) -> None:
    good = '{"day": "2026-01-01", "instance": "b", "passes": 1, "trials": 1}'
    bad = tmp_path / "bad.jsonl"
    bad.write_text(f"{good}\n{change}\n")
    result = run("analyze", bad)
    assert isinstance(result.exception, InvalidInputError)
    assert str(result.exception).startswith(f"{bad}: ")
    with pytest.raises(InvalidInputError, match=message):
        raise result.exception


def test_a_day_from_the_future_and_an_unreadable_date_are_refused(quiet: Path) -> None:
    for arguments, message in (
        (("--until", "2026-01-20"), "lies after the end of data"),
        (("--until", "soon"), "expected a date"),
    ):
        result = run("analyze", quiet, *arguments)
        assert isinstance(result.exception, InvalidInputError)
        assert message in str(result.exception)


def test_a_history_from_standard_input_is_called_so_in_errors() -> None:
    result = run("analyze", "-", stdin="[]\n")
    assert str(result.exception).startswith("standard input: line 1: needs day")


def test_a_panel_file_that_names_nobody_is_refused(quiet: Path, tmp_path: Path) -> None:
    panel = tmp_path / "panel.txt"
    panel.write_text("\n \n")
    result = run("analyze", quiet, "--panel", panel)
    assert isinstance(result.exception, InvalidInputError)
    assert str(result.exception) == f"--panel: {panel} names no instance"


def test_a_name_may_hold_what_only_typography_takes_for_the_end_of_a_line() -> None:
    odd = "a\u2028b\x85c"
    row = {"day": "2026-01-01", "instance": odd, "passes": 1, "trials": 1}
    columns = parse_history(json.dumps(row, ensure_ascii=False) + "\r\n" + json.dumps(row))
    assert (columns.instances, list(columns.lines)) == ([odd, odd], [1, 2])


def test_two_objects_on_one_line_are_refused() -> None:
    good = '{"day": "2026-01-01", "instance": "b", "passes": 1, "trials": 1}'
    with pytest.raises(InvalidInputError, match="line 1: not JSON"):
        parse_history(f"{good}, {good}\n")


def test_further_keys_and_empty_lines_do_no_harm() -> None:
    good = '{"day": "2026-01-01", "instance": "b", "passes": 1, "trials": 1, "note": [1]}'
    columns = parse_history(f"\ufeff\n{good}\n\n")
    assert (list(columns.lines), columns.instances) == ([2], ["b"])


def test_a_mistake_far_down_a_long_file_is_still_named_by_its_line() -> None:
    rows = [
        json.dumps({"day": "2026-01-01", "instance": f"i{n}", "passes": 0, "trials": 1})
        for n in range(12_000)
    ]
    rows[11_000] = rows[11_000][:-1]
    with pytest.raises(InvalidInputError, match="line 11001: not JSON"):
        parse_history("\n".join(rows))
    rows[11_000] = '{"day": "2026-01-01", "instance": null, "passes": 0, "trials": 1}'
    with pytest.raises(InvalidInputError, match="line 11001: needs text"):
        parse_history("\n".join(rows))


def test_the_report_is_one_page_with_plots_and_escaped_names(tmp_path: Path) -> None:
    rows = history(40, change=harder(30, 60, 1.5))
    for row in rows:
        row["instance"] = f"<b>&{row['instance']}"
    page = tmp_path / "report.html"
    result = run("analyze", write_rows(tmp_path / "h.jsonl", rows), "--report", page)
    assert result.exit_code == 0, result.exception
    text = page.read_text()
    assert text.count("<svg") == 3
    assert "<b>" not in text
    assert "&lt;b&gt;" in text
    assert "http-equiv" not in text
    again = tmp_path / "again.html"
    run("analyze", tmp_path / "h.jsonl", "--report", again)
    assert again.read_text() == text


def test_a_report_without_a_frozen_baseline_has_no_plots(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    result = run("analyze", write_rows(tmp_path / "h.jsonl", history(4)), "--report", page)
    assert result.exit_code == 0
    assert "baseline_collecting" in page.read_text()
    assert "<svg" not in page.read_text()


def test_a_report_that_cannot_be_written_is_refused(quiet: Path, tmp_path: Path) -> None:
    result = run("analyze", quiet, "--report", tmp_path / "absent" / "page.html")
    assert isinstance(result.exception, InvalidInputError)


def test_every_number_is_finite_json(sick: Path) -> None:
    text = run("analyze", sick, "-o", "json").stdout
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
