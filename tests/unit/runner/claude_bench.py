"""Runs the real CLI against a scripted API, as the agent's supervisor or the probe."""

import time

from tests.claude_binary import VERSION
from tests.scripted_api.script import bash, edit, read, write
from tests.scripted_api.server import ScriptedApi

from benchwarden_runner import protocol
from benchwarden_runner.specs import ClaudeSpec

MODEL = "claude-sonnet-5-5"
KEY = "sk-test-planted-key-0123456789"
FOR_EVER = 0


def spec(place, api, *, timeout_seconds=60.0, throttle_allowance_seconds=0.0, env=None, **fields):
    fields = {"max_retries": 0, "version": VERSION, "model": MODEL, **fields}
    return place.agent_spec(
        protocol.AGENT_CLAUDE_CODE,
        timeout_seconds=timeout_seconds,
        throttle_allowance_seconds=throttle_allowance_seconds,
        env=env or {},
        claude=ClaudeSpec(base_url=api.base_url, **fields),
    )


def run(place, script, prompt="Fix calc.py.", key=KEY, **fields):
    with ScriptedApi(script) as api:
        telemetry = place.agent(
            spec(place, api, **fields),
            prompt=prompt,
            env={"ANTHROPIC_API_KEY": key} if key else {},
        )
    return telemetry, api


def status(code, kind="api_error", message="scripted", times=FOR_EVER, at=0, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    fault = {"kind": "status", "status": code, "type": kind, "message": message}
    return {**fault, "times": times, "at": at, "headers": headers}


def solution(place):
    return [
        bash("ls && git log --oneline"),
        read(str(place.repo / "calc.py")),
        edit(str(place.repo / "calc.py"), "a - b", "a + b"),
        write(str(place.repo / "notes.md"), "done\n"),
    ]


def probe(bench, script, key="sk-good-key-12345", **fields):
    with ScriptedApi(script) as api:
        begun = time.monotonic()
        report = bench.probe(spec(bench, api, **fields), env={"ANTHROPIC_API_KEY": key})
        assert time.monotonic() - begun < 30
    return report, api
