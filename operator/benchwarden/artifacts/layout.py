"""Where an artifact lies is a function of what it is: the same in a bucket, on a volume and in a local run's folder.

```
NAMESPACE/RUN/UID/INSTANCE/trial-N/launch-N/FILE      below the bucket's prefix or the volume's folder
OUT/trials/INSTANCE/trial-N/launch-N/FILE             in the folder of a local run
```
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from benchwarden.planning.plan import Member
from benchwarden_runner import protocol

KIND_PROMPT: Final = "prompt"
KIND_TRANSCRIPT: Final = "transcript"
KIND_STREAM: Final = "stream"
KIND_PATCH: Final = "patch"
KIND_TEST_LOG: Final = "test-log"
KIND_SUMS: Final = "sums"  # the grader's digests of all but the prompt

FILES: Final[Mapping[str, str]] = {
    KIND_PROMPT: protocol.FILE_PROMPT,
    KIND_TRANSCRIPT: protocol.FILE_TRANSCRIPT,
    KIND_STREAM: protocol.FILE_STREAM,
    KIND_PATCH: protocol.FILE_PATCH,
    KIND_TEST_LOG: protocol.FILE_TEST_LOG,
}
"""File name by kind."""

FILE_MANIFEST: Final = "manifest.json"
FILE_SUMS: Final = protocol.FILE_SUMS

_SAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_FOLDER: Final = re.compile(r"(?P<instance>[^/]+)/trial-(?P<trial>\d+)/launch-(?P<launch>\d+)/")


def run_folder(namespace: str, name: str, uid: str) -> str:
    """Folder of a cluster's run; a run made again under the same name has another."""
    return f"{namespace}/{name}/{uid}"


def launch_folder(member: Member) -> str:
    """Folder of one launch, below that of its run."""
    return f"{safe_name(member.instance)}/trial-{member.trial}/launch-{member.launch}"


def launch_of(path: str) -> tuple[str, int, int] | None:
    """Folder name of the instance, trial and launch of a path below a run's folder; None for any other path."""
    found = _FOLDER.match(path)
    if found is None:
        return None
    return found["instance"], int(found["trial"]), int(found["launch"])


def safe_name(text: str) -> str:
    """A folder name for any text: readable, distinct and the same every time."""
    readable = _SAFE.sub("-", text)[:100].strip(".-")
    if readable == text:
        return text
    return f"{readable}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:10]}"
