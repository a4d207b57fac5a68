"""The real Claude Code CLI in batch pods: it edits, hidden tests judge, its usage arrives, its key stays hidden."""

import hashlib
import shutil
import time

import pytest
from tests.claude_binary import GLIBC, VERSION, ensure_claude
from tests.claude_image import ensure_claude_image
from tests.cluster.images import busybox_image
from tests.cluster.rootfs import base_image
from tests.cluster_promises.claude_runs import (
    KEY,
    MODEL,
    Witness,
    claude_run,
    messages_api,
    secret,
)
from tests.cluster_promises.own_operator import an_operator
from tests.installed import (
    await_true,
    condition,
    ensure_crds,
    rows_of,
    suite_config_map,
    wait_for_end,
)
from tests.layered_image import layer_on
from tests.scripted_api.script import bash, edit, read
from tests.tiny_suite import make_repository, task

from benchwarden import names
from benchwarden.results import row as kinds
from benchwarden_runner import protocol

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.claude,
    pytest.mark.early,
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("claude code"),
]

BY_EDIT = [bash("cat add.sh"), read("/repo/add.sh"), edit("/repo/add.sh", "$1 - $2", "$1 + $2")]
BY_SHELL = [bash("sed -i 's/1 - /1 + /' add.sh && git commit -qam fix")]
IN_VAIN = [bash("echo '# looked at it' >> add.sh")]
GIVING_THE_KEY_AWAY = [bash("env; printenv ANTHROPIC_API_KEY > leak.txt"), *BY_SHELL]
PASSES = 'test "$(sh add.sh 2 3)" = 5'


@pytest.fixture(scope="module")
def runner(cluster) -> str:
    """The runner image with Claude Code."""
    if not cluster.own:
        pytest.skip(
            "the scripted API listens where only pods of the project's own cluster reach it"
        )
    ensure_crds(cluster.kubectl())
    return ensure_claude_image(cluster)


def by_instance(kubectl, run):
    return {row.instance: row for row in rows_of(kubectl, run)}


def outcomes(rows):
    return {instance: row.outcome for instance, row in rows.items()}


def test_real_edits_are_judged_by_hidden_tests_their_usage_arrives_and_the_key_stays_hidden(
    kubectl, runner, tiny_image, tmp_path
):
    how = {
        "by-edit": BY_EDIT,
        "by-shell": BY_SHELL,
        "in-vain": IN_VAIN,
        "leaky": GIVING_THE_KEY_AWAY,
    }
    talks = [{"match": f"<{name}>", "turns": turns} for name, turns in how.items()]
    tests = {"leaky": f"cat leak.txt; {PASSES}"}
    tasks = [
        task(name, prompt=f"make add.sh add <{name}>", test_command=tests.get(name, PASSES))
        for name in how
    ]
    with (
        messages_api(conversations=talks) as api,
        an_operator(kubectl, tmp_path, runner) as operator,
    ):
        witness = Witness(kubectl, operator)
        kept = claude_run("real", api)
        kept["spec"]["cleanupPolicy"] = "Never"  # else its last container's log may be gone unread
        kubectl.apply(secret(), suite_config_map(*tasks), kept)
        run = witness.watch("real")
    rows = by_instance(kubectl, run)
    assert outcomes(rows) == {
        "by-edit": protocol.RESOLVED,
        "by-shell": protocol.RESOLVED,
        "in-vain": protocol.UNRESOLVED,
        "leaky": protocol.RESOLVED,
    }
    edited = rows["by-edit"]
    assert dict(edited.tools) == {"Bash": 1, "Edit": 1, "Read": 1}
    assert (edited.turns, edited.input_tokens, edited.output_tokens) == (4, 400, 200)
    assert (edited.cache_read_tokens, edited.cache_write_tokens) == (1200, 80)
    assert float(edited.cost_usd) > 0
    assert edited.cli_version == VERSION

    status = run["status"]
    binary = ensure_claude(VERSION, GLIBC).read_bytes()
    assert status["agent"]["cliSha256"] == hashlib.sha256(binary).hexdigest()
    assert (status["agent"]["cliVersion"], status["agent"]["model"]) == (VERSION, MODEL)
    assert status["resolvedOfTotal"] == "3/4"
    assert status["tokens"]["input"] >= sum(row.input_tokens for row in rows.values())
    assert float(status["costUsd"]) >= sum(float(row.cost_usd) for row in rows.values())

    first, *others = api.message_requests
    assert "single word OK" in str(first["body"]["messages"])
    assert len(others) == sum(len(turns) + 1 for turns in how.values())

    logs = {where.rpartition("/")[2]: text for where, text in witness.words.items()}
    assert {"probe", "agent-0", "grade-0", "finish", "metrics", "operator"} <= logs.keys()
    assert "redacted ANTHROPIC_API_KEY" in "".join(witness.words.values())
    assert "cost" in witness.words["metrics"]
    assert [where for where, text in witness.words.items() if KEY in text] == []


@pytest.fixture(scope="module")
def bare_images(cluster, tmp_path_factory) -> dict[str, str]:
    """Images of the repository that lack something: Python, bash, or git with everything else."""
    folder = tmp_path_factory.mktemp("layers")
    lacking = {
        "no-python": (
            "usr/bin/python3",
            "usr/bin/python3.11",
            "usr/lib/python3",
            "usr/lib/python3.11",
        ),
        "no-bash": ("usr/bin/bash",),
        "busybox": (),
    }
    found = {}
    for name, paths in lacking.items():
        make_repository(folder / name / "repo")
        for path in paths:
            place = folder / name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.with_name(f".wh.{place.name}").touch()
        found[name] = f"localhost/benchwarden-tiny-{name}:1"
        base = busybox_image() if name == "busybox" else base_image()
        cluster.load(layer_on(base, folder / name, found[name]))
        shutil.rmtree(folder / name)
    return found


def test_an_image_needs_no_python_but_without_bash_or_git_the_failure_is_ours_and_says_so(
    kubectl, runner, bare_images, tmp_path
):
    proof = {"no-python": f"! command -v python3 && {PASSES}"}
    tasks = [
        task(name, image=image, test_command=proof.get(name, PASSES))
        for name, image in bare_images.items()
    ]
    with messages_api(turns=BY_EDIT) as api, an_operator(kubectl, tmp_path, runner):
        manifest = claude_run("bare", api, execution={"infraRetriesPerTrial": 0})
        kubectl.apply(secret(), suite_config_map(*tasks), manifest)
        run = wait_for_end(kubectl, "bare")
    rows = by_instance(kubectl, run)
    assert outcomes(rows) == {
        "no-python": protocol.RESOLVED,
        "no-bash": protocol.HARNESS,
        "busybox": protocol.HARNESS,
    }
    assert "neither bash nor zsh" in rows["no-bash"].reason
    assert "no git" in rows["busybox"].reason
    assert condition(run, "Succeeded")["reason"] == names.REASON_COMPLETED_WITH_MISSING
    errors = {error["instance"]: error["message"] for error in run["status"]["errors"]}
    assert "neither bash nor zsh" in errors["no-bash"]


TOO_OLD = {
    "kind": "status",
    "times": 0,
    "status": 400,
    "type": "invalid_request_error",
    "message": f"Claude Code {VERSION} does not support this model; version 9.0.0 or newer is required",
}


@pytest.mark.parametrize(
    ("script", "reason", "requests"),
    [
        ({"keys": ["another"]}, names.REASON_AUTHENTICATION_FAILED, 1),
        ({"models": ["claude-other"]}, names.REASON_UNKNOWN_MODEL, 2),  # and once without a stream
        # The CLI itself asks again three times, each time for less, before it believes a 400.
        ({"faults": [TOO_OLD]}, names.REASON_CLI_TOO_OLD, 4),
    ],
    ids=["bad-key", "unknown-model", "cli-too-old"],
)
def test_what_would_fail_everywhere_ends_the_run_at_the_probe(
    kubectl, runner, tiny_image, tmp_path, script, reason, requests
):
    with messages_api(**script) as api, an_operator(kubectl, tmp_path, runner) as operator:
        witness = Witness(kubectl, operator)
        kubectl.apply(secret(), suite_config_map(task("a"), task("b")), claude_run("wrong", api))
        await_true(lambda: api.message_requests, 120, "the probe's request")
        asked = time.monotonic()
        run = witness.watch("wrong")
        assert time.monotonic() - asked < 30
        assert len(api.message_requests) <= requests
    assert condition(run, "Succeeded")["status"] == "False"
    assert condition(run, "Succeeded")["reason"] == reason
    assert rows_of(kubectl, run) == []
    assert [where for where, text in witness.words.items() if KEY in text] == []


@pytest.mark.long
def test_a_throttled_or_overloaded_agent_is_tried_again_and_then_judged(
    kubectl, runner, tiny_image, tmp_path
):
    faults = [
        {"kind": "status", "times": 0, "match": f"<{match}>", "sessions": 1, **answer}
        for match, answer in {
            "throttled": {"status": 429, "type": "rate_limit_error"},
            "overloaded": {"status": 529, "type": "overloaded_error"},
        }.items()
    ]
    tasks = [task(name, prompt=f"add, <{name}>") for name in ("throttled", "overloaded", "calm")]
    with messages_api(turns=BY_SHELL, faults=faults) as api, an_operator(kubectl, tmp_path, runner):
        kubectl.apply(secret(), suite_config_map(*tasks), claude_run("busy", api, maxRetries=0))
        run = wait_for_end(kubectl, "busy")
    history = {}
    for row in sorted(rows_of(kubectl, run), key=lambda row: row.launch):
        history.setdefault(row.instance, []).append((row.kind, row.outcome))
    judged = (kinds.KIND_VERDICT, protocol.RESOLVED)
    assert history == {
        "throttled": [(kinds.KIND_CHARGE, protocol.API_RATE_LIMIT), judged],
        "overloaded": [(kinds.KIND_CHARGE, protocol.API_OVERLOADED), judged],
        "calm": [judged],
    }
    assert condition(run, "Succeeded")["reason"] == names.REASON_COMPLETED
    assert run["status"]["resolvedOfTotal"] == "3/3"


@pytest.mark.long
@pytest.mark.parametrize("said_by", [("a", "b"), ("a",)], ids=["two", "one"])
def test_a_key_refused_after_the_probe_ends_the_run_only_if_two_instances_say_so(
    kubectl, runner, tiny_image, tmp_path, said_by
):
    refusal = {"kind": "status", "times": 0, "status": 401, "type": "authentication_error"}
    faults = [{**refusal, "match": f"<{name}>"} for name in said_by]
    tasks = [task(name, prompt=f"add, <{name}>", test_command=PASSES) for name in ("a", "b", "c")]
    with messages_api(turns=BY_SHELL, faults=faults) as api, an_operator(kubectl, tmp_path, runner):
        manifest = claude_run("revoked", api, execution={"batchSize": 3}, maxRetries=0)
        kubectl.apply(secret(), suite_config_map(*tasks), manifest)
        run = wait_for_end(kubectl, "revoked")
    ended_as = condition(run, "Succeeded")
    if len(said_by) > 1:
        assert ended_as["reason"] == names.REASON_AUTHENTICATION_FAILED
        assert {row.outcome for row in rows_of(kubectl, run) if row.instance in said_by} == {
            protocol.AUTH
        }
        return
    assert ended_as["reason"] == names.REASON_COMPLETED
    rows = sorted(rows_of(kubectl, run), key=lambda row: row.launch)
    *tries, last = [(row.kind, row.outcome) for row in rows if row.instance == "a"]
    assert (
        tries == [(kinds.KIND_CHARGE, protocol.AUTH)] * 3
    )  # the first, and the default's two retries
    assert last == (kinds.KIND_VERDICT, protocol.AGENT_ERROR)
    assert {row.outcome for row in rows if row.instance != "a"} == {protocol.RESOLVED}
