"""Builders of runs, instances and batches for the tests of manifests."""

import hashlib
from collections.abc import Mapping
from typing import Any

from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.manifests.job import batch_job
from benchwarden.manifests.settings import ManifestSettings, RunIdentity
from benchwarden.planning.plan import Batch, Member
from benchwarden.suites.instance import Instance, ResultParser, TestFile
from benchwarden_runner.specs import CliBuild, CliRelease

RUN = RunIdentity(name="nightly", namespace="bench", uid="6f1ab0a2-8b1c-4d51-9a0e-1b7fd2a0c001")
SETTINGS = ManifestSettings(
    runner_image="localhost/benchwarden-runner:1",
    must_fail_address="198.51.100.1:9",
    uploader_image="localhost/benchwarden-operator:1",
)
TASKS = {"tasks": {"source": {"configMap": {"name": "tasks"}}}}
ORACLE: dict[str, Any] = {"oracle": {}}
CLAUDE: dict[str, Any] = {
    "claudeCode": {
        "version": "2.1.330",
        "model": "claude-sonnet-5-5",
        "credentials": {"apiKey": {"name": "anthropic", "key": "api-key"}},
    }
}
RELEASE = CliRelease(
    "2.1.330",
    (
        CliBuild("claude-glibc", "x64", "https://npm.example.com/glibc.tgz", "sha512-AAAA"),
        CliBuild("claude-musl", "x64", "https://npm.example.com/musl.tgz", "sha512-BBBB"),
    ),
)
EXEC: dict[str, Any] = {"exec": {"command": ["/agent", "--fix"]}}


def run_spec(
    agent: Mapping[str, Any] = ORACLE,
    suite: Mapping[str, Any] = TASKS,
    *,
    execution: Mapping[str, Any] | None = None,
    **more: Any,
) -> BenchmarkRunSpec:
    """A spec as YAML would say it, defaults filled in."""
    return BenchmarkRunSpec.model_validate(
        {"suite": suite, "agent": agent, "execution": execution or {}, **more}
    )


def claude_with(**fields: Any) -> dict[str, Any]:
    """A claudeCode agent with some fields changed."""
    return {"claudeCode": {**CLAUDE["claudeCode"], **fields}}


def instance(id: str = "calc-1", **fields: Any) -> Instance:
    """A complete instance; `fields` change it."""
    usual: dict[str, Any] = {
        "image": "localhost/calc:1",
        "workdir": "/app",
        "base_commit": "3f2b8c1d",
        "prompt": f"Fix the bug of {id}.",
        "test_command": "pytest -q",
        "parser": ResultParser(kind="junit", path="report.xml"),
        "fail_to_pass": ("test_add",),
        "pass_to_pass": ("test_sub",),
        "gold_patch": "diff --git a/calc.py b/calc.py\n",
        "test_patch": "diff --git a/test_calc.py b/test_calc.py\n",
        "test_files": (TestFile(path="tests/hidden.py", content=b"assert True\n"),),
    }
    return Instance(id=id, **{**usual, **fields})


def hidden(path: str, content: bytes, *, executable: bool = False) -> TestFile:
    """A file that the grader writes (under a name that pytest does not take for a test class)."""
    return TestFile(path=path, content=content, executable=executable)


def noise(seed: str, size: int) -> bytes:
    """Bytes that no compressor shrinks."""
    return hashlib.shake_256(seed.encode()).digest(size)


def panel(*instances: Instance) -> dict[str, Instance]:
    """Instances by id."""
    return {each.id: each for each in instances}


def batch_of(*instances: Instance) -> Batch:
    """The first launch of the first trial of each."""
    return Batch(tuple(Member(each.id, 0, 1) for each in instances))


def job_of(
    spec: BenchmarkRunSpec,
    *instances: Instance,
    settings: ManifestSettings = SETTINGS,
    release: CliRelease | None = None,
) -> dict[str, Any]:
    """The batch Job of these instances."""
    members = instances or (instance("calc-1"), instance("calc-2"))
    return batch_job(RUN, spec, batch_of(*members), panel(*members), settings, release=release)


def pod_of(job: Mapping[str, Any]) -> dict[str, Any]:
    """The pod spec of a Job."""
    pod: dict[str, Any] = job["spec"]["template"]["spec"]
    return pod


def containers_of(job: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """All containers of a Job's pod by name, in the order in which they run."""
    pod = pod_of(job)
    return {each["name"]: each for each in [*pod["initContainers"], *pod["containers"]]}


def mount_of(container: Mapping[str, Any], path: str) -> dict[str, Any] | None:
    """The container's mount at `path`."""
    found = [mount for mount in container["volumeMounts"] if mount["mountPath"] == path]
    assert len(found) <= 1
    return found[0] if found else None


def volume_of(job: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The pod's volume `name`."""
    (volume,) = [each for each in pod_of(job)["volumes"] if each["name"] == name]
    return volume
