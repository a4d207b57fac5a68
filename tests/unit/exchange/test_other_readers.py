"""Inspect itself reads the logs that we write, and we read what it makes of them."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, find, settings
from tests.cluster.config import cache_dir
from tests.unit.exchange.given import results

from benchwarden.exchange import inspect_read, inspect_write
from benchwarden.exchange.results import About, Results
from benchwarden.results.row import KIND_CHARGE, KIND_RELEASE, KIND_VERDICT, Row

INSPECT = "inspect_ai==0.3.285"
READS = """\
import json, sys
from inspect_ai.log import read_eval_log, read_eval_log_sample_summaries, write_eval_log
ours, theirs = sys.argv[1:]
log = read_eval_log(ours)
write_eval_log(log, theirs)
print(json.dumps({
    "model": log.eval.model,
    "accuracy": log.results.scores[0].metrics["accuracy"].value,
    "samples": [
        [str(s.id), s.epoch, s.scores and s.scores["benchwarden"].value, s.error and s.error.message]
        for s in log.samples
    ],
    "summaries": len(read_eval_log_sample_summaries(ours)),
}))
"""
ROWS = (
    Row("a/b", 0, 1, KIND_CHARGE, "evicted", "j", ""),
    Row("a/b", 0, 2, KIND_VERDICT, "resolved", "j", "2026-07-01T03:00:00Z", cost_usd="0.25"),
    Row("a/b", 1, 1, KIND_VERDICT, "agent_timeout", "j", ""),
    Row("lost", 0, 1, KIND_CHARGE, "image_pull", "j", "", reason="no such image"),
    Row("never", 0, 1, KIND_RELEASE, "", "j", ""),
)


# One process makes the environment for both.
pytestmark = pytest.mark.xdist_group("inspect")


@pytest.fixture(scope="module")
def inspect() -> Path:
    """The interpreter of an environment of its own with Inspect in it, made once and kept in the cache."""
    version = ".".join(map(str, sys.version_info[:2]))
    folder = cache_dir() / f"{INSPECT}-python-{version}"
    python = Path("bin/python")
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
        subprocess.run([sys.executable, "-m", "venv", str(made)], check=True)
        subprocess.run([str(made / python), "-m", "pip", "install", "-q", INSPECT], check=True)
        made.rename(folder)
    return folder / python


def read_by_inspect(inspect: Path, folder: Path, given: Results) -> tuple[dict, Results]:
    """What Inspect finds in our log, and what we find in the one that Inspect wrote from it."""
    ours, theirs = folder / "ours.eval", folder / "theirs.eval"
    ours.write_bytes(inspect_write.write(given))
    command = [str(inspect), "-c", READS, str(ours), str(theirs)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1]), inspect_read.read(theirs.read_bytes())


@pytest.mark.long
@pytest.mark.timeout(900)
def test_inspect_reads_our_logs_and_writes_them_without_a_loss(inspect, tmp_path):
    given = Results(About(run="r", suite="s", model="m", started_at="2026-07-01T01:00:00Z"), ROWS)
    found, back = read_by_inspect(inspect, tmp_path, given)
    assert sorted(found["samples"]) == [
        ["a/b", 1, "C", None],
        ["a/b", 2, "I", None],
        ["lost", 1, None, "image_pull: no such image"],
        ["never", 1, None, "no launch came to an end"],
    ]
    assert (found["model"], found["accuracy"], found["summaries"]) == ("m", 0.5, 4)
    assert back == given


@pytest.mark.long
@pytest.mark.timeout(900)
def test_inspect_reads_a_log_of_odd_rows(inspect, tmp_path):
    odd = find(
        results,
        lambda each: len(each.rows) == 8,
        settings=settings(
            phases=[Phase.generate], derandomize=True, suppress_health_check=list(HealthCheck)
        ),
    )
    assert read_by_inspect(inspect, tmp_path, odd)[1] == odd
