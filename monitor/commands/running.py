"""Running the monitor: everything, the engine or the dashboard alone, and how it fares."""

import logging
import os
import signal
import subprocess
import threading
from typing import Annotated

import typer
from rich.logging import RichHandler
from rich.markup import escape
from rich.table import Table
from sqlmodel import Session

from monitor import processes, schedule
from monitor.commands.shared import DEFAULT_CONFIG, ConfigPath, console, errors
from monitor.config import Config, load
from monitor.store.db import connect, migrate
from monitor.store.models import Source
from monitor.watch.alerting import health
from monitor.watch.looking import lookout

Port = Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")]


def up(config: ConfigPath = DEFAULT_CONFIG, port: Port = 8501) -> None:
    """Migrate the database, then run the engine and the dashboard until Ctrl-C."""
    checked = load(config)
    schedule.check_queries(checked)
    database = connect(checked.database_url)
    migrate(database)
    lookout.start(database, checked)

    def ready(address: str) -> None:
        console.print(f"\n  The queue is at [bold cyan]{address}[/]   (Ctrl-C stops everything)\n")

    ended = processes.run_both(config, port, ready)
    if ended is None:
        console.print("Stopped.")
        raise typer.Exit
    with Session(database) as session:
        lookout.ended(session, checked, ended.part)
    console.print(f"Stopped: the {ended.part} ended by itself.")
    raise typer.Exit(ended.code)


def engine(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Collect, score and triage until stopped, without the dashboard."""
    _log()
    checked = load(config)
    database = connect(checked.database_url)
    migrate(database)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    schedule.run(schedule.Engine.prepare(checked, database), stop)


def dashboard(config: ConfigPath = DEFAULT_CONFIG, port: Port = 8501) -> None:
    """Serve the dashboard alone, on 127.0.0.1; the engine runs elsewhere."""
    checked = load(config)
    database = connect(checked.database_url)
    migrate(database)
    processes.check_port(port)
    lookout.start(database, checked)
    environment = {**os.environ, "MONITOR_CONFIG": str(config.resolve())}
    console.print(f"The queue is at http://{processes.HOST}:{port}")
    done = subprocess.run(processes.dashboard_command(port), env=environment, check=False)
    raise typer.Exit(done.returncode)


def status(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Show whether the engine runs, what waits, and how every source fares."""
    checked = load(config)
    database = connect(checked.database_url)
    migrate(database)
    with Session(database) as session:
        found = health.health(session)
        state = "[green]runs[/]" if found.engine_alive else "[red]does not run[/]"
        console.print(f"Engine {state}; {found.to_score} to score, {found.to_triage} to triage.")
        table = Table("source", "condition", "posts in 24 h", "next", "last error", box=None)
        for row in health.sources(session):
            table.add_row(
                row.source.name,
                row.condition,
                str(row.posts),
                _local(row.source, checked),
                escape(row.source.last_error or ""),
            )
        console.print(table)
    raise typer.Exit(0 if found.engine_alive else 1)


def _local(source: Source, config: Config) -> str:
    return f"{source.next_fetch_at.astimezone(config.zone):%d %b %H:%M:%S}"


def migrate_now(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Bring the database's schema up to date."""
    migrate(connect(load(config).database_url))
    console.print("The database is up to date.")


def _log() -> None:
    logging.basicConfig(
        level=logging.INFO,
        format="%(message)s",
        handlers=[RichHandler(console=errors, show_path=False, markup=False)],
    )
    # It logs every address that is asked, tokens in the query included.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
