import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.stats.vectors import all_vectors, check, vector_ids

from benchwarden.stats.distributions import binomial_lower_tail
from benchwarden.stats.marginlab import pooled_threshold, pooled_view


@pytest.mark.parametrize("name", vector_ids("marginlab-threshold-"))
def test_thresholds_match_those_shown_on_the_tracker(name: str) -> None:
    given_ = all_vectors()[name]["inputs"]
    trials, rate = given_["trials"], given_["p0"]
    found = pooled_threshold(trials, rate, given_["alpha"])
    assert found.degraded_at_most is not None
    check(
        name,
        {
            "k_degrade": found.degraded_at_most,
            "k_improve": found.improved_at_least,
            "threshold": found.shown,
            "p_less_at_k": binomial_lower_tail(found.degraded_at_most, trials, rate),
        },
    )


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_flag_agrees_with_the_threshold(counts: tuple[int, int]) -> None:
    passes, trials = counts
    view, threshold = pooled_view(passes, trials, 0.56), pooled_threshold(trials, 0.56)
    low, high = threshold.degraded_at_most, threshold.improved_at_least
    assert view.degraded == (low is not None and passes <= low)
    assert view.improved == (high is not None and passes >= high)


def test_a_flag_can_appear_while_the_interval_contains_the_rate() -> None:
    view = pooled_view(358, 655, 0.58)
    assert view.degraded
    assert view.interval.contains(0.58)
    assert not pooled_view(359, 655, 0.58).degraded


def test_the_shown_threshold_is_capped_and_tiny_windows_flag_nothing() -> None:
    assert pooled_threshold(20, 0.5).shown == 0.15
    assert pooled_threshold(2, 0.5).shown is None
    with pytest.raises(ValueError, match="at least one"):
        pooled_view(0, 0, 0.5)
