"""Inspect logs of anyone as rows: a sample's score is a verdict, an error without a score is a lost trial."""

import io
import json
import math
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from benchwarden.errors import UnavailableError
from benchwarden.exchange import inspect_names as inspect
from benchwarden.exchange.results import (
    OURS,
    About,
    Results,
    about_from,
    in_order,
    inside,
    loss_of,
    uncarried,
    unreadable,
    verdict_of,
)
from benchwarden.results.row import Row

_LARGEST: Final = 512 * 1024 * 1024  # of one sample, unpacked
_LOCAL_HEADER: Final = 30
_PASSED: Final = ("C", "correct", "yes", "true", "pass")
_FAILED: Final = ("I", "incorrect", "no", "false", "fail", "P", "N")


def read(data: bytes, scorer: str = "") -> Results:
    """Read an `.eval` archive; `scorer` chooses among several scores.

    A partial score is not a pass.

    Raises:
        InvalidInputError: it is no such archive, or a sample cannot be used; names the member.
        UnavailableError: it is packed with Zstandard and pyarrow is not installed.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {info.filename: info for info in archive.infolist()}
            head = inspect.HEADER if inspect.HEADER in members else inspect.START
            if head not in members:
                raise unreadable("not an Inspect log: it holds neither a header nor a journal")
            header = _json(archive, data, members[head])
            samples = [
                (name, _json(archive, data, info))
                for name, info in members.items()
                if name.startswith(inspect.SAMPLES) and name.endswith(".json")
            ]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError) as error:
        raise unreadable(f"not an Inspect log: {error}") from error
    spec = inside(header, "eval")
    ours = inside(spec, "metadata", OURS)
    about = about_from(ours) if ours else _about(spec, inside(header, "stats"))
    found: list[tuple[int, Row]] = []
    foreign: list[Row] = []
    for name, sample in samples:
        kept = inside(sample, "metadata", OURS).get("rows")
        if kept is not None:
            found += uncarried(kept, name)
        else:
            foreign.append(_row(sample, scorer, name))
    foreign.sort(key=lambda row: row.key)
    return Results(about, (*in_order(found), *foreign))


def _about(spec: Mapping[str, Any], stats: Mapping[str, Any]) -> About:
    return About(
        run=str(spec.get("eval_id") or spec.get("run_id") or ""),
        suite=str(spec.get("task") or ""),
        agent=str(spec.get("solver") or ""),
        model=str(spec.get("model") or ""),
        started_at=str(stats.get("started_at") or spec.get("created") or ""),
        finished_at=str(stats.get("completed_at") or ""),
    )


def _row(sample: Mapping[str, Any], scorer: str, place: str) -> Row:
    try:
        instance, trial = str(sample["id"]), int(sample["epoch"]) - 1
        facts = _facts(sample)
        scores = inside(sample, "scores")
        if not scores:
            error = inside(sample, "error").get("message") or "the sample has no score"
            return loss_of(instance, trial, str(error), **facts)
        value = _chosen(scores, scorer, place)["value"]
        return verdict_of(instance, trial, resolved=_resolved(value, place), **facts)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise unreadable(f"not a sample: {error!r:.200}", place) from error


def _chosen(scores: Mapping[str, Any], scorer: str, place: str) -> Any:
    if scorer in scores:
        return scores[scorer]
    if scorer or len(scores) > 1:
        raise unreadable(f"has the scores {', '.join(sorted(scores))}: choose one", "--scorer")
    if not scores:
        raise unreadable("has no score", place)
    return next(iter(scores.values()))


def _resolved(value: Any, place: str) -> bool:
    if isinstance(value, bool | int | float):
        return float(value) >= 1.0
    if isinstance(value, str) and value in _PASSED:
        return True
    if isinstance(value, str) and value in _FAILED:
        return False
    raise unreadable(f"cannot tell whether the score {value!r:.40} is a pass", place)


def _facts(sample: Mapping[str, Any]) -> dict[str, Any]:
    usage = list(inside(sample, "model_usage").values())

    def total(name: str) -> int:
        return sum(int(each.get(name) or 0) for each in usage)

    seconds = float(sample.get("total_time") or 0.0)
    cost = sum(
        (Decimal(str(each.get("total_cost") or 0)) for each in usage), start=Decimal(0)
    ).quantize(Decimal("0.000001"))
    if not math.isfinite(seconds) or not cost.is_finite() or cost < 0:
        raise ValueError("seconds and cost must be finite")
    return {
        "finished_at": str(sample.get("completed_at") or ""),
        "agent_seconds": seconds,
        "input_tokens": total("input_tokens"),
        "output_tokens": total("output_tokens"),
        "cache_read_tokens": total("input_tokens_cache_read"),
        "cache_write_tokens": total("input_tokens_cache_write"),
        "cost_usd": format(cost.normalize(), "f") if cost else "0",
    }


def _json(archive: zipfile.ZipFile, data: bytes, info: zipfile.ZipInfo) -> dict[str, Any]:
    if info.file_size > _LARGEST:
        raise unreadable("is too large", info.filename)
    packed = info.compress_type == inspect.DEFLATED_BY_ZSTD
    text = _unpacked(data, info) if packed else archive.read(info)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise unreadable(f"not JSON: {error}", info.filename) from error
    if not isinstance(found, dict):
        raise unreadable("expected a JSON object", info.filename)
    return found


def _unpacked(data: bytes, info: zipfile.ZipInfo) -> bytes:
    """A member packed with Zstandard, which zipfile knows from Python 3.14 on only."""
    start = info.header_offset + _LOCAL_HEADER
    lengths = struct.unpack("<HH", data[start - 4 : start])
    begin = start + sum(lengths)
    found = b"".join(_chunks(data[begin : begin + info.compress_size]))
    if zlib.crc32(found) != info.CRC:
        raise unreadable("its checksum is wrong", info.filename)
    return found


def _chunks(packed: bytes) -> Iterator[bytes]:
    try:
        import pyarrow as pa
    except ImportError as error:
        raise UnavailableError(
            "this Inspect log is packed with Zstandard: install benchwarden with the extra `datasets`"
            " or `storage`"
        ) from error
    left = _LARGEST
    try:
        with pa.CompressedInputStream(pa.BufferReader(packed), "zstd") as stream:
            while chunk := stream.read(1 << 20):
                left -= len(chunk)
                if left < 0:
                    raise unreadable("is too large once unpacked")
                yield chunk
    except (pa.ArrowException, OSError) as error:
        raise unreadable(f"not Zstandard: {error}") from error
