"""The formats that results are exchanged in."""

from enum import StrEnum


class ExchangeFormat(StrEnum):
    """How results look outside."""

    jsonl = "jsonl"
    parquet = "parquet"
    eval_results = "eval-results"
    inspect = "inspect"
    harbor = "harbor"
