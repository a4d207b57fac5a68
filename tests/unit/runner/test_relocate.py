import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from runner import relocate

IMPORTS = "ctypes, hashlib, json, ssl, subprocess, tarfile, zlib, xml.etree.ElementTree"


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    destination = tmp_path_factory.mktemp("relocated") / "python"
    relocate.relocate(destination)
    return destination


def test_the_copy_runs_by_its_own_loader_and_uses_its_own_library(python):
    done = subprocess.run(
        [*relocate.command(python), "-I", "-c", f"import sys, {IMPORTS}; print(sys.path)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(python) in done.stdout
    assert sys.base_prefix not in done.stdout


def test_the_copy_leaves_out_the_tests_of_the_standard_library(python):
    names = {path.name for path in (python / "lib").glob("python*/*")}
    assert "json" in names
    assert not names & {"test", "idlelib", "site-packages"}


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="chroot needs root")
@pytest.mark.skipif(shutil.which("busybox") is None, reason="busybox is not installed")
def test_the_copy_runs_where_there_is_nothing_but_busybox(python, tmp_path):
    root = tmp_path / "root"
    (root / "bin").mkdir(parents=True)
    shutil.copy2(shutil.which("busybox"), root / "bin" / "sh")
    shutil.copytree(python, root / "tools" / "python", symlinks=True)
    program = (
        f"import subprocess, {IMPORTS}; "
        "print(subprocess.run(['/bin/sh', '-c', 'echo hello'], capture_output=True).stdout)"
    )
    done = subprocess.run(
        ["chroot", str(root), *relocate.command(Path("/tools/python")), "-I", "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "hello" in done.stdout


def test_a_static_program_is_refused(tmp_path):
    static = tmp_path / "static"
    static.write_bytes(b"not an ELF file")
    with pytest.raises(relocate.RelocationError, match="not dynamically linked"):
        relocate.needed_libraries([static])
