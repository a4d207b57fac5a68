import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import mcnemar as statsmodels_mcnemar
from tests.unit.stats.vectors import all_vectors, check, vector_ids

from benchwarden.stats.paired import (
    PairedTable,
    compare_paired,
    correlation,
    mcnemar,
    newcombe_paired,
    paired_table,
)

RESULTS = Path(__file__).parents[2] / "data" / "eval_results"
TABLES = st.builds(PairedTable, *[st.integers(0, 60)] * 4)


def table_of(name: str) -> PairedTable:
    (both, new_only), (base_only, neither) = all_vectors()[name]["inputs"]["table"]
    return PairedTable(both, new_only, base_only, neither)


@pytest.mark.parametrize("name", vector_ids("mcnemar-"))
def test_mcnemar_matches_the_vectors(name: str) -> None:
    found = mcnemar(table_of(name))
    check(
        name,
        {
            "p_exact": found.p_exact,
            "p_mid": found.p_mid,
            "p_exact_one_sided": min(found.p_less, found.p_greater),
            "chi2_cc": found.chi2_corrected,
            "p_cc": found.p_corrected,
        },
    )


@pytest.mark.parametrize("name", vector_ids("newcombe-paired-"))
def test_newcombe_paired_matches_the_vectors(name: str) -> None:
    table = table_of(name)
    found = newcombe_paired(table)
    delta = (table.new_only - table.base_only) / table.pairs
    check(name, {"diff": delta, "phi": correlation(table), "ci": [found.lower, found.upper]})


@given(TABLES)
def test_mcnemar_agrees_with_statsmodels_and_scipy(table: PairedTable) -> None:
    found = mcnemar(table)
    discordant = table.new_only + table.base_only
    if discordant:
        rows = [[table.both, table.new_only], [table.base_only, table.neither]]
        expected = statsmodels_mcnemar(rows, exact=True).pvalue
        assert found.p_exact == pytest.approx(min(1.0, expected), rel=1e-9)
        less = scipy_stats.binomtest(table.new_only, discordant, alternative="less")
        assert found.p_less == pytest.approx(less.pvalue, rel=1e-9)
    else:
        assert (found.p_exact, found.p_mid, found.p_less, found.midp_less) == (1, 1, 1, 0.5)


@given(TABLES)
def test_swapping_the_sides_swaps_the_tails_and_mirrors_the_interval(table: PairedTable) -> None:
    swapped = PairedTable(table.both, table.base_only, table.new_only, table.neither)
    one, two = mcnemar(table), mcnemar(swapped)
    assert one.p_less == pytest.approx(two.p_greater)
    assert one.midp_less == pytest.approx(two.midp_greater)
    assert one.midp_less + one.midp_greater == pytest.approx(1.0)
    assert one.p_exact == pytest.approx(two.p_exact)
    interval, mirrored = newcombe_paired(table), newcombe_paired(swapped)
    assert interval.lower == pytest.approx(-mirrored.upper, abs=1e-12)


@given(TABLES)
def test_the_paired_interval_contains_the_difference(table: PairedTable) -> None:
    interval = newcombe_paired(table)
    delta = (table.new_only - table.base_only) / table.pairs if table.pairs else 0.0
    assert -1.0 <= interval.lower <= delta + 1e-12
    assert delta - 1e-12 <= interval.upper <= 1.0


def test_the_midp_is_close_to_its_level_and_the_exact_p_never_above_it() -> None:
    discordant = 40
    exact_size = midp_size = 0.0
    for new_only in range(discordant + 1):
        found = mcnemar(PairedTable(0, new_only, discordant - new_only, 0))
        mass = float(scipy_stats.binom.pmf(new_only, discordant, 0.5))
        exact_size += mass * (found.p_less <= 0.05)
        midp_size += mass * (found.midp_less <= 0.05)
    assert exact_size <= 0.05
    assert exact_size <= midp_size <= 0.07


def test_only_shared_instances_count() -> None:
    table = paired_table({"a": True, "b": False, "c": True}, {"a": False, "b": False, "d": True})
    assert table == PairedTable(both=0, new_only=0, base_only=1, neither=1)


def test_a_worse_new_side_has_a_small_one_sided_p() -> None:
    base = {str(i): True for i in range(30)}
    new = {str(i): i >= 10 for i in range(30)}
    found = compare_paired(base, new)
    assert found.delta == pytest.approx(-1 / 3)
    assert found.tests.p_less == pytest.approx(0.5**10)
    assert found.odds_ratio == 0.0
    assert found.delta_interval.upper < 0


def test_the_odds_ratio_is_unknown_when_only_new_won() -> None:
    found = compare_paired({"a": False, "b": True}, {"a": True, "b": True})
    assert found.odds_ratio is None


def test_sides_that_share_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="share no instance"):
        compare_paired({"a": True}, {"b": True})


def test_published_runs_compare_to_the_counts_of_a_second_count() -> None:
    sides = {path.stem: json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))}
    assert len(sides) == 3
    for (_, base), (_, new) in itertools.permutations(sides.items(), 2):
        common = sorted(set(base) & set(new))
        found = compare_paired(base, new)
        lost = sum(base[i] and not new[i] for i in common)
        won = sum(new[i] and not base[i] for i in common)
        assert (found.table.base_only, found.table.new_only) == (lost, won)
        assert found.tests.p_less == pytest.approx(
            scipy_stats.binom.cdf(won, lost + won, 0.5), rel=1e-9
        )
