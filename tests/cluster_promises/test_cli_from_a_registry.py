"""Claude Code from an npm registry: settled once, kept in a volume, the build that fits each image, or a reason."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.claude_binary import GLIBC, MUSL, VERSION, cache_directory, ensure_claude
from tests.cluster import config
from tests.cluster_promises.claude_runs import Witness, claude_run, messages_api, secret
from tests.cluster_promises.own_operator import an_operator
from tests.installed import await_true, condition, rows_of, suite_config_map, wait_for_end
from tests.musl_image import ensure_musl_image
from tests.npm_registry import NpmRegistry, program
from tests.scripted_api.script import bash
from tests.tiny_suite import task

from benchwarden import names
from benchwarden_runner import protocol, specs

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(400)]

WHO_AM_I = [bash("readlink /proc/$PPID/exe > exe.txt; sed -i 's/1 - /1 + /' add.sh")]
TOKEN = "npm_canary4f1c0ffee2d8b7a6"
PASSES = 'test "$(sh add.sh 2 3)" = 5'


def registry_in(folder: Path, cluster: Any) -> NpmRegistry:
    if not cluster.own:
        pytest.skip("the registry listens where only pods of the project's own cluster reach it")
    return NpmRegistry(folder, host=config.NODE_ADDRESS)


@pytest.fixture
def npm(cluster, tmp_path) -> Iterator[NpmRegistry]:
    """A registry of made-up programs."""
    folder = tmp_path / "npm"
    folder.mkdir()
    with registry_in(folder, cluster) as registry:
        yield registry


@pytest.fixture
def claim(kubectl, tmp_path) -> Iterator[str]:
    """A claim with an empty volume behind it, writable for whom its group lets."""
    folder = tmp_path / "volume"
    folder.mkdir()
    folder.chmod(0o777)
    name = f"{kubectl.namespace}-cli"
    common = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            **common,
            "capacity": {"storage": "1Gi"},
            "hostPath": {"path": str(folder)},
            "persistentVolumeReclaimPolicy": "Retain",
        },
    }
    claimed = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "cli-cache"},
        "spec": {**common, "volumeName": name, "resources": {"requests": {"storage": "1Gi"}}},
    }
    kubectl.apply(volume, claimed)
    yield "cli-cache"
    kubectl.run("delete", "persistentvolume", name, "--wait=false", "--ignore-not-found")


@pytest.mark.claude
def test_latest_is_settled_once_fetched_once_and_each_image_gets_the_build_that_runs_there(
    cluster, kubectl, images, tiny_image, claim, tmp_path
):
    tasks = [
        task(name, image, test_command=f"grep -q /{build}$ exe.txt && {PASSES}")
        for name, image, build in (
            ("on-glibc", tiny_image, specs.CLAUDE_GLIBC),
            ("on-musl", ensure_musl_image(cluster), specs.CLAUDE_MUSL),
        )
    ]
    folder = cache_directory() / f"registry-{kubectl.namespace}"
    folder.mkdir()
    try:
        with (
            registry_in(folder, cluster) as npm,
            messages_api(turns=WHO_AM_I) as api,
            an_operator(kubectl, tmp_path, images.runner) as operator,
        ):
            glibc, musl = ensure_claude(VERSION, GLIBC), ensure_claude(VERSION, MUSL)
            npm.publish(VERSION, glibc=glibc, musl=musl)
            how = {"registryUrl": npm.url, "delivery": "volume", "cacheClaim": claim}
            run = claude_run("fetched", api, version="latest", **how)
            kubectl.apply(secret(), suite_config_map(*tasks), run)
            await_true(lambda: _released(kubectl), 60, "the release of the run")
            operator.kill()
            npm.publish("99.0.0")
            operator.start()
            run = wait_for_end(kubectl, "fetched")
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    rows = {row.instance: row for row in rows_of(kubectl, run)}
    assert {name: row.outcome for name, row in rows.items()} == {
        "on-glibc": protocol.RESOLVED,
        "on-musl": protocol.RESOLVED,
    }
    assert {row.cli_version for row in rows.values()} == {VERSION}
    with glibc.open("rb") as binary:
        digest = hashlib.file_digest(binary, "sha256").hexdigest()
    agent = run["status"]["agent"]
    assert (agent["cliVersion"], agent["cliSha256"]) == (VERSION, digest)
    assert sorted(npm.fetched()) == [
        f"claude-code-linux-x64-{VERSION}.tgz",
        f"claude-code-linux-x64-musl-{VERSION}.tgz",
    ]
    assert npm.requests.count("/@anthropic-ai/claude-code") == 1


def test_a_registry_that_wants_credentials_hears_them_from_operator_and_inject_and_nobody_else_does(
    kubectl, images, tiny_image, npm, tmp_path
):
    npm.publish("99.0.0")
    npm.wants = f"Bearer {TOKEN}"
    npmrc = tmp_path / "npmrc"
    npmrc.write_text("")
    how = {"version": "latest", "registryUrl": npm.url}
    given = {"registryCredentials": {"name": "npm", "key": "token"}}
    with (
        messages_api() as api,
        an_operator(kubectl, tmp_path, images.runner, NPM_CONFIG_USERCONFIG=str(npmrc)) as operator,
    ):
        kubectl.apply(secret(), _registry_token(), suite_config_map(task("a")))
        witness = Witness(kubectl, operator)
        kubectl.apply(claude_run("operator-denied", api, **how, **given))
        runs = {"operator-denied": witness.watch("operator-denied")}
        npmrc.write_text(f"//{npm.host}:{npm.port}/:_authToken={TOKEN}\n")
        kubectl.apply(claude_run("pods-denied", api, **how))
        runs["pods-denied"] = witness.watch("pods-denied")
        kubectl.apply(claude_run("let-in", api, **how, **given))
        # A made-up program that knows its version and nothing else: it was fetched, run and asked.
        runs["let-in"] = witness.watch("let-in")
    found = {name: condition(run, "Succeeded") for name, run in runs.items()}
    for name, field in (
        ("operator-denied", "registryUrl"),
        ("pods-denied", "registryCredentials"),
    ):
        assert found[name]["reason"] == names.REASON_REGISTRY_UNAVAILABLE
        assert found[name]["message"].startswith(f"spec.agent.claudeCode.{field}: ")
        assert "without credentials" in found[name]["message"]
    assert "npmrc.existingSecret" in found["operator-denied"]["message"]
    assert found["let-in"]["reason"] != names.REASON_REGISTRY_UNAVAILABLE
    assert len(npm.fetched()) > 2
    assert {place for place, text in witness.words.items() if TOKEN in text} == set()


def _registry_token() -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "npm"},
        "stringData": {"token": TOKEN},
    }


def _released(kubectl: Any) -> bool:
    selector = f"{names.LABEL_ROLE}={names.ROLE_RELEASE}"
    return bool(kubectl.get("configmaps", "-l", selector)["items"])


def test_what_the_registry_cannot_give_ends_the_run_with_field_and_fix(
    kubectl, images, tiny_image, npm, tmp_path
):
    npm.publish("2.1.400", glibc=program("2.1.399"))
    wrong = {
        "unknown": ({"version": "2.1.999"}, names.REASON_UNKNOWN_CLI_VERSION),
        "mismatch": ({"version": "2.1.400"}, names.REASON_CLI_VERSION_MISMATCH),
    }
    with (
        messages_api() as api,
        an_operator(kubectl, tmp_path, images.runner, npm_config_registry=npm.url),
    ):
        kubectl.apply(secret(), suite_config_map(task("a")))
        for name, (fields, _) in wrong.items():
            kubectl.apply(claude_run(name, api, delivery="registry", **fields))
        runs = {name: wait_for_end(kubectl, name) for name in wrong}
        assert not api.message_requests
    for name, (_, reason) in wrong.items():
        found = condition(runs[name], "Succeeded")
        assert (found["status"], found["reason"]) == ("False", reason)
        assert found["message"].startswith("spec.agent.claudeCode.version: ")
    assert (
        "asked for Claude Code 2.1.400, found 2.1.399"
        in condition(runs["mismatch"], "Succeeded")["message"]
    )
