"""The command `monitor`: its subcommands are in `monitor.commands`."""

import typer

from connectors.base import ConnectorError
from monitor import processes
from monitor.commands import alerts, model, numbers, running, setup
from monitor.commands.shared import fail
from monitor.config import ConfigError
from monitor.model.scorer import ModelError
from monitor.store.db import DatabaseError

app = typer.Typer(
    help="Finds public posts that complain about your company, ranks them, and helps answer them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for panel, commands in {
    "Run": (running.up, running.engine, running.dashboard, running.status, running.migrate_now),
    "Set up": (setup.init, setup.check, setup.import_file),
    "Numbers": (numbers.report,),
    "The model": (model.evaluate, model.learn, model.rescore),
}.items():
    for command in commands:
        name = command.__name__.partition("_")[0]
        app.command(name, rich_help_panel=panel)(command)
app.add_typer(alerts.app, name="alert", rich_help_panel="Run", no_args_is_help=True)


def main() -> None:
    """Run the command; an error that a person can mend is told without a traceback, as exit 1."""
    try:
        app()
    except (ConfigError, DatabaseError, ModelError, processes.StartError, ConnectorError) as error:
        fail(str(error))


if __name__ == "__main__":
    main()
