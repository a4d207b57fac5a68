"""A campaign that finds nothing in a broken parser would find nothing at all."""

import sys

import pytest

from tests.fuzz.mutants import MUTANTS, ROOT, Mutant, campaign, planted

# Executions are what is promised; the time is for machines that are busy.
PATIENCE_SECONDS = 500
atheris_is_there = pytest.mark.skipif(
    sys.platform != "linux", reason="atheris is installed on Linux (x86-64) only"
)


@pytest.mark.long
@pytest.mark.timeout(2 * PATIENCE_SECONDS + 100)
@atheris_is_there
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_is_found(mutant, tmp_path):
    for time in ("first", "second"):  # chance: a narrow bug may escape one campaign, hardly two
        folder = tmp_path / time
        code, said = campaign(mutant, folder, executions=20_000, seconds=PATIENCE_SECONDS)
        if code:
            break
    assert code == 1
    assert "Uncaught Python exception" in said


@pytest.mark.long
@pytest.mark.timeout(600)
@atheris_is_there
def test_the_product_itself_passes_such_a_campaign(tmp_path):
    module = "runner/benchwarden_runner/protocol.py"
    unchanged = Mutant("none", "messages", module, "PROTOCOL_VERSION = 1", "PROTOCOL_VERSION = 1")
    code, _ = campaign(unchanged, tmp_path, executions=20_000, seconds=PATIENCE_SECONDS)
    assert code == 0


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_bug_can_be_planted_in_todays_parsers(mutant):
    assert planted(mutant) != (ROOT / mutant.module).read_text()
