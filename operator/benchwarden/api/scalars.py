"""The scalar types of the API: bounded strings and integers, and never a float.

Every string has a pattern or at least a length, because the API server prices CEL rules by the
largest value the schema allows.
"""

from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, Strict, StringConstraints, WithJsonSchema

from benchwarden.api import patterns

INT32_MAX: Final = 2_147_483_647
INT53_MAX: Final = 9_007_199_254_740_991

Bool = Annotated[bool, Strict()]
Int = Annotated[int, Strict()]
"""An integer that is written as one: no text, no boolean, no 5.0."""

Text = Annotated[str, StringConstraints(max_length=4096)]
Path = Annotated[str, StringConstraints(pattern=patterns.PATH, max_length=1024)]
Sha256 = Annotated[str, StringConstraints(pattern=patterns.SHA256, max_length=64)]
SourceUrl = Annotated[str, StringConstraints(pattern=patterns.SOURCE_URL, max_length=2048)]
HttpUrl = Annotated[str, StringConstraints(pattern=patterns.HTTP_URL, max_length=2048)]

Money = Annotated[str, StringConstraints(pattern=patterns.MONEY, max_length=14)]
"""An amount of US dollars as decimal text, such as "5" or "0.25"."""

DnsSubdomain = Annotated[str, StringConstraints(pattern=patterns.DNS_SUBDOMAIN, max_length=253)]
DnsLabel = Annotated[str, StringConstraints(pattern=patterns.DNS_LABEL, max_length=63)]
DataKey = Annotated[str, StringConstraints(pattern=patterns.DATA_KEY, max_length=253)]
EnvName = Annotated[str, StringConstraints(pattern=patterns.ENV_NAME, max_length=128)]
LabelKey = Annotated[str, StringConstraints(pattern=patterns.LABEL_KEY, max_length=317)]
LabelValue = Annotated[str, StringConstraints(pattern=patterns.LABEL_VALUE, max_length=63)]
InstanceId = Annotated[str, StringConstraints(pattern=patterns.INSTANCE_ID, max_length=200)]
Labels = Annotated[dict[str, LabelValue], Field(max_length=32)]
Seconds = Annotated[Int, Field(ge=1, le=604_800)]
Allowance = Annotated[Int, Field(ge=0, le=604_800)]


def _integer_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Quantity = Annotated[
    str,
    BeforeValidator(_integer_as_text),
    StringConstraints(pattern=patterns.QUANTITY, max_length=24),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "x-kubernetes-int-or-string": True,
            "pattern": patterns.QUANTITY,
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
