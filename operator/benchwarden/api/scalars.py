"""The scalar types of the API: bounded strings and integers, and never a float.

Every string has a pattern or at least a length, because the API server prices CEL rules by the
largest value the schema allows. Patterns are written for Go, Rust and Python alike.
"""

from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, Strict, StringConstraints, WithJsonSchema

INT32_MAX: Final = 2_147_483_647
INT53_MAX: Final = 9_007_199_254_740_991

QUANTITY_PATTERN: Final = r"^[0-9]{1,12}(\.[0-9]{1,6})?(Ki|Mi|Gi|Ti|Pi|m|k|M|G|T|P)?$"
MONEY_PATTERN: Final = r"^[0-9]{1,9}(\.[0-9]{1,4})?$"
DNS_SUBDOMAIN_PATTERN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
DNS_LABEL_PATTERN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
LABEL_KEY_PATTERN: Final = (
    r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$"
)
LABEL_VALUE_PATTERN: Final = r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$"

Bool = Annotated[bool, Strict()]
Int = Annotated[int, Strict()]
"""An integer that is written as one: no text, no boolean, no 5.0."""

Text = Annotated[str, StringConstraints(max_length=4096)]
Path = Annotated[str, StringConstraints(pattern=r"^/[^\s]*$", max_length=1024)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[a-f0-9]{64}$", max_length=64)]
SourceUrl = Annotated[str, StringConstraints(pattern=r"^(https|s3)://[^\s]+$", max_length=2048)]
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$", max_length=2048)]

Money = Annotated[str, StringConstraints(pattern=MONEY_PATTERN, max_length=14)]
"""An amount of US dollars as decimal text, such as "5" or "0.25"."""

DnsSubdomain = Annotated[str, StringConstraints(pattern=DNS_SUBDOMAIN_PATTERN, max_length=253)]
DnsLabel = Annotated[str, StringConstraints(pattern=DNS_LABEL_PATTERN, max_length=63)]
DataKey = Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]+$", max_length=253)]
EnvName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=128)]
LabelKey = Annotated[str, StringConstraints(pattern=LABEL_KEY_PATTERN, max_length=317)]
LabelValue = Annotated[str, StringConstraints(pattern=LABEL_VALUE_PATTERN, max_length=63)]
InstanceId = Annotated[str, StringConstraints(pattern=r"^[^\s]+$", max_length=200)]
Labels = Annotated[dict[str, LabelValue], Field(max_length=32)]
Seconds = Annotated[Int, Field(ge=1, le=604_800)]
Allowance = Annotated[Int, Field(ge=0, le=604_800)]


def _integer_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Quantity = Annotated[
    str,
    BeforeValidator(_integer_as_text),
    StringConstraints(pattern=QUANTITY_PATTERN, max_length=24),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": True,
            "pattern": QUANTITY_PATTERN,
            "minimum": 0,
            "maxLength": 24,
        }
    ),
]
"""A Kubernetes quantity such as "500m", "2", "4Gi"; whole numbers may be written without quotes."""

_FACTORS: Final = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate(("k", "M", "G", "T", "P"), 1)},
    **{
        f"{unit}i": Decimal(1024) ** power
        for power, unit in enumerate(("K", "M", "G", "T", "P"), 1)
    },
}


def quantity_value(quantity: str) -> Decimal:
    """Value of a quantity in its base unit (cores or bytes); the text must match the pattern."""
    number = quantity.rstrip("mkKMGTPi")
    return Decimal(number) * _FACTORS[quantity[len(number) :]]
