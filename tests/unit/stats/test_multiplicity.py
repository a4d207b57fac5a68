import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests
from tests.unit.stats.vectors import all_vectors, check

from benchwarden.stats.multiplicity import (
    benjamini_hochberg,
    benjamini_yekutieli,
    bonferroni,
    e_benjamini_hochberg,
    holm,
)

P_VALUES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20)
METHODS = {
    "holm": holm,
    "bonferroni": bonferroni,
    "fdr_bh": benjamini_hochberg,
    "fdr_by": benjamini_yekutieli,
}


def test_adjusted_p_values_match_the_vectors() -> None:
    p_values = all_vectors()["bh-1995"]["inputs"]["p"]
    adjusted = benjamini_hochberg(p_values)
    check("bh-1995", {"adjusted": adjusted, "n_reject_05": sum(p <= 0.05 for p in adjusted)})
    check("holm-bonferroni-bh95", {"holm": holm(p_values), "bonferroni": bonferroni(p_values)})
    check("by-4", {"adjusted": benjamini_yekutieli(all_vectors()["by-4"]["inputs"]["p"])})


def test_e_values_match_the_vector_and_reject_nothing_when_small() -> None:
    given_ = all_vectors()["e-bh-5"]["inputs"]
    check("e-bh-5", {"k": e_benjamini_hochberg(given_["e"], given_["alpha"])})
    assert e_benjamini_hochberg([1.0, 2.0], 0.05) == 0


@given(P_VALUES)
def test_adjusted_p_values_agree_with_statsmodels(p_values: list[float]) -> None:
    for name, method in METHODS.items():
        expected = multipletests(p_values, method=name)[1]
        assert method(p_values) == pytest.approx(list(expected), abs=1e-12)


@given(P_VALUES, st.randoms(use_true_random=False))
def test_adjusted_p_values_follow_their_hypothesis_when_shuffled(
    p_values: list[float], random
) -> None:
    order = random.sample(range(len(p_values)), len(p_values))
    for method in METHODS.values():
        straight = method(p_values)
        assert method([p_values[i] for i in order]) == pytest.approx([straight[i] for i in order])


@given(P_VALUES)
def test_adjusting_never_makes_a_p_value_smaller_nor_changes_the_ranking(
    p_values: list[float],
) -> None:
    for method in METHODS.values():
        adjusted = method(p_values)
        assert all(new >= old for new, old in zip(adjusted, p_values, strict=True))
        ranked = [p for _, p in sorted(zip(p_values, adjusted, strict=True))]
        assert ranked == sorted(ranked)
        assert max(adjusted) <= 1.0


def test_no_hypotheses_give_no_p_values() -> None:
    for method in METHODS.values():
        assert method([]) == []
