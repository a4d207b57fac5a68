"""One pass over all rules: everything wrong at once, or nothing."""

from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.api.semantics.agent import agent_faults
from benchwarden.api.semantics.execution import execution_faults
from benchwarden.api.semantics.suite import suite_faults
from benchwarden.errors import InvalidInputError
from benchwarden.names import REASON_INVALID_SPEC

_MOST_FAULTS = 5


def check(spec: BenchmarkRunSpec) -> None:
    """Refuse a spec that fits the schema and still cannot be run as written.

    Raises:
        InvalidInputError: reason `InvalidSpec`; `field` is the first one at fault.
    """
    faults = [
        *suite_faults(spec.suite),
        *agent_faults(spec.agent),
        *execution_faults(spec.execution),
    ]
    if not faults:
        return
    (field, sentence), *others = faults
    more = [f"{path}: {text}" for path, text in others[: _MOST_FAULTS - 1]]
    if len(faults) > _MOST_FAULTS:
        more.append(f"and {len(faults) - _MOST_FAULTS} more")
    raise InvalidInputError("; ".join([sentence, *more]), reason=REASON_INVALID_SPEC, field=field)
