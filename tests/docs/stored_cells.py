"""`python -m tests.docs.stored_cells`: ConfigMaps of cells as a schedule of the examples has after three weeks."""

import json
import sys

from tests.unit.cli_stats.test_history import config_maps
from tests.unit.scheduling.bench import ScheduleBench

from benchwarden import names

LABELS = {names.LABEL_ROLE: names.ROLE_CELLS, names.LABEL_SCHEDULE: "schedule-daily"}


def main() -> None:
    bench = ScheduleBench().days(21)
    stored = json.loads(config_maps(bench.entries))
    for item in stored["items"]:
        item |= {"apiVersion": "v1", "kind": "ConfigMap"}
        item["metadata"]["labels"] = LABELS
    json.dump({"apiVersion": "v1", **stored}, sys.stdout)


if __name__ == "__main__":
    main()
