"""What is written in a format and read back is what was written."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.exchange.given import results, rows

from benchwarden.errors import InvalidInputError
from benchwarden.exchange import eval_results, formats
from benchwarden.exchange.formats import Choice
from benchwarden.exchange.names import ExchangeFormat
from benchwarden.exchange.results import About, Results
from benchwarden.results.row import KIND_VERDICT, Row
from benchwarden.results.tally import Tally
from benchwarden.stats.outcome_files import parse_outcomes

PUBLISHED = sorted(Path("tests/data/eval_results").glob("*.json"))
KEEPS_ALL = [
    ExchangeFormat.jsonl,
    ExchangeFormat.parquet,
    ExchangeFormat.inspect,
    ExchangeFormat.harbor,
]


@pytest.mark.parametrize("form", KEEPS_ALL)
@settings(max_examples=15)
@given(given_results=results.filter(lambda each: each.rows))
def test_every_row_comes_back_in_its_order(form: ExchangeFormat, given_results: Results) -> None:
    files = formats.write(given_results, form, Choice())
    found = formats.read(files, None, Choice())
    assert found.rows == given_results.rows
    if form is not ExchangeFormat.jsonl:
        assert found.about == given_results.about
    assert formats.write(given_results, form, Choice()) == files


@settings(max_examples=30)
@given(st.lists(rows(), max_size=8).map(tuple), st.integers(0, 3))
def test_eval_results_hold_the_first_verdict_of_each_instance(
    given_rows: tuple[Row, ...], trial: int
) -> None:
    of_trial = [row for row in given_rows if row.trial == trial]
    data = formats.write(
        Results(About(), given_rows), ExchangeFormat.eval_results, Choice(trial=trial)
    )[""]
    found = formats.read({"": data}, ExchangeFormat.eval_results, Choice()).rows
    assert Tally(found).cells() == Tally(of_trial).cells()
    assert {row.kind for row in found} <= {KIND_VERDICT}


def test_several_trials_do_not_fit_into_eval_results_unless_one_is_chosen() -> None:
    both = tuple(Row("a", n, 1, KIND_VERDICT, "resolved", "b", "") for n in range(2))
    with pytest.raises(InvalidInputError, match="--trial: the run has trials 0 to 1"):
        eval_results.write(Results(About(), both))


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_published_eval_results_are_read_as_the_statistics_read_them(path: Path) -> None:
    found = formats.read({"": path.read_bytes()}, None, Choice())
    wanted = parse_outcomes(path.read_text(), path.name)
    assert Tally(found.rows).cells() == wanted
    assert len(wanted) > 500
    again = formats.write(found, ExchangeFormat.eval_results, Choice())[""]
    assert json.loads(again) == json.loads(path.read_text())


@pytest.mark.parametrize("form", list(ExchangeFormat))
@settings(max_examples=40)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_results_or_a_clear_error(form: ExchangeFormat, data: bytes) -> None:
    name = "trial/result.json" if form is ExchangeFormat.harbor else ""
    try:
        found = formats.read({name: data}, form, Choice())
    except InvalidInputError:
        return
    assert isinstance(found, Results)


@settings(max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "task_name",
                        "agent_result",
                        "metadata",
                        "benchwarden",
                        "rows",
                        "verifier_result",
                        "rewards",
                        "reward",
                        "cost_usd",
                        "n_input_tokens",
                        "exception_info",
                        "agent_info",
                        "model_info",
                    ]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    )
)
def test_any_trial_of_harbor_is_a_row_or_a_clear_error(trial: object) -> None:
    try:
        found = formats.read({"t/result.json": json.dumps(trial).encode()}, None, Choice())
    except InvalidInputError:
        return
    assert len(found.rows) >= 1
