"""Logs that other tools wrote, as rows: what they call right is a pass, what they lost is no failure."""

import io
import json
import zipfile
import zlib
from typing import Any

import pyarrow as pa
import pytest

from benchwarden.errors import InvalidInputError
from benchwarden.exchange import formats, harbor, inspect_read, inspect_write
from benchwarden.exchange.formats import Choice
from benchwarden.exchange.results import About, Results
from benchwarden.results.row import KIND_CHARGE, KIND_VERDICT, Row
from benchwarden_runner.protocol import HARNESS

HEADER = {
    "version": 2,
    "status": "success",
    "eval": {"eval_id": "E1", "task": "swe_bench", "model": "anthropic/claude-x", "created": "c"},
    "stats": {"started_at": "2026-07-01T01:00:00+00:00"},
}


def inspect_log(*samples: dict[str, Any], header: Any = HEADER) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps(header))
        for each in samples:
            archive.writestr(f"samples/{each['id']}_epoch_{each['epoch']}.json", json.dumps(each))
    return written.getvalue()


def sample(id: str, epoch: int = 1, **changes: Any) -> dict[str, Any]:
    return {"id": id, "epoch": epoch, "input": "", "target": "", **changes}


def scored(value: Any) -> dict[str, Any]:
    return {"scores": {"tests": {"value": value}}}


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ("C", "resolved"),
        ("I", "unresolved"),
        ("P", "unresolved"),
        (1, "resolved"),
        (1.0, "resolved"),
        (0.5, "unresolved"),
        (True, "resolved"),
        (False, "unresolved"),
    ],
)
def test_only_a_full_score_is_a_pass(value: Any, outcome: str) -> None:
    (row,) = inspect_read.read(inspect_log(sample("a", **scored(value)))).rows
    assert (row.kind, row.outcome) == (KIND_VERDICT, outcome)


def test_a_sample_of_inspect_is_a_trial_with_its_tokens_and_cost() -> None:
    usage = {"m": {"input_tokens": 5, "output_tokens": 7, "total_cost": 0.25}}
    given = sample("a", 2, **scored("C"), model_usage=usage, total_time=12.5, completed_at="then")
    found = inspect_read.read(inspect_log(given))
    (row,) = found.rows
    assert (row.instance, row.trial, row.agent_seconds) == ("a", 1, 12.5)
    assert (row.input_tokens, row.output_tokens, row.cost_usd) == (5, 7, "0.25")
    assert row.finished_at == "then"
    assert found.about.model == "anthropic/claude-x"
    assert found.about.suite == "swe_bench"


def test_an_error_without_a_score_is_a_loss_and_no_failure() -> None:
    (row,) = inspect_read.read(inspect_log(sample("a", error={"message": "pod lost"}))).rows
    assert (row.kind, row.outcome, row.reason) == (KIND_CHARGE, HARNESS, "pod lost")


def test_several_scores_want_a_choice() -> None:
    data = inspect_log(sample("a", scores={"x": {"value": "C"}, "y": {"value": "I"}}))
    with pytest.raises(InvalidInputError, match="--scorer: has the scores x, y"):
        inspect_read.read(data)
    assert inspect_read.read(data, "x").rows[0].outcome == "resolved"
    assert inspect_read.read(data, "y").rows[0].outcome == "unresolved"


def test_a_score_that_is_none_is_named() -> None:
    with pytest.raises(InvalidInputError, match=r"samples/a_epoch_1.json: cannot tell"):
        inspect_read.read(inspect_log(sample("a", **scored("perhaps"))))


def zstandard(data: bytes) -> bytes:
    """The archive with its samples packed as today's Inspect does it."""
    written = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(written, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            packed = pa.Codec("zstd").compress(content, asbytes=True)
            new.writestr(info.filename, packed)
            made = new.getinfo(info.filename)
            made.compress_type, made.file_size = 93, len(content)
            made.CRC = zlib.crc32(content)
    return written.getvalue()


def test_logs_packed_with_zstandard_are_read_too() -> None:
    plain = inspect_log(sample("a", **scored("C")), sample("b", **scored("I")))
    assert inspect_read.read(zstandard(plain)) == inspect_read.read(plain)


def test_damage_in_a_packed_sample_is_noticed() -> None:
    data = bytearray(zstandard(inspect_log(sample("a", **scored("C")))))
    at = data.index(b"\x28\xb5\x2f\xfd", data.index(b"samples/"))
    data[at + 12] ^= 0xFF
    with pytest.raises(InvalidInputError):
        inspect_read.read(bytes(data))


def test_what_we_write_for_inspect_says_who_is_right_and_what_was_lost() -> None:
    rows = (
        Row("a", 0, 1, KIND_VERDICT, "resolved", "b", ""),
        Row("b", 0, 1, KIND_CHARGE, "image_pull", "b", "", reason="no such image"),
        Row("a", 1, 1, KIND_VERDICT, "agent_timeout", "b", ""),
    )
    data = inspect_write.write(Results(About(run="r", model="m"), rows))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        header = json.loads(archive.read("header.json"))
        names = archive.namelist()
        lost = json.loads(archive.read("samples/b_epoch_1.json"))
    assert header["results"]["scores"][0]["metrics"]["accuracy"]["value"] == 0.5
    assert (header["results"]["total_samples"], header["results"]["completed_samples"]) == (3, 2)
    assert "samples/a_epoch_2.json" in names
    assert lost["scores"] is None
    assert lost["error"]["message"] == "image_pull: no such image"


def trial(name: str, **changes: Any) -> dict[str, bytes]:
    content = {"task_name": "t1", "trial_name": name, **changes}
    return {f"{name}/result.json": json.dumps(content).encode()}


def test_a_harbor_job_is_a_folder_of_trials() -> None:
    files = {
        **trial("t1__x", verifier_result={"rewards": {"reward": 1}}),
        **trial("t1__y", verifier_result={"rewards": {"reward": 0.5}}),
        **trial("t1__z", exception_info={"exception_type": "Boom", "exception_message": "gone"}),
        "result.json": b"{}",
    }
    rows = formats.read(files, None, Choice()).rows
    assert [(row.trial, row.kind, row.outcome) for row in rows] == [
        (0, KIND_VERDICT, "resolved"),
        (1, KIND_VERDICT, "unresolved"),
        (2, KIND_CHARGE, HARNESS),
    ]
    assert rows[2].reason == "Boom: gone"


def test_several_rewards_want_a_choice() -> None:
    files = trial("t", verifier_result={"rewards": {"speed": 0.1, "tests": 1}})
    with pytest.raises(InvalidInputError, match="rewards speed, tests: choose one"):
        harbor.read(files)
    assert harbor.read(files, "tests").rows[0].outcome == "resolved"


def test_cached_tokens_are_counted_once() -> None:
    used = {"n_input_tokens": 100, "n_cache_tokens": 60, "n_output_tokens": 5, "cost_usd": 0.5}
    files = trial("t", agent_result=used, verifier_result={"rewards": {"reward": 1}})
    (row,) = harbor.read(files).rows
    assert (row.input_tokens, row.cache_read_tokens, row.cost_usd) == (40, 60, "0.5")


def test_a_folder_without_trials_is_no_job() -> None:
    with pytest.raises(InvalidInputError, match="not a Harbor job"):
        formats.read({"result.json": b"{}"}, None, Choice())
