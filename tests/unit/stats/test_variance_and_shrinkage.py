import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.stats.vectors import all_vectors, check

from benchwarden.stats.distributions import normal_quantile
from benchwarden.stats.shrinkage import instance_rates
from benchwarden.stats.variance import (
    mean_pass_at_k,
    mean_pass_hat_k,
    pass_at_k,
    pass_hat_k,
    variance_split,
    within_variance_from_pass_at,
)

COUNTS = st.lists(
    st.integers(1, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=1,
    max_size=20,
)


def test_shrunken_rates_match_their_vector() -> None:
    given_ = all_vectors()["eb-shrink-10"]["inputs"]
    found = instance_rates(given_["baseline_passes"], given_["baseline_trials"])
    check(
        "eb-shrink-10",
        {"mu": found.mean, "rho": found.rho, "m": found.strength, "p": list(found.rates)},
    )


@given(COUNTS)
def test_shrunken_rates_lie_between_the_raw_rate_and_the_mean(
    counts: list[tuple[int, int]],
) -> None:
    passes, trials = (np.array(side) for side in zip(*counts, strict=True))
    found = instance_rates(passes, trials)
    raw = passes / trials
    low, high = np.minimum(raw, found.mean), np.maximum(raw, found.mean)
    assert np.all(found.rates >= np.minimum(low, 0.999) - 1e-12)
    assert np.all(found.rates <= np.maximum(high, 0.001) + 1e-12)
    assert np.all((found.rates >= 0.001) & (found.rates <= 0.999))


def test_without_repeats_or_with_one_instance_the_spread_is_assumed() -> None:
    assert instance_rates([1, 0, 1], 1).rho == 0.60
    assert instance_rates([3], 5).rho == 0.60


def test_a_panel_that_always_passes_keeps_room_for_doubt() -> None:
    found = instance_rates([14] * 10, 14)
    assert found.mean == 0.98
    assert 0.98 < found.rates[0] < 1.0


@pytest.mark.parametrize(("passes", "trials"), [([], []), ([0, 1], [0, 1])])
def test_an_instance_without_trials_has_no_rate(passes: list[int], trials: list[int]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        instance_rates(passes, trials)


def test_the_variance_split_matches_its_vectors() -> None:
    given_ = all_vectors()["variance-decomposition-10"]["inputs"]
    found = variance_split(given_["baseline_passes"], given_["baseline_trials"])
    assert found is not None
    check(
        "variance-decomposition-10",
        {
            "within": found.within,
            "total": found.total,
            "within_share": found.within_share,
            "sd_daily_rate": found.sd_panel_rate,
        },
    )
    published = all_vectors()["variance-tb4-opus5"]["inputs"]
    within = within_variance_from_pass_at(published["pass_at_1"], published["pass_at_2"])
    check(
        "variance-tb4-opus5",
        {
            "within": within,
            "share": within / (published["pass_at_1"] * (1 - published["pass_at_1"])),
            "ci95_half_width_pct": 100
            * normal_quantile(0.975)
            * (within / published["trials"]) ** 0.5,
        },
    )


def test_a_variance_split_needs_repeats_and_a_constant_panel_has_none() -> None:
    assert variance_split([1, 0], 1) is None
    constant = variance_split([4, 4], 4)
    assert constant is not None
    assert (constant.within, constant.within_share) == (0.0, 0.0)


def test_pass_at_k_matches_its_vector() -> None:
    given_ = all_vectors()["pass-at-k"]["inputs"]
    arguments = (given_["n"], given_["c"], given_["k"])
    check(
        "pass-at-k",
        {"pass_at_k": pass_at_k(*arguments), "pass_hat_k": pass_hat_k(*arguments)},
    )


@pytest.mark.parametrize(("passes", "k"), list(itertools.product(range(7), range(1, 7))))
def test_pass_at_k_agrees_with_drawing_every_subset(passes: int, k: int) -> None:
    trials = [True] * passes + [False] * (6 - passes)
    draws = list(itertools.combinations(trials, k))
    assert pass_at_k(6, passes, k) == pytest.approx(sum(map(any, draws)) / len(draws))
    assert pass_hat_k(6, passes, k) == pytest.approx(sum(map(all, draws)) / len(draws))


def test_two_tries_gain_exactly_the_within_variance() -> None:
    counts = [(5, 0), (5, 2), (5, 5), (5, 4)]
    gain = (mean_pass_at_k(counts, 2) or 0) - (mean_pass_at_k(counts, 1) or 0)
    split = variance_split([passes for _, passes in counts], 5)
    assert split is not None
    assert gain == pytest.approx(split.within)


def test_means_over_instances_leave_out_those_with_too_few_trials() -> None:
    assert mean_pass_at_k([(3, 3), (1, 0)], 2) == 1.0
    assert mean_pass_hat_k([(3, 3), (1, 0)], 2) == 1.0
    assert mean_pass_at_k([(1, 1)], 2) is None
    assert mean_pass_hat_k([], 1) is None


@pytest.mark.parametrize(("trials", "passes", "k"), [(3, 4, 1), (3, 1, 0), (3, 1, 4)])
def test_impossible_draws_are_refused(trials: int, passes: int, k: int) -> None:
    for function in (pass_at_k, pass_hat_k):
        with pytest.raises(ValueError, match="within"):
            function(trials, passes, k)
