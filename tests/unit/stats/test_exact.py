import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from tests.unit.stats.vectors import all_vectors, check

from benchwarden.stats.distributions import binomial_lower_tail, binomial_upper_tail
from benchwarden.stats.exact import binomial_test, poisson_binomial_masses, poisson_binomial_test

RATES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=9)


def test_the_exact_binomial_matches_the_published_example() -> None:
    given_ = all_vectors()["binom-exact-682-925"]["inputs"]
    found = binomial_test(given_["passes"], given_["trials"], given_["p0"])
    check("binom-exact-682-925", {"p_two_sided": found.p_two_sided, "p_less": found.p_less})


@given(
    st.integers(0, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.floats(0.001, 0.999),
)
def test_the_exact_binomial_agrees_with_scipy(counts: tuple[int, int], rate: float) -> None:
    passes, trials = counts
    found = binomial_test(passes, trials, rate)
    if trials == 0:
        assert (found.p_less, found.p_greater, found.midp_less) == (1.0, 1.0, 0.5)
        return
    for own, side in ((found.p_less, "less"), (found.p_greater, "greater")):
        expected = scipy_stats.binomtest(passes, trials, rate, alternative=side).pvalue
        assert own == pytest.approx(expected, rel=1e-9, abs=1e-300)
    two_sided = scipy_stats.binomtest(passes, trials, rate).pvalue
    assert found.p_two_sided == pytest.approx(two_sided, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(
    ("passes", "rate", "p_less"), [(0, 0.0, 1.0), (3, 1.0, 1.0), (2, 1.0, 0.0)]
)
def test_certain_rates_leave_no_doubt(passes: int, rate: float, p_less: float) -> None:
    assert binomial_test(passes, 3, rate).p_less == p_less


def test_the_poisson_binomial_matches_its_vector() -> None:
    given_ = all_vectors()["poisson-binomial-8"]["inputs"]
    rates = given_["p"]
    found = poisson_binomial_test(given_["s"], rates)
    masses = poisson_binomial_masses(rates)
    mean = sum(s * mass for s, mass in enumerate(masses))
    check(
        "poisson-binomial-8",
        {
            "p_less": found.p_less,
            "mid_p": found.midp_less,
            "mean": mean,
            "var": sum((s - mean) ** 2 * mass for s, mass in enumerate(masses)),
        },
    )


@settings(max_examples=40)
@given(RATES)
def test_the_poisson_binomial_agrees_with_enumeration(rates: list[float]) -> None:
    expected = np.zeros(len(rates) + 1)
    for outcome in itertools.product((0, 1), repeat=len(rates)):
        chance = math.prod(r if x else 1 - r for x, r in zip(outcome, rates, strict=True))
        expected[sum(outcome)] += chance
    assert poisson_binomial_masses(rates) == pytest.approx(list(expected), abs=1e-12)


@given(RATES, st.randoms(use_true_random=False))
def test_the_order_of_instances_changes_nothing(rates: list[float], random) -> None:
    shuffled = random.sample(rates, len(rates))
    assert poisson_binomial_masses(rates) == poisson_binomial_masses(shuffled)


@given(RATES)
def test_more_passes_never_look_worse(rates: list[float]) -> None:
    tests = [poisson_binomial_test(s, rates) for s in range(len(rates) + 1)]
    for fewer, more in itertools.pairwise(tests):
        assert fewer.p_less <= more.p_less + 1e-12
        assert fewer.midp_less <= more.midp_less + 1e-12


@given(st.integers(1, 60), st.floats(0.05, 0.95), st.sampled_from([0.01, 0.05, 0.2]))
def test_the_exact_p_is_conservative_under_the_null(trials: int, rate: float, level: float) -> None:
    masses = scipy_stats.binom.pmf(np.arange(trials + 1), trials, rate)
    tests = [binomial_test(k, trials, rate) for k in range(trials + 1)]
    for side in ("p_less", "p_greater", "p_two_sided"):
        size = sum(m for m, test in zip(masses, tests, strict=True) if getattr(test, side) <= level)
        assert size <= level + 1e-6


@pytest.mark.parametrize(("passes", "trials", "rate"), [(4, 3, 0.5), (-1, 3, 0.5), (1, 3, 1.5)])
def test_impossible_counts_and_rates_are_refused(passes: int, trials: int, rate: float) -> None:
    with pytest.raises(ValueError, match="must"):
        binomial_test(passes, trials, rate)


def test_impossible_poisson_binomial_input_is_refused() -> None:
    with pytest.raises(ValueError, match="successes"):
        poisson_binomial_test(3, [0.5, 0.5])
    with pytest.raises(ValueError, match="rates"):
        poisson_binomial_test(1, [0.5, 1.5])


def test_tails_outside_the_possible_counts_are_certain() -> None:
    assert (binomial_lower_tail(-1, 3, 0.5), binomial_upper_tail(4, 3, 0.5)) == (0.0, 0.0)
    assert (binomial_lower_tail(3, 3, 0.5), binomial_upper_tail(0, 3, 0.5)) == (1.0, 1.0)
