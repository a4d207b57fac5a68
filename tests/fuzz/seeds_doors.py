"""Seeds of the doors for users: specs, files, task rows, data sets, archives of scripts."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from benchwarden import names
from benchwarden.manifests.archive import tar_gz
from tests.fuzz.seeding import as_json as _json
from tests.unit.scheduling.bench import raw_schedule
from tests.unit.suites.rows import full_row, task_row

EXAMPLES = Path(__file__).parents[2] / "examples"
Seeds = Iterator[bytes]


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
    many = {str(number): number for number in range(9)}
    yield _json({**good, "spec": {**base, **many}}, 1)
    clashing = {"image": {"rewrites": []}, "agentTimeoutSeconds": 1, "pendingTimeoutSeconds": 1}
    yield _json({**good, "spec": {**base, "execution": clashing}}, 1)
    yield _json({**good, "spec": {**base, "agent": {"oracle": 1.5}, "retry": 1.5}}, 0)
    yield _json(
        {**good, "spec": {**base, "retry": "", "suspend": [], "ttlSecondsAfterFinished": 1e9}}, 0
    )
    requests = {"requests": {"cpu": "4", "memory": "9Gi"}, "limits": {"cpu": "2", "memory": "1Gi"}}
    claude = {"claudeCode": {"version": "latest", "model": "m", "extraArgs": ["--model", "x"]}}
    env = [{"name": "A", "value": "b"}, {"name": "PATH", "value": "x"}]
    wrong = {**base, "execution": {"resources": requests, "batchSize": 12, "trialsPerInstance": 3}}
    yield _json({**good, "spec": {**wrong, "agent": claude}}, 0)
    s3 = {"url": "s3://bucket/tasks"}
    unsupported = {
        "suite": {"tasks": {"source": s3}},
        "agent": {"claudeCode": {"version": "latest", "model": "m", "baseUrl": "http://a"}},
    }
    yield _json({**good, "spec": {**base, **unsupported}}, 0)
    yield _json({**good, "spec": {**wrong, "agent": {"exec": {"command": ["a"], "env": env}}}}, 0)


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
        "kind: ConfigMap\nmetadata: {name: suite}\ndata: {tasks.jsonl: x}",
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
    requests = {"requests": {"cpu": "1", "memory": "2Gi"}, "limits": {"memory": "1Gi"}}
    yield _json(task_row(resources=requests))
    yield _json(task_row(resources={}, timeouts={"agent_seconds": 5}))


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
            {"eval_script": "true"},
            {"eval_script": "echo '>>>>> Test Exit Code'", "log_parser": "p"},
            {"eval_script": "a\n: '>>>>> End Test Output'\n", "log_parser": "p", "eval_type": "t"},
            {"dockerhub_tag": "", "selected_test_files_to_run": 5},
            {"eval_script": "true", "log_parser": "p", "image": "i:1", "version": "1"},
            {"instance_id": "a..b", "base_commit": "x", "problem_statement": ...},
            {"repo": "element-hq/element-web", "instance_id": "instance_element-vnan"},
            {
                "repo": "element-hq/element-web",
                "instance_id": "instance_element-hq__element-web-"
                "ec0f940ef0e8e3b61078f145f34dc40d1938e6c5-vnan",
            },
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
    both = {
        f"{each}/{name}": b"x" for each in ("one", "two") for name in ("run_script.sh", "parser.py")
    }
    yield tar_gz({**both, "other/parser.py": b"", "one/other": b"", "README": b""})
    yield tar_gz({**both, "run_scripts/one/parser.py": b"\xff"})
    yield tar_gz({**both, "run_scripts/one/parser.py": b"first", "z/one/parser.py": b"last"})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in (*both, "README", "other/parser.py"):
            archive.writestr(zipfile.ZipInfo(name), b"")
    yield buffer.getvalue()
    yield tar_gz({"two/parser.py": b"x" * 600_000})
    yield b"\0"
