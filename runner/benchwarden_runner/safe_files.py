"""Reading and writing where the other side may be hostile: never follow a link, block, or overrun a size.

A path made by an agent or by code under test can be a symbolic link, a FIFO, a device or a directory, and
any of its parents can be a link out of the tree.
"""

import errno
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Iterable, List, Union

_OPEN_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OPEN_DIRECTORY = os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC

AnyPath = Union[str, Path]


class UnsafeFileError(OSError):
    """The path is not a regular file of acceptable size inside its tree."""


class TooLargeError(UnsafeFileError):
    """The file is larger than the reader accepts."""


def read_regular(path: AnyPath, max_bytes: int) -> bytes:
    """All of a regular file of at most `max_bytes`; its last component is never followed as a link.

    Raises:
        FileNotFoundError: there is nothing at `path`.
        UnsafeFileError: it is no regular file; TooLargeError: it has more than `max_bytes`.
    """
    return _read_and_close(_open_checked(str(path), None), str(path), max_bytes)


def read_inside(root: AnyPath, relative: str, max_bytes: int) -> bytes:
    """As `read_regular` for a path below `root`, following no link in any component below it."""
    return _read_and_close(open_inside(root, relative), relative, max_bytes)


def open_inside(root: AnyPath, relative: str) -> int:
    """A descriptor to read a regular file below `root`, following no link in any component below it.

    Raises:
        FileNotFoundError: there is nothing; UnsafeFileError: it is no regular file.
    """
    parts = split_relative(relative)
    folder = os.open(str(root), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            below = _open_directory(part, folder)
            os.close(folder)
            folder = below
        descriptor = _open_checked(parts[-1], folder)
    finally:
        os.close(folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnsafeFileError(errno.EINVAL, "not a regular file", relative)
    return descriptor


def write_inside(root: AnyPath, relative: str, content: bytes, *, executable: bool = False) -> None:
    """Write a file below `root`; whatever stands in its way (links, files, folders) is removed."""
    target = remove_inside(root, relative)
    mode = 0o755 if executable else 0o644
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(str(target), flags, mode)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        os.fchmod(out.fileno(), mode)  # whatever the umask


def remove_inside(root: AnyPath, relative: str) -> Path:
    """Remove whatever is at `relative` below `root`, links themselves; returns the joined path."""
    target = clear_way(root, relative)
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    elif target.is_symlink() or target.exists():
        target.unlink()
    return target


def clear_way(root: AnyPath, relative: str) -> Path:
    """Make every parent of `relative` a real directory below `root`; returns the joined path."""
    path = Path(root)
    parts = split_relative(relative)
    for part in parts[:-1]:
        path = path / part
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            path.unlink()
        path.mkdir(exist_ok=True)
    return path / parts[-1]


def replace_file(path: Path, chunks: Iterable[bytes]) -> None:
    """Put a fresh regular file at `path`, whatever is there now."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as out:
            for chunk in chunks:
                out.write(chunk)
            os.fchmod(out.fileno(), 0o644)
        os.replace(name, path)
    except BaseException:  # raised again: no half file stays
        os.unlink(name)
        raise


def split_relative(relative: str) -> List[str]:
    """Components of a relative path that stays inside its tree and out of `.git`.

    Raises:
        UnsafeFileError: the path is absolute, empty, or has a `..` or `.git` component.
    """
    parts = [part for part in relative.split("/") if part not in ("", ".")]
    bad = not parts or relative.startswith("/") or "\0" in relative
    if bad or any(part == ".." or part.lower() == ".git" for part in parts):
        raise UnsafeFileError(errno.EINVAL, "path leaves the work tree", relative)
    return parts


def _open_checked(path: str, folder: Union[int, None]) -> int:
    try:
        return os.open(path, _OPEN_READ, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.ENODEV):
            raise UnsafeFileError(error.errno, "not a regular file", path) from error
        raise


def _open_directory(part: str, folder: int) -> int:
    try:
        return os.open(part, _OPEN_DIRECTORY, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise UnsafeFileError(error.errno, "not a real directory", part) from error
        raise


def _read_and_close(descriptor: int, name: str, max_bytes: int) -> bytes:
    # Checked before fdopen, which refuses folders with an error of its own.
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnsafeFileError(errno.EINVAL, "not a regular file", name)
    with os.fdopen(descriptor, "rb") as source:
        content = source.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise TooLargeError(errno.EFBIG, f"larger than {max_bytes} bytes", name)
    return content
