import asyncio
import gc
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchwarden import names
from benchwarden.local import memory
from benchwarden.local.batch import LocalBatch, Site
from benchwarden.local.directory import read_rows
from benchwarden.planning.plan import Member
from benchwarden.reconcile.conditions import find
from benchwarden.report.summary import FAIL, INFRA, MISSING, PASS


async def test_each_instance_gets_one_verdict_and_the_files_are_kept(
    suite: Any, start: Any, tmp_path: Path
) -> None:
    suite.write({"good": "solve", "bad": "fail"})
    result = await start(suite.run_file())
    assert [(r.key.instance, r.group) for r in result.summary.results] == [
        ("bad", FAIL),
        ("good", PASS),
    ]
    assert result.summary.cost_usd == 0.5
    assert find(result.status["conditions"], "Succeeded")["status"] == "True"
    trial = tmp_path / "out" / "trials" / "good" / "trial-0" / "launch-1"
    assert (trial / "agent.patch").read_text() == "solve"
    assert "trials/good/trial-0/launch-1/transcript.jsonl" in result.report.read_text()


async def test_going_on_repeats_no_finished_trial(suite: Any, start: Any, ledger: Any) -> None:
    suite.write({"one": "solve", "two": "fail"})
    path = suite.run_file()
    first = await start(path)
    rows, launched = list(ledger.rows), list(ledger.launched)
    again = await start(path)
    assert (ledger.rows, ledger.launched) == (rows, launched)
    assert again.summary == first.summary


async def test_repeats_of_an_instance_are_trials_of_their_own(suite: Any, start: Any) -> None:
    suite.write({"one": "solve"})
    result = await start(suite.run_file(execution={"trialsPerInstance": 3}))
    assert result.summary.groups[PASS] == 3
    assert len(list((result.results.parent / "trials" / "one").iterdir())) == 3


async def test_interrupting_kills_what_runs_keeps_results_and_going_on_finishes(
    suite: Any, start: Any, ledger: Any, tmp_path: Path
) -> None:
    suite.write({"quick": "solve", "stuck": "hang"})
    path = suite.run_file(execution={"batchSize": 1})
    task = asyncio.create_task(start(path))
    started = tmp_path / "out" / "trials" / "stuck" / "trial-0" / "launch-1" / "started"
    await _until(lambda: started.exists() and bool(ledger.rows))
    uid = json.loads((tmp_path / "out" / "run.json").read_text())["uid"]
    assert memory.tree(0, f"{uid}/")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert memory.tree(0, f"{uid}/") == set()
    assert not (tmp_path / "out" / "scratch.path").exists()
    assert [row.instance for row in read_rows(tmp_path / "out" / "results.jsonl")] == ["quick"]

    launched = list(ledger.launched)
    second = asyncio.create_task(start(path))
    await _until(lambda: len(ledger.launched) > len(launched))
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert (
        ledger.launched[-1] in launched
    )  # the same launch again: nothing was charged for the first
    assert len(ledger.launched) == len(launched) + 1


async def test_a_batch_stopped_before_it_began_leaves_nothing_behind(tmp_path: Path) -> None:
    site = Site(tmp_path / "batch", "marker/", lambda: datetime.now(UTC), lambda: None)
    batch = LocalBatch("batch", names.ROLE_BATCH, "uid", (Member("one", 0, 1),), site)
    batch.start([])
    await batch.stop()
    gc.collect()  # a coroutine that nobody awaited would complain here
    assert not site.scratch.exists()


async def test_a_torn_last_line_is_dropped_and_its_trial_run_again(
    suite: Any, start: Any, tmp_path: Path
) -> None:
    suite.write({"one": "solve", "two": "solve"})
    path = suite.run_file()
    await start(path)
    results = tmp_path / "out" / "results.jsonl"
    results.write_bytes(results.read_bytes()[:-20])
    result = await start(path)
    assert result.summary.groups[PASS] == 2
    assert len(read_rows(results)) == 2


async def test_memory_beyond_the_limit_is_an_oom_kill_retried_once_then_a_failure(
    suite: Any, start: Any
) -> None:
    limits = {"resources": {"limits": {"memory": "96Mi"}}}
    suite.write({"greedy": "eat 300"}, **limits)
    result = await start(suite.run_file())
    only = result.summary.results[0]
    assert (only.group, only.outcome, only.retries) == (FAIL, "agent_oom", 1)


async def test_one_oom_kill_costs_the_rest_of_the_batch_no_verdict(suite: Any, start: Any) -> None:
    suite.write({"a": "solve", "b": "eat 300", "c": "solve", "d": "fail"})
    spec = {
        "batchSize": 4,
        "resources": {"requests": {"memory": "32Mi"}, "limits": {"memory": "96Mi"}},
    }
    result = await start(suite.run_file(execution=spec))
    assert result.summary.groups == {PASS: 2, FAIL: 2, INFRA: 0, MISSING: 0}


async def test_what_an_agent_leaves_in_the_background_dies_with_it(
    suite: Any, start: Any, tmp_path: Path
) -> None:
    suite.write({"one": "orphan"})
    await start(suite.run_file())
    uid = json.loads((tmp_path / "out" / "run.json").read_text())["uid"]
    assert memory.tree(0, f"{uid}/") == set()


async def test_a_runner_that_cannot_work_is_infrastructure_and_ends_as_missing(
    suite: Any, start: Any
) -> None:
    suite.write({"one": "crash"})
    result = await start(suite.run_file(execution={"infraRetriesPerTrial": 0}))
    assert result.summary.groups[INFRA] == 1
    assert result.summary.results[0].outcome == "harness"
    assert result.summary.pass_ratio is None


async def test_a_missing_trial_is_tried_again_when_asked(suite: Any, start: Any) -> None:
    suite.write({"one": "crash"})
    path = suite.run_file(execution={"infraRetriesPerTrial": 0})
    first = await start(path)
    assert first.summary.results[0].row is not None
    again = await start(path, try_missing_again=True)
    assert again.summary.results[0].row is not None
    assert again.summary.results[0].row.launch == 2
    assert first.summary.results[0].row.launch == 1


async def test_a_bad_key_ends_the_run_at_once(suite: Any, start: Any, ledger: Any) -> None:
    suite.write({"a": "auth", "b": "auth", "c": "solve"})
    result = await start(suite.run_file(execution={"batchSize": 1}), parallelism=1)
    assert find(result.status["conditions"], "Succeeded")["status"] == "False"
    assert find(result.status["conditions"], "Succeeded")["reason"] == "AuthenticationFailed"
    assert len(ledger.launched) == 2


async def test_agents_see_their_own_home_and_none_of_the_users_environment(
    suite: Any, start: Any, tmp_path: Path
) -> None:
    suite.write({"one": "solve"})
    environment = {"PATH": os.environ["PATH"], "GITHUB_TOKEN": "secret", "HOME": "/home/me"}
    await start(suite.run_file(), environment=environment)
    kept = tmp_path / "out" / "trials" / "one" / "trial-0" / "launch-1" / "seen.json"
    seen = json.loads(kept.read_text())
    assert "GITHUB_TOKEN" not in seen["environ"]
    assert seen["environ"]["HOME"].endswith("/agent/home")
    assert seen["spec"]["local"] is True
    assert seen["spec"]["workdir"].endswith("/agent/repo")
    assert not Path(seen["environ"]["HOME"]).exists()  # noqa: ASYNC240  # nothing else runs


async def _until(condition: Any) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  # what is awaited happens in other processes
            await asyncio.sleep(0.02)
