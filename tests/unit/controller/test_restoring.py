"""A run that is being restored is left alone until all of it is there."""

from types import SimpleNamespace
from typing import Any

import pytest

from benchwarden import names
from benchwarden.controller.controller import Controller
from benchwarden.controller.schedules import ScheduleController


def raw(*, restoring: bool) -> dict[str, Any]:
    annotations = {names.ANNOTATION_RESTORING: "old-uid"} if restoring else {}
    return {
        "metadata": {
            "name": "kept",
            "namespace": "team",
            "uid": "u1",
            "generation": 1,
            "annotations": annotations,
        },
        "status": {},
    }


@pytest.mark.parametrize("kind", [Controller, ScheduleController])
def test_what_is_being_restored_is_not_looked_at_before_it_is_done(kind: Any) -> None:
    queued: list[str] = []
    watcher = SimpleNamespace(
        records={}, passes=SimpleNamespace(queue=SimpleNamespace(add=queued.append))
    )
    kind.see(watcher, raw(restoring=True), deleted=False)
    assert (watcher.records, queued) == ({}, [])
    kind.see(watcher, raw(restoring=False), deleted=False)
    assert list(watcher.records) == queued == ["u1"]
