"""What the subcommands share: the consoles, errors, bars and figures."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

console = Console()
errors = Console(stderr=True)

ConfigPath = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="MONITOR_CONFIG", help="The settings file."),
]
DEFAULT_CONFIG = Path("config.toml")


def fail(message: str) -> NoReturn:
    """Print what is wrong and what to do, and exit with 1."""
    errors.print(f"[bold red]Error:[/] {escape(message)}", highlight=False)
    sys.exit(1)


def figure(value: float | None) -> str:
    if value is None:
        return "not measured"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar for a job of `total` posts; what it yields is called with each step's size."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors) as bar:
        task = bar.add_task(what, total=total)
        yield lambda step: bar.advance(task, step)
