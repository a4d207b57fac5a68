"""The mini suite for tests: built once into benchwarden's cache, then shared by every test session."""

import os
import sys
from functools import lru_cache
from pathlib import Path

from benchwarden.minisuite.build import default_folder, ensure_suite


@lru_cache(maxsize=1)
def ensure_mini_suite() -> Path:
    """Folder of the mini suite (`tasks.jsonl`, `repos/`, `bin/`); built if it is not there yet.

    Raises:
        UnavailableError: git, pip or the package index is not there.
    """
    return ensure_suite(default_folder(os.environ), lambda line: print(line, file=sys.stderr))
