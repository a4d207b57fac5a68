"""Container images without a registry: archives from a folder or a root filesystem, and importing."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.cluster.build import file_sha256
from tests.cluster.config import (
    BUSYBOX_IMAGE,
    PAUSE_IMAGE,
    ClusterError,
    Paths,
    cache_dir,
    require_root,
)
from tests.cluster.packages import program

NAMESPACE = "k8s.io"
_BUSYBOX_FOLDERS = ("bin", "dev", "etc", "proc", "root", "sys", "tmp", "usr/bin", "var")
_EPOCH = "1970-01-01T00:00:00Z"


def image_from_directory(
    name: str, rootfs: Path, config: Mapping[str, Any], target: Path | None = None
) -> Path:
    """Write a docker-archive of one layer with a folder's content, and return its path.

    The same content gives the same bytes: times are zero and the order is fixed.

    Args:
        name: Image reference, with a host part and a tag ("localhost/thing:1").
        rootfs: Folder that becomes `/`. Owners and modes are kept.
        config: The OCI image's `config` ("Cmd", "Env", "WorkingDir", "Entrypoint", "User").
        target: Where to write; by default into the cache, under a name made from the content.
    """
    with tempfile.TemporaryDirectory(dir=_images_dir()) as scratch:
        layer = Path(scratch) / "layer.tar"
        with tarfile.open(layer, "w", format=tarfile.PAX_FORMAT) as tar:
            for path in sorted(rootfs.rglob("*")):
                member = str(path.relative_to(rootfs))
                tar.add(path, arcname=member, recursive=False, filter=_without_time)
        return image_from_layer(name, layer, config, target)


def image_from_layer(
    name: str, layer: Path, config: Mapping[str, Any], target: Path | None = None
) -> Path:
    """Write a docker-archive around a finished root filesystem tar, and return its path.

    Args:
        name: Image reference.
        layer: Uncompressed tar of the root filesystem.
        config: The OCI image's `config`.
        target: Where to write; by default into the cache.
    """
    layer_digest = file_sha256(layer)
    image = {
        "architecture": "amd64",
        "os": "linux",
        "created": _EPOCH,
        "config": dict(config),
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
        "history": [{"created": _EPOCH, "created_by": "benchwarden test cluster"}],
    }
    config_bytes = json.dumps(image, sort_keys=True).encode()
    config_digest = hashlib.sha256(config_bytes).hexdigest()
    manifest = [
        {
            "Config": f"{config_digest}.json",
            "RepoTags": [name],
            "Layers": [f"{layer_digest}/layer.tar"],
        }
    ]
    if target is None:
        target = _images_dir() / f"{_file_name(name)}-{config_digest[:16]}.tar"
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    with tarfile.open(partial, "w", format=tarfile.PAX_FORMAT) as tar:
        _add_bytes(tar, f"{config_digest}.json", config_bytes)
        info = tarfile.TarInfo(f"{layer_digest}/layer.tar")
        info.size = layer.stat().st_size
        with layer.open("rb") as stream:
            tar.addfile(info, stream)
        _add_bytes(tar, "manifest.json", json.dumps(manifest).encode())
    partial.replace(target)
    return target


def import_image(where: Paths, archive: Path) -> list[str]:
    """Load an archive (docker or OCI) into the cluster's containerd; return the image names.

    Raises:
        ClusterError: containerd refuses the archive.
    """
    require_root("load images")
    before = set(image_names(where))
    said = ctr(where, "images", "import", str(archive))
    named = [line.split()[1] for line in said.splitlines() if line.startswith("unpacking ")]
    return named or sorted(set(image_names(where)) - before)


def image_names(where: Paths) -> list[str]:
    """Return the references of the images the cluster has."""
    names = ctr(where, "images", "list", "-q").splitlines()
    return sorted(name for name in names if not name.startswith("sha256:"))


def ctr_command(where: Paths) -> list[str]:
    """Return the start of a `ctr` command line for this cluster's images."""
    return [program("ctr") or "ctr", "-a", str(where.containerd_socket), "-n", NAMESPACE]


def ctr(where: Paths, *arguments: str) -> str:
    """Run `ctr` against the cluster's containerd and return what it prints."""
    command: Sequence[str] = [*ctr_command(where), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ClusterError(f"ctr {' '.join(arguments)}: {done.stderr.strip()[-500:]}")
    return done.stdout


def busybox_image() -> Path:
    """Return the archive of the smallest useful image: a static busybox, and no Python."""
    with tempfile.TemporaryDirectory(dir=_images_dir()) as scratch:
        rootfs = Path(scratch)
        put_busybox(rootfs)
        applets = subprocess.run(
            [rootfs / "bin/busybox", "--list"], capture_output=True, text=True, check=True
        )
        for applet in applets.stdout.split():
            if applet != "busybox":
                (rootfs / "bin" / applet).symlink_to("busybox")
        (rootfs / "etc/passwd").write_text(
            "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"
        )
        (rootfs / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
        config = {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin:/usr/bin"], "WorkingDir": "/"}
        return image_from_directory(BUSYBOX_IMAGE, rootfs, config)


def pause_image() -> Path:
    """Return the archive of the image that holds a pod's namespaces open."""
    with tempfile.TemporaryDirectory(dir=_images_dir()) as scratch:
        rootfs = Path(scratch)
        put_busybox(rootfs)
        config = {"Entrypoint": ["/bin/busybox", "sleep", "2147483647"], "User": "65535:65535"}
        return image_from_directory(PAUSE_IMAGE, rootfs, config)


def put_busybox(rootfs: Path) -> None:
    """Fill an empty folder with a static busybox and the folders a container expects."""
    source = program("busybox")
    if source is None:
        raise ClusterError("busybox not found; run `cli.py build` first")
    rootfs.chmod(0o755)
    for folder in _BUSYBOX_FOLDERS:
        (rootfs / folder).mkdir(parents=True, exist_ok=True)
    (rootfs / "tmp").chmod(0o1777)
    shutil.copyfile(source, rootfs / "bin/busybox")
    (rootfs / "bin/busybox").chmod(0o755)


def _images_dir() -> Path:
    folder = cache_dir() / "images"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _file_name(reference: str) -> str:
    return "".join(c if c.isalnum() or c in "-." else "_" for c in reference.rpartition("/")[2])


def _without_time(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.mtime = 0
    info.uname = info.gname = ""
    return info


def _add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))
