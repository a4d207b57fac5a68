"""Builds the Kubernetes programs from Go modules, once, into a cache that is verified on reuse."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.config import KUBERNETES_VERSION, ClusterError, cache_dir
from tests.cluster.packages import program

MODULES = Path(__file__).parent
MANIFEST = "SHA256SUMS"
_KEPT_DAYS = 30
_VERSION_VARIABLE = "k8s.io/component-base/version"
_CLIENT_VERSION_VARIABLE = "k8s.io/client-go/pkg/version"
_HELM_KUBERNETES = "helm.sh/helm/v3/pkg/chartutil.k8sVersion"


@dataclass(frozen=True, slots=True)
class Target:
    """One Go module of ours and the programs built from it.

    Attributes:
        name: Cache name and folder name below this one.
        version: Version of the upstream module, part of the cache name.
        packages: Go packages; each becomes a program named after its last element.
        ldflags: Linker flags.
        tags: Build tags, joined by commas.
    """

    name: str
    version: str
    packages: tuple[str, ...]
    ldflags: str = "-s -w"
    tags: str = ""

    @property
    def programs(self) -> tuple[str, ...]:
        """Names of the programs the target builds."""
        return tuple(package.rsplit("/", 1)[1] for package in self.packages)


KUBERNETES = Target(
    name="kubernetes",
    version=KUBERNETES_VERSION,
    packages=tuple(
        f"k8s.io/kubernetes/cmd/{name}"
        for name in (
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kubelet",
            "kube-proxy",
            "kubectl",
        )
    ),
    ldflags=(
        f"-s -w -X {_VERSION_VARIABLE}.gitVersion={KUBERNETES_VERSION}"
        f" -X {_VERSION_VARIABLE}.gitMajor=1 -X {_VERSION_VARIABLE}.gitMinor=34"
        f" -X {_CLIENT_VERSION_VARIABLE}.gitVersion={KUBERNETES_VERSION}"
    ),
)
HELM = Target(
    name="helm",
    version="v3.22.0",
    packages=("helm.sh/helm/v3/cmd/helm",),
    ldflags=(
        "-s -w -X helm.sh/helm/v3/internal/version.version=v3.22.0"
        f" -X {_HELM_KUBERNETES}Major=1 -X {_HELM_KUBERNETES}Minor=34"
    ),
)
KWOK = Target(name="kwok", version="v0.8.0", packages=("sigs.k8s.io/kwok/cmd/kwok",))
HELM4 = Target(
    name="helm4",
    version="v4.3.1",
    packages=("helm.sh/helm/v4/cmd/helm",),
    ldflags=(
        "-s -w -X helm.sh/helm/v4/internal/version.version=v4.3.1"
        " -X helm.sh/helm/v4/pkg/chart/common.k8sVersionMajor=1"
        " -X helm.sh/helm/v4/pkg/chart/common.k8sVersionMinor=34"
    ),
)
PROMETHEUS = Target(
    name="prometheus",
    version="v0.316.0",
    packages=tuple(
        f"github.com/prometheus/prometheus/cmd/{name}" for name in ("prometheus", "promtool")
    ),
    tags="remove_all_sd",  # the clouds' clients are most of it; static targets are all we need
)
ALERTMANAGER = Target(
    name="alertmanager",
    version="v0.31.1",
    packages=("github.com/prometheus/alertmanager/cmd/alertmanager",),
)
VERSITYGW = Target(  # an S3 server that checks signatures
    name="versitygw", version="v1.8.0", packages=("github.com/versity/versitygw/cmd/versitygw",)
)
CONTAINERD = Target(  # Debian's cannot mount images as volumes
    name="containerd",
    version="v2.2.9",
    packages=tuple(
        f"github.com/containerd/containerd/v2/cmd/{name}"
        for name in ("containerd", "containerd-shim-runc-v2")
    ),
)
KUEUE = Target(name="kueue", version="v0.17.0", packages=("sigs.k8s.io/kueue/cmd/kueue",))
TARGETS = {
    target.name: target
    for target in (
        *(KUBERNETES, CONTAINERD, HELM, HELM4, KWOK, KUEUE),
        *(PROMETHEUS, ALERTMANAGER, VERSITYGW),
    )
}


def folder(target: Target) -> Path:
    """Return the cache folder of a target; its name changes with anything the build reads."""
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((MODULES / target.name / name).read_bytes())
    tags = (target.tags,) if target.tags else ()
    digest.update(" ".join((*target.packages, target.ldflags, *tags, "v1")).encode())
    return cache_dir() / f"{target.name}-{target.version}-{digest.hexdigest()[:16]}"


def binaries(target: Target) -> Path | None:
    """Return the folder with the target's verified programs, or None when they must be built."""
    where = folder(target)
    try:
        lines = (where / MANIFEST).read_text().splitlines()
    except FileNotFoundError:
        return None
    wanted = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    if set(wanted) != set(target.programs):
        return None
    for name, digest in wanted.items():
        path = where / "bin" / name
        if not path.is_file() or file_sha256(path) != digest:
            return None
    return where / "bin"


def ensure(target: Target) -> Path:
    """Return the folder with the target's programs, building them if they are not cached.

    Raises:
        ClusterError: Go is missing or too old, or the build failed.
    """
    where = folder(target)
    where.parent.mkdir(parents=True, exist_ok=True)
    with _lock(where.parent / f"{where.name}.lock"):
        if ready := binaries(target):
            os.utime(where)
            return ready
        _forget_old_builds(target)
        return _build(target, where)


def _build(target: Target, where: Path) -> Path:
    go = _go(target)
    print(f"building {target.name} {target.version}: minutes, once", file=sys.stderr)
    started = time.monotonic()
    work = Path(tempfile.mkdtemp(prefix=where.name + ".", dir=where.parent))
    try:
        (work / "bin").mkdir()
        command = [go, "build", "-mod=readonly", "-trimpath", "-buildvcs=false"]
        command += ["-tags", target.tags, "-ldflags", target.ldflags]
        command += ["-o", f"{work}/bin/", *target.packages]
        done = subprocess.run(
            command,
            cwd=MODULES / target.name,
            env=dict(os.environ, CGO_ENABLED="0", GOWORK="off", GOFLAGS=""),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ClusterError(f"go build of {target.name} failed:\n{done.stdout[-3000:]}")
        sums = [f"{file_sha256(work / 'bin' / name)}  {name}\n" for name in target.programs]
        (work / MANIFEST).write_text("".join(sums))
        shutil.rmtree(where, ignore_errors=True)
        work.rename(where)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"built {target.name} in {time.monotonic() - started:.0f} s", file=sys.stderr)
    return where / "bin"


def _forget_old_builds(target: Target) -> None:
    # Several checkouts may share the cache, so a build in use by another one is kept.
    oldest = time.time() - _KEPT_DAYS * 86400
    for other in cache_dir().glob(f"{target.name}-*"):
        if other.is_dir() and other.stat().st_mtime < oldest:
            shutil.rmtree(other, ignore_errors=True)


def _go(target: Target) -> str:
    needed = re.search(
        r"^go (\d+)\.(\d+)", (MODULES / target.name / "go.mod").read_text(), re.MULTILINE
    )
    oldest = (int(needed[1]), int(needed[2])) if needed else (1, 24)
    wanted = f"Go >= {oldest[0]}.{oldest[1]} is needed to build {target.name}"
    go = program("go") or shutil.which("/usr/local/go/bin/go")
    if go is None:
        raise ClusterError(f"{wanted}, and no `go` is on PATH")
    # Asked in the module's folder: there Go may switch to a newer toolchain by itself.
    said = subprocess.run(
        [go, "env", "GOVERSION"],
        cwd=MODULES / target.name,
        capture_output=True,
        text=True,
        check=False,
    )
    version = re.match(r"go(\d+)\.(\d+)", said.stdout)
    if version is None or (int(version[1]), int(version[2])) < oldest:
        raise ClusterError(f"{wanted}, found {said.stdout.strip() or said.stderr.strip()}")
    return go


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    with path.open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
