import json
from pathlib import Path

import pytest
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from tests.unit.cli_stats.commands import json_of, run

from benchwarden.errors import InvalidInputError
from benchwarden.names import EXIT_REGRESSED
from benchwarden.stats.comparison import compare, merge_trials
from benchwarden.stats.outcome_files import parse_outcomes

RESULTS = Path(__file__).parents[2] / "data" / "eval_results"
SONNET, GPT, KIMI = (
    RESULTS / f"{name}.json"
    for name in (
        "claude-45sonnet-10132025",
        "gpt-5-250-turns-10132025",
        "kimi-k2-instruct-10132025",
    )
)
KEYS = {
    "n_common", "base_rate", "new_rate", "delta", "delta_ci95", "wilson_base", "wilson_new",
    "mcnemar_exact_p", "mcnemar_midp", "odds_ratio", "discordant", "p_less", "midp_less", "mde80",
    "verdict",
}  # fmt: skip


def test_two_published_runs_compare_as_a_second_computation_says() -> None:
    found = json_of("compare", SONNET, KIMI)
    base, new = json.loads(SONNET.read_text()), json.loads(KIMI.read_text())
    common = sorted(base.keys() & new.keys())
    lost = sum(base[i] and not new[i] for i in common)
    won = sum(new[i] and not base[i] for i in common)
    both = sum(base[i] and new[i] for i in common)
    assert found.keys() >= KEYS
    assert (found["n_common"], found["discordant"]) == (729, [lost, won])
    assert found["base_rate"] == pytest.approx(sum(base[i] for i in common) / 729)
    assert found["new_rate"] == pytest.approx(sum(new[i] for i in common) / 729)
    assert found["delta"] == pytest.approx((won - lost) / 729)
    rows = [[both, won], [lost, 729 - both - won - lost]]
    assert found["mcnemar_exact_p"] == pytest.approx(statsmodels_mcnemar(rows).pvalue, rel=1e-9)
    assert found["p_less"] == pytest.approx(scipy_stats.binom.cdf(won, lost + won, 0.5), rel=1e-9)
    mass = scipy_stats.binom.pmf(won, lost + won, 0.5)
    assert found["midp_less"] == pytest.approx(found["p_less"] - mass / 2, rel=1e-9)
    assert found["odds_ratio"] == pytest.approx(won / lost)
    assert found["mde80"] == pytest.approx(2.486474860 * (lost + won) ** 0.5 / 729, rel=1e-6)
    wilson = scipy_stats.binomtest(sum(new[i] for i in common), 729).proportion_ci(method="wilson")
    assert found["wilson_new"] == pytest.approx([wilson.low, wilson.high], abs=1e-9)
    assert found["verdict"] == "regressed"


def test_swapping_the_sides_turns_worse_into_better() -> None:
    one, two = json_of("compare", SONNET, KIMI), json_of("compare", KIMI, SONNET)
    assert one["delta"] == pytest.approx(-two["delta"])
    assert one["delta_ci95"][0] == pytest.approx(-two["delta_ci95"][1])
    assert (one["verdict"], two["verdict"]) == ("regressed", "improved")


def test_a_run_compared_with_itself_shows_nothing_and_says_what_it_could_have_seen() -> None:
    found = json_of("compare", SONNET, SONNET)
    assert (found["delta"], found["discordant"]) == (0.0, [0, 0])
    assert (found["p_less"], found["midp_less"], found["odds_ratio"]) == (1.0, 0.5, None)
    assert 0 < found["mde80"] < 0.05
    assert found["verdict"] == "ok"


@pytest.mark.parametrize(
    "arguments",
    [(f"{SONNET},{GPT}", str(KIMI)), (str(SONNET), str(KIMI), "--base", str(GPT))],
)
def test_several_files_a_side_add_trials(arguments: tuple[str, ...]) -> None:
    found = json_of("compare", *arguments)
    sides = [json.loads(path.read_text()) for path in (SONNET, GPT, KIMI)]
    common = sorted((sides[0].keys() | sides[1].keys()) & sides[2].keys())
    tables, deltas = [], []
    for i in common:
        base = [int(side[i]) for side in sides[:2] if i in side]
        new = int(sides[2][i])
        deltas.append(new - sum(base) / len(base))
        tables.append([[new, 1 - new], [sum(base), len(base) - sum(base)]])
    assert found["n_common"] == len(common)
    assert found["delta"] == pytest.approx(sum(deltas) / len(deltas))
    expected = StratifiedTable([[list(map(float, row)) for row in table] for table in tables])
    assert found["odds_ratio"] == pytest.approx(expected.oddsratio_pooled)
    assert (found["mcnemar_exact_p"], found["mcnemar_midp"]) == (None, None)
    approximate = scipy_stats.norm.cdf(-(expected.test_null_odds().statistic ** 0.5))
    assert found["midp_less"] == pytest.approx(approximate, abs=1e-3)


def test_the_table_says_the_same_in_words() -> None:
    result = run("compare", SONNET, KIMI)
    assert result.exit_code == 0
    assert "729" in result.stdout
    assert "regressed" in result.stdout
    assert "43." in result.stdout


def test_yaml_is_printed_too() -> None:
    result = run("compare", SONNET, KIMI, "-o", "yaml")
    assert "verdict: regressed" in result.stdout


def test_a_script_can_stop_on_a_regression() -> None:
    assert run("compare", SONNET, KIMI, "--fail-on-regression").exit_code == EXIT_REGRESSED
    assert run("compare", KIMI, SONNET, "--fail-on-regression").exit_code == 0


def test_a_comparison_too_small_to_see_anything_is_inconclusive(tmp_path: Path) -> None:
    base, new = tmp_path / "base.json", tmp_path / "new.json"
    base.write_text('{"a": true, "b": false, "c": true}')
    new.write_text('{"a": true, "b": true, "c": false}')
    assert json_of("compare", base, new)["verdict"] == "inconclusive"
    assert json_of("compare", SONNET, SONNET, "--min-effect", "0.001")["verdict"] == "inconclusive"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty"),
        ("[1, 2]", "expected an object"),
        ('{"a": 1}', "a: expected true or false"),
        ('{"a": true, "a": false}', "the key a comes twice"),
        ('{"results": [{"instance": "a"}]}', r"results\[0\]"),
        ('{"instance": "a", "resolved": true}\nnonsense', "line 2: not JSON"),
        ('{"instance": "a", "resolved": true}\n[]', "line 2: expected an object"),
        ('{"instance": "a", "resolved": true}\n{"resolved": true}', "line 2: needs instance"),
        ('{"instance": "a", "passes": 2, "trials": 1}', "line 1: needs resolved"),
        ("{}", "share no instance"),
    ],
)
def test_a_bad_file_is_refused_with_its_name_and_place(
    tmp_path: Path, content: str, message: str
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(content)
    result = run("compare", SONNET, bad)
    assert isinstance(result.exception, InvalidInputError)
    assert result.exception.args
    with pytest.raises(InvalidInputError, match=message):
        raise result.exception


def test_a_missing_file_no_file_and_binary_content_are_refused(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    for name, message in (
        ("absent.json", "No such file"),
        ("last-night", "No such file; a run of the cluster is run/last-night"),
        (",", "no file"),
        (str(binary), "UTF-8"),
    ):
        result = run("compare", SONNET, name)
        assert isinstance(result.exception, InvalidInputError)
        assert message in str(result.exception)


def test_every_kind_of_result_file_reads_the_same() -> None:
    expected = {"a": (1, 1), "b": (0, 1)}
    report = {
        "results": [
            {"instance": "a", "group": "pass"},
            {"instance": "b", "group": "fail"},
            {"instance": "c", "group": "infra"},
        ]
    }
    harness = {"resolved_ids": ["a"], "unresolved_ids": ["b"], "error_ids": ["c"]}
    lines = '{"instance_id": "a", "resolved": true}\n\n{"instance": "b", "passes": 0, "trials": 1}'
    for text in (
        '{"a": true, "b": false, "c": null}',
        json.dumps(report),
        json.dumps(harness),
        lines,
        "\ufeff" + lines,
    ):
        assert parse_outcomes(text, "file") == expected
    assert parse_outcomes('{"instance": "a", "passes": 1, "trials": 2}', "file") == {"a": (1, 2)}
    empty_patches = {"resolved_ids": ["a"], "empty_patch_ids": ["b"]}
    assert parse_outcomes(json.dumps(empty_patches), "file") == expected


def test_days_of_a_history_file_add_up() -> None:
    lines = "\n".join(
        json.dumps({"day": f"2026-01-0{d}", "instance": "a", "passes": d % 2, "trials": 1})
        for d in (1, 2, 3)
    )
    assert parse_outcomes(lines, "file") == {"a": (2, 3)}


def test_instances_without_a_valid_trial_on_a_side_do_not_count() -> None:
    found = compare({"a": (1, 1), "b": (0, 0)}, {"a": (0, 1), "b": (1, 1)})
    assert found.n_common == 1
    assert merge_trials([{"a": (1, 2)}, {"a": (0, 1), "b": (1, 1)}]) == {"a": (1, 3), "b": (1, 1)}


def test_a_drop_that_could_not_be_seen_is_not_given_in_points(tmp_path: Path) -> None:
    one = tmp_path / "one.json"
    one.write_text('{"a": true}')
    printed = run("compare", one, one).output
    assert "none: too few results" in printed
    assert json_of("compare", one, one)["mde80"] > 1
