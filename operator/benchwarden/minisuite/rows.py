"""Rows of the tasks file: real pairs of releases, and two instances that are hard on the infrastructure."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchwarden.minisuite.repository import Repository
from benchwarden.minisuite.sdists import Tree
from benchwarden.minisuite.table import Pair
from benchwarden.minisuite.trial import REPORT, Hidden
from benchwarden.suites.instance import TestFile

HANGS: Final = "hangs"
NEEDS_MEMORY: Final = "needs-memory"
HARD_KINDS: Final = (HANGS, NEEDS_MEMORY)
REPOSITORIES: Final = "repos"
TOOLS: Final = "bin"

_HANG_SECONDS: Final = 20
_HARD_TEST: Final = "tests/test_infrastructure.py"
_HARD_SOURCES: Final = {
    HANGS: """import time


def test_the_mirror_answers():
    while True:
        time.sleep(1)
""",
    # Slow enough for a supervisor to see it coming, bounded for machines that set no limit.
    NEEDS_MEMORY: """import time


def test_the_whole_corpus_fits_into_memory():
    corpus = []
    for _ in range(128):
        corpus.append(b"x" * (8 << 20))
        time.sleep(0.05)
    assert sum(map(len, corpus)) == 1 << 30
""",
}
_HARD_TESTS: Final = {
    HANGS: "tests.test_infrastructure::test_the_mirror_answers",
    NEEDS_MEMORY: "tests.test_infrastructure::test_the_whole_corpus_fits_into_memory",
}
_HARD_SETTINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    HANGS: {"timeouts": {"agent_seconds": 600, "grade_seconds": _HANG_SECONDS}},
    NEEDS_MEMORY: {
        "timeouts": {"agent_seconds": 600, "grade_seconds": 120},
        "resources": {"requests": {"memory": "128Mi"}, "limits": {"memory": "256Mi"}},
    },
}


@dataclass(frozen=True, slots=True)
class Made:
    """What building one pair gave."""

    pair: Pair
    repository: Repository
    gold_patch: str
    hidden: Hidden
    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]


def hidden_tests(pair: Pair, repository: Repository, older: Tree, newer: Tree) -> Hidden:
    """The newer release's tests, as whole files or as a diff, and the command that runs them."""
    if pair.as_patch:
        return Hidden((), repository.diff(pair.tests), test_command(pair))
    files = tuple(
        TestFile(path, file.content, file.executable)
        for path, file in sorted(newer.items())
        if _is_test(path, pair.tests) and older.get(path) != file
    )
    return Hidden(files, "", test_command(pair))


def test_command(pair: Pair, *modules: str) -> str:
    """Shell text that runs the pair's test modules and more, and writes the report.

    The project's own pytest configuration is set aside: it may name plugins that are not there.
    """
    root = f"PYTHONPATH={pair.import_root} " if pair.import_root else ""
    how = "-q -p no:cacheprovider --continue-on-collection-errors -c /dev/null --rootdir=."
    return f"{root}pytest {how} --junitxml={REPORT} {' '.join((*pair.modules, *modules))}"


def row(made: Made, tag: str) -> dict[str, Any]:
    """The row of a pair.

    Args:
        made: what building it gave.
        tag: tag of the suite's images.
    """
    return {
        "id": made.pair.id,
        "repo": made.pair.package,
        "language": "python",
        "image": f"{made.pair.image}:{tag}",
        "workdir": f"/{REPOSITORIES}/{made.pair.id}",
        "base_commit": made.repository.base,
        "prompt": made.pair.prompt,
        "gold_patch": made.gold_patch,
        "test_patch": made.hidden.patch,
        "test_files": [_file_row(file) for file in made.hidden.files],
        "test_command": made.hidden.command,
        "parser": {"kind": "junit", "path": REPORT},
        "fail_to_pass": list(made.fail_to_pass),
        "pass_to_pass": list(made.pass_to_pass),
        "restore_paths": [path for path in made.pair.tests if made.hidden.patch],
        "env": {"PYTHONDONTWRITEBYTECODE": "1"},
        "timeouts": {"agent_seconds": 1200, "grade_seconds": 300},
        "local": {
            "archive": f"{REPOSITORIES}/{made.pair.id}.tar",
            "path_entries": [TOOLS],
        },
    }


def hard_row(made: Made, kind: str, tag: str) -> dict[str, Any]:
    """The row of an instance that no patch can pass: its tests never end, or outgrow their memory.

    It shares the repository, the prompt and the gold patch of a real pair.
    """
    plain = row(made, tag)
    extra = {"path": _HARD_TEST, "content": _HARD_SOURCES[kind]}
    return {
        **plain,
        "id": f"{made.pair.id}-{kind}",
        "test_files": [*plain["test_files"], extra],
        "test_command": test_command(made.pair, _HARD_TEST),
        "fail_to_pass": [*plain["fail_to_pass"], _HARD_TESTS[kind]],
        **_HARD_SETTINGS[kind],
    }


def _is_test(path: str, tests: Sequence[str]) -> bool:
    for entry in tests:
        folder, star, suffix = entry.partition("*")
        if star and path.startswith(folder) and path.endswith(suffix):
            return True
        if path == entry or path.startswith(f"{entry}/"):
            return True
    return False


def _file_row(file: TestFile) -> dict[str, Any]:
    mode = {"executable": True} if file.executable else {}
    try:
        return {"path": file.path, "content": file.content.decode(), **mode}
    except UnicodeDecodeError:
        content = base64.b64encode(file.content).decode()
        return {"path": file.path, "content_base64": content, **mode}
