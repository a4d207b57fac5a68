"""What is restored is what the operator would have made, and an archive is the objects that went into it."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchwarden import names
from benchwarden.errors import InvalidInputError
from benchwarden.exchange import archive, rebirth
from benchwarden.exchange.rebirth import Reborn
from benchwarden.manifests import naming
from benchwarden.manifests.metadata import run_metadata
from benchwarden.manifests.settings import RunIdentity
from benchwarden.results.cells import (
    KEY_CELLS,
    NOTE_VOIDED,
    Note,
    RunCells,
    pack_cells,
    unpack_cells,
)
from benchwarden.results.shards import KEY_ROWS

RUN = RunIdentity("nightly", "old-place", "old-uid")
UIDS = {
    "old-uid": Reborn(names.RUN_KIND, "nightly", "new-uid"),
    "old-schedule": Reborn(names.SCHEDULE_KIND, "daily", "new-schedule"),
}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
objects = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["BenchmarkRun", "ConfigMap"]),
        "metadata": st.fixed_dictionaries(
            {"name": st.from_regex(r"[a-z0-9-]{1,20}", fullmatch=True)}
        ),
        "spec": values,
    }
)


@settings(max_examples=30)
@given(st.lists(objects, max_size=5))
def test_an_archive_holds_the_objects_in_their_order(given_objects):
    data = archive.pack(given_objects)
    assert archive.is_archive(data) or not given_objects
    assert archive.unpack(data) == given_objects
    assert archive.pack(given_objects) == data


@given(st.binary(max_size=600))
def test_any_bytes_are_an_archive_or_a_clear_error(data):
    try:
        found = archive.unpack(data)
    except InvalidInputError:
        return
    assert isinstance(found, list)


def test_an_archive_of_another_version_is_refused(monkeypatch):
    with monkeypatch.context() as later:
        later.setattr(archive, "FOLDER", "benchwarden-export-2")
        data = archive.pack([{"kind": "ConfigMap", "metadata": {"name": "a"}}])
    with pytest.raises(InvalidInputError, match="written by another version"):
        archive.unpack(data)


def shard(number: int) -> dict:
    name = naming.results_name(RUN.name, RUN.uid, number)
    metadata = {**run_metadata(RUN, names.ROLE_RESULTS, name), "uid": "own", "resourceVersion": "7"}
    raw = {"metadata": metadata, "immutable": True, "binaryData": {KEY_ROWS: "rows"}}
    return rebirth.exported(raw, "ConfigMap", "v1")


def test_a_result_shard_gets_the_name_the_labels_and_the_owner_of_the_new_run():
    new = RunIdentity("nightly", "new-place", "new-uid")
    found = rebirth.reborn(shard(3), "new-place", UIDS)
    assert found == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": run_metadata(
            new, names.ROLE_RESULTS, naming.results_name(new.name, new.uid, 3)
        ),
        "immutable": True,
        "binaryData": {KEY_ROWS: "rows"},
    }


def test_a_shard_of_a_run_that_is_not_there_is_refused_by_name():
    with pytest.raises(InvalidInputError, match="belongs to old-uid, which is not in the export"):
        rebirth.reborn(shard(0), "new-place", {})


def test_cells_follow_their_runs_and_keep_what_is_gone():
    runs = [
        RunCells(f"r{uid}", uid, "2026-07-01T03:00:00Z", "2026-07-01", "latest", instances=("a",),
                 passes=(1,), trials=(1,))
        for uid in ("old-uid", "deleted-long-ago")
    ]  # fmt: skip
    note = Note(NOTE_VOIDED, "2026-07-02T00:00:00Z", data=(("day", "2026-07-01"),))
    packed = base64.b64encode(pack_cells([*runs, note])).decode()
    raw = {
        "metadata": {
            "name": naming.shard_name("daily", "old-schedule", 0),
            "labels": {
                names.LABEL_ROLE: names.ROLE_CELLS,
                names.LABEL_SCHEDULE_UID: "old-schedule",
            },
        },
        "binaryData": {KEY_CELLS: packed},
    }
    found = rebirth.reborn(rebirth.exported(raw, "ConfigMap", "v1"), "new-place", UIDS)
    assert found["metadata"]["name"] == naming.shard_name("daily", "new-schedule", 0)
    first, second, kept = unpack_cells(base64.b64decode(found["binaryData"][KEY_CELLS]))
    assert (first.run_uid, second.run_uid) == ("new-uid", "deleted-long-ago")
    assert kept == note


def test_a_status_names_the_new_shards_and_is_of_the_new_generation():
    status = {
        "observedGeneration": 5,
        "conditions": [{"type": "Succeeded", "status": "True", "observedGeneration": 5}],
        "results": [{"name": "old-0000", "rows": 2}],
        "history": {"shards": [{"name": "cells-0000", "rows": 1}], "days": 3},
    }
    renamed = {"old-0000": "new-0000", "cells-0000": "fresh-0000"}
    found = rebirth.status_of({"status": status}, 1, renamed)
    assert found["observedGeneration"] == found["conditions"][0]["observedGeneration"] == 1
    assert found["results"] == [{"name": "new-0000", "rows": 2}]
    assert found["history"] == {"shards": [{"name": "fresh-0000", "rows": 1}], "days": 3}
    assert status["observedGeneration"] == 5


def test_config_maps_are_found_wherever_a_spec_names_them():
    spec = {
        "suite": {"tasks": {"source": {"configMap": {"name": "suite", "key": "tasks.jsonl"}}}},
        "compareTo": {"configMap": {"name": "base", "key": "rows"}},
        "template": {"spec": {"agent": {"settings": [{"configMap": {"name": "mine"}}]}}},
        "credentials": {"apiKey": {"name": "secret", "key": "api-key"}},
    }
    assert rebirth.named_config_maps(spec) == {"suite", "base", "mine"}
