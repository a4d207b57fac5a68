import json
from pathlib import Path

import pytest
from tests.unit.cli_stats.commands import json_of, run, write_rows

from benchwarden.errors import InvalidInputError
from benchwarden.stats.panel_choice import choose_panel


def test_power_repeats_the_published_sizes() -> None:
    found = json_of("power", "--baseline-days", "20")
    assert found["mde"]["1"] == pytest.approx(0.11308678)
    assert found["mde"]["30"] == pytest.approx(0.03185859)
    assert found["days_needed"] == 7
    assert 6 < found["expected_delay_days"] < 10


def test_more_of_anything_sees_more() -> None:
    base = json_of("power")
    wider = json_of("power", "--instances", "100")
    deeper = json_of("power", "--trials", "3")
    for better in (wider, deeper):
        assert better["mde"]["7"] < base["mde"]["7"]
        assert better["expected_delay_days"] < base["expected_delay_days"]
    assert wider["runs_per_day"] == 100


def test_a_drop_too_small_is_said_to_be_too_small() -> None:
    found = json_of("power", "--effect", "0.005")
    assert (found["days_needed"], found["expected_delay_days"]) == (None, None)
    text = run("power", "--effect", "0.005").stdout
    assert "baseline is too short" in text
    assert "unbounded" in text


def test_noise_is_estimated_from_repeats(tmp_path: Path) -> None:
    names = []
    for trial in range(4):
        name = tmp_path / f"{trial}.json"
        name.write_text(json.dumps({f"i{i}": (i * 7 + trial) % 4 < i % 5 for i in range(60)}))
        names.append(str(name))
    found = json_of("power", "--from", ",".join(names))
    assert found["within_variance_source"] == "estimated from results"
    assert 0.05 < found["within_variance"] < 0.25
    result = run("power", "--from", names[0])
    assert isinstance(result.exception, InvalidInputError)


def screen(tmp_path: Path) -> Path:
    rows = [{"instance": f"i{n:03d}", "passes": n % 5, "trials": 4} for n in range(200)]
    return write_rows(tmp_path / "screen.jsonl", rows)


def test_a_mixed_panel_has_informative_instances_and_sentinels(tmp_path: Path) -> None:
    found = json_of("panel", screen(tmp_path))
    assert (len(found["informative"]), len(found["sentinels"]), found["others"]) == (37, 13, [])
    assert all(int(name[1:]) % 5 in {1, 2, 3} for name in found["informative"])
    assert all(int(name[1:]) % 5 == 4 for name in found["sentinels"])
    assert found["panel"] == sorted(found["panel"])
    assert len(set(found["panel"])) == 50
    assert any("baseline" in note for note in found["notes"])


def test_the_most_mixed_instances_come_first_and_of_equals_those_that_pass_more_often() -> None:
    counts = {f"i{n:03d}": (n % 5, 4) for n in range(100)}
    chosen = choose_panel(counts, 40, 10)
    passed = sorted(counts[name][0] for name in chosen.informative)
    assert passed == [2] * 20 + [3] * 10
    uneven = choose_panel({"a": (1, 2), "b": (4, 9), "c": (1, 5), "d": (3, 4)}, 2, 0)
    assert uneven.informative == ("a", "b")


def test_the_choice_depends_on_the_seed_and_not_on_the_order_of_rows(tmp_path: Path) -> None:
    one = screen(tmp_path)
    two = tmp_path / "reversed.jsonl"
    two.write_text("\n".join(reversed(one.read_text().splitlines())))
    assert json_of("panel", one) == json_of("panel", two)
    assert json_of("panel", one) != json_of("panel", one, "--seed", "other")


def test_the_panels_expected_noise_is_shrunken_below_its_own_screen() -> None:
    counts = {f"i{n:03d}": (n % 5, 4) for n in range(200)}
    choice = choose_panel(counts)
    raw = [counts[name] for name in choice.panel]
    apparent = sum(s * (k - s) / (k * (k - 1)) for s, k in raw) / len(raw)
    assert choice.within_variance < apparent


def test_a_screen_with_too_little_of_a_kind_is_filled_up_and_says_so() -> None:
    few_mixed = {f"i{n:02d}": (2 if n < 10 else 4 if n < 30 else 0, 4) for n in range(60)}
    choice = choose_panel(few_mixed, 50)
    assert (len(choice.informative), len(choice.sentinels), len(choice.others)) == (10, 20, 20)
    assert any("Only 10" in note for note in choice.notes)
    few_always = {f"i{n:02d}": (2 if n < 55 else 4, 4) for n in range(60)}
    choice = choose_panel(few_always, 50)
    assert (len(choice.informative), len(choice.sentinels)) == (45, 5)
    assert any("Only 5" in note for note in choice.notes)


def test_a_screen_that_cannot_fill_a_panel_is_refused(tmp_path: Path) -> None:
    for arguments in (("--size", "201"), ("--sentinels", "51")):
        result = run("panel", screen(tmp_path), *arguments)
        assert isinstance(result.exception, InvalidInputError)


def test_the_panel_table_names_kinds(tmp_path: Path) -> None:
    text = run("panel", screen(tmp_path), "--size", "10").stdout
    assert text.count("sentinel") == 3
    assert text.count("informative") >= 7


def test_a_simulation_is_reproducible_and_prints_both_rules() -> None:
    arguments = ("simulate", "--panels", "40", "--effect", "0.1", "--panel", "mixed")
    found = json_of(*arguments)
    assert found == json_of(*arguments)
    assert found != json_of(*arguments, "--seed", "2")
    assert found["monitor"]["delay_median"] <= 5
    assert found["marginlab"]["false_episodes_per_year"] > found["monitor"]["first_page_rate"]
    assert found["runs_per_day"] == 50
    text = run(*arguments).stdout
    assert "pooled p < 0.05" in text
    assert "delay, median" in text


def test_a_simulation_without_an_effect_has_no_delays() -> None:
    found = json_of("simulate", "--panels", "20", "--effect", "0", "--missing", "0.05")
    assert found["monitor"]["delay_median"] is None
    assert found["base_runs_per_day"] == pytest.approx(47.5)
    assert "not reached" in run("simulate", "--panels", "20", "--effect", "0").stdout
