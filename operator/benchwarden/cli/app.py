"""The command line's root: which commands there are, and how every failure becomes a sentence and an exit code.

Start-up must stay quick, so command modules import what they need inside their commands.
"""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from benchwarden import __version__, names
from benchwarden.cli import (
    artifacts,
    claude,
    exchange,
    flipped,
    logs,
    plan,
    report,
    run,
    run_verbs,
    schedule_verbs,
    statistics,
    status,
    suite,
    system,
    validate,
)
from benchwarden.cli.cluster import (
    CommandError,
    ContextOption,
    KubeconfigOption,
    NamespaceOption,
    TimeoutOption,
    Where,
    begin,
)
from benchwarden.errors import BenchwardenError, InvalidInputError, UnavailableError

_EXIT_CODES: Final = (
    (InvalidInputError, names.EXIT_USAGE),
    (UnavailableError, names.EXIT_UNAVAILABLE),
    (BenchwardenError, names.EXIT_FAILED),
)

app = typer.Typer(
    name="benchwarden",
    help="Run coding-agent benchmarks and tell with honest statistics whether the agent got worse.",
    epilog=(
        "Exit codes: 0 done; 1 the operation failed; 2 bad input, nothing was done; "
        "3 something needed is not here, such as a cluster; 4 a comparison says worse; "
        "5 the cluster does not allow it; 6 the cluster has no such thing; 130 interrupted."
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: importing rich for it would double the start-up time
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    namespace: NamespaceOption = "",
    context: ContextOption = "",
    kubeconfig: KubeconfigOption = "",
    request_timeout: TimeoutOption = 0.0,
) -> None:
    del version
    begin(Where(namespace, context, kubeconfig, request_timeout))


_MODULES: Final = (
    run,
    plan,
    status,
    report,
    flipped,
    logs,
    artifacts,
    run_verbs,
    schedule_verbs,
    exchange,
    suite,
    claude,
    statistics,
    system,
    validate,
)
for _module in _MODULES:
    _module.register(app)


def main() -> None:
    """Run the command line and exit."""
    name = "kubectl benchwarden" if Path(sys.argv[0]).name.startswith("kubectl-") else "benchwarden"
    try:
        app(prog_name=name)
    except CommandError as error:
        _fail(str(error), error.exit_code)
    except BenchwardenError as error:
        code = next(code for kind, code in _EXIT_CODES if isinstance(error, kind))
        _fail(str(error), code)
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        sys.stderr.close()
        sys.exit(names.EXIT_OK)


def _fail(sentence: str, code: int) -> None:
    from benchwarden.report.clean import one_line

    print(f"error: {one_line(sentence, 2000)}", file=sys.stderr)
    sys.exit(code)
