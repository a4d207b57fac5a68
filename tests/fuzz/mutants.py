"""Planted bugs: one change each to a parser, that a campaign must find within the executions given."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Mutant:
    """`good` stands once in the module and is replaced by `bad`."""

    name: str
    target: str
    module: str
    good: str
    bad: str


_RUNNER = "runner/benchwarden_runner"
_OPERATOR = "operator/benchwarden"

MUTANTS = (
    Mutant(
        "the checksum is not compared",
        "messages",
        f"{_RUNNER}/protocol.py",
        """    if tail != f'{zlib.crc32(head.encode("ascii")):08x}"}}':\n        return None\n""",
        "",
    ),
    Mutant(
        "a message may have any length",
        "messages",
        f"{_RUNNER}/protocol.py",
        " or len(text) > CONTAINER_MESSAGE_BYTES:\n        return None",
        ":\n        return None",
    ),
    Mutant(
        "more tests may pass than there are",
        "messages",
        f"{_RUNNER}/protocol.py",
        "            and value[0] <= value[1]\n",
        "",
    ),
    Mutant(
        "an unknown field of a spec is dropped",
        "specs",
        f"{_RUNNER}/specs.py",
        "    if unknown:\n",
        "    document = {key: document[key] for key in document if key in names}\n    if False:\n",
    ),
    Mutant(
        "an archive may unpack to any size",
        "archives",
        f"{_RUNNER}/inputs.py",
        "if total > MAX_BYTES:",
        "if total > 64 * MAX_BYTES:",
    ),
    Mutant(
        "a link in the way of a file is followed",
        "hostile_trees",
        f"{_RUNNER}/safe_files.py",
        "if path.is_symlink() or (path.exists() and not path.is_dir()):",
        "if path.exists() and not path.is_dir():",
    ),
    Mutant(
        "a link is read",
        "hostile_trees",
        f"{_RUNNER}/safe_files.py",
        "_OPEN_READ = os.O_RDONLY | os.O_NOFOLLOW |",
        "_OPEN_READ = os.O_RDONLY |",
    ),
    Mutant(
        "a path may lead out of its tree",
        "hostile_trees",
        f"{_RUNNER}/safe_files.py",
        'part == ".." or part.lower()',
        "part.lower()",
    ),
    Mutant(
        "links in the way of tests are followed",
        "patched_trees",
        f"{_RUNNER}/safe_files.py",
        "if path.is_symlink() or (path.exists() and not path.is_dir()):",
        "if path.exists() and not path.is_dir():",
    ),
    Mutant(
        "a line that is no JSON stops the stream",
        "claude_stream",
        f"{_RUNNER}/agents/claude_stream.py",
        "except (ValueError, RecursionError):",
        "except RecursionError:",
    ),
    Mutant(
        "a wait for the API may be endless",
        "claude_stream",
        f"{_RUNNER}/agents/claude_stream.py",
        "isinstance(delay, (int, float)) and 0 <= delay < _LONGEST_WAIT_MS",
        "isinstance(delay, (int, float))",
    ),
    Mutant(
        "a document type is read",
        "reports",
        f"{_RUNNER}/grading/results_junit.py",
        '        raise NoResultsError("the JUnit report declares',
        '        NoResultsError("the JUnit report declares',
    ),
    Mutant(
        "rows are of any type",
        "result_shards",
        f"{_OPERATOR}/results/shards.py",
        "        _check_types(row)\n",
        "",
    ),
    Mutant(
        "more may have passed than were tried",
        "daily_cells",
        f"{_OPERATOR}/results/cells.py",
        "    if any(y > m for y, m in zip(passes, trials, strict=True)) or",
        "    if",
    ),
    Mutant(
        "a test file may lie anywhere",
        "task_rows",
        f"{_OPERATOR}/suites/schema.py",
        """    if any(part in {"", ".", ".."} for part in parts):\n""",
        "    if False:\n",
    ),
    Mutant(
        "the words for a pattern are missing",
        "run_spec",
        f"{_OPERATOR}/api/parse.py",
        "MEANINGS.get(limits['pattern'], limits['pattern'])",
        "MEANINGS[limits['regex']]",
    ),
    Mutant(
        "a member may be unnamed",
        "observed",
        f"{_OPERATOR}/kube/projection.py",
        "int(launch)] if instance and",
        "int(launch)] if not instance or",
    ),
)


def planted(mutant: Mutant) -> str:
    """Source of the module with the bug in it."""
    source = (ROOT / mutant.module).read_text()
    assert source.count(mutant.good) == 1, f"{mutant.name}: {mutant.module} has changed; mend this"
    return source.replace(mutant.good, mutant.bad)


def plant(mutant: Mutant, folder: Path) -> dict[str, str]:
    """A copy of the product with the bug in it; the environment in which Python finds that copy first."""
    for place in ("operator", "runner"):
        shutil.copytree(
            ROOT / place, folder / place, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
        )
    (folder / mutant.module).write_text(planted(mutant))
    roots = (folder / "operator", folder / "runner", ROOT)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots))}


def campaign(mutant: Mutant, folder: Path, executions: int, seconds: int) -> tuple[int, str]:
    """Exit code and output of a campaign against the product with the bug."""
    environment = plant(mutant, folder)
    module = mutant.module.partition("/")[2].removesuffix(".py").replace("/", ".")
    shown = f"import {module} as found; print(found.__file__)"
    place = subprocess.check_output([sys.executable, "-c", shown], env=environment, text=True)
    assert place.strip() == str(folder / mutant.module), "another copy would be fuzzed"
    command = [sys.executable, "-m", "tests.fuzz.campaign", "--only", mutant.target]
    command += ["--executions", str(executions), "--seconds", str(seconds)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    print(done.stdout[-1500:], done.stderr[-500:])
    return done.returncode, done.stdout
