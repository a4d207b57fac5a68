"""A fault is a field and a sentence that says the fix; rules of several modules speak it."""

from typing import NamedTuple


class Fault(NamedTuple):
    """One thing wrong with a spec; `field` is its full path from `spec.`."""

    field: str
    sentence: str
