import pytest

from tests.fuzz.branches import PROMISED_PERCENT, measure


@pytest.mark.long
def test_the_branches_of_the_parsers_are_reached():
    found = measure()
    branches = sum(each["num_branches"] for each in found.values())
    taken = sum(each["covered_branches"] for each in found.values())
    assert branches > 500
    assert 100 * taken / branches >= PROMISED_PERCENT, {
        module: each["missing"] for module, each in found.items() if each["missing"]
    }
