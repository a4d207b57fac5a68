"""The statistics commands, which need no cluster: compare, analyze, history, power, panel, simulate.

Exit codes: 0 done, 2 input that cannot be used (the message names file and line), 4 only with
`--fail-on-regression` when the answer is "worse".
"""

import typer

from benchwarden.cli.analyze import analyze_command
from benchwarden.cli.cluster import on_a_cluster
from benchwarden.cli.compare import compare_command
from benchwarden.cli.history import history_command
from benchwarden.cli.panel import panel_command
from benchwarden.cli.power import power_command
from benchwarden.cli.simulate import simulate_command


def register(app: typer.Typer) -> None:
    """Add the statistics commands to the command line."""
    app.command("compare")(on_a_cluster(compare_command))
    app.command("analyze")(analyze_command)
    app.command("history")(history_command)
    app.command("power")(power_command)
    app.command("panel")(panel_command)
    app.command("simulate")(simulate_command)
