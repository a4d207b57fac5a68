import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.examples import inputs_of
from tests.fuzz.seeds import all_seeds
from tests.fuzz.table import CORPUS, TARGETS

# Copying a work tree and starting git takes longer than everything else together.
SLOW = {"patched_trees", "hostile_trees"}


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus_breaks_no_promise(name):
    found = TARGETS[name].corpus()
    assert found
    for path in found:
        TARGETS[name].run(path.read_bytes())


@pytest.mark.parametrize("name", [name for name in TARGETS if name not in SLOW])
def test_what_is_like_the_corpus_breaks_no_promise(name):
    target = TARGETS[name]

    @settings(max_examples=40, suppress_health_check=list(HealthCheck), database=None)
    @given(inputs_of(target))
    def tried(data: bytes) -> None:
        target.run(data)

    tried()


def test_every_target_has_its_seeds_in_the_corpus_and_nothing_else_is_there():
    assert {folder.name for folder in CORPUS.iterdir()} == set(TARGETS)
    for name, seeds in all_seeds().items():
        held = {path.read_bytes() for path in TARGETS[name].corpus()}
        assert set(seeds) <= held, f"run python -m tests.fuzz.seeds: {name}"


def test_the_corpus_is_small_and_the_shares_of_a_campaign_are_spent():
    assert sum(path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()) < 2_000_000
    assert all(target.share > 0 for target in TARGETS.values())
