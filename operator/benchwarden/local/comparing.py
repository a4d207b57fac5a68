"""What `compareTo` names, on this machine: another run's directory beside this one, or a ConfigMap of the file."""

from collections.abc import Callable, Iterable
from pathlib import Path

from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.errors import InvalidInputError
from benchwarden.local.directory import FILE_RESULTS, read_rows
from benchwarden.reconcile.world import BaseResults
from benchwarden.results import shards
from benchwarden.results.row import Row
from benchwarden.results.tally import Tally
from benchwarden_runner.protocol import PASS_CLASSES


def base_results(
    spec: BenchmarkRunSpec, siblings: Path, read_config_map: Callable[[str, str], bytes]
) -> BaseResults | None:
    """Cells to compare with; None if the spec compares with nothing. What is missing is said, not raised."""
    target = spec.compare_to
    if target is None:
        return None
    try:
        if target.run is not None:
            path = siblings / target.run / FILE_RESULTS
            if not path.is_file():
                return BaseResults(problem=f"there is no {path}; run {target.run} first")
            return BaseResults(cells(read_rows(path)))
        if target.config_map is None:
            return BaseResults(problem="compareTo names nothing")
        data = read_config_map(target.config_map.name, target.config_map.key)
        packed = data.startswith(b"\x1f\x8b")
        return BaseResults(cells(shards.unpack(data) if packed else shards.parse_lines(data)))
    except InvalidInputError as error:
        return BaseResults(problem=str(error))


def cells(rows: Iterable[Row]) -> dict[str, tuple[int, int]]:
    """Passes and trials with a verdict, by instance."""
    found: dict[str, tuple[int, int]] = {}
    for key, state in Tally(rows).trials.items():
        if state.verdict is not None:
            passes, trials = found.get(key.instance, (0, 0))
            passed = state.verdict.outcome in PASS_CLASSES
            found[key.instance] = (passes + passed, trials + 1)
    return found
