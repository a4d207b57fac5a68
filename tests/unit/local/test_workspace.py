import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from benchwarden.errors import UnavailableError
from benchwarden.local import workspace
from benchwarden.suites.instance import Instance, LocalWorkspace, ResultParser


def instance(archive: Path) -> Instance:
    return Instance(
        id="one",
        image="example/x:1",
        workdir="/repo",
        base_commit="",
        prompt="x",
        test_command="true",
        parser=ResultParser("exitCode"),
        fail_to_pass=("t",),
        local=LocalWorkspace(str(archive)),
    )


def archive(path: Path, name: str) -> Path:
    with tarfile.open(path, "w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = 1
        tar.addfile(entry, io.BytesIO(b"x"))
    return path


def test_a_second_copy_replaces_the_first(tmp_path: Path) -> None:
    one = instance(archive(tmp_path / "a.tar", "file"))
    workspace.unpack(one, tmp_path / "work")
    (tmp_path / "work" / "left-behind").touch()
    workspace.unpack(one, tmp_path / "work")
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["file"]


def test_an_archive_cannot_write_outside_its_folder(tmp_path: Path) -> None:
    one = instance(archive(tmp_path / "a.tar", "../escaped"))
    with pytest.raises(UnavailableError):
        workspace.unpack(one, tmp_path / "deep" / "work")
    assert not (tmp_path / "deep" / "escaped").exists()


def test_the_fingerprint_stands_for_the_image(tmp_path: Path) -> None:
    first = workspace.fingerprint(instance(archive(tmp_path / "a.tar", "file")))
    again = workspace.fingerprint(instance(archive(tmp_path / "b.tar", "file")))
    other = workspace.fingerprint(instance(archive(tmp_path / "c.tar", "other")))
    assert first == again != other
    assert first.startswith("local@sha256:")
    assert workspace.fingerprint(instance(tmp_path)) == ""


def test_tools_come_in_front_of_the_path(tmp_path: Path) -> None:
    one = replace(instance(tmp_path), local=LocalWorkspace("x", ("bin", "more")))
    assert workspace.path_entries(one) == ("bin", "more")
