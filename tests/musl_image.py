"""An image with musl for its C library, made of a static busybox and Debian's musl package.

git and bash, which agents need, are Debian's own: they run with a loader and libraries in a folder apart, so that
a program built for glibc finds no loader where it looks for one.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.cluster.config import ClusterError, cache_dir
from tests.cluster.images import image_from_directory, put_busybox
from tests.cluster.reach import Cluster
from tests.tiny_suite import make_repository

IMAGE = "localhost/benchwarden-tiny-musl:1"
_APART = "opt/glibc"
_APPLETS = (
    "cat",
    "cp",
    "env",
    "grep",
    "ls",
    "mkdir",
    "readlink",
    "rm",
    "sed",
    "sh",
    "test",
    "uname",
)


def ensure_musl_image(cluster: Cluster) -> str:
    """The repository of the tiny suite at /repo, loaded into the cluster."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "root"
        root.mkdir()
        put_busybox(root)
        for applet in _APPLETS:
            (root / "bin" / applet).symlink_to("busybox")
        (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        _put_musl(root, Path(scratch))
        for name in ("bash", "git"):
            _put_apart(root, name)
        make_repository(root / "repo")
        config = {"Cmd": ["/bin/sh"], "Env": ["PATH=/bin:/usr/bin"], "WorkingDir": "/"}
        cluster.load(image_from_directory(IMAGE, root, config))
    return IMAGE


def _put_musl(root: Path, scratch: Path) -> None:
    package = _musl_package()
    subprocess.run(["dpkg-deb", "-x", str(package), str(scratch / "musl")], check=True)
    library = next((scratch / "musl").rglob("libc.so"))
    (root / "lib").mkdir(exist_ok=True)
    shutil.copyfile(library, root / "lib/ld-musl-x86_64.so.1")
    (root / "lib/ld-musl-x86_64.so.1").chmod(0o755)


def _musl_package() -> Path:
    folder = cache_dir() / "packages"
    folder.mkdir(parents=True, exist_ok=True)
    found = next(folder.glob("musl_*.deb"), None)
    if found is not None:
        return found
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        done = subprocess.run(
            ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", "musl"],
            cwd=scratch,
            capture_output=True,
            text=True,
            check=False,
        )
        package = next(Path(scratch).glob("musl_*.deb"), None)
        if package is None:
            raise ClusterError(f"apt-get download musl: {done.stderr[-500:]}")
        return package.replace(folder / package.name)


def _put_apart(root: Path, name: str) -> None:
    """A Debian program with its own loader, behind a script of its name."""
    source = Path(shutil.which(name, path="/usr/bin:/bin") or "")
    apart = root / _APART
    for folder in ("bin", "lib", "exec"):
        (apart / folder).mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, apart / "bin" / name)
    said = subprocess.run(["ldd", str(source)], capture_output=True, text=True, check=True).stdout
    for word in said.split():
        if word.startswith("/"):
            shutil.copy2(Path(word).resolve(), apart / "lib" / Path(word).name)
    script = root / "bin" / name
    script.write_text(
        "#!/bin/sh\n"
        f"export GIT_EXEC_PATH=/{_APART}/exec\n"
        f"exec /{_APART}/lib/ld-linux-x86-64.so.2 --library-path /{_APART}/lib"
        f' /{_APART}/bin/{name} "$@"\n'
    )
    script.chmod(0o755)
    if name == "git":
        (apart / "exec/git").symlink_to("/bin/git")
