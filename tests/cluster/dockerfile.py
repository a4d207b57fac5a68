"""Builds a Dockerfile without Docker or a registry: buildah, with our own base image as the base."""

from __future__ import annotations

import configparser
import fcntl
import io
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tests.cluster import packages, rootfs
from tests.cluster.config import BASE_IMAGE, ClusterError, cache_dir, require_root

REPOSITORY = Path(__file__).resolve().parents[2]
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
CA_VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
# Layers pile up; beyond this many the store is thrown away and built anew.
_LAYERS_AT_MOST = 60
_ARCHIVES_PER_TAG = 2


def build_dockerfile(
    target: str,
    build_args: Mapping[str, str],
    tag: str,
    *,
    context: Path = REPOSITORY,
    base: Path | None = None,
    volumes: Sequence[str] = (),
) -> Path:
    """Build one target of a Dockerfile and return it as a docker-archive; a repeat is cheap.

    `BASE_IMAGE` is given as a build argument. The machine's settings for package clients (pip, npm,
    certificate bundle) are bind-mounted into the RUN steps: the image keeps none of their content.

    Args:
        target: Stage to build.
        build_args: Further build arguments.
        tag: Reference of the result ("localhost/benchwarden-runner:test").
        context: Folder with the Dockerfile.
        base: Archive of the base image, by default that of `rootfs.base_image()`.
        volumes: Further bind mounts for RUN steps, as "FROM:TO:ro".

    Raises:
        RootNeededError: This process is not root.
        ClusterError: The build failed; the message holds the end of its output.
    """
    require_root("build images")
    packages.ensure(packages.IMAGE_PROGRAMS)
    base = base or rootfs.base_image()
    with _store() as store, tempfile.TemporaryDirectory(dir=store) as scratch:
        _ensure_base(store, base)
        image_id = Path(scratch) / "id"
        command = [
            "bud",
            "--isolation=chroot",
            "--pull-never",
            "--layers",
            "--force-rm",
            "--format=docker",
        ]
        command += [f"--target={target}", f"--tag={tag}", f"--iidfile={image_id}"]
        arguments = {"BASE_IMAGE": BASE_IMAGE, **_certificate_arguments(), **build_args}
        command += [f"--build-arg={name}={value}" for name, value in arguments.items()]
        command += [f"--volume={mount}" for mount in (*step_mounts(Path(scratch)), *volumes)]
        _buildah(store, *command, str(context))
        digest = image_id.read_text().strip().removeprefix("sha256:")
        name = tag.rpartition("/")[2].replace(":", "_")
        archive = cache_dir() / "images" / f"{name}-{digest[:16]}.tar"
        if not archive.exists():
            partial = archive.with_name(f"{archive.name}.{os.getpid()}.partial")
            _buildah(store, "push", "--quiet", digest, f"docker-archive:{partial}:{tag}")
            partial.replace(archive)
        archive.touch()
        _forget_old_archives(archive.parent, name)
    return archive


def _forget_old_archives(folder: Path, name: str) -> None:
    pattern = re.compile(re.escape(name) + r"-[0-9a-f]{16}\.tar")
    ours = [path for path in folder.glob("*.tar") if pattern.fullmatch(path.name)]
    for old in sorted(ours, key=lambda path: path.stat().st_mtime)[:-_ARCHIVES_PER_TAG]:
        old.unlink(missing_ok=True)


def step_mounts(scratch: Path) -> list[str]:
    """Return the bind mounts that give package clients in a build step this machine's settings.

    Args:
        scratch: Folder for the generated files; it must live as long as the build.
    """
    mounts = []
    bundle = next((os.environ[v] for v in CA_VARIABLES if os.environ.get(v)), CA_BUNDLE)
    if Path(bundle).is_file():
        mounts.append(f"{bundle}:{CA_BUNDLE}:ro")
    pip = scratch / "pip.conf"
    pip.write_text(pip_settings(os.environ))
    mounts.append(f"{pip}:/etc/pip.conf:ro")
    npm = scratch / "npmrc"
    npm.write_text(npm_settings(os.environ))
    mounts.append(f"{npm}:/root/.npmrc:ro")
    wheels = os.environ.get("PIP_FIND_LINKS", "")
    if wheels.startswith("/") and Path(wheels).is_dir():
        mounts.append(f"{wheels}:{wheels}:ro")
    return mounts


def pip_settings(environment: Mapping[str, str], system: Path = Path("/etc/pip.conf")) -> str:
    """Return a pip.conf with the machine's settings, those from the environment included."""
    settings = configparser.RawConfigParser()
    settings.read([system, Path.home() / ".config/pip/pip.conf"])
    if not settings.has_section("global"):
        settings.add_section("global")
    for name, value in environment.items():
        if name.startswith("PIP_") and name not in {"PIP_CONFIG_FILE", "PIP_CACHE_DIR"}:
            settings.set("global", name.removeprefix("PIP_").lower().replace("_", "-"), value)
    if settings.has_option("global", "cert"):
        settings.set("global", "cert", CA_BUNDLE)
    links = settings.get("global", "find-links", fallback="")
    if links.startswith("/") and not Path(links).is_dir():
        settings.remove_option("global", "find-links")
    out = io.StringIO()
    settings.write(out)
    return out.getvalue()


def npm_settings(environment: Mapping[str, str], user: Path | None = None) -> str:
    """Return an npmrc with the machine's settings and the mounted certificate bundle."""
    user = user or Path.home() / ".npmrc"
    lines = user.read_text().splitlines() if user.is_file() else []
    for variable, value in environment.items():
        name = variable.lower()
        if name.startswith("npm_config_") and not name.endswith(("config", "cache")):
            lines.append(f"{name.removeprefix('npm_config_').replace('_', '-')}={value}")
    lines = [line for line in lines if not line.startswith(("cafile", "prefix", "nodedir"))]
    return "\n".join([*lines, f"cafile={CA_BUNDLE}"]) + "\n"


def _certificate_arguments() -> dict[str, str]:
    # A Dockerfile may declare these with ARG where a client reads only the environment.
    return dict.fromkeys((v for v in CA_VARIABLES if os.environ.get(v)), CA_BUNDLE)


def _ensure_base(store: Path, archive: Path) -> None:
    mark = store / "base"
    if mark.exists() and mark.read_text() == archive.name:
        return
    _buildah(store, "pull", "--quiet", f"docker-archive:{archive}")
    mark.write_text(archive.name)


@contextmanager
def _store() -> Iterator[Path]:
    store = cache_dir() / "buildah"
    store.mkdir(parents=True, exist_ok=True)
    with (cache_dir() / "buildah.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        layers = store / "root" / driver() / ("dir" if driver() == "vfs" else "l")
        if layers.is_dir() and len(list(layers.iterdir())) > _LAYERS_AT_MOST:
            discard(store)
            store.mkdir()
        yield store


def discard(store: Path, mounts: Path = Path("/proc/self/mounts")) -> None:
    """Remove a store; what a killed build left mounted in it is unmounted first, the innermost ones first."""
    places = [line.split(" ")[1] for line in mounts.read_text().splitlines()]
    for place in sorted((each for each in places if each.startswith(f"{store}/")), reverse=True):
        subprocess.run(["umount", "--lazy", place], capture_output=True, check=False)
    shutil.rmtree(store)


@cache
def driver() -> str:
    """Overlay where the kernel can mount one over the cache's file system, else vfs.

    vfs copies the whole file system for every layer: minutes where overlay takes seconds.
    """
    with tempfile.TemporaryDirectory(dir=cache_dir()) as scratch:
        places = [Path(scratch) / name for name in ("lower", "upper", "work", "merged")]
        for place in places:
            place.mkdir()
        lower, upper, work, merged = places
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        mount = ["mount", "-t", "overlay", "overlay", "-o", options, str(merged)]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            return "vfs"
        subprocess.run(["umount", str(merged)], capture_output=True, check=False)
    return "overlay"


def _buildah(store: Path, *arguments: str) -> str:
    program = packages.program("buildah") or "buildah"
    places = [f"--root={store}/root", f"--runroot={store}/run", f"--storage-driver={driver()}"]
    done = subprocess.run(
        [program, *places, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ClusterError(f"buildah {arguments[0]} failed:\n{done.stdout[-3000:]}")
    return done.stdout
