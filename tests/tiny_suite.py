"""A suite of hand-made tasks for cluster tests: one small shell repository, any number of instances."""

from __future__ import annotations

import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from tests.cluster.reach import Cluster
from tests.cluster.rootfs import base_image
from tests.layered_image import layer_on

IMAGE = "localhost/benchwarden-tiny:1"
FIXED = "#!/bin/sh\necho $(($1 + $2))\n"
BROKEN = "#!/bin/sh\necho $(($1 - $2))\n"
GOLD = """\
diff --git a/add.sh b/add.sh
--- a/add.sh
+++ b/add.sh
@@ -1,2 +1,2 @@
 #!/bin/sh
-echo $(($1 - $2))
+echo $(($1 + $2))
"""
_GIT = {
    "GIT_AUTHOR_NAME": "t",
    "GIT_AUTHOR_EMAIL": "t@example.test",
    "GIT_COMMITTER_NAME": "t",
    "GIT_COMMITTER_EMAIL": "t@example.test",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    "PATH": "/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
}


def make_repository(folder: Path) -> Path:
    """A git repository whose only program subtracts where it should add."""
    folder.mkdir(parents=True)
    (folder / "add.sh").write_text(BROKEN)

    def git(*arguments: str) -> None:
        subprocess.run(
            ["git", "-C", str(folder), *arguments], check=True, env=_GIT, capture_output=True
        )

    git("init", "-q", "-b", "main")
    git("add", ".")
    git("commit", "-qm", "subtract")
    # An index with times and inodes in it would make another image each time: parallel test processes
    # would change the image under each other's pods.
    git("read-tree", "HEAD")
    return folder


@cache
def ensure_tiny_image(cluster: Cluster) -> str:
    """The repository at /repo on the Debian base, loaded into the cluster."""
    with tempfile.TemporaryDirectory() as scratch:
        layer = Path(scratch) / "layer"
        make_repository(layer / "repo")
        cluster.load(layer_on(base_image(), layer, IMAGE))
    return IMAGE


def task(id: str, image: str = IMAGE, **changes: Any) -> dict[str, Any]:
    """One instance: `add.sh 2 3` must print 5."""
    return {
        "id": id,
        "image": image,
        "workdir": "/repo",
        "prompt": "add.sh subtracts; make it add",
        "gold_patch": GOLD,
        "test_command": 'test "$(sh add.sh 2 3)" = 5',
        "parser": {"kind": "exitCode"},
        "fail_to_pass": ["exit"],
        **changes,
    }
