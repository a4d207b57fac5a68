"""The day gate: how complete a day must be before the monitor may look at it."""

from enum import StrEnum

import numpy as np

from benchwarden.stats.stratified import IntArray


class Gate(StrEnum):
    """``ok`` from 90 % of the panel's cells, ``partial`` from 80 %, ``held`` below."""

    OK = "ok"
    PARTIAL = "partial"
    HELD = "held"


def gate_of(trials: IntArray) -> Gate:
    """Return the gate of a day from its valid trials per panel instance.

    A cell is valid when it has at least one valid trial. An empty panel is held.
    """
    panel = len(trials)
    valid = int(np.count_nonzero(trials))
    # Integers, because 0.8 * 35 is not exactly 28 in floating point.
    if panel == 0 or 10 * valid < 8 * panel:
        return Gate.HELD
    return Gate.PARTIAL if 10 * valid < 9 * panel else Gate.OK
