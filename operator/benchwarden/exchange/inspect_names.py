"""Inspect's log format by its names: the members of an `.eval` archive and how a sample's file is called."""

import hashlib
from typing import Final
from urllib.parse import quote

HEADER: Final = "header.json"
START: Final = "_journal/start.json"
SUMMARIES: Final = "summaries.json"
SAMPLES: Final = "samples/"
VERSION: Final = 2
CORRECT: Final = "C"
INCORRECT: Final = "I"
DEFLATED_BY_ZSTD: Final = 93  # ZIP's number of Zstandard, in which Inspect has packed since 2026


def sample_file(instance: str, epoch: int) -> str:
    """The member that holds a sample."""
    if "\0" in instance:  # ZIP ends a name there
        digest = hashlib.sha256(instance.encode("utf-8", "surrogatepass")).hexdigest()[:10]
        instance = f"{quote(instance, safe='')}-{digest}"
    return f"{SAMPLES}{instance}_epoch_{epoch}.json"
