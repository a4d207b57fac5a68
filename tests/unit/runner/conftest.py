import pytest
from tests.unit.runner.builders import Place


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)
