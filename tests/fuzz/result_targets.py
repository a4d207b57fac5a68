"""Targets of what the operator reads back: shards, cells, plans, observed objects, files of results."""

import base64
import gzip
import zlib
from datetime import UTC

from benchwarden.errors import InvalidInputError
from benchwarden.kube.projection import job_fact, members_of, pod_fact
from benchwarden.manifests.plan_object import plan_config_map, plan_from_config_map
from benchwarden.manifests.settings import RunIdentity
from benchwarden.results import cells, shards
from benchwarden.results.base import parse_base
from benchwarden.results.row import Row
from benchwarden.results.tally import Tally
from benchwarden.stats.history_file import parse_history
from benchwarden.stats.outcome_files import parse_outcomes
from tests.fuzz.reading import check_refusal, check_text, json_of, split, text_of

_RUN = RunIdentity("fuzz", "fuzz", "00000000-0000-0000-0000-000000000000")
_PLAN_KEY = "plan-1.json.z"


def result_shards(data: bytes) -> None:
    """Shards of rows, packed or as lines, and as the base of a comparison; what is read can be stored again."""
    way, body = split(data)
    packed = body if way % 2 else gzip.compress(body, compresslevel=1)
    try:
        if way & 2:
            totals = parse_base(packed if way & 4 else body)
            assert all(0 <= passes <= trials for passes, trials in totals.values())
            return
        rows = shards.unpack(packed)
    except InvalidInputError as error:
        check_refusal(error)
        return
    tally = Tally(rows)
    assert len(tally) <= len(rows)
    again = [row for shard in shards.pack(rows) for row in shards.unpack(shard)]
    assert again == rows or rows != rows  # noqa: PLR0124  # a number that is none equals nothing
    for row in rows:
        _check_row(row)


def daily_cells(data: bytes) -> None:
    """Shards of a schedule; what is read can be stored again and is read as the same."""
    way, body = split(data)
    packed = body if way % 2 else gzip.compress(body, compresslevel=1)
    try:
        entries = cells.unpack_cells(packed)
    except InvalidInputError as error:
        check_refusal(error)
        return
    assert cells.unpack_cells(cells.pack_cells(entries)) == entries
    runs = [entry for entry in entries if isinstance(entry, cells.RunCells)]
    for run in runs:
        assert 0 <= run.passed <= run.valid
    for cell in cells.merged_cells(runs):
        assert 0 <= cell.passes <= cell.trials


def plans(data: bytes) -> None:
    """A frozen plan: read back whole, or a ValueError; never a guess."""
    way, body = split(data)
    packed = body if way % 2 else zlib.compress(body, 1)
    config_map = {"binaryData": {_PLAN_KEY: base64.b64encode(packed).decode()}}
    try:
        plan = plan_from_config_map(json_of(body) if way & 2 else config_map)  # type: ignore[arg-type]  # anything
    except ValueError:
        return
    for group in plan.groups:
        for instance, trial in group:
            assert type(instance) is str
            assert type(trial) is int
    assert plan_from_config_map(plan_config_map(_RUN, plan)) == plan


def observed(data: bytes) -> None:
    """Jobs and pods as the API server tells them: any JSON gives a fact or nothing."""
    way, body = split(data)
    raw = json_of(body)
    for member in members_of(raw if way % 2 else text_of(body)):
        assert member.instance
        check_text(member.instance)
    if not isinstance(raw, dict):
        return
    job, pod = job_fact(raw), pod_fact(raw)
    if job is not None:
        assert job.uid
        assert job.run_uid
        assert job.created_at is None or job.created_at.tzinfo is UTC
    if pod is not None:
        assert pod.run_uid
        assert all(len(each.message) <= 4096 for each in pod.pod.containers)


def result_files(data: bytes) -> None:
    """Histories and result files that a user names on the command line."""
    way, body = split(data)
    try:
        if way % 2:
            columns = parse_history(text_of(body))
            lengths = {len(columns.days), len(columns.instances), len(columns.passes)}
            assert lengths == {len(columns.trials)}
        else:
            found = parse_outcomes(text_of(body), "FILE")
            assert all(0 <= passes <= trials for passes, trials in found.values())
    except InvalidInputError as error:
        check_refusal(error)


def _check_row(row: Row) -> None:
    assert type(row.instance) is str
    assert type(row.trial) is int
    assert type(row.launch) is int
    assert all(type(number) is int for number in row.tests)
    assert all(type(name) is str and type(count) is int for name, count in row.tools)
    assert not row.cost_usd.startswith("-")
