"""Input archives and the ConfigMaps that carry them."""

import base64
import io
import tarfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.manifests.builders import (
    CLAUDE,
    ORACLE,
    RUN,
    SETTINGS,
    batch_of,
    claude_with,
    hidden,
    instance,
    noise,
    panel,
    run_spec,
)

from benchwarden.errors import InvalidInputError
from benchwarden.manifests.archive import tar_gz
from benchwarden.manifests.inputs import batch_inputs, check_sizes, pack, probe_input
from benchwarden.planning.plan import Batch, Member
from benchwarden.suites.instance import Instance, ResultParser
from benchwarden_runner.specs import AgentSpec, GradeSpec

LIMIT = 900 * 1024


def contents(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        return {m.name: tar.extractfile(m).read() for m in tar}


def archives_of(spec: Any, one: Instance) -> dict[str, dict[str, bytes]]:
    inputs = pack(spec, batch_of(one), panel(one), SETTINGS)
    return {
        name: contents(inputs.shards[place.shard][place.key])
        for (_, name), place in inputs.places.items()
    }


def test_an_agent_archive_holds_its_document_and_the_prompt() -> None:
    one = instance("a", env=(("TZ", "UTC"),))
    spec = run_spec(
        claude_with(env=[{"name": "A", "value": "1"}], effort="high", maxRetries=0),
        execution={"env": [{"name": "HTTPS_PROXY", "value": "http://proxy.x.svc:3128"}]},
    )
    files = archives_of(spec, one)["agent.tgz"]

    assert sorted(files) == ["agent.json", "prompt.txt"]
    assert files["prompt.txt"] == b"Fix the bug of a."
    told = AgentSpec.from_json(files["agent.json"].decode())
    assert told.kind == "claudeCode"
    assert told.workdir == "/app"
    assert told.base_commit == "3f2b8c1d"
    assert told.must_fail_address == "198.51.100.1:9"
    assert told.env == {"HTTPS_PROXY": "http://proxy.x.svc:3128", "TZ": "UTC", "A": "1"}
    assert told.claude.version == "2.1.330"
    assert told.claude.model == "claude-sonnet-5-5"
    assert told.claude.effort == "high"
    assert told.claude.max_retries == 0


def test_a_secret_never_travels_in_an_archive() -> None:
    spec = run_spec(
        claude_with(env=[{"name": "TOKEN", "secretKeyRef": {"name": "s3cr3t", "key": "k"}}])
    )
    files = archives_of(spec, instance())["agent.tgz"]

    assert b"s3cr3t" not in files["agent.json"]
    assert b"TOKEN" not in files["agent.json"]


def test_a_grade_archive_holds_the_tests_and_the_parser() -> None:
    one = instance(
        parser=ResultParser(kind="script", script="print(1)"),
        test_files=(
            hidden(path="t/a.py", content=b"A"),
            hidden(path="t/run.sh", content=b"B", executable=True),
        ),
        skipped_counts_as_pass=True,
        restore_paths=("pytest.ini",),
    )
    files = archives_of(run_spec(), one)["grade.tgz"]

    assert sorted(files) == ["files/0", "files/1", "grade.json", "parser.py", "test.patch"]
    told = GradeSpec.from_json(files["grade.json"].decode())
    assert [(entry.path, entry.executable) for entry in told.test_files] == [
        ("t/a.py", False),
        ("t/run.sh", True),
    ]
    assert files["files/1"] == b"B"
    assert told.fail_to_pass == ("test_add",)
    assert told.skipped_counts_as_pass
    assert told.restore_paths == ("pytest.ini",)


def test_an_agents_variables_do_not_reach_the_grader() -> None:
    spec = run_spec(
        claude_with(env=[{"name": "MINE", "value": "1"}]),
        execution={"env": [{"name": "ALL", "value": "2"}]},
    )
    told = GradeSpec.from_json(archives_of(spec, instance())["grade.tgz"]["grade.json"].decode())

    assert told.env == {"ALL": "2"}


def test_only_an_oracle_has_a_gold_archive() -> None:
    assert archives_of(run_spec(ORACLE), instance())["gold.tgz"] == {
        "gold.patch": b"diff --git a/calc.py b/calc.py\n"
    }
    assert sorted(archives_of(run_spec(CLAUDE), instance())) == ["agent.tgz", "grade.tgz"]


def test_the_version_the_probe_found_is_what_agents_are_held_to() -> None:
    spec = run_spec(claude_with(version="latest"))
    one = instance()
    before = AgentSpec.from_json(archives_of(spec, one)["agent.tgz"]["agent.json"].decode())
    inputs = pack(spec, batch_of(one), panel(one), SETTINGS, cli_version="2.1.331")
    files = contents(inputs.shards[0]["agent-0.tgz"])

    assert before.claude.version == ""
    assert AgentSpec.from_json(files["agent.json"].decode()).claude.version == "2.1.331"


def test_an_archive_is_the_same_bytes_whatever_the_order_and_the_python() -> None:
    one = tar_gz({"b": b"2", "a": b"1"})

    assert one == tar_gz({"a": b"1", "b": b"2"})
    assert one[4:8] == b"\0\0\0\0"  # no time
    assert one[9] == 255  # no operating system
    with tarfile.open(fileobj=io.BytesIO(one), mode="r:gz") as tar:
        assert [(m.name, m.mtime, m.uid, m.uname) for m in tar] == [
            ("a", 0, 0, ""),
            ("b", 0, 0, ""),
        ]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 850), min_size=1, max_size=12))
def test_no_config_map_is_over_its_limit_and_nothing_is_lost(sizes: list[int]) -> None:
    many = [
        instance(f"i{n}", test_files=(hidden("t", noise(str(n), size * 1024)),))
        for n, size in enumerate(sizes)
    ]
    inputs = pack(run_spec(), batch_of(*many), panel(*many), SETTINGS)

    for shard in inputs.shards:
        assert sum(map(len, shard.values())) <= LIMIT
    for position, size in enumerate(sizes):
        place = inputs.places[position, "grade.tgz"]
        files = contents(inputs.shards[place.shard][place.key])
        assert files["files/0"] == noise(str(position), size * 1024)
    assert len(inputs.places) == 3 * len(sizes)


def test_repeats_of_an_instance_share_one_archive() -> None:
    one = instance("a")
    batch = Batch((Member("a", 0, 1), Member("a", 1, 1), Member("a", 2, 1)))
    inputs = pack(run_spec(), batch, panel(one), SETTINGS)

    assert len(inputs.places) == 9
    assert sum(map(len, inputs.shards)) == 3
    assert len(inputs.shards) == 1


def test_input_config_maps_go_with_their_job_and_never_change() -> None:
    one = instance()
    inputs = pack(run_spec(), batch_of(one), panel(one), SETTINGS)
    (config_map,) = batch_inputs(RUN, inputs, "nightly-0", "job-uid")

    assert config_map["metadata"]["name"] == "nightly-0-input-0"
    assert config_map["immutable"] is True
    assert config_map["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "name": "nightly-0",
            "uid": "job-uid",
            "controller": True,
            "blockOwnerDeletion": False,
        }
    ]
    assert config_map["metadata"]["labels"]["benchwarden.dev/role"] == "input"


def test_instances_that_fit_pass_the_size_check() -> None:
    compressible = instance("a", test_patch="+ same line\n" * 1_000_000)

    check_sizes(run_spec(), [instance(), compressible], SETTINGS)


def test_an_instance_too_large_is_refused_by_its_id() -> None:
    large = instance("django__django-1", test_files=(hidden("t", noise("x", LIMIT)),))

    with pytest.raises(InvalidInputError, match="django__django-1") as refusal:
        check_sizes(run_spec(), [instance(), large], SETTINGS)

    assert refusal.value.reason == "InstanceTooLarge"


def test_many_instances_too_large_are_counted() -> None:
    content = noise("x", LIMIT)
    large = [instance(f"i{n}", test_files=(hidden("t", content),)) for n in range(7)]

    with pytest.raises(InvalidInputError, match="i0, i1, i2, i3, i4 and 2 more"):
        check_sizes(run_spec(), large, SETTINGS)


def test_a_gold_patch_counts_only_where_it_is_used() -> None:
    large = instance("a", gold_patch=noise("x", LIMIT).hex())

    check_sizes(run_spec(CLAUDE), [large], SETTINGS)
    with pytest.raises(InvalidInputError):
        check_sizes(run_spec(ORACLE), [large], SETTINGS)


def test_a_probe_is_told_about_the_agent_and_no_instance() -> None:
    config_map = probe_input(RUN, run_spec(CLAUDE), SETTINGS, "nightly-probe")
    files = contents(base64.b64decode(config_map["binaryData"]["agent.tgz"]))

    assert config_map["metadata"]["name"] == "nightly-probe-input-0"
    assert config_map["metadata"]["ownerReferences"][0]["kind"] == "BenchmarkRun"
    assert AgentSpec.from_json(files["agent.json"].decode()).claude.model == "claude-sonnet-5-5"
    assert files["prompt.txt"] == b""
