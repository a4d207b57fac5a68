"""What a cluster stores of a schedule can be analysed anywhere, with the operator's own numbers."""

import base64
import json
import shlex
import subprocess
import sys

from tests.unit.scheduling.bench import ScheduleBench

from benchwarden.results.cells import KEY_CELLS, pack_cells


def benchwarden(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchwarden", *arguments],
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def config_maps(*shards: list) -> str:
    items = [
        {
            "metadata": {"name": f"daily-{number:04d}"},
            "binaryData": {KEY_CELLS: base64.b64encode(pack_cells(shard)).decode()},
        }
        for number, shard in enumerate(shards)
    ]
    return json.dumps({"kind": "List", "items": list(reversed(items))})


def test_the_exported_history_gives_the_operators_numbers_to_the_last_bit() -> None:
    bench = ScheduleBench(detection={"rerun": {"factor": 1}}).days(4)
    bench.spec["voidDays"] = [{"day": "2026-03-02", "author": "ann", "reason": "outage"}]
    bench.days(15)
    bench.spec["voidDays"] += [{"day": "2026-03-18", "author": "ann", "reason": "outage"}]
    bench.days(1)
    exported = benchwarden("history", given=config_maps(bench.entries[:5], bench.entries[5:]))
    assert exported.returncode == 0, exported.stderr
    command = shlex.split(exported.stderr)
    assert command[:3] == ["benchwarden", "analyze", "-"]
    analysed = benchwarden(*command[1:], "-o", "json", given=exported.stdout)
    document = json.loads(analysed.stdout)
    document["monitor"]["days"] = document["monitor"]["days"][-1:]
    assert document == bench.evaluation().document


def test_an_earlier_series_is_found_by_its_number() -> None:
    bench = ScheduleBench(instances=2).days(3)
    bench.identity = "b" * 64
    bench.days(2)
    maps = config_maps(bench.entries)
    assert len(benchwarden("history", "--epoch", "1", given=maps).stdout.splitlines()) == 6
    assert len(benchwarden("history", given=maps).stdout.splitlines()) == 4
    assert benchwarden("history", "--epoch", "3", given=maps).returncode == 2


def test_what_holds_no_cells_is_a_usage_error() -> None:
    for given in ("", "[]", '{"items": []}', '{"kind": "ConfigMap", "metadata": {"name": "x"}}'):
        refused = benchwarden("history", given=given)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr.startswith("error: ")
