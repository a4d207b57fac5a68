"""One pass over all rules: everything wrong at once, or nothing."""

from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.api.semantics.agent import agent_faults
from benchwarden.api.semantics.execution import execution_faults
from benchwarden.api.semantics.suite import suite_faults
from benchwarden.api.semantics.unsupported import unsupported_faults
from benchwarden.errors import InvalidInputError
from benchwarden.names import REASON_INVALID_SPEC, REASON_UNSUPPORTED

_MOST_FAULTS = 5


def check(spec: BenchmarkRunSpec) -> None:
    """Refuse a spec that fits the schema and still cannot be run as written.

    Raises:
        InvalidInputError: reason `InvalidSpec` for contradictions, else `Unsupported` for fields that
            this version does not act on; `field` is the first one at fault.
    """
    _refuse(
        [*suite_faults(spec.suite), *agent_faults(spec.agent), *execution_faults(spec.execution)]
    )
    _refuse(list(unsupported_faults(spec)), reason=REASON_UNSUPPORTED)


def _refuse(faults: list[tuple[str, str]], *, reason: str = REASON_INVALID_SPEC) -> None:
    if not faults:
        return
    (field, sentence), *others = faults
    more = [f"{path}: {text}" for path, text in others[: _MOST_FAULTS - 1]]
    if len(faults) > _MOST_FAULTS:
        more.append(f"and {len(faults) - _MOST_FAULTS} more")
    raise InvalidInputError("; ".join([sentence, *more]), reason=reason, field=field)
