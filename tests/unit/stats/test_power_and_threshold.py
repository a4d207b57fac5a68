import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.stats.vectors import all_vectors, check, vector_ids

from benchwarden.stats.power import (
    days_needed,
    instances_needed,
    minimum_detectable_effect,
    questions_needed,
)
from benchwarden.stats.threshold import (
    MARGIN_NATS,
    OVERSHOOT,
    llr_threshold,
    monitor_threshold,
    normal_cusum_run_length,
    siegmund_run_length,
)


def test_the_minimum_detectable_effect_matches_its_vector() -> None:
    given_ = all_vectors()["mde-window"]["inputs"]
    found = [
        minimum_detectable_effect(
            given_["mean_pq"],
            given_["n"],
            1 / days + 1 / given_["baseline_days"],
            alpha=given_["alpha"],
            power=given_["power"],
        )
        for days in given_["window_days"]
    ]
    check("mde-window", {"mde": found})


def test_questions_needed_matches_millers_example() -> None:
    given_ = all_vectors()["miller-n"]["inputs"]
    found = questions_needed(
        given_["delta"], given_["omega2"], alpha=given_["alpha"], power=given_["power"]
    )
    check("miller-n", {"n": found})


@given(st.floats(0.02, 0.2), st.floats(0.05, 0.25), st.integers(5, 800), st.floats(5, 60))
def test_the_days_needed_are_the_fewest_that_see_the_effect(
    effect: float, within: float, instances: int, baseline: float
) -> None:
    days = days_needed(effect, within, instances, baseline)

    def seen(window: int) -> bool:
        inverse = 1 / window + 1 / baseline
        return minimum_detectable_effect(within, instances, inverse) <= effect + 1e-9

    if days is None:
        assert not seen(100_000)
    else:
        assert seen(days)
        assert (
            days == 1
            or not seen(days - 1)
            or days_needed(effect + 1e-9, within, instances, baseline) != days
        )


@given(st.floats(0.02, 0.2), st.floats(0.05, 0.25), st.floats(1, 30), st.floats(5, 60))
def test_the_instances_needed_are_the_fewest_that_see_the_effect(
    effect: float, within: float, window: float, baseline: float
) -> None:
    count = instances_needed(effect, within, window, baseline)
    inverse = 1 / window + 1 / baseline
    assert minimum_detectable_effect(within, count, inverse) <= effect + 1e-9
    if count > 1:
        assert minimum_detectable_effect(within, count - 1, inverse) >= effect - 1e-9


def test_a_window_without_instances_sees_nothing() -> None:
    with pytest.raises(ValueError, match="instance"):
        minimum_detectable_effect(0.1, 0, 1.0)


@pytest.mark.parametrize("name", vector_ids("cusum-arl-"))
def test_cusum_run_lengths_match_the_integral_equation(name: str) -> None:
    given_ = all_vectors()[name]["inputs"]
    one = normal_cusum_run_length(given_["k"], given_["h"], given_["mu"])
    other = normal_cusum_run_length(given_["k"], given_["h"], -given_["mu"])
    check(name, {"arl_one_sided": one, "arl_two_sided": 1 / (1 / one + 1 / other)})


def test_siegmunds_approximation_matches_its_vector() -> None:
    arl0, arl1 = siegmund_run_length(0.5, 5), siegmund_run_length(0.5, 5, 1.0)
    check(
        "siegmund-k0.5-h5",
        {"arl0_one_sided": arl0, "arl0_two_sided": arl0 / 2, "arl1_one_sided": arl1},
    )


def test_siegmund_without_drift_is_the_limit_of_small_drifts() -> None:
    assert siegmund_run_length(0.5, 4, 0.5) == pytest.approx(
        siegmund_run_length(0.5, 4, 0.5001), rel=1e-2
    )


@pytest.mark.parametrize("name", vector_ids("llr-cusum-h-"))
def test_likelihood_ratio_thresholds_match_the_vectors(name: str) -> None:
    given_ = all_vectors()[name]["inputs"]
    scale = given_["delta_per_day_sd"]
    h = llr_threshold(scale, given_["arl0_days"])
    exact = normal_cusum_run_length(scale / 2, h / scale)
    check(name, {"h": h, "arl_check_integral_eq": exact})


@given(st.floats(0.05, 6.0), st.floats(10, 5000))
def test_the_threshold_solves_its_equation(scale: float, days: float) -> None:
    x = llr_threshold(scale, days) + OVERSHOOT * scale
    assert (math.exp(x) - x - 1) / (scale**2 / 2) == pytest.approx(days, rel=1e-9)


@given(st.floats(0.1, 3.0), st.floats(30, 3000))
def test_rarer_pages_need_a_higher_threshold(scale: float, days: float) -> None:
    assert monitor_threshold(scale, days) < monitor_threshold(scale, 2 * days)


def test_the_monitors_threshold_never_falls_to_zero_for_huge_panels() -> None:
    assert llr_threshold(12.0, 730) < 0
    assert monitor_threshold(12.0, 365) == MARGIN_NATS


@pytest.mark.parametrize(("scale", "days"), [(0.0, 365), (1.0, 0)])
def test_a_threshold_needs_a_scale_and_a_run_length(scale: float, days: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        llr_threshold(scale, days)
