"""Commands that speak to a cluster: their options, the connection, what they name, and refusals with their fix."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn, TypeVar

import typer

from benchwarden import names
from benchwarden.errors import BenchwardenError, InvalidInputError, UnavailableError

if TYPE_CHECKING:
    from benchwarden.kube.desk import Desk
    from benchwarden.kube.errors import ApiError
    from benchwarden.kube.resources import Resource

R = TypeVar("R")

NamespaceOption = Annotated[
    str, typer.Option("-n", "--namespace", help="Namespace. [default: that of the context]")
]
ContextOption = Annotated[
    str, typer.Option("--context", help="Context of the kubeconfig. [default: the current one]")
]
KubeconfigOption = Annotated[
    str, typer.Option("--kubeconfig", metavar="FILE", help="[default: $KUBECONFIG, ~/.kube/config]")
]
TimeoutOption = Annotated[
    float,
    typer.Option(
        "--request-timeout",
        metavar="SECONDS",
        min=0,
        show_default=False,
        help="For each request. [default: 10]",
    ),
]
AllNamespacesOption = Annotated[
    bool, typer.Option("-A", "--all-namespaces", help="Look in all namespaces.")
]
DEFAULT_TIMEOUT_SECONDS: Final = 10.0


class CommandError(BenchwardenError):
    """A failure with an exit code of its own."""

    def __init__(self, message: str, exit_code: int) -> None:
        self.exit_code = exit_code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Where:
    """Which cluster and namespace; what is empty was not said."""

    namespace: str = ""
    context: str = ""
    kubeconfig: str = ""
    request_timeout: float = 0.0


_PARAMETERS: Final = {
    "namespace": NamespaceOption,
    "context": ContextOption,
    "kubeconfig": KubeconfigOption,
    "request_timeout": TimeoutOption,
}
_NOWHERE: Final = Where()
_WHERE: ContextVar[Where] = ContextVar("where", default=_NOWHERE)


def begin(where: Where) -> None:
    """Start with what stood before the command's name."""
    _WHERE.set(where)


def where() -> Where:
    """What this call has been told of the cluster."""
    return _WHERE.get()


def on_a_cluster(command: Callable[..., R]) -> Callable[..., R]:
    """The command with the options that say which cluster; `connected` reads them."""

    def told(*arguments: Any, **options: Any) -> R:
        said = {name: options.pop(name) for name in _PARAMETERS}
        _WHERE.set(replace(where(), **{name: value for name, value in said.items() if value}))
        return command(*arguments, **options)

    signature = inspect.signature(command)
    kind = inspect.Parameter.KEYWORD_ONLY
    defaults = {each.name: each.default for each in fields(Where)}
    added = [
        inspect.Parameter(name, kind, default=defaults[name], annotation=annotation)
        for name, annotation in _PARAMETERS.items()
    ]
    told.__name__, told.__doc__ = command.__name__, command.__doc__
    told.__signature__ = signature.replace(  # type: ignore[attr-defined]  # typer reads it
        parameters=[*signature.parameters.values(), *added]
    )
    told.__annotations__ = {**command.__annotations__, **_PARAMETERS}
    return told


@contextmanager
def connected() -> Iterator["Desk"]:
    """A desk at the cluster that the options name; refusals become sentences with exit codes.

    Raises:
        CommandError: the cluster said no: not allowed, not found, not acceptable.
        UnavailableError: there is no cluster to ask.
    """
    from benchwarden.kube.access import Access, CredentialsError
    from benchwarden.kube.desk import Desk
    from benchwarden.kube.errors import ApiError

    told = where()
    access = Access(told.kubeconfig, told.context)
    timeout = told.request_timeout or DEFAULT_TIMEOUT_SECONDS
    try:
        with Desk(access, told.namespace, timeout) as desk:
            yield desk
    except ApiError as error:
        _explain(error)
    except CredentialsError as error:
        raise UnavailableError(
            f"{error}; give --kubeconfig, or set KUBECONFIG to a file that names your cluster"
        ) from error


def _explain(error: "ApiError") -> NoReturn:
    from benchwarden.kube import errors

    said = error.message or str(error)
    match error:
        case errors.UnauthorizedError():
            code = names.EXIT_FORBIDDEN
            text = (
                f"the cluster does not know you: {said}; renew the credentials of your kubeconfig"
            )
        case errors.ForbiddenError():
            code = names.EXIT_FORBIDDEN
            text = (
                f"not allowed: {said}; ask for a Role with this verb (docs: reference/cli) or check"
                " with kubectl auth can-i"
            )
        case errors.NotFoundError() if "could not find the requested resource" in said:
            code = names.EXIT_NOT_FOUND
            text = (
                "this cluster does not know benchwarden's kinds; install the chart, or"
                " benchwarden crd | kubectl apply --server-side -f -"
            )
        case errors.NotFoundError():
            code = names.EXIT_NOT_FOUND
            text = f"{said}; benchwarden status -A shows what there is"
        case errors.InvalidObjectError():
            code, text = names.EXIT_USAGE, f"the cluster does not accept it: {said}"
        case errors.ApiUnavailableError():
            code = names.EXIT_UNAVAILABLE
            text = (
                f"the cluster does not answer: {said}; check kubectl cluster-info, --context and"
                " --kubeconfig"
            )
        case _:
            code, text = names.EXIT_FAILED, str(error)
    raise CommandError(text, code) from error


RUN: Final = "run"
SCHEDULE: Final = "schedule"
_ALIASES: Final = {
    **dict.fromkeys(("run", "runs", "bmr", names.RUN_PLURAL, "benchmarkrun"), RUN),
    **dict.fromkeys(
        ("schedule", "schedules", "bms", names.SCHEDULE_PLURAL, "benchmarkschedule"), SCHEDULE
    ),
}


@dataclass(frozen=True, slots=True)
class Target:
    """A run or a schedule of the cluster."""

    kind: str
    name: str

    @property
    def resource(self) -> "Resource":
        """Where the API serves it."""
        from benchwarden.kube.resources import RUNS, SCHEDULES

        return RUNS if self.kind == RUN else SCHEDULES

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def target(text: str, default: str = RUN, *, only: str = "") -> Target:
    """`run/NAME`, `schedule/NAME`, kubectl's names of the kinds, or a bare NAME of the default kind.

    Raises:
        InvalidInputError: another kind than may be named here.
    """
    kind, slash, name = text.partition("/")
    if not slash:
        kind, name = default, text
    found = _ALIASES.get(kind.lower().removesuffix(f".{names.GROUP}"), "")
    if not found or not name or "/" in name or (only and found != only):
        wanted = f"{only}/NAME" if only else "run/NAME or schedule/NAME"
        raise InvalidInputError(
            f"expected {wanted} or a bare NAME, got {text!r:.80}",
            reason=names.REASON_INVALID_SPEC,
            field="NAME",
        )
    return Target(found, name)


def is_target(text: str) -> bool:
    """Whether the text can only be meant as a run or a schedule of a cluster."""
    kind, slash, _ = text.partition("/")
    return bool(slash) and kind.lower().removesuffix(f".{names.GROUP}") in _ALIASES
