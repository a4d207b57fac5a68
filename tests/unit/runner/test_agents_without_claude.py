# ruff: noqa: PTH110  # the os functions are what the runner itself uses

import os
import signal
import subprocess
import time

import pytest
from tests.unit.runner.builders import git, repository

from benchwarden_runner import protocol

GOLD = """--- a/a.txt
+++ b/a.txt
@@ -1 +1 @@
-old
+new
"""


def exec_spec(place, script, **fields):
    return place.agent_spec(protocol.AGENT_EXEC, command=("sh", "-c", script), **fields)


def test_nop_hands_over_an_empty_patch_without_needing_git(place):
    assert place.agent(place.agent_spec(protocol.AGENT_NOP)).outcome == protocol.COMPLETED
    assert place.patch == b""


def test_the_oracle_hands_over_the_reference_patch_byte_for_byte(place):
    spec = place.agent_spec(protocol.AGENT_ORACLE)
    assert place.agent(spec, gold=GOLD).outcome == protocol.COMPLETED
    assert place.patch == GOLD.encode()


def test_an_exec_agent_reads_its_prompt_from_stdin_and_file_and_its_change_is_the_patch(place):
    repository(place.repo, {"a.txt": "old\n"})
    script = 'cat > from-stdin; cp "$BENCHWARDEN_PROMPT_FILE" from-file; echo "$PWD" > where'
    telemetry = place.agent(exec_spec(place, script), prompt="Make it new.\n")
    assert telemetry.outcome == protocol.COMPLETED
    text = place.patch.decode()
    assert text.count("+Make it new.") == 2
    assert f"+{place.repo}" in text


def test_an_exec_agent_that_fails_is_an_agent_error_and_its_patch_is_kept(place):
    repository(place.repo, {"a.txt": "old\n"})
    telemetry = place.agent(exec_spec(place, "echo new > a.txt; echo sorry >&2; exit 3"))
    assert telemetry.outcome == protocol.AGENT_ERROR
    assert "ended with 3: sorry" in telemetry.reason
    assert b"+new" in place.patch


def test_a_missing_agent_program_is_ours_to_fix(place):
    repository(place.repo, {"a.txt": "old\n"})
    spec = place.agent_spec(protocol.AGENT_EXEC, command=("no-such-program",))
    telemetry = place.agent(spec)
    assert telemetry.outcome == protocol.HARNESS
    assert "no-such-program" in telemetry.reason


@pytest.mark.parametrize("code", [126, 127])
def test_an_exec_agent_that_ends_as_a_shell_does_without_a_command_says_so(place, code):
    repository(place.repo, {"a.txt": "old\n"})
    telemetry = place.agent(exec_spec(place, f"exit {code}"))
    assert telemetry.outcome == "harness"
    assert telemetry.reason.startswith(
        f"agent_command_missing: the agent's command ended with {code}"
    )


def test_an_exec_agent_may_report_its_usage(place):
    repository(place.repo, {"a.txt": "old\n"})
    script = (
        """echo '{"turns": 3, "inputTokens": 10, "costUsd": 0.25}' > "$BENCHWARDEN_USAGE_FILE" """
    )
    telemetry = place.agent(exec_spec(place, script))
    assert (telemetry.turns, telemetry.input_tokens, telemetry.cost_usd) == (3, 10, "0.25")


def test_an_agent_past_its_time_is_ended_with_all_it_started_and_its_patch_is_kept(place):
    repository(place.repo, {"a.txt": "old\n"})
    pids = place.folder / "pids"
    script = f"""
        echo new > a.txt
        (setsid sh -c 'echo $$ >> {pids}; trap "" INT TERM HUP; sleep 600 & sleep 600') &
        trap '' INT TERM
        while :; do sleep 0.1; done
    """
    spec = exec_spec(place, script, timeout_seconds=1)
    begun = time.monotonic()
    telemetry = place.agent(spec)
    assert telemetry.outcome == protocol.AGENT_TIMEOUT
    assert time.monotonic() - begun < 30
    assert b"+new" in place.patch
    for pid in pids.read_text().split():
        assert not os.path.exists(f"/proc/{pid}")


def test_what_daemonises_itself_is_gone_when_the_agent_has_ended(place):
    repository(place.repo, {"a.txt": "old\n"})
    pids = place.folder / "pids"
    script = f"(setsid sh -c 'echo $$ > {pids}; exec sleep 600' >/dev/null 2>&1 &); sleep 0.5"
    assert place.agent(exec_spec(place, script)).outcome == protocol.COMPLETED
    assert not os.path.exists(f"/proc/{pids.read_text().strip()}")


def test_an_agent_that_eats_its_memory_is_ended_before_the_kernel_does(place):
    repository(place.repo, {"a.txt": "old\n"})
    program = "import time; x = bytearray(200 << 20); time.sleep(60)"
    spec = place.agent_spec(
        protocol.AGENT_EXEC, command=("python3", "-c", program), memory_limit_bytes=128 << 20
    )
    assert place.agent(spec).outcome == protocol.AGENT_OOM


def test_no_repository_is_a_harness_failure_that_says_so(place):
    place.repo.mkdir()
    telemetry = place.agent(exec_spec(place, "true"))
    assert telemetry.outcome == protocol.HARNESS
    assert "no git repository" in telemetry.reason


def test_an_image_without_git_is_a_harness_failure_that_says_so(place):
    repository(place.repo, {"a.txt": "old\n"})
    telemetry = place.agent(exec_spec(place, "true"), env={"PATH": "/nonexistent"})
    assert telemetry.outcome == protocol.HARNESS
    assert "no git" in telemetry.reason


def test_an_unknown_base_commit_is_a_harness_failure(place):
    repository(place.repo, {"a.txt": "old\n"})
    telemetry = place.agent(exec_spec(place, "true", base_commit="0" * 40))
    assert telemetry.outcome == protocol.HARNESS


@pytest.mark.parametrize("damage", ["missing", "garbage", "unknown field"])
def test_a_bad_input_archive_is_a_harness_failure(place, damage):
    if damage == "garbage":
        (place.input / "agent.tgz").write_bytes(b"garbage")
    if damage == "unknown field":
        from tests.unit.runner.builders import archive

        archive(
            place.input / "agent.tgz", {"agent.json": '{"kind": "nop", "workdir": "/", "x": 1}'}
        )
    telemetry = place.call("agent")
    assert telemetry.outcome == protocol.HARNESS
    assert "agent" in telemetry.reason


def test_secrets_reach_neither_message_nor_log_nor_stored_output(place):
    repository(place.repo, {"a.txt": "old\n"})
    secret = "sk-planted-0123456789"
    script = 'echo "key $ANTHROPIC_API_KEY"; echo "key $ANTHROPIC_API_KEY" >&2; exit 1'
    telemetry = place.agent(exec_spec(place, script), env={"ANTHROPIC_API_KEY": secret})
    stored = (place.work / protocol.FILE_STREAM).read_text()
    assert "redacted ANTHROPIC_API_KEY" in stored
    assert secret not in stored + telemetry.reason + place.done.stdout + place.done.stderr


def test_the_models_key_stays_out_of_the_patch_that_the_grader_will_print(place):
    repository(place.repo, {"a.txt": "old\n"})
    secret = "sk-planted-0123456789"
    script = "printenv ANTHROPIC_API_KEY > b.txt; printenv GPG_KEY > c.txt; echo new > a.txt"
    environment = {"ANTHROPIC_API_KEY": secret, "GPG_KEY": "0123456789ABCDEF"}
    assert place.agent(exec_spec(place, script), env=environment).outcome == protocol.COMPLETED
    assert secret.encode() not in place.patch
    assert b"+[redacted ANTHROPIC_API_KEY]\n" in place.patch
    assert b"+0123456789ABCDEF\n" in place.patch
    git(place.repo, "reset", "--hard")
    git(place.repo, "clean", "-fd")
    git(place.repo, "apply", "-", data=place.patch)


def test_a_deleted_pod_is_not_kept_waiting(place):
    repository(place.repo, {"a.txt": "old\n"})
    from tests.unit.runner.builders import archive

    spec = exec_spec(place, "echo new > a.txt; touch started; sleep 600")
    archive(place.input / "agent.tgz", {"agent.json": spec.to_json(), "prompt.txt": ""})
    with subprocess.Popen(
        place.command("agent"),
        env={"PATH": os.environ["PATH"], "HOME": str(place.folder)},
        stdout=subprocess.DEVNULL,
    ) as process:
        deadline = time.monotonic() + 30
        while not (place.repo / "started").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    telemetry = protocol.decode(place.message_path.read_text())
    assert (telemetry.outcome, telemetry.reason) == (protocol.HARNESS, "the pod was told to stop")
    assert b"+new" in place.patch


def test_the_agent_sees_no_future(place):
    repository(place.repo, {"a.txt": "old\n"})
    base = git(place.repo, "rev-parse", "HEAD")
    put_future = git(place.repo, "commit", "--allow-empty", "-m", "the solution")
    assert put_future
    script = "git log --all --format=%s > seen; git fsck --lost-found >> seen"
    place.agent(exec_spec(place, script, base_commit=base))
    assert (place.repo / "seen").read_text() == "base\n"
