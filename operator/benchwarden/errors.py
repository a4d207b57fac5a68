"""The five ways benchwarden refuses or fails; each becomes a condition reason or an exit code in one place."""


class BenchwardenError(Exception):
    """Base of all errors that benchwarden raises on purpose."""


class InvalidInputError(BenchwardenError):
    """What the user gave cannot be used; the message names the place, the field and the fix.

    Attributes:
        reason: the CamelCase condition reason this becomes (see `names`).
        field: path of the field at fault, such as `spec.agent.claudeCode.model` or `line 3: id`.
    """

    def __init__(self, message: str, *, reason: str, field: str = "") -> None:
        self.reason = reason
        self.field = field
        super().__init__(f"{field}: {message}" if field else message)


class UnavailableError(BenchwardenError):
    """Something outside is not reachable now; trying again later may help."""


class ConflictError(BenchwardenError):
    """An object of that name exists and is not ours."""


class FencedError(BenchwardenError):
    """This process does not hold the lease, so it must not write."""
