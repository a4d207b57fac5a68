"""An image made of a base archive and one folder on top, written with the standard library alone."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from tests.cluster.config import cache_dir


def layer_on(base: Path, folder: Path, reference: str, user: str = "") -> Path:
    """Write a docker-archive of `base` with the content of `folder` as a further layer; cached by content.

    Owners become root and times become zero, so the same content gives the same image. `user` is whom the
    image runs as, if not root.
    """
    with tempfile.TemporaryDirectory() as scratch:
        layer = Path(scratch) / "layer.tar"
        with tarfile.open(layer, "w", format=tarfile.PAX_FORMAT) as tar:
            for path in sorted(folder.rglob("*")):
                tar.add(path, arcname=str(path.relative_to(folder)), recursive=False, filter=_plain)
        digest = _sha256(layer)
        with tarfile.open(base) as archive:
            manifest = json.load(archive.extractfile("manifest.json"))[0]
            config = json.load(archive.extractfile(manifest["Config"]))
            config["rootfs"]["diff_ids"].append(f"sha256:{digest}")
            config.get("history", []).append({"created_by": "layer"})
            if user:
                config.setdefault("config", {})["User"] = user
            config_bytes = json.dumps(config, sort_keys=True).encode()
            config_digest = hashlib.sha256(config_bytes).hexdigest()
            name = reference.rpartition("/")[2].replace(":", "_")
            target = cache_dir() / "images" / f"{name}-{config_digest[:16]}.tar"
            if target.exists():
                return target
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_suffix(".partial")
            layers = [*manifest["Layers"], f"{digest}/layer.tar"]
            with tarfile.open(partial, "w", format=tarfile.PAX_FORMAT) as out:
                _add(out, f"{config_digest}.json", config_bytes)
                for each in manifest["Layers"]:
                    out.addfile(archive.getmember(each), archive.extractfile(each))
                out.add(layer, arcname=f"{digest}/layer.tar")
                described = [
                    {"Config": f"{config_digest}.json", "RepoTags": [reference], "Layers": layers}
                ]
                _add(out, "manifest.json", json.dumps(described).encode())
            partial.replace(target)
    return target


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    info.mtime = 0
    return info


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def config_of(archive: Path) -> Any:
    """The image configuration inside a docker-archive."""
    with tarfile.open(archive) as tar:
        manifest = json.load(tar.extractfile("manifest.json"))[0]
        return json.load(tar.extractfile(manifest["Config"]))
