"""What a user may ask for is bounded: the answer to too much is a refusal that says so, soon, and in little memory."""

import json
import time
import tracemalloc

import pytest
from tests.unit.suites.rows import task_row

from benchwarden import names
from benchwarden.api.parse import parse_run
from benchwarden.api.suite import Selection
from benchwarden.controller.preparing import load
from benchwarden.errors import InvalidInputError
from benchwarden.manifests.plan_object import MOST_TRIALS, check_plan_fits
from benchwarden.manifests.settings import ManifestSettings
from benchwarden.planning.groups import group_trials
from benchwarden.reconcile.world import Refusal
from benchwarden.results.packed import gunzip
from benchwarden.suites.instance import Instance, ResultParser
from benchwarden.suites.rows import MAX_ROWS, collect, json_lines
from benchwarden.suites.select import select_panel
from benchwarden.suites.tasks import parse_tasks


def an_instance(id: str) -> Instance:
    return Instance(id, "image:1", "/app", "", "prompt", "true", ResultParser("exitCode"), ("a",))


def many(count: int) -> tuple[Instance, ...]:
    return tuple(an_instance(f"instance-{number:06}") for number in range(count))


@pytest.fixture
def soon():
    """Fails if the test takes long: something has become quadratic. Counted is our own time, not the machine's."""
    began = time.process_time()
    yield
    assert time.process_time() - began < 20


def test_more_rows_than_a_suite_may_have_are_refused_at_the_first_too_many(soon):
    read = 0

    def rows():
        nonlocal read
        for number in range(10 * MAX_ROWS):
            read += 1
            yield f"line {number}", {"id": str(number)}

    with pytest.raises(InvalidInputError, match=f"limit of {MAX_ROWS} tasks; split the suite"):
        collect(rows(), lambda row: an_instance(row["id"]))
    assert read == MAX_ROWS + 1


def test_bad_rows_by_the_thousand_give_one_short_message(soon):
    with pytest.raises(InvalidInputError) as raised:
        parse_tasks(b'{"id": 5}\n' * 20_000)
    assert len(str(raised.value)) < 10_000
    assert "and 19980 more bad rows" in str(raised.value)


def test_a_row_of_a_hundred_thousand_keys_is_refused(soon):
    row = "{" + ",".join(f'"k{number}": 0' for number in range(100_000)) + ', "k5": 1}'
    with pytest.raises(InvalidInputError, match='has the key "k5" twice'):
        parse_tasks(row.encode())


def test_trials_by_the_million_are_refused_before_they_are_made():
    instances = many(20_000)
    tracemalloc.start()
    with pytest.raises(InvalidInputError, match="2000000 trials are too many") as raised:
        check_plan_fits(instances, 100)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert raised.value.reason == names.REASON_INVALID_SPEC
    assert peak < 1_000_000


def test_ids_that_are_too_long_for_so_many_trials_are_refused(soon):
    import hashlib

    def digest(number: int) -> str:
        return hashlib.sha512(str(number).encode()).hexdigest()

    instances = tuple(an_instance(digest(number)) for number in range(20_000))
    with pytest.raises(InvalidInputError, match="20000 trials are too many"):
        check_plan_fits(instances, 1)


def test_ten_thousand_instances_tried_five_times_fit(soon):
    check_plan_fits(many(10_000), 5)
    assert MOST_TRIALS > 10_000 * 5


def test_a_run_of_too_many_trials_is_refused_with_the_field(tmp_path):
    suite = tmp_path / "suite.jsonl"
    suite.write_text("\n".join(json.dumps(task_row(id=f"i{number}")) for number in range(6_000)))
    run = parse_run(
        {
            "metadata": {"name": "greedy"},
            "spec": {
                "suite": {"tasks": {"source": {"path": str(suite)}}},
                "agent": {"oracle": {}},
                "execution": {"trialsPerInstance": 100},
            },
        }
    )

    class Disk:
        def read_path(self, path: str) -> bytes:
            return suite.read_bytes()

    refused = load(run.spec, Disk(), ManifestSettings(runner_image="r"))
    assert isinstance(refused, Refusal)
    assert refused.reason == names.REASON_INVALID_SPEC
    assert "600000 trials are too many for one run; split the suite" in refused.message
    assert not refused.retry


def test_grouping_by_known_durations_is_not_quadratic(soon):
    instances = many(30_000)
    durations = {each.id: float(number % 977) for number, each in enumerate(instances)}
    groups = group_trials(instances, 1, 5, durations)
    assert len(groups) == 6_000
    assert {len(group) for group in groups} == {5}


def test_a_mistyped_id_among_many_is_explained_soon(soon):
    with pytest.raises(InvalidInputError, match='did you mean "instance-0'):
        select_panel("tasks", many(50_000), Selection(include=("instance-0000o5",)))


def test_a_small_shard_cannot_fill_the_memory():
    import zlib

    engine = zlib.compressobj(9, wbits=31)
    packed = b"".join(engine.compress(b"\0" * 1_000_000) for _ in range(70)) + engine.flush()
    assert len(packed) < 100_000
    with pytest.raises(ValueError, match="unpacks to more than"):
        gunzip(packed)


def test_lists_of_a_spec_are_bounded():
    spec = {
        "suite": {
            "tasks": {"source": {"path": "/x"}},
            "selection": {"include": [str(number) for number in range(5_001)]},
        },
        "agent": {"oracle": {}},
    }
    with pytest.raises(InvalidInputError, match="must have at most 5000 items, not 5001"):
        parse_run({"metadata": {"name": "a"}, "spec": spec})


def test_a_line_of_a_suite_is_bounded():
    line = b'{"id": "' + b"x" * (9 * 1024 * 1024) + b'"}'
    (place, problem) = next(iter(json_lines(line)))
    assert place == "line 1"
    assert "is over" in str(problem)
