"""The first inputs of every target: good documents, and the odd ones that fuzzing starts from.

`python -m tests.fuzz.seeds` writes those that are missing into the corpus.
"""

import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from benchwarden import names
from benchwarden.manifests.archive import tar_gz
from benchwarden.results import cells, shards
from benchwarden.results.row import KIND_CHARGE, KIND_VERDICT, Row
from benchwarden_runner import protocol
from benchwarden_runner.specs import AgentSpec, GradeSpec, ParserSpec, TestFileEntry
from tests.fuzz.table import CORPUS
from tests.unit.kube.builders import raw_job, running, terminated, waiting
from tests.unit.scheduling.bench import raw_schedule
from tests.unit.suites.rows import full_row, task_row

EXAMPLES = Path(__file__).parents[2] / "examples"
Seeds = Iterator[bytes]


def _json(value: Any, way: int | None = None) -> bytes:
    body = json.dumps(value).encode()
    return body if way is None else bytes([way]) + body


def run_spec() -> Seeds:
    for file in sorted(EXAMPLES.glob("*.yaml")):
        for document in yaml.safe_load_all(file.read_text()):
            if document and document.get("kind") == names.RUN_KIND:
                yield _json(document, 0)
                yield _json({**document, "status": {"counts": 7}}, 0)
                yield _json({**document, "status": {}, "spec": {**document["spec"], "sepc": 1}}, 1)
    yield _json([], 0)
    good = {"metadata": {"name": "a", "finalizers": []}, "kind": names.RUN_KIND}
    base = {
        "suite": {"tasks": {"source": {"configMap": {"name": "suite"}}}},
        "agent": {"oracle": {}},
    }
    odd: list[dict[str, Any]] = [
        {"agent": {"oracle": None}},
        {"agent": {"claudeCode": {"version": 5, "model": ""}}, "execution": {"batchSize": 99}},
        {"agent": {"exec": {"command": [], "env": [{"name": "A"}, {"name": "A"}]}}},
        {"execution": {"parallelism": "x" * 100, "resources": [], "batchSize": 0}},
        {"suite": {"tasks": {}, "swebench": {}}, "suspend": "yes", "retry": -1},
        {"suite": {"swebench": {"variant": "none"}, "selection": {"include": ["a", "a"]}}},
        {"suite": {**base["suite"], "selection": {"exclude": ["a b"], "sample": {"size": 0}}}},
        {"budget": {"usd": 1.5, "tokens": True}, "trialsPerInstance": None},
        {"budget": {"usd": "x"}, "artifacts": {}, "compareTo": {}, "ttlSecondsAfterFinished": -1},
        {"execution": {"queueName": "q", "nodeSelector": {"a/b/c": "d"}, "tolerations": [{}]}},
        {"execution": {"networkPolicy": {"allowedEgress": [{"cidr": "10.0.0.0/99"}]}}},
    ]
    for change in odd:
        yield _json({**good, "spec": {**base, **change}}, 1)
    yield _json({**good, "apiVersion": names.API_VERSION, "spec": base}, 1)


def schedule_spec() -> Seeds:
    yield _json(raw_schedule(), 0)
    yield _json(raw_schedule(timeZone="Nowhere/At/All", suspend=True), 0)
    yield _json(raw_schedule(schedule="61 * * * *", baseline={"days": 1}), 1)
    yield _json(raw_schedule(baseline={"days": 20, "minimumDays": 7}, startingDeadlineSeconds=5), 1)
    yield _json(raw_schedule(voidDays=[{"day": "2026-02-31", "author": "a", "reason": "b"}]), 0)
    yield _json(raw_schedule(detection={"minimumEffect": "2"}, acknowledge=[]), 0)
    yield _json({**raw_schedule(), "status": {"conditions": 1}}, 0)


def run_file() -> Seeds:
    for file in ("run-oracle", "compare"):
        yield (EXAMPLES / f"{file}.yaml").read_bytes()
    good = (EXAMPLES / "run-nop.yaml").read_text()
    for more in (
        "kind: ConfigMap\nmetadata: {name: a}\ndata: {a: b}\nbinaryData: {c: YQ==, d: '?'}",
        "kind: ConfigMap\nmetadata: []",
        "kind: ConfigMap\nmetadata: {name: a}\ndata: [1]",
        "kind: ConfigMap\nmetadata: {name: a}\nbinaryData: x",
        "kind: ConfigMap\nmetadata: {name: a}\nbinaryData: {a: AA==}",
        "kind: Secret",
        "when: 2001-99-99",
        "1",
        "? [a]\n: b",
        "&a [*a]",
        "!!python/object:os.system {}",
        "",
    ):
        yield f"{good}\n---\n{more}\n".encode()
    yield b"a: 0b"
    yield b"\xff"
    yield b"kind: BenchmarkRun"
    yield good.replace("name:", "nam:", 1).encode()


def task_rows() -> Seeds:
    for row in (task_row(), full_row()):
        yield _json(row)
        yield b"\xef\xbb\xbf" + _json(row) + b"\n\n" + _json({**row, "id": "other"}) + b"\n"
    for change in (
        {"id": "a b"},
        {"image": "Not An Image"},
        {"workdir": "/"},
        {"workdir": "app"},
        {"prompt": "\0"},
        {"extra": 1, "instance_id": 2, "parsr": 3},
        {"fail_to_pass": ["a", "a"]},
        {"fail_to_pass": ["a"], "pass_to_pass": ["a"]},
        {"test_files": [{"path": "../a", "content": ""}]},
        {"test_files": [{"path": "a", "content": ""}, {"path": "a/b", "content": ""}]},
        {"test_files": [{"path": "a", "content": ""}, {"path": "a", "content": ""}]},
        {"test_files": [{"path": ".GIT/hooks/a", "content": "", "contnt": 1}]},
        {"test_files": [{"path": "/a", "content": "", "content_base64": "?"}]},
        {"test_files": [{"path": "a\\b", "content_base64": "?"}, {"path": "a//b", "content": ""}]},
        {"restore_paths": [":(top)a", "b/**"]},
        {"parser": {"kind": "junit"}},
        {"parser": {"kind": "exitCode", "path": "a"}},
        {"parser": {"kind": "script"}},
        {"parser": {"kind": "none"}},
        {"resources": {"requests": {"cpu": "4"}, "limits": {"cpu": "2"}}},
        {"resources": {"limits": {"memory": "0"}, "limit": {"disk": 1}}},
        {"resources": {"limits": {"memory": "x", "disk": "1"}}},
        {"env": {"1": "a"}, "timeouts": {"agent_seconds": "5", "agentSeconds": 0}},
        {"base_commit": "HEAD"},
        {"local": {"archive": "../x", "path_entries": ["bin"]}},
        {"local": {"archive": "x.tar", "path_entries": ["bin"]}, "repo": ["a"] * 3},
    ):
        yield _json(task_row(**change))
    yield _json(task_row()) + b"\n" + _json(task_row())
    yield b'{"a":1,"a":2}\n[1]\n1\n{"a":NaN}\n\xff\n{'
    yield b"[" * 2000
    yield b'{"id":' + b"1" * 5000 + b"}"
    yield b"\n".join([b"{}"] * 30)
    yield b'{"id":"\\ud800"}'


def dataset_rows() -> Seeds:
    row = {
        "instance_id": "instance_team__demo-1",
        "repo": "team/demo",
        "base_commit": "a" * 40,
        "problem_statement": "Make it add.",
        "FAIL_TO_PASS": '["a"]',
        "PASS_TO_PASS": "['b', \"c\"]",
        "selected_test_files_to_run": ["tests/a.py"],
        "patch": "",
        "before_repo_set_cmd": "git reset\ntrue",
        "local": {"archive": "a.tar"},
    }
    for way in range(2):
        yield _json(row, way)
        yield _json([row, {**row, "instance_id": "other", "patch": None}], way + 2)
        for change in (
            {"repo": "no"},
            {"FAIL_TO_PASS": "[]", "PASS_TO_PASS": []},
            {"FAIL_TO_PASS": "[1]"},
            {"FAIL_TO_PASS": "os.system('x')"},
            {"FAIL_TO_PASS": "'\\d'"},
            {"dockerhub_tag": "a b"},
            {"dockerhub_tag": "team.demo-1", "requirements": "r", "interface": "i"},
            {"image_assets": {"a": 1}},
            {"eval_script": "x\n: '>>>>> End Test Output'\ny\n"},
            {"eval_script": "true", "log_parser": "p", "image": "i:1", "version": "1"},
            {"instance_id": "a..b", "base_commit": "x", "problem_statement": ...},
            {"repo": "element-hq/element-web", "instance_id": "instance_element-vnan"},
        ):
            changed = {key: value for key, value in {**row, **change}.items() if value is not ...}
            yield _json(changed, way)


def script_archives() -> Seeds:
    files = {"run_scripts/one/run_script.sh": b"#!/bin/sh\n", "x/one/parser.py": b"pass\n"}
    yield tar_gz(files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    yield buffer.getvalue()
    yield buffer.getvalue()[:-20]
    yield tar_gz(files)[:-20]
    yield tar_gz({"two/parser.py": b"x" * 600_000})
    yield b"\0"


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
    import gzip

    text = gzip.decompress(packed)
    yield b"\0" + text
    yield b"\0" + text + text.split(b"\n", 2)[2]
    yield b"\0" + text.replace(b'"10"', b'"99"')
    yield b"\0" + text.replace(b'"y":"10"', b'"y":[1,0]')
    yield b"\0" + text.replace(b'"y":"10"', b'"y":[1e999,0]')
    yield b"\0" + text.replace(b'"y":"10"', b'"y":"1"')
    yield b"\0" + text.replace(b"2026-03-01", b"2026-99-01")
    yield b"\0" + text.replace(b'"panel":0,"ins', b'"panel":[],"ins')
    yield b"\0" + text.replace(b'["a","b"]', b'["a","a"]')
    yield b"\0" + text.replace(b"true", b"1")
    yield b"\0" + b"[" * 3000
    yield b"\1"


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
    for raw in (job, pod, {"metadata": {"uid": 1}}, []):
        yield _json(raw, 0)
    yield _json(raw_job(suspend=True, deleting=True, startTime="2026-99"), 0)
    yield _json(raw_job(created="9999-12-31T23:59:59-23:59"), 0)
    yield _json('[["a",0,1]]', 1)
    yield _json('[["a",0,1],["b"]]', 1)
    yield _json('[["a",true,1]]', 1)
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


def messages() -> Seeds:
    said: tuple[protocol.Message, ...] = (
        protocol.Telemetry(
            protocol.COMPLETED, 12.5, 1.0, 3, 4, 5, cost_usd="0.1", tools={"Bash": 2}
        ),
        protocol.Verdict(
            protocol.RESOLVED, (1, 1), (2, 3), 4.5, "a" * 64, 10, "b" * 64, "x", "why"
        ),
        protocol.ProbeReport(protocol.COMPLETED, "2.1.330", "c" * 64, "m", "0.01", "r"),
    )
    for message in said:
        line = protocol.encode(message, 4096)
        yield b"\0" + line
        yield b"\2" + line
        yield b"\0" + line.replace(b'"v":1', b'"v":2')
        yield b"\0" + line[:-9] + b'00000000"}'
        head = line.rpartition(b',"crc"')[0]
        yield b"\1" + head
        yield b"\1" + head.replace(b'"v":1', b'"v":2')
        yield b"\1" + head.replace(b'"seconds":', b'"seconds":-')
        yield b"\1" + head.replace(b'"outcome":"', b'"outcome":"x')
        yield b"\1" + head.replace(b'"f2p":[1,1]', b'"f2p":[2,1]')
        yield b"\1" + head.replace(b'"why"', b'"\\ud800"').replace(b'"Bash"', b'"\\ud800"')
        yield b"\1" + head.replace(b'"usd":"0', b'"usd":"-0')
        yield b"\1" + head.replace(b'"patch":"a', b'"patch":"A')
        yield b"\1" + head.replace(b'"tools":{', b'"tools":[').replace(b'"kind":"', b'"kind":"x')
        yield b"\1" + head.replace(b'"why"', b'"' + b"y" * 4000 + b'"')
    yield b"\1{"
    yield b"\1" + b"[" * 3000
    yield b"\1[1"


def specs() -> Seeds:
    agent = AgentSpec(kind=protocol.AGENT_EXEC, workdir="/repo", command=("sh",), env={"A": "b"})
    grade = GradeSpec(
        workdir="/repo",
        test_command="true",
        parser=ParserSpec(protocol.PARSER_TAP),
        fail_to_pass=("a",),
        test_files=(TestFileEntry("a"),),
    )
    for way, spec in enumerate((agent, grade)):
        document = json.loads(spec.to_json())
        yield _json(document, way)
        for change in (
            {"unknown": 1},
            {"workdir": 5},
            {"timeout_seconds": 5},
            {"timeout_seconds": 10**400},
            {"timeout_seconds": "5"},
            {"env": []},
            {"env": {"a": 1}},
            {"command": "sh", "fail_to_pass": "a"},
            {"claude": [], "parser": 1},
            {"claude": {"model": 1}, "parser": {"kind": 1}},
            {"claude": {}, "test_files": [{}]},
        ):
            yield _json({**document, **change}, way)
        yield _json({}, way)
        yield _json([], way)
        yield bytes([way]) + b"[" * 3000
        yield bytes([way]) + b"{"


def archives() -> Seeds:
    import gzip

    packed = tar_gz({"a": b"x", "files/0": b"y" * 600})
    yield b"\1" + packed
    yield b"\1" + packed[:-30]
    damaged = bytearray(packed)
    damaged[40:44] = b"\xff\xff\xff\xff"
    yield b"\1" + bytes(damaged)
    yield b"\0" + gzip.decompress(packed)[:2048]
    yield b"\1" + tar_gz({str(number): b"z" * 400_000 for number in range(4)})
    yield b"\1junk"


def claude_stream() -> Seeds:
    entries: list[Any] = [
        {"type": "system", "subtype": "init", "claude_code_version": "2.1.330"},
        {"type": "system", "status": "requesting"},
        {"type": "stream_event", "event": {"type": "message_start"}},
        {"type": "stream_event", "event": {"type": "message_stop"}},
        {
            "type": "assistant",
            "message": {
                "id": "m1",
                "content": [{"type": "tool_use", "id": "t1", "name": "Bash"}],
                "usage": {"input_tokens": 5, "output_tokens": 1e300},
            },
        },
        {"type": "assistant", "message": {"model": "<synthetic>"}},
        {"type": "system", "subtype": "api_retry", "retry_delay_ms": 500, "error": "rate_limit"},
        {"type": "system", "subtype": "api_retry", "retry_delay_ms": 1e400, "error_status": 529},
        {"type": "system", "subtype": "permission_denied", "tool_use_id": "t2"},
        {"type": "cost-state", "totalCostUSD": 0.5, "modelUsage": {"m": {"inputTokens": 3}}},
        [1],
    ]
    text = b"".join(_json(each) + b"\n" for each in entries)
    yield b"\0" + text
    yield b"\7" + text
    for result in (
        {"subtype": "success", "is_error": False, "total_cost_usd": 0.25, "usage": {}},
        {"subtype": "success", "is_error": True, "api_error_status": 429, "result": "limit"},
        {
            "subtype": "success",
            "is_error": True,
            "api_error_status": 400,
            "result": "credit balance is too low",
        },
        {"subtype": "success", "is_error": True, "api_error_status": 404},
        {"subtype": "success", "is_error": True, "api_error_status": 401},
        {"subtype": "success", "is_error": True, "api_error_status": 529},
        {"subtype": "success", "is_error": True, "api_error_status": 10**30},
        {
            "subtype": "success",
            "is_error": True,
            "api_error_status": 400,
            "result": "does not support this model; version 3 or newer is required",
        },
        {"subtype": "success", "is_error": True, "api_error": "connection_failed"},
        {"subtype": "success", "is_error": True, "result": "API Error: connect refused"},
        {"subtype": "error_max_turns", "permission_denials": [1, 2], "errors": ["a", {}]},
        {
            "subtype": "error_max_budget_usd",
            "stop_reason": "refusal",
            "modelUsage": {"m": {"inputTokens": 1}},
        },
        {"subtype": "other", "is_error": True, "modelUsage": {"m": 5}},
    ):
        yield b"\0" + _json({"type": "result", **result}) + b"\n"
        yield b"\1" + text + _json({"type": "result", **result}) + b"\n"
    yield b"\2\n{}\n\xff\n" + b"[" * 3000 + b"\n"
    yield b'\0{"type":"system","subtype":"api_retry","retry_delay_ms":' + b"9" * 400 + b"}\n"
    yield b'\0{"type":"stream_event",' + b"x" * 40


def reports() -> Seeds:
    yield b"\0TAP version 14\n1..4\nok 1 - a\nnot ok 2 - b # TODO later\nok 3 # SKIP\nok\n"
    yield b"\0# Subtest: p\n    ok 1 - c\n    # Subtest: q\n        not ok 1 - d \\# e\nok 2 - p\n"
    yield b"\0nothing"
    yield b"\0ok " + b" " * 3000 + b"x"
    case = b'<testcase classname="a" name="b" file="tests/a.py">%s</testcase>'
    for inner in (b"", b"<failure/>", b"<error/>", b"<skipped/>", b"<other/>"):
        yield b"\1<testsuite>" + case % inner + b'<testcase name="b"/></testsuite>'
    for head in (
        b'<?xml version="1.0" encoding="nonsense"?>',
        b'<?xml version="1.0" encoding="big5"?>',
        b'<?xml version="1.0" encoding="utf-16"?>',
        b"<!DOCTYPE a>",
        b'<!DOCTYPE a [<!ENTITY b "c">]>',
    ):
        yield b"\1" + head + b"<a>" + case % b"" + b"</a>"
    declared = '<!DOCTYPE a [<!ENTITY b "c">]><a><testcase name="b"/></a>'
    yield b"\1" + declared.encode("utf-16")
    yield b"\1<a/>"
    yield b"\1<a"
    yield b"\1" + b"<a>" * 1200


_PATCH = b"""\
diff --git a/a.txt b/a.txt
--- a/a.txt
+++ b/a.txt
@@ -1,3 +1,3 @@
 one
-two
+2
 three
"""
_LINK = b"""\
diff --git a/tests/test_a.py b/tests/test_a.py
deleted file mode 100644
--- a/tests/test_a.py
+++ /dev/null
@@ -1 +0,0 @@
-base
diff --git a/tests b/tests
new file mode 120000
--- /dev/null
+++ b/tests
@@ -0,0 +1 @@
+../outside
\\ No newline at end of file
"""


def _hostile_patches() -> Seeds:
    yield _PATCH
    yield _PATCH.replace(b"+2", b"+2 \r")
    yield _PATCH.replace(b"a.txt", b"../a.txt")
    yield _PATCH.replace(b"a.txt", b".git/config")
    yield _PATCH.replace(b"b/a.txt", b'"b/a\\303\\244.txt"')
    yield _PATCH.replace(b" one", b" ones")
    yield _LINK
    yield _LINK.replace(b"../outside", b"/etc")
    yield _LINK + _PATCH.replace(b"a.txt", b"tests/test_a.py")
    yield b"diff --git a/b b/b\nnew file mode 100644\nindex 000..111\nBinary files /dev/null and b/b differ\n"
    yield b"diff --git a/b b/b\nnew file mode 100644\nGIT binary patch\nliteral 1\nIcmZPo\n\nliteral 0\nHcmV?d00001\n\n"
    for path in (b".git/hooks/post-checkout", b".gitattributes", b"conftest.py", b"x/../../y"):
        yield (
            b"diff --git a/%b b/%b\nnew file mode 100755\n--- /dev/null\n+++ b/%b\n@@ -0,0 +1 @@\n+x\n"
            % (path, path, path)
        )
    yield b"junk"


def patches() -> Seeds:
    yield from _hostile_patches()


def patched_trees() -> Seeds:
    for number, patch in enumerate(_hostile_patches()):
        yield bytes([number % 3]) + patch
    yield b"\0" + _LINK
    yield b"\2" + _PATCH.replace(b" one", b" ones")


def hostile_trees() -> Seeds:
    yield b"la\nfb"
    yield b"Ld\nfd/a"
    yield b"da\npb\nfc/d\nla/x"
    yield b"Lx\nlx/a\nf../outside/a"
    yield b"f.git/config\nf/etc/passwd\nf\nfa/./b\nfa\nfa/b"
    yield b"fa\nda/b\nLb\nfb/d/a"


def all_seeds() -> dict[str, list[bytes]]:
    makers = (
        *(run_spec, schedule_spec, run_file, task_rows, dataset_rows, script_archives),
        *(result_shards, daily_cells, plans, observed, result_files),
        *(messages, specs, archives, claude_stream, reports, patches, hostile_trees, patched_trees),
    )
    return {make.__name__: list(make()) for make in makers}


def main() -> None:
    for target, inputs in all_seeds().items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for data in inputs:
            (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
        print(f"{target}: {len(inputs)} seeds", file=sys.stderr)


if __name__ == "__main__":
    main()
