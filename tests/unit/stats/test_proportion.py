import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats import proportion as statsmodels_proportion
from tests.unit.stats.vectors import all_vectors, check, vector_ids

from benchwarden.stats.proportion import Interval, clopper_pearson, jeffreys, wilson

METHODS = {"wilson": wilson, "clopper": clopper_pearson, "jeffreys": jeffreys}
ANY_COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize("name", vector_ids("wilson-", "clopper-pearson-", "jeffreys-"))
def test_intervals_match_the_vectors(name: str) -> None:
    given_ = all_vectors()[name]["inputs"]
    found = METHODS[name.split("-", maxsplit=1)[0]](
        given_["passes"], given_["trials"], given_["confidence"]
    )
    check(name, {"ci": [found.lower, found.upper]})


@given(ANY_COUNTS, st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_wilson_and_clopper_pearson_agree_with_scipy(
    counts: tuple[int, int], confidence: float
) -> None:
    test = scipy_stats.binomtest(*counts)
    for own, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        expected = test.proportion_ci(confidence, method=method)
        found = own(*counts, confidence)
        assert found.lower == pytest.approx(expected.low, abs=1e-9)
        assert found.upper == pytest.approx(expected.high, abs=1e-9)


def test_jeffreys_agrees_with_statsmodels_inside_the_range() -> None:
    expected = statsmodels_proportion.proportion_confint(29, 50, method="jeffreys")
    found = jeffreys(29, 50)
    assert (found.lower, found.upper) == pytest.approx(expected, abs=1e-9)


@given(ANY_COUNTS)
def test_intervals_contain_the_rate_and_mirror_when_passes_and_failures_swap(
    counts: tuple[int, int],
) -> None:
    passes, trials = counts
    for method in METHODS.values():
        found, mirrored = method(passes, trials), method(trials - passes, trials)
        assert 0.0 <= found.lower <= passes / trials <= found.upper <= 1.0
        assert found.lower == pytest.approx(1.0 - mirrored.upper, abs=1e-9)


@given(st.integers(2, 300).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n))))
def test_one_more_pass_never_lowers_an_end(counts: tuple[int, int]) -> None:
    passes, trials = counts
    for method in METHODS.values():
        fewer, more = method(passes - 1, trials), method(passes, trials)
        assert fewer.lower <= more.lower + 1e-12
        assert fewer.upper <= more.upper + 1e-12


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.37, 0.5, 0.9])
def test_clopper_pearson_covers_at_least_as_often_as_it_says(rate: float) -> None:
    trials = 40
    covered = sum(
        float(scipy_stats.binom.pmf(passes, trials, rate))
        for passes in range(trials + 1)
        if clopper_pearson(passes, trials).contains(rate)
    )
    assert covered >= 0.95


def test_no_trials_know_nothing() -> None:
    for method in METHODS.values():
        found = method(0, 0)
        assert (found.lower, found.upper) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("passes", "trials", "confidence"), [(-1, 5, 0.95), (6, 5, 0.95), (1, 5, 0.0), (1, 5, 1.0)]
)
def test_impossible_input_is_refused(passes: int, trials: int, confidence: float) -> None:
    for method in METHODS.values():
        with pytest.raises(ValueError, match="must"):
            method(passes, trials, confidence)


def test_an_interval_contains_its_ends() -> None:
    interval = Interval(0.25, 0.5)
    assert interval.contains(0.25)
    assert interval.contains(0.5)
    assert not interval.contains(0.51)
