"""The shape of one row of a tasks file: the door through which own tasks come in.

Strict on purpose: a mistyped key or a number in quotes would otherwise change what is measured
without anybody noticing.
"""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from benchwarden.api.scalars import EnvName, Quantity, quantity_value

MAX_SECONDS: Final = 86_400
TEST_FILES_BYTES: Final = 4 * 1024 * 1024

_ID = re.compile(r"[!-~]{1,200}")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?"
_IMAGE = re.compile(
    rf"(?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*"
    r"(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[a-f0-9]{64})?"
)


def _fail(text: str) -> PydanticCustomError:
    return PydanticCustomError("fix", "{text}", {"text": text})


def _no_nul(value: str) -> str:
    if "\0" in value:
        raise _fail("must not contain a NUL character; remove it")
    return value


def _matches(pattern: re.Pattern[str], meaning: str) -> Callable[[str], str]:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise _fail(meaning)
        return value

    return check


def _relative(value: str) -> str:
    """Refuse what could leave the work tree or touch its git directory."""
    _no_nul(value)
    parts = value.split("/")
    if value.startswith("/") or "\\" in value:
        raise _fail("must be relative to workdir, with '/' between folders")
    if any(part in {"", ".", ".."} for part in parts):
        raise _fail("must not contain '..', '.' or empty folders; write it as dir/file")
    if any(part.lower() == ".git" for part in parts):
        raise _fail("must not be inside .git")
    return value


def _restorable(value: str) -> str:
    if value.startswith(":"):
        raise _fail("must be a plain path or glob, without git's ':(...)' magic")
    return _relative(value)


def _folder(value: str) -> str:
    _no_nul(value)
    if not value.startswith("/") or any(part in {".", ".."} for part in value.split("/")):
        raise _fail("must be an absolute path without '..', such as /app")
    if not value.strip("/"):
        raise _fail("must not be the root of the image; put the work tree into a folder")
    return value


def _local_path(value: str) -> str:
    _no_nul(value)
    if ".." in value.split("/"):
        raise _fail("must not contain '..'; write it relative to the suite file, or absolute")
    return value


Line = Annotated[str, StringConstraints(max_length=200), AfterValidator(_no_nul)]
Command = Annotated[str, StringConstraints(max_length=65_536), AfterValidator(_no_nul)]
Prose = Annotated[str, StringConstraints(max_length=262_144), AfterValidator(_no_nul)]
# A diff may hold a NUL: a binary file that git took for text.
Diff = Annotated[str, StringConstraints(max_length=2_097_152)]
TestName = Annotated[
    str, StringConstraints(min_length=1, max_length=2_000), AfterValidator(_no_nul)
]
RelativePath = Annotated[
    str, StringConstraints(min_length=1, max_length=1_024), AfterValidator(_relative)
]
Glob = Annotated[
    str, StringConstraints(min_length=1, max_length=1_024), AfterValidator(_restorable)
]
LocalPath = Annotated[
    str, StringConstraints(min_length=1, max_length=4_096), AfterValidator(_local_path)
]
Seconds = Annotated[int, Field(ge=1, le=MAX_SECONDS)]
Tests = Annotated[list[TestName], Field(max_length=20_000)]


class Strict(BaseModel):
    """A part of a row: no unknown keys, no conversions."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class TestFileRow(Strict):
    """A file that the grader writes after the patch, as text or as base64."""

    __test__ = False

    path: RelativePath
    content: Annotated[str, StringConstraints(max_length=TEST_FILES_BYTES)] | None = None
    content_base64: Annotated[str, StringConstraints(max_length=2 * TEST_FILES_BYTES)] | None = None
    executable: bool = False

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        if (self.content is None) == (self.content_base64 is None):
            raise _fail("set exactly one of content and content_base64")
        self.data()
        return self

    def data(self) -> bytes:
        """The bytes of the file."""
        if self.content_base64 is None:
            return (self.content or "").encode()
        try:
            return base64.b64decode(self.content_base64, validate=True)
        except (binascii.Error, ValueError) as error:
            raise _fail("content_base64 is not base64; encode it with `base64 -w0 FILE`") from error


class ParserRow(Strict):
    """How the outcome of each test is read."""

    kind: Literal["junit", "tap", "exitCode", "script"]
    path: RelativePath | None = None
    script: Prose | None = None

    @model_validator(mode="after")
    def _fits_kind(self) -> Self:
        if self.kind == "junit" and self.path is None:
            raise _fail("junit needs path: where test_command writes its report, or a glob of it")
        if self.kind in {"exitCode", "script"} and self.path is not None:
            raise _fail(f"path has no meaning for {self.kind}; remove it")
        if (self.kind == "script") != bool(self.script and self.script.strip()):
            raise _fail('script goes with kind "script", and only with it: Python source text')
        return self


class TimeoutsRow(Strict):
    """Time limits of this task, in seconds; the run's defaults otherwise."""

    agent_seconds: Seconds | None = None
    grade_seconds: Seconds | None = None


class RequestsRow(Strict):
    """What the pod asks for."""

    cpu: Quantity | None = None
    memory: Quantity | None = None


class LimitsRow(Strict):
    """What the pod may not exceed."""

    cpu: Quantity | None = None
    memory: Quantity | None = None
    ephemeral_storage: Quantity | None = None


class ResourcesRow(Strict):
    """Requests and limits beyond the run's defaults."""

    requests: RequestsRow = RequestsRow()
    limits: LimitsRow = LimitsRow()

    @model_validator(mode="after")
    def _fit(self) -> Self:
        pairs = (
            ("cpu", self.requests.cpu, self.limits.cpu),
            ("memory", self.requests.memory, self.limits.memory),
        )
        for name, request, limit in pairs:
            if request and limit and quantity_value(request) > quantity_value(limit):
                raise _fail(f"requests.{name} is above limits.{name}; lower one or raise the other")
        if any(
            limit is not None and quantity_value(limit) == 0
            for limit in (self.limits.cpu, self.limits.memory, self.limits.ephemeral_storage)
        ):
            raise _fail("a limit of zero lets nothing run; leave it out for no limit")
        return self


class LocalRow(Strict):
    """Where a run without a cluster takes the work tree from."""

    archive: LocalPath
    path_entries: Annotated[list[LocalPath], Field(max_length=20)] = []


class TaskRow(Strict):
    """One task."""

    id: Annotated[
        str, AfterValidator(_matches(_ID, "must be 1-200 printable ASCII characters, no spaces"))
    ]
    image: Annotated[
        str,
        StringConstraints(max_length=512),
        AfterValidator(_matches(_IMAGE, "must be an image reference such as registry/name:tag")),
    ]
    workdir: Annotated[str, StringConstraints(max_length=1_024), AfterValidator(_folder)]
    prompt: Annotated[Prose, StringConstraints(min_length=1)]
    test_command: Annotated[Command, StringConstraints(min_length=1)]
    parser: ParserRow
    fail_to_pass: Annotated[Tests, Field(min_length=1)]
    pass_to_pass: Tests = []
    base_commit: (
        Annotated[
            str, AfterValidator(_matches(_COMMIT, "must be 7-64 lower-case hex digits, or absent"))
        ]
        | None
    ) = None
    gold_patch: Diff = ""
    test_patch: Diff = ""
    test_files: Annotated[list[TestFileRow], Field(max_length=2_000)] = []
    setup_command: Command = ""
    restore_paths: Annotated[list[Glob], Field(max_length=200)] = []
    env: Annotated[dict[EnvName, Command], Field(max_length=64)] = {}
    repo: Line = ""
    language: Line = ""
    timeouts: TimeoutsRow = TimeoutsRow()
    resources: ResourcesRow | None = None
    grader_needs_network: bool = False
    skipped_counts_as_pass: bool = False
    local: LocalRow | None = None

    @model_validator(mode="after")
    def _tests_are_distinct(self) -> Self:
        for name, tests in (
            ("fail_to_pass", self.fail_to_pass),
            ("pass_to_pass", self.pass_to_pass),
        ):
            if len(set(tests)) != len(tests):
                raise _fail(f"{name} lists a test twice; remove one")
        both = set(self.fail_to_pass) & set(self.pass_to_pass)
        if both:
            raise _fail(f"{min(both)!r:.120} is in fail_to_pass and in pass_to_pass; remove one")
        return self

    @model_validator(mode="after")
    def _test_files_fit(self) -> Self:
        paths = [file.path for file in self.test_files]
        if len(set(paths)) != len(paths):
            raise _fail("test_files holds a path twice; remove one")
        folders = {path[:i] for path in paths for i, c in enumerate(path) if c == "/"}
        if folders & set(paths):
            raise _fail("test_files has a file where another entry needs a folder")
        if sum(len(file.data()) for file in self.test_files) > TEST_FILES_BYTES:
            raise _fail(f"test_files are over {TEST_FILES_BYTES} bytes; put them into the image")
        return self
