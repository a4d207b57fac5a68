"""The first inputs of every target: good documents, and the odd ones that fuzzing starts from.

`python -m tests.fuzz.seeds` writes those that are missing into the corpus.
"""

import hashlib
import sys

from tests.fuzz import seeds_doors, seeds_results, seeds_runner
from tests.fuzz.table import CORPUS, TARGETS


def all_seeds() -> dict[str, list[bytes]]:
    """By target: each seed module has a function of the target's name."""
    modules = (seeds_doors, seeds_results, seeds_runner)
    makers = {
        name: getattr(each, name) for each in modules for name in TARGETS if hasattr(each, name)
    }
    return {name: list(make()) for name, make in makers.items()}


def main() -> None:
    for target, inputs in all_seeds().items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for data in inputs:
            (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
        print(f"{target}: {len(inputs)} seeds", file=sys.stderr)


if __name__ == "__main__":
    main()
