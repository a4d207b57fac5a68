"""The termination message: opened before anything untrusted runs, written once by truncate and write."""

import os
import stat

from benchwarden_runner import protocol
from benchwarden_runner.redaction import Redactor


class MessageFile:
    """A message file that stays ours: code under test may unlink or replace the path, not the descriptor."""

    def __init__(self, path: str, limit_bytes: int, redactor: Redactor) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o644)
        if not stat.S_ISREG(os.fstat(self._descriptor).st_mode):
            raise OSError(f"{path}: the message file is not a regular file")
        self._path = path
        self._limit_bytes = limit_bytes
        self._redactor = redactor

    def write(self, message: protocol.Message) -> None:
        """Replace whatever the file holds by `message`, its reason free of secrets."""
        values = {**vars(message), "reason": self._redactor.text(message.reason)}
        line = protocol.encode(type(message)(**values), self._limit_bytes)
        self._put(self._descriptor, line)
        if not self._still_there():
            # Only possible where the file is no mount point (--local): whoever reads goes by path.
            self._remake(line)

    def _still_there(self) -> bool:
        try:
            there = os.stat(self._path, follow_symlinks=False)
        except OSError:
            return False
        mine = os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)

    def _remake(self, line: bytes) -> None:
        temporary = f"{self._path}.{os.getpid()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(temporary, flags, 0o644)
        self._put(descriptor, line)
        os.close(descriptor)
        os.replace(temporary, self._path)

    @staticmethod
    def _put(descriptor: int, line: bytes) -> None:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, line, 0)
        os.fsync(descriptor)
