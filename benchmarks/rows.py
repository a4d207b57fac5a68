"""How many bytes an instance keeps in etcd for good, with messages that differ as those of real runs do.

    python -m benchmarks.rows

Fake nodes say the same of every instance, which packs far too well; here digests, UIDs, times, counts and costs
are random. Deterministic but for the seconds.
"""

import base64
import json
import time
from random import Random

from benchwarden.controller.durable import results_config_map
from benchwarden.manifests.plan_object import plan_config_map
from benchwarden.manifests.settings import RunIdentity
from benchwarden.planning.plan import Plan, TrialKey
from benchwarden.results import shards
from benchwarden.results.row import KIND_VERDICT, Row

SIZES = (50, 731, 10_000, 50_000)
RUN = RunIdentity("nightly", "bench", "0b0c8f0e-0000-4000-8000-000000000001")


def a_row(rng: Random, number: int) -> Row:
    """What a real agent and grader would have said."""
    image = f"registry.example/suite/instance-{number % 500:04d}@sha256:{_hex(rng, 64)}"
    return Row(
        instance=f"owner__repository-{number:05d}",
        trial=0,
        launch=1,
        kind=KIND_VERDICT,
        outcome=rng.choice(("resolved", "unresolved")),
        batch=f"nightly-{_hex(rng, 12)}",
        finished_at=f"2026-03-01T{rng.randrange(24):02}:{rng.randrange(60):02}:00Z",
        pod_uid=f"{_hex(rng, 8)}-{_hex(rng, 4)}-4{_hex(rng, 3)}-8{_hex(rng, 3)}-{_hex(rng, 12)}",
        agent_class="completed",
        agent_seconds=round(rng.uniform(40, 1800), 3),
        grade_seconds=round(rng.uniform(5, 300), 3),
        turns=rng.randrange(5, 200),
        input_tokens=rng.randrange(10**6),
        output_tokens=rng.randrange(10**5),
        cache_read_tokens=rng.randrange(10**7),
        cache_write_tokens=rng.randrange(10**6),
        cost_usd=f"{rng.uniform(0.05, 5):.4f}",
        cli_version="2.1.330",
        network="enforced",
        tools=tuple((name, rng.randrange(1, 60)) for name in ("Bash", "Edit", "Grep", "Read")),
        tests=(rng.randrange(5), 5, rng.randrange(400), 400),
        patch_sha256=_hex(rng, 64),
        patch_bytes=rng.randrange(20_000),
        log_sha256=_hex(rng, 64),
        agent_image_id=image,
        grade_image_id=image,
    )


def _hex(rng: Random, digits: int) -> str:
    return f"{rng.getrandbits(4 * digits):0{digits}x}"


def measured(count: int) -> dict[str, float]:
    """Bytes and seconds for so many instances."""
    rng = Random(count)
    rows = [a_row(rng, number) for number in range(count)]
    began = time.process_time()
    packed = shards.pack(rows)
    took = time.process_time() - began
    began = time.process_time()
    for each in packed:
        shards.unpack(each)
    read = time.process_time() - began
    kept = [results_config_map(RUN, number, data) for number, data in enumerate(packed)]
    groups = tuple((TrialKey(row.instance, 0),) for row in rows)
    plan = plan_config_map(RUN, Plan("d" * 64, groups, ()))
    stored = len(json.dumps([*kept, plan], separators=(",", ":")))
    largest = max(len(base64.b64encode(data)) for data in packed)
    return {
        "instances": count,
        "bytes": round(stored / count),
        "shards": len(packed),
        "largest": largest,
        "pack_seconds": round(took, 2),
        "read_seconds": round(read, 2),
    }


def table() -> str:
    """The figures as Markdown."""
    names = {
        "instances": "Instances",
        "bytes": "Bytes kept an instance",
        "shards": "Shards",
        "largest": "Largest shard, bytes",
        "pack_seconds": "Processor seconds to pack all",
        "read_seconds": "to read all",
    }
    found = [measured(count) for count in SIZES]
    lines = [f"| {' | '.join(names.values())} |", f"|{'---|' * len(names)}"]
    lines += [f"| {' | '.join(str(each[key]) for key in names)} |" for each in found]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
