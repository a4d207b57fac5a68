"""A cluster for the command line: the contract tests' API server on a thread of its own, and a kubeconfig for it."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.contract.fake_api import FakeApi, serving

from benchwarden import names
from benchwarden.kube.resources import RUNS, SCHEDULES

NAMESPACE = "team"


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[FakeApi, Path]]:
    """The server and the kubeconfig that names it."""
    loop, ready, done = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    found: list[FakeApi] = []

    async def serve() -> None:
        async with serving() as api:
            found.append(api)
            ready.set()
            await done.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait()
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "here",
                "clusters": [{"name": "c", "cluster": {"server": found[0].url}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
                "contexts": [
                    {
                        "name": "here",
                        "context": {"cluster": "c", "user": "u", "namespace": NAMESPACE},
                    }
                ],
            }
        )
    )
    try:
        yield found[0], kubeconfig
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()
        loop.close()


def put_run(api: FakeApi, name: str, spec: dict[str, Any], status: dict[str, Any]) -> None:
    api.put(
        RUNS.collection(NAMESPACE),
        name,
        apiVersion=names.API_VERSION,
        kind=names.RUN_KIND,
        metadata={"namespace": NAMESPACE, "generation": 1},
        spec=spec,
        status=status,
    )


def put_schedule(api: FakeApi, name: str, spec: dict[str, Any], status: dict[str, Any]) -> None:
    api.put(
        SCHEDULES.collection(NAMESPACE),
        name,
        apiVersion=names.API_VERSION,
        kind=names.SCHEDULE_KIND,
        metadata={"namespace": NAMESPACE, "generation": 1},
        spec=spec,
        status=status,
    )


def spec_of(api: FakeApi, name: str) -> Any:
    """The spec of a run or schedule as the server has it now."""
    return next(found["spec"] for (_, key), found in api.objects.items() if key == name)


def ended(**counts: int) -> dict[str, Any]:
    """Status of a run that has ended."""
    condition = {
        "type": names.CONDITION_SUCCEEDED,
        "status": "True",
        "reason": names.REASON_COMPLETED_WITH_MISSING,
        "lastTransitionTime": "2026-07-01T00:00:00Z",
    }
    return {"conditions": [condition], "counts": counts}
