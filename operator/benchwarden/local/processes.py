"""One container as a process tree: started in a session of its own, ended as a whole, whatever it forked."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from benchwarden.local.memory import kill_tree, tree, used_bytes
from benchwarden.names import ENV_LOCAL_CONTAINER

T = TypeVar("T")

COMPLETED: Final = "Completed"
ERROR: Final = "Error"
OOM_KILLED: Final = "OOMKilled"
DEADLINE: Final = "DeadlineExceeded"
KILLED_CODE: Final = 128 + signal.SIGKILL

_LOOK_EVERY_SECONDS: Final = 0.2
_GRACE_SECONDS: Final = 3.0
# The supervisor looks more often and can say what happened; this is for when it does not, or is itself too big.
_OVER_LIMIT_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Command:
    """What to run.

    Attributes:
        deadline_seconds: of wall time; the last resort behind the supervisor's own limits.
        memory_limit_bytes: of the whole tree; 0 = none.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    log: Path
    deadline_seconds: float
    memory_limit_bytes: int = 0


@dataclass(frozen=True, slots=True)
class End:
    """How it ended, in the kubelet's words."""

    exit_code: int
    reason: str


async def run(command: Command, marker: str) -> End:
    """Run to the end; nothing of the tree is left when this returns or is cancelled.

    Args:
        command: what to run.
        marker: distinguishes this container's processes from all others, even re-parented ones.
    """
    with command.log.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command.arguments,
            cwd=command.directory,
            env={**command.environment, ENV_LOCAL_CONTAINER: marker},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        return await _watch(process, command, marker)
    except asyncio.CancelledError:
        await _stop(process)
        raise
    finally:
        await _clear(process, marker)


async def _watch(process: asyncio.subprocess.Process, command: Command, marker: str) -> End:
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + command.deadline_seconds
    over_since: float | None = None
    waiting = asyncio.ensure_future(process.wait())
    try:
        while not waiting.done():
            await asyncio.wait({waiting}, timeout=_LOOK_EVERY_SECONDS)
            if waiting.done():
                break
            if loop.time() >= ends_at:
                await _clear(process, marker)
                return End(KILLED_CODE, DEADLINE)
            if not await asyncio.to_thread(_over, process.pid, command.memory_limit_bytes):
                over_since = None
            elif over_since is None:
                over_since = loop.time()
            elif loop.time() - over_since >= _OVER_LIMIT_SECONDS:
                await _clear(process, marker)
                return End(KILLED_CODE, OOM_KILLED)
    finally:
        waiting.cancel()
    code = process.returncode or 0
    return End(code if code >= 0 else 128 - code, COMPLETED if code == 0 else ERROR)


def _over(root: int, limit_bytes: int) -> bool:
    return bool(limit_bytes) and used_bytes(tree(root), limit_bytes) > limit_bytes


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Ask the supervisor to end its agent, so that what was used is accounted for; not for long."""
    with suppress(ProcessLookupError):  # it has ended by itself
        os.killpg(process.pid, signal.SIGTERM)
    waiting = asyncio.ensure_future(process.wait())
    await asyncio.wait({waiting}, timeout=_GRACE_SECONDS)
    waiting.cancel()


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    """Run blocking work in a thread; when cancelled, wait for it before giving way.

    A thread cannot be stopped: going on at once would have it write into folders that are being removed.
    """
    return await _to_the_end(asyncio.to_thread(function, *arguments))


async def _to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Finish `work` however often this is cancelled, then give way to the cancellation."""
    working = asyncio.ensure_future(work)
    cancelled = False
    while not working.done():
        try:
            await asyncio.wait({working})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
    return working.result()


async def _clear(process: asyncio.subprocess.Process, marker: str) -> None:
    async def cleared() -> None:
        await asyncio.to_thread(kill_tree, process.pid, marker)
        await process.wait()

    await _to_the_end(cleared())
