"""`python -m tests.docs.stored_schedule NAME UID INSTANCE`: the history of a schedule that got worse, to be applied."""

import base64
import json
import sys
from dataclasses import replace

from tests.cluster_promises.test_schedules import weeks

from benchwarden import names
from benchwarden.manifests.naming import shard_name
from benchwarden.results.cells import KEY_CELLS, pack_cells


def main() -> None:
    name, uid, instance = sys.argv[1:]
    days = [
        replace(day, instances=(instance, *day.instances[1:])) for day in weeks(24, drop_after=20)
    ]
    shard = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": shard_name(name, uid, 0),
            "labels": {names.LABEL_SCHEDULE_UID: uid, names.LABEL_ROLE: names.ROLE_CELLS},
        },
        "binaryData": {KEY_CELLS: base64.b64encode(pack_cells(days)).decode()},
    }
    json.dump(shard, sys.stdout)


if __name__ == "__main__":
    main()
