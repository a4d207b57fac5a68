"""The acceptance vectors: worked examples with expected values and, for some, published digits."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parents[2] / "data" / "statistics-vectors.json"


@cache
def all_vectors() -> dict[str, dict[str, Any]]:
    return {vector["id"]: vector for vector in json.loads(FILE.read_text())["vectors"]}


def vector_ids(*prefixes: str) -> list[str]:
    return [name for name in all_vectors() if name.startswith(prefixes)]


def check(name: str, actual: dict[str, Any]) -> None:
    """Compare every expected and published value of a vector at its stated tolerance."""
    vector = all_vectors()[name]
    tolerance = 1e-4 if name.startswith("cusum-arl") else 1e-6
    for key, expected in vector["expected"].items():
        absolute = 0.0 if name.startswith("cusum-arl") else 1e-6
        assert actual[key] == pytest.approx(expected, rel=tolerance, abs=absolute), (name, key)
    for key, published in vector.get("published", {}).items():
        bound = published["tol"] or 1e-12
        assert actual[key] == pytest.approx(published["value"], rel=0, abs=bound), (name, key)
