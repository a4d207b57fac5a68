"""How to start this very Python again, also when it was started through its own loader."""

import os
import sys
from typing import List


def command() -> List[str]:
    """Words that start the running interpreter, without any options of its own."""
    try:
        with open("/proc/self/cmdline", "rb") as source:
            words = [os.fsdecode(word) for word in source.read().split(b"\0")]
    except OSError:
        return [sys.executable]
    if os.path.basename(words[0]).startswith("ld-") and len(words) > 3:
        return words[:4]  # ld-linux --library-path LIB python3
    return [sys.executable]
