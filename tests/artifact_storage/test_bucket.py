"""Artifacts in a real S3 server that checks signatures."""

import os
import subprocess
from pathlib import Path

import pytest
from tests.s3_server import BUCKET, SECRET_KEY, S3Server

from benchwarden.artifacts.assignment import Assignment, Destination
from benchwarden.artifacts.keeping import Launch
from benchwarden.artifacts.manifest import Manifest
from benchwarden.artifacts.storage import Storage, open_storage
from benchwarden.artifacts.uploader import upload_one
from benchwarden.errors import UnavailableError
from benchwarden.manifests.archive import tar_gz
from benchwarden.planning.plan import Member

# Its server is built like the cluster's programs.
pytestmark = [pytest.mark.cluster, pytest.mark.long]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with S3Server(tmp_path_factory.mktemp("s3")) as running:
        yield running


def destination(server: S3Server, bucket: str = BUCKET) -> Destination:
    return Destination(url=f"s3://{bucket}/kept", endpoint_url=server.url)


@pytest.fixture
def storage(server: S3Server) -> Storage:
    return open_storage(destination(server), server.environment)


def test_what_is_written_can_be_read_listed_and_replaced(storage, server):
    large = os.urandom(12 << 20)
    storage.write("run/a b+c/one", [b"1"])
    storage.write("run/large", [large[:5000000], large[5000000:]])
    storage.write("run/empty", [])
    storage.write("run/a b+c/one", [b"2", b"3"])

    assert storage.list("run") == ["a b+c/one", "empty", "large"]
    assert b"".join(storage.read("run/large")) == large
    assert b"".join(storage.read("run/a b+c/one")) == b"23"
    assert server.objects()["kept/run/empty"] == b""
    assert storage.list("another") == []
    with pytest.raises(FileNotFoundError):
        list(storage.read("run/none"))


def test_a_write_that_breaks_off_leaves_nothing(storage, server):
    def broken():
        yield b"x" * 100
        raise OSError("the source is gone")

    with pytest.raises(OSError, match="the source is gone"):
        storage.write("broken/file", broken())
    assert not [key for key in server.objects() if "broken" in key]


@pytest.mark.parametrize(
    ("bucket", "change"),
    [
        (BUCKET, {"AWS_SECRET_ACCESS_KEY": "wrong-wrong-wrong-wrong"}),
        (BUCKET, {"AWS_ACCESS_KEY_ID": "AKIANOBODY"}),
        ("no-such-bucket", {}),
    ],
    ids=["wrong-secret", "unknown-key", "no-bucket"],
)
def test_a_refusal_is_an_error_that_names_the_place_and_no_secret(server, bucket, change):
    storage = open_storage(destination(server, bucket), {**server.environment, **change})
    with pytest.raises(OSError, match=bucket) as refused:
        storage.write("run/file", [b"1"])
    assert SECRET_KEY not in str(refused.value)


def test_missing_credentials_are_told_before_anything_is_asked(server):
    with pytest.raises(UnavailableError, match="AWS_SECRET_ACCESS_KEY"):
        open_storage(destination(server), {"AWS_ACCESS_KEY_ID": "a"})


def test_nobody_listening_is_an_error_within_seconds(server):
    nowhere = Destination(url=f"s3://{BUCKET}", endpoint_url="http://127.0.0.1:9")
    storage = open_storage(nowhere, server.environment)
    with pytest.raises(OSError):
        storage.write("run/file", [b"1"])


def test_a_private_authority_is_trusted_only_when_it_is_named(tmp_path: Path):
    certificate, key = tmp_path / "ca.crt", tmp_path / "key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=storage", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", key, "-out", certificate),
        ],
        check=True,
        capture_output=True,
    )
    with S3Server(tmp_path / "s3", tls=(certificate, key)) as server:
        trusting = {**server.environment, "SSL_CERT_FILE": str(certificate)}
        open_storage(destination(server), trusting).write("run/file", [b"1"])
        assert server.objects() == {"kept/run/file": b"1"}
        with pytest.raises(OSError, match=r"(?i)ssl|certificate|curl"):
            open_storage(destination(server), server.environment).write("run/other", [b"1"])


def test_a_launch_is_uploaded_as_documented(server, tmp_path: Path):
    folders = {name: tmp_path / name for name in ("work", "logs", "inputs")}
    for folder in folders.values():
        folder.mkdir()
    (folders["work"] / "agent.patch").write_text(f"+ {SECRET_KEY}\n")
    (folders["logs"] / "test.log").write_text("ok\n")
    (folders["inputs"] / "agent.tgz").write_bytes(tar_gz({"prompt.txt": b"Fix it."}))
    member = Member("a/b", 0, 3)
    assignment = Assignment(destination(server), "ns/run/uid", (member,))

    upload_one(assignment, Launch(member, **folders), server.environment)

    objects = server.objects()
    (folder,) = {key.rpartition("/")[0] for key in objects if "uid" in key}
    assert folder.startswith("kept/ns/run/uid/a-b-")
    assert folder.endswith("/trial-0/launch-3")
    manifest = Manifest.from_json(objects[f"{folder}/manifest.json"])
    assert {each.kind for each in manifest.files} == {"prompt", "patch", "test-log"}
    assert SECRET_KEY.encode() not in b"".join(objects.values())
