"""The operator's garbage collection, in a process of its own: it is a setting of the whole process."""

import subprocess
import sys

SCRIPT = """
import gc
import benchwarden.controller.process
from benchwarden.controller.collecting import settle
settle()
print(len(gc.get_objects()))
"""


def test_what_is_imported_is_never_looked_at_again():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 5_000
