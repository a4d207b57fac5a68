"""The operator's own counters, bumped by whoever does the work and read as a whole at a scrape.

They know nothing of Prometheus: the controller and the API client depend on this, not on a metrics library.
One lock guards all: the scrape runs in another thread.
"""

from collections import Counter
from datetime import datetime
from threading import Lock
from typing import Final

from benchwarden.telemetry import catalogue
from benchwarden.telemetry.snapshot import Distribution, Labels, OperatorHealth

SUCCESS: Final = "success"
REQUEUE: Final = "requeue"
REQUEUE_AFTER: Final = "requeue_after"
ERROR: Final = "error"
RESULTS: Final = (SUCCESS, REQUEUE, REQUEUE_AFTER, ERROR)


class Instruments:
    """Counters and gauges of one operator process."""

    def __init__(self, controllers: tuple[str, ...] = ("run",)) -> None:
        self._lock = Lock()
        # Known label sets start at 0, so that a first error is an increase that rules can see.
        self._reconciles = Counter[Labels]({(c, r): 0 for c in controllers for r in RESULTS})
        self._errors = Counter[Labels]({(c,): 0 for c in controllers})
        self._seconds: dict[Labels, Distribution] = {
            (c,): _empty(catalogue.RECONCILE_SECONDS) for c in controllers
        }
        self._waits: dict[Labels, Distribution] = {
            (c,): _empty(catalogue.QUEUE_SECONDS) for c in controllers
        }
        self._requests: Counter[Labels] = Counter()
        self._ended: Counter[Labels] = Counter()
        self._queues: dict[Labels, int] = {}
        self._informers: dict[Labels, datetime] = {}
        self._loop_lag_seconds = 0.0
        self._rows = self._conflicting = self._lost = 0

    def reconciled(self, controller: str, result: str, seconds: float) -> None:
        """Count one reconcile pass; `result` is one of `RESULTS`."""
        with self._lock:
            self._reconciles[controller, result] += 1
            self._errors[controller,] += result == ERROR
            known = self._seconds.get((controller,), _empty(catalogue.RECONCILE_SECONDS))
            self._seconds[controller,] = _observed(known, seconds)

    def waited(self, queue: str, seconds: float) -> None:
        """Count one object that waited so long for its pass."""
        with self._lock:
            known = self._waits.get((queue,), _empty(catalogue.QUEUE_SECONDS))
            self._waits[queue,] = _observed(known, seconds)

    def requested(self, method: str, code: str) -> None:
        """Count one request to the API server; `code` is its status or `error` without one."""
        with self._lock:
            self._requests[code, method.upper()] += 1

    def run_ended(self, reason: str) -> None:
        """Count a run that ended for `reason`."""
        with self._lock:
            self._ended[reason,] += 1

    def stored(self, rows: int) -> None:
        """Count result rows written durably."""
        with self._lock:
            self._rows += rows

    def conflicting(self, verdicts: int = 1) -> None:
        """Count verdicts that came second."""
        with self._lock:
            self._conflicting += verdicts

    def lost(self, launches: int = 1) -> None:
        """Count launches whose end nobody saw."""
        with self._lock:
            self._lost += launches

    def queue(self, name: str, depth: int) -> None:
        """Set how many objects wait for a pass."""
        with self._lock:
            self._queues[name,] = depth

    def informed(self, resource: str, at: datetime) -> None:
        """Set when an informer last heard from the API server."""
        with self._lock:
            self._informers[resource,] = at

    def loop_lag(self, seconds: float) -> None:
        """Set how late the event loop last woke up."""
        with self._lock:
            self._loop_lag_seconds = seconds

    def read(self) -> OperatorHealth:
        """Return a copy of everything as of now."""
        with self._lock:
            return OperatorHealth(
                reconciles=dict(self._reconciles),
                reconcile_errors=dict(self._errors),
                reconcile_seconds=dict(self._seconds),
                queue_seconds=dict(self._waits),
                rest_requests=dict(self._requests),
                runs_ended=dict(self._ended),
                queue_depth=dict(self._queues),
                informer_synced_at=dict(self._informers),
                loop_lag_seconds=self._loop_lag_seconds,
                rows_stored=self._rows,
                conflicting_verdicts=self._conflicting,
                lost_verdicts=self._lost,
            )


def _empty(metric: catalogue.Metric) -> Distribution:
    return Distribution.of((), metric.buckets)


def _observed(known: Distribution, value: float) -> Distribution:
    added = Distribution.of((value,), known.bounds)
    counts = tuple(a + b for a, b in zip(known.counts, added.counts, strict=True))
    return Distribution(known.bounds, counts, known.total + value)
