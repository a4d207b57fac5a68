"""Stands in for the runner: does at once what the prompt says, and speaks the real protocol.

Words of a prompt: `solve` (a patch that the grader likes), `fail` (one it does not like), `hang`, `eat N` (MiB),
`orphan` (leaves a background process), `crash`, `mute` (no message), `limit`, `auth`.
"""

import json
import os
import subprocess
import sys
import tarfile
import time
from argparse import ArgumentParser
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "runner"))

from benchwarden_runner import protocol


def main() -> int:
    options = ArgumentParser()
    options.add_argument("step")
    for name in ("--input", "--work", "--tools", "--message", "--log"):
        options.add_argument(name, type=Path)
    options.add_argument("--message-bytes", type=int)
    given = options.parse_args()
    message = _grade(given) if given.step == "grade" else _agent(given)
    if message is None:
        return protocol.EXIT_HARNESS
    if message:
        given.message.write_bytes(protocol.encode(message, given.message_bytes))
    return 0


def _agent(given):
    if given.step == "probe":
        return protocol.ProbeReport(protocol.COMPLETED, cli_version="2.1.330", model="m")
    files = _files(given.input / "agent.tgz")
    words = files["prompt.txt"].decode().split()
    spec = json.loads(files["agent.json"])
    Path("seen.json").write_text(json.dumps({"environ": dict(os.environ), "spec": spec}))
    (given.work / "seen.json").write_text(Path("seen.json").read_text())
    match words:
        case ["hang"]:
            (given.work / "started").touch()
            time.sleep(600)
        case ["eat", size]:
            eaten = bytearray(int(size) << 20)
            (given.work / "started").touch()
            time.sleep(600)
            return protocol.Telemetry(protocol.COMPLETED, reason=str(len(eaten)))
        case ["orphan"]:
            subprocess.Popen(["sleep", "60"], start_new_session=True)
        case ["crash"]:
            return None
        case ["mute"]:
            return ""
        case ["limit"]:
            return protocol.Telemetry(protocol.AGENT_TURN_LIMIT, cost_usd="0.5")
        case ["auth"]:
            return protocol.Telemetry(protocol.AUTH, reason="invalid x-api-key")
    assert not (given.input / "grade.tgz").exists(), "the agent sees the tests"
    (given.work / protocol.FILE_PATCH).write_text(" ".join(words))
    (given.work / protocol.FILE_TRANSCRIPT).write_text("{}\n")
    return protocol.Telemetry(protocol.COMPLETED, seconds=1.5, input_tokens=10, cost_usd="0.25")


def _grade(given):
    spec = json.loads(_files(given.input / "grade.tgz")["grade.json"])
    fresh = (Path(spec["workdir"]) / "greet.sh").read_text() == "echo hello\n"
    assert fresh, "the grader's work tree is not fresh"
    solved = "solve" in (given.work / protocol.FILE_PATCH).read_text()
    outcome = protocol.RESOLVED if solved else protocol.UNRESOLVED
    return protocol.Verdict(outcome, fail_to_pass=(int(solved), 1), seconds=0.5)


def _files(archive):
    with tarfile.open(archive) as tar:
        return {each.name: tar.extractfile(each).read() for each in tar if each.isfile()}


if __name__ == "__main__":
    sys.exit(main())
