import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from statsmodels.stats.proportion import confint_proportions_2indep
from tests.unit.stats.vectors import all_vectors, check, vector_ids

from benchwarden.stats.independent import fisher_exact, newcombe_independent

COUNTS = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize("name", vector_ids("newcombe-indep-"))
def test_newcombe_matches_the_vectors(name: str) -> None:
    given_ = all_vectors()[name]["inputs"]
    x1, n1, x2, n2 = (given_[key] for key in ("x1", "n1", "x2", "n2"))
    found = newcombe_independent(x1, n1, x2, n2)
    check(name, {"diff": x1 / n1 - x2 / n2, "ci": [found.lower, found.upper]})


@pytest.mark.parametrize("name", vector_ids("fisher-"))
def test_fisher_matches_the_vectors(name: str) -> None:
    (a, b), (c, d) = all_vectors()[name]["inputs"]["table"]
    found = fisher_exact(a, a + b, c, c + d)
    check(
        name,
        {
            "p_less": found.p_less,
            "p_greater": found.p_greater,
            "p_two_sided": found.p_two_sided,
        },
    )


@given(COUNTS, COUNTS)
def test_newcombe_agrees_with_statsmodels(new: tuple[int, int], base: tuple[int, int]) -> None:
    expected = confint_proportions_2indep(*new, *base, method="newcomb", compare="diff")
    found = newcombe_independent(*new, *base)
    assert (found.lower, found.upper) == pytest.approx(expected, abs=1e-9)


@given(COUNTS, COUNTS)
def test_fisher_agrees_with_scipy(new: tuple[int, int], base: tuple[int, int]) -> None:
    table = [[new[0], new[1] - new[0]], [base[0], base[1] - base[0]]]
    found = fisher_exact(*new, *base)
    for own, side in (
        (found.p_less, "less"),
        (found.p_greater, "greater"),
        (found.p_two_sided, "two-sided"),
    ):
        expected = scipy_stats.fisher_exact(table, alternative=side).pvalue
        assert own == pytest.approx(expected, rel=1e-6, abs=1e-300)


@given(COUNTS, COUNTS)
def test_swapping_the_sides_mirrors_the_answer(new: tuple[int, int], base: tuple[int, int]) -> None:
    one, two = newcombe_independent(*new, *base), newcombe_independent(*base, *new)
    assert one.lower == pytest.approx(-two.upper, abs=1e-12)
    assert fisher_exact(*new, *base).p_less == pytest.approx(fisher_exact(*base, *new).p_greater)


def test_sides_without_trials_or_with_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        newcombe_independent(0, 0, 1, 2)
    with pytest.raises(ValueError, match="passes"):
        fisher_exact(3, 2, 1, 2)
