import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.stats.vectors import all_vectors, check

from benchwarden.stats.evidence import EFFECTS, Evidence, evidence_weights, shift_for
from benchwarden.stats.likelihood import breakage, capability, weights

RATES = st.lists(st.floats(0.001, 0.999), min_size=1, max_size=12).map(np.array)


def test_daily_ratios_cusums_and_detectors_match_the_toy_vector() -> None:
    given_ = all_vectors()["llr-cusum-toy"]["inputs"]
    rates = np.array(given_["p0"])
    actual: dict[str, list[float]] = {}
    detectors = {}
    for name, alternative in (
        ("capability", capability(rates, given_["delta"])),
        ("breakage", breakage(rates, given_["eps"])),
    ):
        ratios = [weights(rates, alternative).day(day, np.ones(6)) for day in given_["y"]]
        statistic, path, evidence, seen = 0.0, [], Evidence.start(1), []
        for ratio in ratios:
            statistic = max(0.0, statistic + ratio)
            path.append(statistic)
            evidence = evidence.after([ratio])
            seen.append(math.exp(evidence.log_values[0]))
        actual |= {f"llr_{name}": ratios, f"cusum_{name}": path, f"esr_{name}": seen}
        detectors[name] = ratios
    both, mixed = Evidence.start(2), []
    for pair in zip(detectors["capability"], detectors["breakage"], strict=True):
        both = both.after(pair)
        assert both.log10_mean is not None
        mixed.append(10**both.log10_mean)
    check("llr-cusum-toy", actual | {"esr_mixture": mixed})


@given(RATES, st.integers(0, 3), st.randoms(use_true_random=False))
def test_a_ratio_is_the_logarithm_of_the_product_of_likelihoods(
    rates: np.ndarray, trials: int, random
) -> None:
    alternative = capability(rates, 0.5)
    passes = np.array([random.randint(0, trials) for _ in rates])
    product = 1.0
    for p, q, y in zip(rates, alternative, passes, strict=True):
        product *= (q / p) ** y * ((1 - q) / (1 - p)) ** (trials - y)
    found = weights(rates, alternative).day(passes, np.full(len(rates), trials))
    assert found == pytest.approx(math.log(product), abs=1e-9)


@given(RATES)
def test_merging_days_adds_their_ratios(rates: np.ndarray) -> None:
    ratio = weights(rates, breakage(rates))
    ones = np.ones(len(rates))
    assert ratio.day(ones, 3 * ones) == pytest.approx(
        ratio.day(ones, ones) + 2 * ratio.day(0 * ones, ones)
    )


@given(RATES)
def test_the_alternatives_lower_every_rate_and_the_mirror_raises_it(rates: np.ndarray) -> None:
    assert np.all(capability(rates) < rates)
    assert np.all(breakage(rates) < rates)
    assert np.all(capability(rates, -0.5) > rates)


@given(RATES, st.floats(0.05, 0.9))
def test_the_shift_lowers_the_mean_by_the_effect(rates: np.ndarray, share: float) -> None:
    effect = share * float(np.mean(rates))
    shifted = capability(rates, shift_for(rates, effect))
    assert float(np.mean(rates - shifted)) == pytest.approx(effect, abs=1e-9)


def test_an_effect_larger_than_the_mean_is_left_out_of_the_evidence() -> None:
    assert len(evidence_weights(np.full(5, 0.5))) == 2 * len(EFFECTS)
    assert len(evidence_weights(np.full(5, 0.06))) == 4
    assert evidence_weights(np.full(5, 0.001)) == ()
    assert Evidence.start(0).log10_mean is None
    with pytest.raises(ValueError, match="cannot fall"):
        shift_for(np.full(5, 0.06), 0.1)


def test_evidence_starts_at_nothing_and_survives_numbers_too_large_for_floats() -> None:
    evidence = Evidence.start(2)
    assert evidence.log10_mean is None
    for _ in range(100):
        evidence = evidence.after([50.0, -50.0])
    assert evidence.log10_mean == pytest.approx(5000 / math.log(10) + math.log10(0.5), rel=1e-9)
