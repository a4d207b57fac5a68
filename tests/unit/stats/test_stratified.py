import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.contingency_tables import StratifiedTable
from tests.unit.stats.vectors import all_vectors, check, vector_ids

from benchwarden.stats import stratified
from benchwarden.stats.difference import panel_difference, sign_flip_test
from benchwarden.stats.mantel_haenszel import cmh, odds_ratio
from benchwarden.stats.paired import PairedTable, mcnemar
from benchwarden.stats.stratified import PanelCounts, stratified_test, total_masses

ROW = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6), st.integers(0, 6)).map(
    lambda r: (min(r[0], r[1]), max(r[0], r[1]), min(r[2], r[3]), max(r[2], r[3]))
)
PANELS = st.lists(ROW, min_size=1, max_size=8)
Rows = list[tuple[int, int, int, int]]


def counts_of_rows(rows: Rows) -> PanelCounts:
    return PanelCounts.of(*np.array(rows).T)


def counts_of_tables(name: str) -> PanelCounts:
    rows = [(a, a + b, c, c + d) for (a, b), (c, d) in all_vectors()[name]["inputs"]["tables"]]
    return counts_of_rows(rows)


def counts_of_window(name: str) -> PanelCounts:
    given_ = all_vectors()[name]["inputs"]
    keys = ("window_passes", "window_trials", "baseline_passes", "baseline_trials")
    return PanelCounts.of(*(given_[key] for key in keys))


def exact_masses(rows: Rows) -> dict[int, Fraction]:
    """Second implementation: exact fractions, no trimming, no sorting."""
    total = {0: Fraction(1)}
    for x, w, s, b in rows:
        if not w or not b:
            continue
        step = {
            k: Fraction(math.comb(x + s, k) * math.comb(w + b - x - s, w - k), math.comb(w + b, w))
            for k in range(max(0, x + s - b), min(w, x + s) + 1)
        }
        added: dict[int, Fraction] = {}
        for (t, p), (k, q) in itertools.product(total.items(), step.items()):
            added[t + k] = added.get(t + k, Fraction(0)) + p * q
        total = added
    return total


def test_the_window_test_matches_its_vector() -> None:
    counts = counts_of_window("window-vs-baseline-10x7")
    found, ratio = stratified_test(counts), odds_ratio(counts)
    assert ratio.interval is not None
    check(
        "window-vs-baseline-10x7",
        {
            "p_less": found.p_less,
            "p_mid_less": found.midp_less,
            "p_greater": found.p_greater,
            "cmh_z": cmh(counts).z,
            "mh_or": ratio.estimate,
            "or_ci": [ratio.interval.lower, ratio.interval.upper],
        },
    )


def test_the_exact_stratified_test_matches_the_rabbits() -> None:
    found = stratified_test(counts_of_tables("cmh-exact-rabbits"))
    check(
        "cmh-exact-rabbits",
        {
            "p_less": found.p_less,
            "p_greater": found.p_greater,
            "p_mid_less": found.midp_less,
            "p_two_sided": found.p_two_sided,
        },
    )


@pytest.mark.parametrize("name", vector_ids("cmh-cc-", "cmh-nocc-"))
def test_cmh_and_the_odds_ratio_match_the_vectors(name: str) -> None:
    counts = counts_of_tables(name)
    found, ratio = cmh(counts, corrected="-cc-" in name), odds_ratio(counts)
    assert ratio.interval is not None
    check(
        name,
        {
            "chi2": found.chi2,
            "p": found.p_two_sided,
            "z_signed": found.z,
            "mh_or": ratio.estimate,
            "or_ci": [ratio.interval.lower, ratio.interval.upper],
        },
    )


@settings(max_examples=60)
@given(PANELS)
def test_the_window_test_agrees_with_exact_fractions(rows: Rows) -> None:
    masses = exact_masses(rows)
    observed = sum(x for x, w, _, b in rows if w and b)
    less = sum(p for t, p in masses.items() if t <= observed)
    found = stratified_test(counts_of_rows(rows))
    assert found.p_less == pytest.approx(float(less), abs=1e-12)
    assert found.midp_less == pytest.approx(float(less - masses[observed] / 2), abs=1e-12)
    greater = sum(p for t, p in masses.items() if t >= observed)
    assert found.p_greater == pytest.approx(float(greater), abs=1e-12)


@given(PANELS, st.randoms(use_true_random=False))
def test_the_order_of_instances_changes_no_digit(rows: Rows, random) -> None:
    shuffled = random.sample(rows, len(rows))
    one, two = counts_of_rows(rows), counts_of_rows(shuffled)
    assert stratified_test(one) == stratified_test(two)
    assert panel_difference(one) == panel_difference(two)
    assert odds_ratio(one) == odds_ratio(two)
    assert cmh(one) == cmh(two)


@given(PANELS)
def test_swapping_the_sides_swaps_the_tails(rows: Rows) -> None:
    swapped = [(s, b, x, w) for x, w, s, b in rows]
    one = stratified_test(counts_of_rows(rows))
    two = stratified_test(counts_of_rows(swapped))
    assert one.p_less == pytest.approx(two.p_greater, abs=1e-12)
    assert one.midp_less + one.midp_greater == pytest.approx(1.0)


@given(PANELS, st.integers(0, 7))
def test_one_more_pass_never_looks_worse(rows: Rows, position: int) -> None:
    x, w, s, b = rows[position % len(rows)]
    if x == w:
        return
    better = [*rows]
    better[position % len(rows)] = (x + 1, w, s, b)
    fewer = stratified_test(counts_of_rows(rows))
    more = stratified_test(counts_of_rows(better))
    assert fewer.p_less <= more.p_less + 1e-12


@settings(max_examples=40)
@given(PANELS, st.sampled_from([0.05, 0.2]))
def test_under_the_null_the_exact_p_is_conservative(rows: Rows, level: float) -> None:
    """Given the totals the null distribution is known, so the size needs no simulation."""
    lowest, masses = total_masses(counts_of_rows(rows).shared())
    cumulative = np.cumsum(masses)
    assert lowest >= 0
    assert cumulative[-1] == pytest.approx(1.0)
    assert masses[cumulative <= level].sum() <= level + 1e-12


@given(st.tuples(*[st.integers(0, 30)] * 4))
def test_with_one_trial_a_side_it_is_mcnemars_test(cells: tuple[int, int, int, int]) -> None:
    table = PairedTable(*cells)
    outcomes = [(1, 1)] * cells[0] + [(1, 0)] * cells[1] + [(0, 1)] * cells[2] + [(0, 0)] * cells[3]
    new, base = zip(*outcomes, strict=True) if outcomes else ((0,), (0,))
    found, expected = stratified_test(PanelCounts.of(new, 1, base, 1)), mcnemar(table)
    assert found.p_less == pytest.approx(expected.p_less, abs=1e-12)
    assert found.midp_less == pytest.approx(expected.midp_less, abs=1e-12)
    assert found.p_two_sided == pytest.approx(expected.p_exact, abs=1e-9)


@given(PANELS, st.integers(0, 6))
def test_splitting_a_window_into_days_changes_no_total(rows: Rows, cut: int) -> None:
    days = [
        [(min(x, cut), min(w, cut)) for x, w, _, _ in rows],
        [(x - min(x, cut), w - min(w, cut)) for x, w, _, _ in rows],
    ]
    merged = [
        (sum(day[i][0] for day in days), sum(day[i][1] for day in days), s, b)
        for i, (_, _, s, b) in enumerate(rows)
    ]
    assert stratified_test(counts_of_rows(merged)) == stratified_test(counts_of_rows(rows))


FULL_ROW = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))


@given(st.lists(FULL_ROW, min_size=2, max_size=8))
def test_cmh_and_the_odds_ratio_agree_with_statsmodels(tables: Rows) -> None:
    rows = [(a, a + b, c, c + d) for a, b, c, d in tables]
    counts = counts_of_rows(rows)
    expected = StratifiedTable([np.array([[a, b], [c, d]], dtype=float) for a, b, c, d in tables])
    found = cmh(counts, corrected=False)
    assert found.chi2 == pytest.approx(expected.test_null_odds().statistic, rel=1e-9, abs=1e-12)
    assert found.p_two_sided == pytest.approx(expected.test_null_odds().pvalue, rel=1e-6)
    ratio = odds_ratio(counts)
    assert ratio.interval is not None
    assert ratio.estimate == pytest.approx(expected.oddsratio_pooled)
    ends = expected.oddsratio_pooled_confint()
    assert (ratio.interval.lower, ratio.interval.upper) == pytest.approx(ends)


def large_panel(instances: int, window: int, baseline: int) -> PanelCounts:
    rng = np.random.default_rng(5)
    rates = rng.beta(0.9, 0.6, instances)
    return PanelCounts.of(
        rng.binomial(window, rates), window, rng.binomial(baseline, rates), baseline
    )


def test_above_the_limit_the_large_sample_test_takes_over_and_agrees_with_the_exact_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counts = large_panel(731, 30, 60)
    exact = stratified_test(counts)
    monkeypatch.setattr(stratified, "EXACT_TRIALS_LIMIT", 100)
    approximate = stratified_test(counts)
    assert (exact.method, approximate.method) == ("exact", "cmh")
    assert approximate.midp_less == pytest.approx(exact.midp_less, abs=2e-3)
    assert approximate.p_two_sided == pytest.approx(exact.p_two_sided, abs=5e-3)
    assert approximate.expected == pytest.approx(exact.expected)


def test_the_largest_exact_panel_still_sums_to_one() -> None:
    counts = large_panel(731, 90, 42)
    _, masses = total_masses(counts)
    assert float(masses.sum()) == pytest.approx(1.0, abs=1e-9)


def test_a_total_beyond_every_representable_probability_is_certain() -> None:
    counts = PanelCounts.of([0] * 60, 100, [100] * 60, 100)
    found = stratified_test(counts)
    assert found.p_less == 0.0
    assert found.p_greater == pytest.approx(1.0)
    mirrored = stratified_test(PanelCounts.of([100] * 60, 100, [0] * 60, 100))
    assert mirrored.p_greater == 0.0


def test_instances_without_trials_or_with_one_outcome_say_nothing() -> None:
    silent = PanelCounts.of([3, 0, 0, 2], [3, 4, 0, 2], [5, 0, 3, 0], [5, 6, 4, 0])
    found = stratified_test(silent)
    assert (found.p_less, found.midp_less, found.p_two_sided) == (1.0, 0.5, 1.0)
    assert cmh(silent).p_two_sided == 1.0
    assert odds_ratio(silent).estimate is None


def test_odds_ratios_at_the_edges_have_no_interval() -> None:
    assert odds_ratio(PanelCounts.of([0], [3], [3], [3])).estimate == 0.0
    assert odds_ratio(PanelCounts.of([0], [3], [3], [3])).interval is None
    assert odds_ratio(PanelCounts.of([3], [3], [0], [3])).estimate is None


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="passes"):
        PanelCounts.of([4], [3], [0], [1])
    with pytest.raises(ValueError, match="one length"):
        PanelCounts(np.array([1]), np.array([1, 1]), np.array([1]), np.array([1]))


def test_the_panel_difference_matches_its_vector() -> None:
    found = panel_difference(counts_of_window("panel-difference-10x7"))
    assert found is not None
    assert found.interval_repeats is not None
    check(
        "panel-difference-10x7",
        {
            "diff": found.delta,
            "se_within": found.se_repeats,
            "ci_within": [found.interval_repeats.lower, found.interval_repeats.upper],
            "se_paired": found.se_paired,
            "t_paired": found.t_paired,
            "p_t_two_sided": found.p_paired,
        },
    )


def test_the_paired_interval_agrees_with_scipy() -> None:
    counts = counts_of_window("panel-difference-10x7")
    differences = counts.new_passes / counts.new_trials - counts.base_passes / counts.base_trials
    expected = scipy_stats.ttest_1samp(differences, 0).confidence_interval()
    found = panel_difference(counts)
    assert found is not None
    assert found.interval_paired is not None
    assert found.interval_paired.lower == pytest.approx(expected.low)
    assert found.interval_paired.upper == pytest.approx(expected.high)


def test_the_reported_interval_uses_shrunken_rates_and_is_close_to_that_from_repeats() -> None:
    """Second implementation: plain loops over the formula of the specification."""
    given_ = all_vectors()["panel-difference-10x7"]["inputs"]
    x, s = given_["window_passes"], given_["baseline_passes"]
    raw = [(a + b) / 27 for a, b in zip(x, s, strict=True)]
    mean = sum(raw) / 10
    variance = sum((f - mean) ** 2 for f in raw) / 9
    rho = (variance / (mean * (1 - mean)) - 1 / 27) / (1 - 1 / 27)
    strength = 1 / rho - 1
    total = 0.0
    for a, b in zip(x, s, strict=True):
        r = (mean * strength + a + b) / (strength + 27)
        total += r * (1 - r) * (1 / 7 + 1 / 20)
    found = panel_difference(counts_of_window("panel-difference-10x7"))
    assert found is not None
    assert found.se_within == pytest.approx(math.sqrt(total) / 10, rel=1e-12)
    assert found.se_within == pytest.approx(found.se_repeats, rel=0.05)


def test_a_single_trial_on_a_side_has_no_repeats_to_estimate_noise_from() -> None:
    found = panel_difference(PanelCounts.of([1, 0], 1, [3, 2], 4))
    assert found is not None
    assert (found.se_repeats, found.interval_repeats) == (None, None)
    assert found.se_within > 0


def test_dispersion_widens_the_fixed_panel_interval_by_its_root() -> None:
    counts = counts_of_window("panel-difference-10x7")
    one, four = panel_difference(counts), panel_difference(counts, dispersion=4.0)
    assert one is not None
    assert four is not None
    assert four.se_within == pytest.approx(2.0 * one.se_within)
    assert four.se_paired == one.se_paired


def test_a_panel_difference_needs_shared_instances_and_a_paired_one_needs_two() -> None:
    assert panel_difference(PanelCounts.of([1], [1], [0], [0])) is None
    single = panel_difference(PanelCounts.of([1], [2], [1], [3]))
    assert single is not None
    assert (single.se_paired, single.t_paired) == (None, None)
    equal = panel_difference(PanelCounts.of([1, 2], [2, 4], [1, 1], [2, 2]))
    assert equal is not None
    assert equal.interval_paired is not None
    assert (equal.se_paired, equal.interval_paired.lower) == (0.0, 0.0)


def test_the_sign_flip_test_matches_its_vector() -> None:
    less, two_sided = sign_flip_test(all_vectors()["sign-flip-10"]["inputs"]["differences"])
    check("sign-flip-10", {"p_less": less, "p_two_sided": two_sided})


def test_too_many_differences_to_enumerate_are_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        sign_flip_test([0.1] * 21)
