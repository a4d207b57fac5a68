"""What the API server refused, as types: one class for each thing a caller may want to do about it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchwarden.errors import BenchwardenError, UnavailableError

_MESSAGE_CHARACTERS = 2000  # a webhook's message may be a whole page


@dataclass(frozen=True, slots=True)
class Refusal:
    """The part of a `Status` object that decisions use."""

    code: int
    reason: str = ""
    message: str = ""
    causes: tuple[str, ...] = ()
    retry_after_seconds: float | None = None


class ApiError(BenchwardenError):
    """The API server answered, and the answer was no.

    Attributes:
        code: HTTP status code, or the code of an error event in a watch.
        reason: the `Status` reason, such as `NotFound`; may be empty.
        message: the server's own words.
        causes: reasons in the `Status` details, such as `NamespaceTerminating`.
    """

    def __init__(self, refusal: Refusal, what: str = "") -> None:
        self.code = refusal.code
        self.reason = refusal.reason
        self.message = refusal.message
        self.causes = refusal.causes
        words = f"{refusal.code} {refusal.reason}".strip()
        super().__init__(": ".join(part for part in (what, words, refusal.message) if part))


class NotFoundError(ApiError):
    """404: the object, or the kind itself, does not exist."""


class ApiConflictError(ApiError):
    """409: the object changed since it was read; read it again and decide again."""


class AlreadyExistsError(ApiConflictError):
    """409 on create: the name is taken; `create_or_adopt` tells whether by us."""


class UnauthorizedError(ApiError):
    """401, even with credentials read anew."""


class ForbiddenError(ApiError):
    """403: RBAC, a quota, Pod Security or a policy said no; `message` tells which."""

    @property
    def namespace_terminating(self) -> bool:
        """Whether nothing can be created because the whole namespace is being deleted."""
        return "NamespaceTerminating" in self.causes or "being terminated" in self.message

    @property
    def quota(self) -> bool:
        """Whether a ResourceQuota was the reason."""
        return "exceeded quota" in self.message


class InvalidObjectError(ApiError):
    """400, 413 or 422: the object can never be accepted as it is."""


class GoneError(ApiError):
    """410: the resource version or the continue token is too old; list again."""


class ApiUnavailableError(ApiError, UnavailableError):
    """No good answer within the deadline: overloaded, restarting or not reachable.

    Attributes:
        retry_after_seconds: what the server asked for at last, if it did.
    """

    def __init__(self, refusal: Refusal, what: str = "") -> None:
        self.retry_after_seconds = refusal.retry_after_seconds
        super().__init__(refusal, what)


_BY_CODE: Mapping[int, type[ApiError]] = {
    400: InvalidObjectError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ApiConflictError,
    410: GoneError,
    413: InvalidObjectError,
    422: InvalidObjectError,
}


def refusal(code: int, body: bytes, retry_after_seconds: float | None = None) -> Refusal:
    """Read an error answer: a `Status` object from the server, or anything at all from a proxy."""
    try:
        status = json.loads(body)
    except (ValueError, RecursionError):
        status = None
    if not isinstance(status, dict):
        words = body[:200].decode("utf-8", "replace").strip()
        return Refusal(code, message=words, retry_after_seconds=retry_after_seconds)
    return refusal_of_status(status, code, retry_after_seconds)


def refusal_of_status(
    status: Mapping[str, Any], code: int = 0, retry_after_seconds: float | None = None
) -> Refusal:
    """Read a `Status` object; `code` is used where the object has none."""
    details = status.get("details")
    causes = details.get("causes") if isinstance(details, dict) else None
    own_code = status.get("code")
    return Refusal(
        code=own_code if isinstance(own_code, int) else code,
        reason=_text(status.get("reason")),
        message=_text(status.get("message"))[:_MESSAGE_CHARACTERS],
        causes=tuple(
            _text(cause.get("reason"))
            for cause in (causes if isinstance(causes, list) else ())
            if isinstance(cause, dict)
        ),
        retry_after_seconds=retry_after_seconds,
    )


def error_of(refused: Refusal, what: str = "") -> ApiError:
    """The typed error for a refusal."""
    if refused.code == 409 and refused.reason == "AlreadyExists":
        return AlreadyExistsError(refused, what)
    if refused.code == 429 or refused.code >= 500 or refused.code == 0:
        return ApiUnavailableError(refused, what)
    return _BY_CODE.get(refused.code, ApiError)(refused, what)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
