"""Daily cells: ten years fit a few ConfigMaps, read fast, and read back as they were written."""

import gzip
import json
import random
import time
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchwarden import names
from benchwarden.errors import InvalidInputError
from benchwarden.results.cells import (
    Note,
    RunCells,
    history_lines,
    merged_cells,
    pack_cells,
    unpack_cells,
)
from benchwarden.results.signals import packed as packed_signals
from benchwarden.stats.history import Cell
from benchwarden.stats.history_file import parse_history

DAY = date(2026, 3, 1)


def run(name: str = "r1", day: date = DAY, **changes: object) -> RunCells:
    whole = RunCells(
        name,
        f"uid-{name}",
        f"{day}T03:00:00Z",
        str(day),
        names.SERIES_LATEST,
        "a" * 64,
        instances=("a", "b"),
        passes=(1, 0),
        trials=(1, 1),
    )
    return replace(whole, **changes)


texts = st.text(st.characters(codec="utf-8"), max_size=12)
counts = st.integers(0, 300)


@st.composite
def runs(draw: st.DrawFn) -> RunCells:
    instances = tuple(draw(st.lists(texts, unique=True, max_size=6)))
    trials = tuple(draw(counts) for _ in instances)
    passes = tuple(draw(st.integers(0, count)) for count in trials)
    return run(
        draw(texts),
        identity=draw(texts),
        cli_version=draw(texts),
        factor=draw(st.integers(1, 9)),
        succeeded=draw(st.booleans()),
        infra=draw(counts),
        signals=draw(texts),
        images=draw(st.sampled_from(((), tuple("0" for _ in instances), instances))),
        instances=instances,
        passes=passes,
        trials=trials,
    )


notes = st.builds(
    Note,
    texts,
    texts,
    texts,
    st.dictionaries(texts, texts, max_size=3).map(lambda d: tuple(sorted(d.items()))),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(runs() | notes, max_size=8))
def test_entries_read_back_as_they_were_written(entries: list) -> None:
    packed = pack_cells(entries)
    assert unpack_cells(packed) == entries
    assert pack_cells(entries) == packed


def busy_signals(draw: random.Random, panel: tuple[str, ...]) -> str:
    """A day's cost, turns, time and tokens; they vary by a third from one trial to the next."""
    usual = {"cost": 0.8, "turns": 40.0, "seconds": 600.0, "tokens": 15_000.0}
    values = {
        name: {i: mean * (1 + n % 7) * draw.lognormvariate(0, 0.33) for n, i in enumerate(panel)}
        for name, mean in usual.items()
    }
    return packed_signals(values, panel)


def test_ten_years_of_fifty_instances_fit_a_few_config_maps_and_read_in_under_a_second() -> None:
    draw = random.Random(1)
    panel = tuple(f"django__django-{10_000 + n}" for n in range(50))
    decade = [
        run(
            f"daily-{29_000_000 + 1440 * n}",
            DAY + timedelta(days=n),
            run_uid=f"{draw.getrandbits(128):032x}",
            cli_version=f"2.1.{n // 3}",
            cost_usd=f"{40 * draw.random():.4f}",
            instances=panel,
            passes=tuple(int(draw.random() < (n % 10) / 10) for n in range(50)),
            trials=(1,) * 50,
            images=tuple(f"{n // 90:012d}" for _ in range(50)),
        )
        for n in range(3653)
    ]
    assert len(pack_cells(decade)) < 2 * names.RESULT_SHARD_BYTES
    decade = [replace(run, signals=busy_signals(draw, panel)) for run in decade]
    packed = pack_cells(decade)
    assert len(packed) < 7 * names.RESULT_SHARD_BYTES
    took = []
    for _ in range(3):
        began = time.process_time()
        cells = merged_cells(unpack_cells(packed))
        took.append(time.process_time() - began)
    assert len(cells) == 182_650
    assert min(took) < 1.0


def test_runs_of_one_day_add_up_to_one_cell_an_instance() -> None:
    closer = run("r2", instances=("b", "c"), passes=(2, 1), trials=(3, 3))
    assert merged_cells([run(), closer]) == [
        Cell(DAY, "a", 1, 1),
        Cell(DAY, "b", 2, 4),
        Cell(DAY, "c", 1, 3),
    ]


def test_exported_cells_are_what_analyze_reads() -> None:
    cells = merged_cells([run(instances=("a", "é"), trials=(1, 0), passes=(1, 0))])
    read = parse_history(history_lines(cells))
    assert [read.cell(n)._replace(line=0) for n in range(len(read.days))] == cells


def test_lines_of_a_newer_version_are_passed_over_and_unknown_keys_too() -> None:
    lines = gzip.decompress(pack_cells([run()])).decode().splitlines()
    lines[-1] = json.dumps({**json.loads(lines[-1]), "weather": "fine"})
    more = gzip.compress("\n".join([*lines, '{"omen": 1}']).encode())
    assert unpack_cells(more) == [run()]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"run": "x"}',
        '{"run": "x", "panel": 7}',
        '{"note": "x"}',
        '{"run": "x", "run_uid": "u", "slot": "s", "day": "d", "series": "l", "panel": 0, "y": "1", "m": "11"}',
        '{"run": 1, "run_uid": "u", "slot": "s", "day": "d", "series": "l", "panel": 0, "y": "11", "m": "11"}',
        "3",
    ],
)
def test_a_damaged_line_is_named(line: str) -> None:
    text = f'{{"v": 1}}\n{{"panel": 0, "instances": ["a", "b"]}}\n{line}\n'
    with pytest.raises(InvalidInputError, match="line 3"):
        unpack_cells(gzip.compress(text.encode()))


@pytest.mark.parametrize("data", [b"", b"plain", pack_cells([run()])[:-9]])
def test_what_is_no_shard_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInputError, match="not a shard"):
        unpack_cells(data)
