"""An instance: one task with its image, prompt, gold patch and tests, whatever suite it came from."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TestFile:
    """A file the grader writes into the work tree after the patch is applied."""

    __test__ = False  # not a test class, whatever its name says to pytest

    path: str  # relative to the work tree, never absolute, no `..`
    content: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class ResultParser:
    """How test outcomes are read: `junit` and `tap` from a file or the output, `exitCode`, or `script`."""

    kind: str  # protocol.PARSER_*
    path: str = ""  # junit: glob of the report relative to workdir; tap: file, or empty for stdout
    script: str = ""  # script: Python source; called with stdout, stderr and output file names


@dataclass(frozen=True, slots=True)
class InstanceResources:
    """Requests and limits that an instance needs beyond the run's defaults; Kubernetes quantities."""

    cpu_request: str = ""
    cpu_limit: str = ""
    memory_request: str = ""
    memory_limit: str = ""
    ephemeral_storage_limit: str = ""


@dataclass(frozen=True, slots=True)
class LocalWorkspace:
    """Where the work tree comes from when there is no image: the local executor's source."""

    archive: str  # tar or directory with the work tree, resolved against the suite file
    path_entries: tuple[str, ...] = ()  # folders put in front of PATH, resolved likewise


@dataclass(frozen=True, slots=True)
class Instance:
    """One task.

    Attributes:
        id: unique in its suite; 1-200 printable characters without whitespace.
        image: container image with the work tree at `workdir`.
        workdir: absolute path of the git work tree inside the image.
        base_commit: commit the agent starts from; empty = HEAD of the image.
        prompt: what the agent is asked, complete.
        gold_patch: reference solution (unified diff), for the oracle agent only.
        test_patch: unified diff that brings the hidden tests, applied by the grader after the patch.
        test_files: files written by the grader after the patch; win over the patch and test_patch.
        scripts: files the grader writes outside the work tree, into the folder that the environment
            variable protocol.ENV_SCRIPTS names to setup and tests.
        setup_command: shell text the grader runs before the tests; empty = none.
        test_command: shell text, run by bash where there is one, else sh, in `workdir`.
        fail_to_pass: tests that must pass and did not before the gold patch.
        pass_to_pass: tests that must pass and did before.
        restore_paths: paths (globs) reset to base_commit after the patch is applied, such as runner
            configuration that a patch must not change.
        skipped_counts_as_pass: pass_to_pass tests may be skipped (SWE-bench rule).
        any_pass_counts: a test reported twice has passed if one report says so (SWE-bench Pro rule).
        apply: how a patch is applied, protocol.APPLY_*; empty = exactly, else with a merge or fuzz.
    """

    id: str
    image: str
    workdir: str
    base_commit: str
    prompt: str
    test_command: str
    parser: ResultParser
    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...] = ()
    gold_patch: str = ""
    test_patch: str = ""
    test_files: tuple[TestFile, ...] = ()
    setup_command: str = ""
    restore_paths: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    repo: str = ""
    language: str = ""
    agent_timeout_seconds: int | None = None
    grade_timeout_seconds: int | None = None
    resources: InstanceResources | None = None
    local: LocalWorkspace | None = None
    skipped_counts_as_pass: bool = False
    grader_needs_network: bool = False
    labels: tuple[tuple[str, str], ...] = field(default=())
    scripts: tuple[TestFile, ...] = ()
    apply: str = ""
    any_pass_counts: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """The instances a run works on, in their one deterministic order, with the digest of their content.

    Attributes:
        digest: sha256 hex over everything that decides a verdict (content and order).
        quarantined: ids left out with their reasons, as asked by the spec.
    """

    suite: str
    instances: tuple[Instance, ...]
    digest: str
    quarantined: tuple[tuple[str, str], ...] = ()
