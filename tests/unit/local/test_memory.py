import asyncio
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from benchwarden.local import memory
from benchwarden.local.processes import DEADLINE, OOM_KILLED, Command, run
from benchwarden.names import ENV_LOCAL_CONTAINER

MIB = 1 << 20


def command(tmp_path: Path, *words: str, seconds: float = 60, limit_bytes: int = 0) -> Command:
    environment = {"PATH": os.environ["PATH"]}
    return Command(words, environment, tmp_path, tmp_path / "log", seconds, limit_bytes)


async def test_exit_code_and_output_are_kept(tmp_path: Path) -> None:
    end = await run(command(tmp_path, "sh", "-c", "echo out; echo err >&2; exit 7"), "m/")
    assert (end.exit_code, end.reason) == (7, "Error")
    assert (tmp_path / "log").read_text() == "out\nerr\n"


async def test_a_signal_reads_as_the_kubelet_writes_it(tmp_path: Path) -> None:
    end = await run(command(tmp_path, "sh", "-c", "kill -TERM $$"), "m/")
    assert (end.exit_code, end.reason) == (143, "Error")


async def test_a_tree_over_its_deadline_is_killed_whole(tmp_path: Path) -> None:
    marker = f"{uuid.uuid4()}/"
    words = ("sh", "-c", "setsid sleep 300 & sleep 300")
    end = await run(command(tmp_path, *words, seconds=0.5), marker)
    assert (end.exit_code, end.reason) == (137, DEADLINE)
    assert memory.tree(0, marker) == set()


async def test_memory_is_summed_over_the_tree(tmp_path: Path) -> None:
    eat = f"import time; x = bytearray(60 * {MIB}); time.sleep(300)"
    words = ("sh", "-c", f'"{sys.executable}" -c "{eat}" & "{sys.executable}" -c "{eat}"')
    end = await run(command(tmp_path, *words, limit_bytes=100 * MIB), "m/")
    assert (end.exit_code, end.reason) == (137, OOM_KILLED)


async def test_shared_memory_counts_once(tmp_path: Path) -> None:
    fork = (
        f"import os, time; x = bytearray(60 * {MIB}); "
        "children = [os.fork() for _ in range(2)]; time.sleep(3)"
    )
    words = (sys.executable, "-c", fork)
    end = await run(command(tmp_path, *words, limit_bytes=110 * MIB), "m/")
    assert end.exit_code == 0


async def test_a_program_that_ignores_sigterm_is_killed_when_cancelled(tmp_path: Path) -> None:
    marker = f"{uuid.uuid4()}/"
    words = ("sh", "-c", "trap '' TERM; touch ready; while :; do sleep 1; done")
    task = asyncio.create_task(run(command(tmp_path, *words), marker))
    async with asyncio.timeout(30):
        while not (tmp_path / "ready").exists():  # noqa: ASYNC110  # another process makes it
            await asyncio.sleep(0.02)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()  # impatience must not leave processes behind either
    with pytest.raises(asyncio.CancelledError):
        await task
    assert memory.tree(0, marker) == set()


def test_orphans_are_found_by_the_beginning_of_their_marker() -> None:
    marker = str(uuid.uuid4())
    environment = {"PATH": os.environ["PATH"], ENV_LOCAL_CONTAINER: f"{marker}/batch/agent-0/"}
    process = subprocess.Popen(["sleep", "300"], env=environment, start_new_session=True)
    try:
        assert memory.tree(0, f"{marker}/") == {process.pid}
        assert memory.tree(0, f"{marker}/other/") == set()
        memory.kill_tree(0, f"{marker}/")
        assert process.wait(10) == -9
    finally:
        process.kill()


def test_this_process_is_never_part_of_a_tree() -> None:
    assert os.getpid() not in memory.tree(os.getsid(0))
