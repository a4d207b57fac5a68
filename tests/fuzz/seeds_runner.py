"""Seeds of the runner: messages, specs, archives, the CLI's stream, reports, patches, hostile trees."""

import gzip
import io
import json
import tarfile
from collections.abc import Iterator
from typing import Any

from benchwarden.manifests.archive import tar_gz
from benchwarden_runner import protocol
from benchwarden_runner.specs import AgentSpec, GradeSpec, ParserSpec, TestFileEntry
from tests.fuzz.seeding import as_json as _json

Seeds = Iterator[bytes]


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
    yield b"\1" + head.replace(b'"m"', b"5")
    yield b"\1" + head.replace(b'"model":"m",', b"")
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
            {"command": [1], "fail_to_pass": [1]},
            {"claude": {"allowed_tools": "x"}, "scripts": 5},
        ):
            yield _json({**document, **change}, way)
        yield _json({}, way)
        yield _json([], way)
        yield bytes([way]) + b"[" * 3000
        yield bytes([way]) + b"{"


def archives() -> Seeds:
    packed = tar_gz({"a": b"x", "files/0": b"y" * 600})
    yield b"\1" + packed
    yield b"\1" + packed[:-30]
    damaged = bytearray(packed)
    damaged[40:44] = b"\xff\xff\xff\xff"
    yield b"\1" + bytes(damaged)
    yield b"\0" + gzip.decompress(packed)[:2048]
    yield b"\1" + _with_link()
    yield b"\1" + tar_gz({str(number): b"z" * 400_000 for number in range(4)})
    yield b"\1junk"


def _with_link() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind in (("d", tarfile.DIRTYPE), ("l", tarfile.SYMTYPE), ("h", tarfile.LNKTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
    return gzip.compress(buffer.getvalue(), mtime=0)


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
        {"type": "assistant", "message": {"id": "m1", "content": [{"type": "text"}, 5]}},
        {"type": "assistant", "message": {"id": "m1", "content": 5}},
        {
            "type": "assistant",
            "message": {"content": [{"type": "tool_use", "id": "t1", "name": "Bash"}]},
        },
        {"type": "stream_event", "event": 5},
        {
            "type": "stream_event",
            "event": {
                "type": "message_start",
                "message": {"id": "m2", "usage": {"input_tokens": 1}},
            },
        },
        {"type": "stream_event", "event": {"type": "message_delta", "usage": {"output_tokens": 2}}},
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
        {"subtype": "success", "is_error": True, "stop_reason": "refusal", "result": "api error"},
        {"subtype": "success", "is_error": True, "result": "not logged in"},
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
    good = b"<testsuite>" + case % b"<system-out>x</system-out>" + b"</testsuite>"
    for odd in (b"\0", b"\1", b"\2"):
        yield b"\2" + odd + good
    yield b"\1" + good.replace(b' name="b"', b"")
    yield b"\1<ns:testcase xmlns:ns='x' name='b[1]'/>"
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
    fuzzy = _PATCH.replace(b" one", b" once").replace(b" three", b" threes")
    for way in (0, 1, 2, 8):
        yield bytes([way]) + fuzzy
    yield b"\x08" + _PATCH.replace(b"a.txt", b"tests/test_a.py").replace(b" one\n", b"")
    yield b"\0" + _PATCH.replace(b"a.txt", b"conftest.py").replace(b" one", b" base")
    yield b"\0" + _LINK + b"\n" + fuzzy
    yield b"\0" + _LINK
    yield b"\2" + _PATCH.replace(b" one", b" ones")


def hostile_trees() -> Seeds:
    yield b"la\nfb"
    yield b"Ld\nfd/a"
    yield b"da\npb\nfc/d\nla/x"
    yield b"Lx\nlx/a\nf../outside/a"
    yield b"f.git/config\nf/etc/passwd\nf\nfa/./b\nfa\nfa/b"
    yield b"fa\nda/b\nLb\nfb/d/a"
    yield b"da\ndb/c\nla/d\nfa\nfb\npq\nlr\nfs"
    yield b"da\nfa"
    yield b"fa\nfa/b/c\npb\nfb/c"
