"""What `compareTo` names, on this machine: another run's directory beside this one, or a ConfigMap of the file."""

from collections.abc import Callable
from pathlib import Path

from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.errors import InvalidInputError
from benchwarden.local.directory import FILE_RESULTS, read_rows
from benchwarden.reconcile.world import BaseResults
from benchwarden.results.base import parse_base
from benchwarden.results.tally import Tally


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
            return BaseResults(Tally(read_rows(path)).cells())
        if target.config_map is None:
            return BaseResults(problem="compareTo names nothing")
        data = read_config_map(target.config_map.name, target.config_map.key)
        return BaseResults(parse_base(data))
    except InvalidInputError as error:
        return BaseResults(problem=str(error))
