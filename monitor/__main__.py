"""The command `monitor`: thin, every rule is elsewhere."""

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from sqlmodel import Session

from connectors.base import ConnectorError
from connectors.file import File
from monitor import processes, schedule, starter
from monitor.config import Config, ConfigError, SourceConfig, load
from monitor.intake import learning
from monitor.intake.collect import Watch, collect, own_accounts
from monitor.intake.matching import compile_query
from monitor.intake.scoring import to_rescore
from monitor.model.evaluate import evaluate as measure
from monitor.model.evaluate import load as load_labelled
from monitor.model.layer import LEAST
from monitor.model.report import Row, learning_curve, report
from monitor.model.scorer import ModelError, load_scorer
from monitor.store.db import DatabaseError, connect, migrate
from monitor.store.models import Source
from monitor.watch import health

app = typer.Typer(
    help="Finds public posts that complain about your company, ranks them, and helps answer them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()
errors = Console(stderr=True)

ConfigPath = Annotated[
    Path,
    typer.Option("--config", "-c", envvar="MONITOR_CONFIG", help="The settings file."),
]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")]
DEFAULT_CONFIG = Path("config.toml")


def main() -> None:
    """Run the command; an error that a person can mend is told without a traceback, as exit 1."""
    try:
        app()
    except (ConfigError, DatabaseError, ModelError, processes.StartError, ConnectorError) as error:
        fail(str(error))


def fail(message: str) -> NoReturn:
    """Print what is wrong and what to do, and exit with 1."""
    errors.print(f"[bold red]Error:[/] {escape(message)}", highlight=False)
    sys.exit(1)


@app.command()
def up(config: ConfigPath = DEFAULT_CONFIG, port: Port = 8501) -> None:
    """Migrate the database, then run the engine and the dashboard until Ctrl-C."""
    checked = load(config)
    schedule.check_queries(checked)
    migrate(connect(checked.database_url))

    def ready(address: str) -> None:
        console.print(f"\n  The queue is at [bold cyan]{address}[/]   (Ctrl-C stops everything)\n")

    code = processes.run_both(config, port, ready)
    console.print("Stopped." if code == 0 else "Stopped: a part of the monitor ended by itself.")
    raise typer.Exit(code)


@app.command()
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


@app.command()
def dashboard(config: ConfigPath = DEFAULT_CONFIG, port: Port = 8501) -> None:
    """Serve the dashboard alone, on 127.0.0.1; the engine runs elsewhere."""
    checked = load(config)
    migrate(connect(checked.database_url))
    processes.check_port(port)
    environment = {**os.environ, "MONITOR_CONFIG": str(config.resolve())}
    console.print(f"The queue is at http://{processes.HOST}:{port}")
    done = subprocess.run(processes.dashboard_command(port), env=environment, check=False)
    raise typer.Exit(done.returncode)


@app.command()
def init(
    config: ConfigPath = DEFAULT_CONFIG,
    brand: Annotated[str | None, typer.Option(help="Name of your company or brand.")] = None,
    handles: Annotated[str | None, typer.Option(help="Your handles, spaces between.")] = None,
    words: Annotated[str | None, typer.Option(help="Other words or #hashtags, commas.")] = None,
    people: Annotated[str | None, typer.Option(help="Who answers: names, commas.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that exists.")] = False,
) -> None:
    """Ask for brand, handles and words, and write a config.toml of sources that need no key."""
    if config.exists() and not force:
        fail(f"{config} exists. Give another place with --config, or overwrite it with --force.")

    def ask(given: str | None, question: str, default: str | None = "") -> str:
        if given is not None:
            return given.strip()
        return str(typer.prompt(question, default=default, show_default=bool(default))).strip()

    answers = starter.Answers(
        brand=ask(brand, "Name of your company or brand", None),
        handles=[
            handle.lstrip("@")
            for handle in ask(handles, "Your handles, spaces between (or nothing)").split()
        ],
        words=_listed(ask(words, "Other words or #hashtags people use, commas (or nothing)")),
        people=_listed(ask(people, "Who answers? First names, commas between", "me")),
    )
    if not answers.brand:
        fail("The brand's name is needed: without it nothing can be found.")
    config.write_text(starter.write_config(answers), encoding="utf-8")
    load(config)
    console.print(f"Wrote {config}. Try it with `monitor check`, then `monitor up`.")


def _listed(words: str) -> list[str]:
    return [word.strip() for word in words.split(",") if word.strip()]


@app.command()
def check(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Ask every source once, store nothing, and say what works. Exit 1 if one does not."""
    checked = load(config)
    watches = schedule.check_queries(checked)
    table = Table("source", "connector", "result", box=None)
    broken = 0
    for name, source in checked.sources.items():
        if not source.enabled:
            table.add_row(name, source.connector.name, "[dim]disabled[/]")
            continue
        try:
            with errors.status(f"Asking {name} ..."):
                told = _try(watches[name])
        except ConnectorError as error:
            broken += 1
            told = f"[red]{escape(str(error))}[/]"
        table.add_row(name, source.connector.name, told)
    console.print(table)
    if not checked.sources:
        fail(f"{config} has no [sources.NAME] table yet.")
    raise typer.Exit(1 if broken else 0)


def _try(watch: Watch) -> str:
    connector = watch.config.open()
    try:
        page = next(iter(connector.fetch(None)), None)
        replies = "can reply" if connector.can_reply else "reads only"
    finally:
        connector.close()
    if page is None or not page.posts:
        return f"[green]answers[/], nothing there at the moment ({replies})"
    ours = sum(watch.query.match(post.text) is not None for post in page.posts)
    return f"[green]works[/]: {len(page.posts)} posts on a page, {ours} about us ({replies})"


@app.command(name="import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A .csv, .tsv, .jsonl or .ndjson file.")],
    config: ConfigPath = DEFAULT_CONFIG,
    column: Annotated[
        list[str] | None,
        typer.Option(help="ours=theirs, for example text=body; ours: id, text, author, created_at"),
    ] = None,
    network: Annotated[str, typer.Option(help="Network that the posts come from.")] = "file",
    query: Annotated[str, typer.Option(help="Keep only posts that match; empty: all.")] = "",
) -> None:
    """Import, score and queue the posts of a file. Doing it again adds nothing."""
    checked = load(config)
    source = _file_source(file, column or [], network, query)
    checked.sources[source.name] = source
    database = connect(checked.database_url)
    migrate(database)
    running = schedule.Engine.prepare(checked, database)
    watch = Watch(source, compile_query(query), own_accounts(checked))
    with Session(database) as session:
        fetch = collect(session, watch)
        if fetch is None:
            fail("This file is being imported already.")
        if fetch.error:
            fail(fetch.error)
        received, new = fetch.received, fetch.new
        left_out, notes = fetch.skipped + fetch.unmatched, fetch.notes
        backlog = health.health(session).to_score
    with _progress("scoring", backlog) as advance:
        for step in running.work_through():
            advance(step)
    console.print(f"{received} posts read, {new} new, {left_out} left out.")
    if notes:
        console.print(escape(notes))


def _file_source(file: Path, columns: list[str], network: str, query: str) -> SourceConfig:
    pairs = [pair.partition("=") for pair in columns]
    if any(not theirs for _, _, theirs in pairs):
        fail("--column wants ours=theirs, for example --column text=body")
    settings = File.Settings.model_validate(
        {
            "path": file.resolve(),
            "network": network,
            "complete": True,
            "columns": {ours: theirs for ours, _, theirs in pairs},
        }
    )
    name = "import-" + "".join(c if c.isalnum() else "-" for c in file.stem.lower())[:30]
    return SourceConfig(name, File, settings, query, timedelta(0), enabled=True)


@app.command()
def rescore(config: ConfigPath = DEFAULT_CONFIG) -> None:
    """Score the posts of open cases again with today's model, and rank the cases anew."""
    checked = load(config)
    database = connect(checked.database_url)
    migrate(database)
    running = schedule.Engine.prepare(checked, database)
    with Session(database) as session:
        posts = to_rescore(session)
    cases = 0
    with _progress("scoring again", posts) as advance:
        for posts_done, cases_done in running.rescore():
            advance(posts_done)
            cases += cases_done
    console.print(f"{posts} posts scored again by {running.scorer.name}; {cases} cases ranked.")


@app.command()
def learn(
    config: ConfigPath = DEFAULT_CONFIG,
    back: Annotated[
        bool, typer.Option("--back", help="Take the last thing learned back instead.")
    ] = False,
) -> None:
    """Learn from the labels that people gave; kept only if it ranks better. Exit 1 if it is not."""
    checked = load(config)
    database = connect(checked.database_url)
    migrate(database)
    running = schedule.Engine.prepare(checked, database)
    if back:
        with Session(database) as session:
            try:
                layer = learning.go_back(session, running.scorer.name)
            except LookupError as error:
                fail(str(error))
        console.print(f"Layer {layer.id} is used now." if layer else "The model alone is used now.")
        return
    with errors.status("Learning ..."):
        lesson = running.learn(again=True)
    if lesson.before is not None:
        console.print(
            f"average precision on labels not learned from: {_figure(lesson.before)} before, "
            f"{_figure(lesson.after)} after ({lesson.labels} labels)"
        )
    if lesson.learned is learning.Learned.TOO_FEW:
        fail(
            f"There are {lesson.labels} labels that this model can learn from; it needs at least "
            f"{LEAST}, of both kinds. Correct posts on the desk, the check page or the sample."
        )
    if lesson.learned is not learning.Learned.BETTER:
        fail("What could be learned is not better: nothing was changed.")
    console.print(f"Layer {lesson.version} is used from the next post on.")
    console.print("`monitor rescore` goes over the open cases; `monitor learn --back` undoes it.")


@app.command()
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


@app.command()
def evaluate(
    file: Annotated[
        Path | None, typer.Argument(help="Labelled .csv or .tsv: text, and complaint or label.")
    ] = None,
    data: Annotated[
        Path, typer.Option(help="The folder of public sets, measured when no file is given.")
    ] = Path("../shared/data"),
    model: Annotated[str, typer.Option(help="The model to measure.")] = "shipped",
    baselines: Annotated[
        bool, typer.Option("--baselines", help="Beside three simple ones; needs '.[train]'.")
    ] = False,
) -> None:
    """Measure the model on labelled posts, or on the public sets beside simple baselines."""
    scorer = load_scorer(model)
    console.print(f"model {scorer.name}")
    if file is not None:
        table = Table(show_header=False, box=None)
        with errors.status("Measuring ..."):
            found = measure(scorer, load_labelled(file))
        for name, value in asdict(found).items():
            table.add_row(name.replace("_", " "), _figure(value))
        console.print(table)
        return
    if not data.is_dir():
        fail(f"There is no {data}. Name a labelled file, or a folder with --data.")
    scorers = {"this model": scorer}
    if baselines:
        from monitor.model.baselines import BASELINES

        for name, make in BASELINES.items():
            with errors.status(f"Making ready: {name} ..."):
                scorers[name] = make(data)
    reports: dict[str, list[Row]] = {}
    for name, measured in scorers.items():
        with errors.status(f"Measuring {name}, about half a minute ..."):
            reports[name] = report(measured, data)
    table = Table("set", "measure", "posts", *scorers, box=None)
    for rows in zip(*reports.values(), strict=True):
        values = [_figure(row.value) for row in rows]
        table.add_row(rows[0].data, rows[0].measure, str(rows[0].posts), *values)
    console.print(table)
    with errors.status("Learning from corrections ..."):
        learned = learning_curve(scorer, data)
    curve = Table("corrections of one airline", "average precision", "at 10% negative", box=None)
    for step in learned:
        curve.add_row(str(step.corrections), _figure(step.average_precision), _figure(step.live))
    console.print(curve)


def _figure(value: float | None) -> str:
    if value is None:
        return "not measured"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


@app.command(name="migrate")
def migrate_command(config: ConfigPath = DEFAULT_CONFIG) -> None:
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


@contextmanager
def _progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar for a job of `total` posts; what it yields is called with each step's size."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors) as bar:
        task = bar.add_task(what, total=total)
        yield lambda step: bar.advance(task, step)


if __name__ == "__main__":
    main()
