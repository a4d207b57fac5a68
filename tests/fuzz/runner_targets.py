"""Targets of the runner: container messages, specs, archives, the CLI's stream, reports, patches, hostile trees."""

import contextlib
import gzip
import json
import math
import os
import re
import tempfile
import zlib
from dataclasses import fields
from pathlib import Path
from typing import Any

from benchwarden_runner import inputs, protocol, safe_files
from benchwarden_runner.agents import claude_outcome, claude_usage
from benchwarden_runner.agents.claude_stream import ClaudeStream, without_partials
from benchwarden_runner.grading import attempts, results_tap
from benchwarden_runner.grading.results import ERROR, FAILED, PASSED, SKIPPED, NoResultsError
from benchwarden_runner.grading.results_junit import JunitResults, read_reports
from benchwarden_runner.safe_files import UnsafeFileError
from benchwarden_runner.specs import AgentSpec, GradeSpec, SpecError
from tests.fuzz.reading import check_said, check_text, split, text_of

_CRC = re.compile(r',"crc":"([0-9a-f]{8})"}$')
_STATUSES = {PASSED, SKIPPED, FAILED, ERROR}
_ARCHIVE_BYTES = 1 << 20
_NAMES = ["a::b", "tests/a.py::b", "b"]
inputs.MAX_BYTES = _ARCHIVE_BYTES  # a bound that a fuzzer can reach


def messages(data: bytes) -> None:
    """A message is whole and in range, or missing; its parts never pass for another message."""
    way, body = split(data)
    text = body.decode("latin-1")
    if way % 2:  # the checksum made right, so that the fields are reached
        text = f'{text},"crc":"{zlib.crc32(text.encode("latin-1")):08x}"}}'
    message = protocol.decode(text)
    if message is None:
        return
    crc = _CRC.search(text)
    assert crc, "a message without a checksum was read"
    assert int(crc[1], 16) == zlib.crc32(text[: crc.start()].encode()), "a wrong checksum was read"
    assert len(text) <= protocol.CONTAINER_MESSAGE_BYTES, "a message too long was read"
    _check_message(message)
    assert protocol.decode(text[: -1 - way // 2]) is None, "a cut message was read"
    shortest = protocol.encode(message, protocol.message_limit_bytes(12))
    assert protocol.decode(shortest.decode("ascii")) is not None, "shortened beyond reading"
    line = protocol.encode(message, protocol.CONTAINER_MESSAGE_BYTES)
    read = protocol.decode(line.decode("ascii"))
    assert read is not None
    assert protocol.encode(read, protocol.CONTAINER_MESSAGE_BYTES) == line


def _check_message(message: protocol.Message) -> None:
    for each in fields(message):
        value = getattr(message, each.name)
        if isinstance(value, str):
            check_text(value)
        elif isinstance(value, float):
            assert math.isfinite(value)
            assert value >= 0
        elif isinstance(value, int):
            assert 0 <= value < 10**12
        elif isinstance(value, dict):
            check_text(*value)
        else:
            passed, total = value
            assert 0 <= passed <= total, "more tests passed than there are"
    assert message.outcome == protocol.COMPLETED or message.outcome in protocol.ALL_CLASSES


def specs(data: bytes) -> None:
    """What agent and grader are told: every field is known and of its type, or SpecError names it."""
    way, body = split(data)
    cls: Any = GradeSpec if way % 2 else AgentSpec
    try:
        spec = cls.from_json(text_of(body))
    except SpecError as error:
        check_said(error)
        return
    asked, known = json.loads(text_of(body)), json.loads(spec.to_json())
    assert set(asked) <= set(known), "a field was dropped in silence"
    assert cls.from_json(spec.to_json()) == spec


def archives(data: bytes) -> None:
    """Input archives: bounded in memory, or InputError."""
    way, body = split(data)
    packed = body if way % 2 else gzip.compress(body, compresslevel=1)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "grade.tgz").write_bytes(packed)
        try:
            files = inputs.read_archive(Path(folder), "grade.tgz")
        except inputs.InputError:
            return
    assert sum(map(len, files.values())) <= _ARCHIVE_BYTES, "more was read than is allowed"


def claude_stream(data: bytes) -> None:
    """The CLI's stream, in pieces of any size: telemetry that a message can carry, whatever the lines say."""
    way, body = split(data)
    stream, size = ClaudeStream(stall_seconds=5.0), 1 + way % 64
    step = 1 + len(body) // size
    for number, begin in enumerate(range(0, len(body), step)):
        stream.feed(body[begin : begin + step], float(number))
    throttled = stream.throttle_seconds(100.0)
    assert throttled >= 0
    usage = claude_usage.from_result(stream.result or {})
    if stream.result is None:
        usage = claude_usage.from_transcript(body.splitlines(keepends=True))
    judged = claude_outcome.judge(way % 3, stream.result, text_of(body[:200]))
    assert judged.outcome in protocol.ALL_CLASSES | {protocol.COMPLETED}
    claude_outcome.of_retry(stream.last_retry)
    told = protocol.Telemetry(
        outcome=judged.outcome,
        throttle_seconds=throttled,
        turns=stream.turns,
        denials=stream.denials,
        api_status=judged.api_status,
        cli_version=stream.version,
        reason=judged.reason,
        tools=stream.tools,
        **vars(usage),
    )
    line = protocol.encode(told, protocol.message_limit_bytes(12))
    assert protocol.decode(line.decode("ascii")) is not None, "telemetry that cannot be read back"
    kept = b"".join(without_partials([body[:step], body[step:]]))
    assert len(kept) <= len(body)


def reports(data: bytes) -> None:
    """Reports of tests, TAP and JUnit: a status for each name, or NoResultsError."""
    way, body = split(data)
    try:
        if way & 2:
            found = _report_in_a_tree(body).statuses(_NAMES)
        elif way % 2:
            found = JunitResults([body]).statuses(_NAMES)
            assert not _declares(body), "a report with a document type was read"
        else:
            found = results_tap.parse(text_of(body))
    except NoResultsError as error:
        check_said(error)
        return
    assert set(found.values()) <= _STATUSES


def _report_in_a_tree(body: bytes) -> JunitResults:
    """The report as a file of a tree; one byte says what else lies there."""
    with tempfile.TemporaryDirectory() as folder:
        odd, report = split(body)
        for name in ("reports/deep", ".git"):
            Path(folder, name).mkdir(parents=True)
        Path(folder, ".git", "a.xml").write_bytes(b"<testcase name='hidden'/>")
        if odd % 3 == 1:
            Path(folder, "reports", "a.xml").symlink_to("/etc/hostname")
        elif odd % 3:
            Path(folder, "reports", "deep", "a.xml").write_bytes(report)
        Path(folder, "tracked.xml").write_bytes(b"<testcase name='tracked'/>")
        found = read_reports(folder, "**/*.xml", frozenset({"tracked.xml"}))
        assert not found.statuses(["hidden", "tracked"]), "a file that is no report was read"
        return found


def _declares(body: bytes) -> bool:
    """Whether the document declares a type, whatever its encoding."""
    plain = body.replace(b"\0", b"").upper()
    return plain.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<!DOCTYPE")


def patches(data: bytes) -> None:
    """The parts of a patch that we read ourselves."""
    kept = attempts.text_hunks(data)
    assert b"\nGIT binary patch\n" not in kept
    assert len(kept) <= len(data)
    if attempts._stays_inside(data):
        for line in data.split(b"\n"):
            if line.startswith((b"--- ", b"+++ ")):
                assert b"/../" not in b"/" + line[4:].split(b"\t")[0] + b"/", line


def hostile_trees(data: bytes) -> None:
    """Reading and writing below a tree that an agent has made: nothing outside it is read or changed."""
    with tempfile.TemporaryDirectory() as scratch:
        outside, tree = Path(scratch, "outside"), Path(scratch, "tree")
        (outside / "d").mkdir(parents=True)
        tree.mkdir()
        secrets = [outside / "a", outside / "d" / "a"]
        for secret in secrets:
            secret.write_bytes(b"secret")
        before = _listing(outside)
        operations = [text_of(each) for each in data.split(b"\n")][:12]
        for operation in operations:
            _operate(tree, outside, operation)
        # The last first: what leads through a link is tried before the link itself is replaced.
        for operation in reversed(operations):
            _try(tree, operation[1:])
            _replace(tree, operation[1:])
        assert _listing(outside) == before, "something outside the tree was changed"
        assert all(secret.read_bytes() == b"secret" for secret in secrets), "a file was overwritten"


def _operate(tree: Path, outside: Path, operation: str) -> None:
    """Make one thing in the tree as a hostile agent would."""
    kind, name = operation[:1], operation[1:].strip("/").split("\0")[0][:60]
    place = tree / name
    if not name or ".." in name.split("/") or not _real(tree, place.parent):
        return
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if kind == "l":
            place.symlink_to(outside / Path(name).name)
        elif kind == "L":
            place.symlink_to(outside)
        elif kind == "d":
            place.mkdir()
        elif kind == "p":
            os.mkfifo(place)
        else:
            with place.open("xb") as file:  # never into a pipe that an earlier operation made
                file.write(b"tree")
    except (OSError, ValueError):
        return


def _real(tree: Path, folder: Path) -> bool:
    """Whether the folder is, or would be, inside the tree: the target's own setup must not escape."""
    return folder.resolve().is_relative_to(tree.resolve())


def _try(tree: Path, relative: str) -> None:
    try:
        content = safe_files.read_inside(tree, relative, 64)
        assert content != b"secret", "a file outside the tree was read"
    except (OSError, ValueError):
        pass
    try:
        safe_files.write_inside(tree, relative, b"written")
    except UnsafeFileError:
        return
    except (OSError, ValueError):
        return
    assert safe_files.read_inside(tree, relative, 64) == b"written"
    try:
        safe_files.read_inside(tree, relative, 3)
    except safe_files.TooLargeError:
        return
    raise AssertionError("more was read than is allowed")


def _replace(tree: Path, name: str) -> None:
    """What the runner does where the name is its own and what lies there is the agent's."""
    with contextlib.suppress(OSError, ValueError):  # a refusal is right, too
        assert safe_files.read_regular(tree / name, 64) != b"secret" or _through(tree, name)
    place = tree / name
    if "/" in name or not name.strip(".") or "\0" in name:
        return
    try:
        safe_files.replace_file(place, [b"ours"])
    except (OSError, ValueError):
        return
    assert safe_files.read_regular(place, 4) == b"ours"
    assert not place.is_symlink()


def _through(tree: Path, name: str) -> bool:
    """Whether a folder on the way is a link: `read_regular` promises nothing of those."""
    return any((tree / parent).is_symlink() for parent in Path(name).parents) or ".." in name


def _listing(folder: Path) -> list[str]:
    return sorted(str(each) for each in folder.rglob("*"))
