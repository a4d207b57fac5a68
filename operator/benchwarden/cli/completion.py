"""Shell completion: names of runs and schedules from the cluster, and what kubectl asks a plugin's helper for.

kubectl calls `kubectl_complete-benchwarden` with the words typed so far, the last one unfinished, and reads
one proposal a line and a directive on the last.
"""

import contextlib
import io
import os
import shlex
import sys
from typing import Final

import typer

from benchwarden.cli.cluster import RUN, SCHEDULE, Target, Where, begin, connected

_PATIENCE_SECONDS: Final = 2.0
_NO_FILES: Final = ":4"  # cobra's ShellCompDirectiveNoFileComp
_FILES: Final = ":0"


def complete_any(ctx: typer.Context, incomplete: str) -> list[str]:
    """`run/...` and `schedule/...`, and bare names of runs."""
    runs, schedules = _names(ctx, RUN), _names(ctx, SCHEDULE)
    found = [
        *runs,
        *(f"{RUN}/{name}" for name in runs if "/" in incomplete),
        *(f"{SCHEDULE}/{name}" for name in schedules),
    ]
    return [each for each in found if each.startswith(incomplete)]


def complete_run(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of runs."""
    return [name for name in _names(ctx, RUN) if name.startswith(incomplete)]


def complete_schedule(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of schedules."""
    return [name for name in _names(ctx, SCHEDULE) if name.startswith(incomplete)]


def _names(ctx: typer.Context, kind: str) -> list[str]:
    """Names in the namespace that the words so far mean; a cluster that does not answer has none."""
    from benchwarden.errors import BenchwardenError

    words = {
        name: each.params[name]
        for each in (ctx.find_root(), ctx)
        for name in ("namespace", "context", "kubeconfig")
        if each.params.get(name)
    }
    begin(Where(**words, request_timeout=_PATIENCE_SECONDS))
    try:
        with connected() as desk:
            found = desk.list(Target(kind, "-").resource)
    except BenchwardenError:
        return []
    return sorted(str(each["metadata"]["name"]) for each in found)


def kubectl() -> None:
    """Entry point `kubectl_complete-benchwarden`: the answer for bash, in kubectl's form."""
    from benchwarden.cli.app import app

    words = ["benchwarden", *sys.argv[1:]]
    os.environ |= {
        "_BENCHWARDEN_COMPLETE": "complete_bash",
        "COMP_WORDS": shlex.join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):  # it ends so
        app(prog_name=words[0])
    proposals = said.getvalue().split()
    print("\n".join([*proposals, _NO_FILES if proposals else _FILES]))
