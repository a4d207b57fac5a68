"""Artifacts of real pods: on a volume and in a real S3 server, of failed batches too, without any planted key."""

import hashlib
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from tests.claude_image import ensure_claude_image
from tests.cluster import config
from tests.cluster_promises.claude_runs import KEY, claude_run, messages_api
from tests.cluster_promises.claude_runs import secret as api_secret
from tests.cluster_promises.own_operator import an_operator
from tests.cluster_promises.scene import await_work, scripted, scripted_run
from tests.installed import condition, rows_of, suite_config_map, wait_for_end
from tests.s3_server import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server
from tests.scripted_api.script import bash

from benchwarden import names
from benchwarden.artifacts.manifest import Manifest

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(300, func_only=True)]

CANARY = "canary-of-the-agent-8d41f0"  # in a variable whose name does not say that it is secret
# The agent gives its secret away wherever it can and leaves a trap for whoever reads its files.
SOLVE_AND_LEAK = """
echo "my settings are $MY_SETTINGS"
printf %s "$MY_SETTINGS" > leak.txt
sed -i 's/ - / + /' add.sh
"""
TRAP = """
rm -rf /benchwarden/work/transcript.jsonl
ln -s /proc/self/environ /benchwarden/work/transcript.jsonl
sed -i 's/ - / + /' add.sh
"""
AGENT = {
    "exec": {
        "command": ["sh", "-c", 'exec sh "$BENCHWARDEN_PROMPT_FILE"'],
        "env": [{"name": "MY_SETTINGS", "secretKeyRef": {"name": "mine", "key": "settings"}}],
    }
}
ONE_BATCH = {"batchSize": 3, "infraRetriesPerTrial": 0}


def secret(name, **data):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


@pytest.fixture
def operator(kubectl, images, tmp_path):
    environment = {names.ENV_UPLOADER_IMAGE: images.operator}
    with an_operator(kubectl, tmp_path, images.runner, **environment) as running:
        yield running


@pytest.fixture
def claim(cluster, kubectl, tmp_path_factory):
    """A claim on a folder of this machine: what a provisioner would make."""
    if not cluster.own:
        pytest.skip("its volume is a folder of the node, which only our own cluster shares with us")
    folder = tmp_path_factory.mktemp("volume")
    folder.chmod(0o777)
    name = f"artifacts-{uuid.uuid4().hex[:8]}"
    common = {
        "accessModes": ["ReadWriteMany"],
        "storageClassName": "",
    }
    kubectl.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": {
                **common,
                "capacity": {"storage": "1Gi"},
                "persistentVolumeReclaimPolicy": "Retain",
                "hostPath": {"path": str(folder), "type": "Directory"},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "kept"},
            "spec": {
                **common,
                "volumeName": name,
                "resources": {"requests": {"storage": "1Gi"}},
            },
        },
    )
    yield folder
    kubectl.run("delete", "pv", name, "--wait=false")


def cli(kubectl, *words):
    """The command line, as a user beside the cluster has it."""
    return subprocess.run(
        [sys.executable, "-m", "benchwarden", *words, "-n", kubectl.namespace],
        env={**os.environ, "KUBECONFIG": str(kubectl.kubeconfig)},
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )


def kept_of(root: Path, run) -> dict[str, bytes]:
    """Content of a run's kept files by `instance/file`, after checking them against their manifests."""
    meta = run["metadata"]
    top = root / meta["namespace"] / meta["name"] / meta["uid"]
    found = {}
    for path in top.rglob("manifest.json"):
        manifest = Manifest.from_json(path.read_bytes())
        for each in manifest.files:
            content = (path.parent / each.name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == each.sha256
            found[f"{manifest.member.instance}/{each.name}"] = content
    return found


@pytest.mark.early
def test_a_volume_keeps_what_a_failed_batch_had_and_no_secret(
    cluster, kubectl, operator, tiny_image, claim, tmp_path
):
    tasks = [
        scripted("a", SOLVE_AND_LEAK, test_command='cat leak.txt; test "$(sh add.sh 2 3)" = 5'),
        scripted("b", TRAP),
        scripted("c", 'echo "started with $MY_SETTINGS"; sleep 600'),
    ]
    artifacts = {"persistentVolumeClaim": {"claimName": "kept", "path": "some/where"}}
    run = scripted_run("kept", agent=AGENT, artifacts=artifacts, execution=ONE_BATCH)
    kubectl.apply(secret("mine", settings=CANARY), suite_config_map(*tasks), run)
    wait = kubectl.get(names.RUN_PLURAL, "kept")
    pod = await_work(kubectl, wait, "c", 120)
    reader = f"--reader-image={cluster.busybox}"
    live = cli(kubectl, "logs", "kept", "c", "--kind=stream", reader)
    assert (live.returncode, f"from pod {pod['metadata']['name']}" in live.stderr) == (0, True)
    kubectl.run("delete", "pod", pod["metadata"]["name"], "--wait=false")
    run = wait_for_end(kubectl, "kept")

    print(condition(run, "ArtifactsKept"))
    rows = {row.instance: row for row in rows_of(kubectl, run)}
    assert {name: rows[name].outcome for name in "ab"} == {"a": "resolved", "b": "resolved"}
    kept = kept_of(claim / "some" / "where", run)
    assert {name for name in kept if name.startswith("a/")} == {
        *("a/prompt.txt", "a/stream.jsonl", "a/agent.patch", "a/test.log", "a/SHA256SUMS")
    }
    assert hashlib.sha256(kept["a/agent.patch"]).hexdigest() == rows["a"].patch_sha256
    assert hashlib.sha256(kept["a/test.log"]).hexdigest() == rows["a"].log_sha256
    assert hashlib.sha256(kept["a/SHA256SUMS"]).hexdigest() == rows["a"].artifact
    assert b"redacted MY_SETTINGS" in kept["a/stream.jsonl"]
    assert b"redacted MY_SETTINGS" in kept["a/agent.patch"]
    assert b"redacted MY_SETTINGS" in kept["a/test.log"]
    assert "b/transcript.jsonl" not in kept
    assert {"c/prompt.txt", "c/stream.jsonl"} <= set(kept)
    everything = b"".join(path.read_bytes() for path in claim.rglob("*") if path.is_file())
    assert CANARY.encode() not in everything

    copies = tmp_path / "copies"
    told = cli(kubectl, "artifacts", "kept", "-o", "json", "--download", str(copies), reader)
    listed = {f"{each['instance']}/{Path(each['path']).name}" for each in json.loads(told.stdout)}
    assert listed == set(kept)
    assert (copies / "a/trial-0/launch-1/test.log").read_bytes() == kept["a/test.log"]
    assert kubectl.get("pods", "-l", "app.kubernetes.io/component=reader")["items"] == []


@pytest.fixture
def s3(cluster, tmp_path_factory):
    if not cluster.own:
        pytest.skip("the S3 server listens where only pods of the project's own cluster reach it")
    with S3Server(tmp_path_factory.mktemp("s3"), host=config.NODE_ADDRESS) as server:
        yield server


def bucket(server: S3Server, credentials: str) -> dict:
    return {
        "s3": {
            "url": f"s3://{BUCKET}/kept",
            "endpointUrl": server.url,
            "credentials": {"name": credentials},
        }
    }


@pytest.mark.early
def test_a_bucket_gets_all_and_a_bucket_that_refuses_costs_no_verdict(
    kubectl, operator, tiny_image, s3, tmp_path
):
    runs = {
        "good": bucket(s3, "storage"),
        "refused": bucket(s3, "wrong"),
        "keyless": bucket(s3, "there-is-none"),
    }
    kubectl.apply(
        secret("mine", settings=CANARY),
        secret("storage", **s3.environment),
        secret("wrong", **{**s3.environment, "AWS_SECRET_ACCESS_KEY": "x" * 40}),
        suite_config_map(scripted("a", SOLVE_AND_LEAK), scripted("b", "echo tried")),
        *(scripted_run(name, agent=AGENT, artifacts=each) for name, each in runs.items()),
    )
    ended = {name: wait_for_end(kubectl, name) for name in runs}
    for name in runs:
        ended[name] = kubectl.wait_until(
            [names.RUN_PLURAL, name],
            lambda run: condition(run, "ArtifactsKept").get("status") in ("True", "False"),
            90,
        )
        rows = {row.instance: row.outcome for row in rows_of(kubectl, ended[name])}
        assert rows == {"a": "resolved", "b": "empty_patch"}
        assert condition(ended[name], "Succeeded")["reason"] == names.REASON_COMPLETED
    told = {name: condition(run, "ArtifactsKept") for name, run in ended.items()}
    assert {name: each["status"] for name, each in told.items()} == {
        "good": "True",
        "refused": "False",
        "keyless": "False",
    }
    assert "AWS_ACCESS_KEY_ID" in told["keyless"]["message"]
    assert "2 launches" in told["refused"]["message"]
    assert kubectl.run("get", "events", "--field-selector=reason=UploadFailed", "-o", "name")

    objects = s3.objects()
    files = {Path(key).name for key in objects}
    assert files == {
        *("prompt.txt", "stream.jsonl", "agent.patch", "test.log", "SHA256SUMS", "manifest.json")
    }
    assert len(objects) == 2 * len(files)
    written = b"".join(objects.values())
    objects_of_cluster = kubectl.run(
        "get", f"pods,jobs,configmaps,events,{names.RUN_PLURAL}", "-o", "yaml"
    )
    for canary in (CANARY, SECRET_KEY, ACCESS_KEY):
        assert canary.encode() not in written
        assert canary not in objects_of_cluster
        assert canary not in operator.log.read_text()

    copies = tmp_path / "copies"
    copied = cli(kubectl, "artifacts", "good", "--download", str(copies))
    assert copied.returncode == 0, copied.stderr
    patches = {path.read_bytes() for path in copies.rglob("agent.patch")}
    assert patches == {content for key, content in objects.items() if key.endswith("agent.patch")}
    nothing = cli(kubectl, "logs", "refused", "a")
    assert (nothing.returncode, "nothing of kind test-log" in nothing.stderr) == (1, True)


@pytest.mark.claude
def test_a_real_session_is_kept_whole_and_without_its_key(
    cluster, kubectl, images, tiny_image, s3, tmp_path
):
    runner = ensure_claude_image(cluster)
    environment = {names.ENV_UPLOADER_IMAGE: images.operator}
    giving_away = [bash("env; printenv ANTHROPIC_API_KEY > leak.txt; sed -i 's/1 - /1 + /' add.sh")]
    with (
        messages_api(turns=giving_away) as api,
        an_operator(kubectl, tmp_path, runner, **environment),
    ):
        run = claude_run("session", api)
        run["spec"]["artifacts"] = bucket(s3, "storage")
        kubectl.apply(api_secret(), secret("storage", **s3.environment))
        kubectl.apply(suite_config_map(scripted("a", "make add.sh add")), run)
        run = wait_for_end(kubectl, "session")
        kubectl.wait_until(
            [names.RUN_PLURAL, "session"],
            lambda run: condition(run, "ArtifactsKept").get("status") == "True",
            90,
        )
    (row,) = rows_of(kubectl, run)
    kept = {Path(key).name: content for key, content in s3.objects().items()}
    assert row.outcome == "resolved"
    assert kept["prompt.txt"] == b"make add.sh add"
    assert b"make add.sh add" in kept["transcript.jsonl"]
    assert b'"type":"result"' in kept["stream.jsonl"].replace(b" ", b"")
    for name in ("transcript.jsonl", "stream.jsonl", "agent.patch"):
        assert b"redacted ANTHROPIC_API_KEY" in kept[name]
    assert KEY.encode() not in b"".join(s3.objects().values())
