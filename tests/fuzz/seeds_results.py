"""Seeds of what the operator reads back: shards, cells, plans, observed objects, result files."""

import gzip
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from benchwarden.results import cells, shards
from benchwarden.results.row import KIND_CHARGE, KIND_VERDICT, Row
from benchwarden_runner import protocol
from tests.fuzz.seeding import as_json as _json
from tests.unit.kube.builders import raw_job, running, terminated, waiting

Seeds = Iterator[bytes]


def _rows() -> tuple[Row, ...]:
    common: dict[str, Any] = {"batch": "b-1", "finished_at": "2026-03-01T12:00:00Z"}
    return (
        Row("a", 0, 1, KIND_VERDICT, protocol.RESOLVED, **common, tools=(("Bash", 3),)),
        Row("a", 1, 1, KIND_VERDICT, protocol.UNRESOLVED, **common, cost_usd="0.25"),
        Row("b", 0, 1, KIND_CHARGE, protocol.API_RATE_LIMIT, **common, tests=(1, 2, 3, 4)),
        Row("b", 0, 2, KIND_VERDICT, protocol.AGENT_OOM, **common, reason="x", agent_seconds=1.5),
    )


def result_shards() -> Seeds:
    text = shards.lines(_rows())
    for way in (0, 2, 4, 6):
        yield bytes([way]) + text
    yield b"\1" + shards.pack(_rows())[0]
    yield b"\3" + shards.pack(_rows())[0]
    yield b"\1" + shards.pack(_rows())[0][:-9]
    damaged = bytearray(shards.pack(_rows())[0])
    damaged[20:24] = b"\xff\xff\xff\xff"
    yield b"\1" + bytes(damaged)
    yield b'\2{"a":true,"b":false}'
    first = shards.row_to_json(_rows()[0])
    for change in (
        {"tests": [1, 2]},
        {"tests": [1e400, 0, 0, 0]},
        {"tools": []},
        {"tools": {"a": "b"}},
        {"trial": True},
        {"cost_usd": "-1"},
        {"agent_seconds": 1},
        {"agent_seconds": "1"},
        {"unknown": 1, "reason": None},
        {"tests": None},
    ):
        yield _json({**first, **change}, 0)
    yield b"\0[]\n\n1"
    yield _json({**first, "reason": "\u00e4"}, 0)
    yield _json({**first, "reason": "\ud800"}, 0)
    yield _json({**first, "trial": None}, 0)
    yield b"\0" + b"[" * 3000
    yield b"\0{}"


def daily_cells() -> Seeds:
    run = cells.RunCells(
        run="daily-1",
        run_uid="u-1",
        slot="2026-03-01T03:00:00Z",
        day="2026-03-01",
        series="latest",
        succeeded=True,
        instances=("a", "b"),
        passes=(1, 0),
        trials=(1, 12),
    )
    note = cells.Note(cells.NOTE_VOIDED, "2026-03-02T03:00:00Z", "latest", (("day", "2026-03-01"),))
    packed = cells.pack_cells([run, note])
    yield b"\1" + packed
    yield b"\1" + packed[:-9]
    text = gzip.decompress(packed)
    yield b"\0" + text
    yield b"\0" + text + text.split(b"\n", 2)[2]
    yield b"\0" + text.replace(b'"10"', b'"99"')
    yield b"\0" + text.replace(b'"y":"10"', b'"y":[1,0]')
    yield b"\0" + text.replace(b'"y":"10"', b'"y":[1e999,0]')
    seen = replace(run, images=("1f" * 6, ""), signals="0a1b2c00" * 2)
    told = gzip.decompress(cells.pack_cells([seen]))
    yield b"\0" + told
    yield b"\0" + told.replace(b'"digests":["', b'"digests":["x","')
    yield b"\0" + told.replace(b'"i":0', b'"i":7')
    yield b"\0" + text.replace(b'"y":"10"', b'"y":"1"')
    yield b"\0" + text.replace(b"2026-03-01", b"2026-99-01")
    yield b"\0" + text.replace(b'"panel":0,"ins', b'"panel":[],"ins')
    yield b"\0" + text.replace(b'["a","b"]', b'["a","a"]')
    yield b"\0" + text.replace(b"true", b"1")
    yield b"\0" + b"[" * 3000
    yield b"\1"
    yield b'\0{"note":"voided","at":"2026-03-01T00:00:00Z"}\n{"other":1}'


def plans() -> Seeds:
    document = {
        "panelDigest": "d",
        "groups": [[["a", 0], ["b", 0]], [["a", 1]]],
        "agent": {"cliVersion": "2.1.330"},
    }
    yield _json(document, 0)
    for change in (
        {"groups": [[["a", "0"]]]},
        {"groups": [[[1, 0]]]},
        {"groups": None},
        {"agent": []},
        {"agent": {"a": 1}},
        {"panelDigest": 5},
        {"groups": [[["a"]]]},
    ):
        yield _json({**document, **change}, 0)
    yield b"\0" + b"[" * 3000
    yield b"\1junk"
    yield b'\2{"binaryData":{"plan-1.json.z":"?"}}'
    yield b"\2[]"


def observed() -> Seeds:
    job = raw_job(finished=("Failed", "DeadlineExceeded", "2026-03-01T12:00:00Z"), active=1)
    pod = {
        "metadata": {
            **job["metadata"],
            "ownerReferences": [{"kind": "Job", "uid": "job-1", "name": "n"}],
        },
        "spec": {"nodeName": "n", "initContainers": [{"name": "inject"}, {"name": "agent-0"}]},
        "status": {
            "phase": "Failed",
            "conditions": [
                {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"},
                {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"},
            ],
            "initContainerStatuses": [
                terminated("agent-0", "m"),
                running("grade-0"),
                waiting("agent-1", "ErrImagePull", "m"),
            ],
        },
    }
    pod["metadata"] = {**pod["metadata"], "creationTimestamp": 5}
    other = {**pod, "metadata": {**pod["metadata"], "ownerReferences": [{"kind": "Other"}]}}
    for raw in (other, job, pod, {"metadata": {"uid": 1}}, []):
        yield _json(raw, 0)
    yield _json(raw_job(suspend=True, deleting=True, startTime="2026-99"), 0)
    yield _json(raw_job(created="9999-12-31T23:59:59-23:59"), 0)
    yield _json('[["a",0,1]]', 1)
    yield _json('[["a",0,1],["b"]]', 1)
    yield _json('[["a",true,1]]', 1)
    yield _json('[["",0,1]]', 1)
    yield _json(5, 1)
    yield b'\0[["a",0,1]]'
    yield b'\0[["\\ud800",0,1]]'
    yield b"\0{"


def result_files() -> Seeds:
    cell = {"day": "2026-03-01", "instance": "a", "passes": 1, "trials": 2}
    lines = _json(cell) + b"\n\n" + _json({**cell, "instance": "b"})
    yield b"\1" + lines
    yield b"\0" + lines
    for change in (
        {"day": "2026-13-01"},
        {"day": 1},
        {"passes": "1"},
        {"instance": 1},
        {"day": "x"},
    ):
        yield b"\1" + lines + b"\n" + _json({**cell, **change})
    yield b"\1[1]\n2"
    yield b"\1{}\n{"
    yield b'\1{"day":' + b"1" * 5000 + b"}"
    yield b"\1" + b"[" * 3000
    yield b"\1{},\n{}"
    for value in (
        {"a": True, "b": False, "c": None},
        {"a": 1},
        {"resolved_ids": ["a"], "unresolved_ids": ["b"], "empty_patch_ids": None},
        {"resolved_ids": ["a"], "unresolved_ids": 5},
        {"results": [{"instance": "a", "group": "pass"}, {"instance": "b", "group": "infra"}]},
        {"results": [1]},
        {"results": [{"instance": "a", "group": []}]},
        {"instance": "a", "resolved": True},
        {"instance_id": "a", "passes": 2, "trials": 1},
        {"instance_id": 5, "trials": 1},
        [],
    ):
        yield _json(value, 0)
    yield b"\0" + shards.lines(_rows())
    yield b'\0{"a":true,"a":true}'
    yield b'\0{"instance":"a","resolved":true}\n1\n'
    yield b'\0{"instance":"a","resolved":true}\n{'
    yield b"\0{" + b'"a":' * 10 + b"[" * 3000
    yield b'\0{"a":' + b"1" * 5000 + b"}"
    yield b"\0"
