"""Setting up: a first config.toml, whether its sources answer, and posts from a file."""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Annotated, get_args

import typer
from pydantic import ValidationError
from rich.markup import escape
from rich.table import Table
from sqlmodel import Session

from connectors.base import ConnectorError
from connectors.file import Column, File
from monitor import schedule, starter
from monitor.commands.shared import (
    DEFAULT_CONFIG,
    ConfigPath,
    console,
    errors,
    fail,
    progress,
)
from monitor.config import ConfigError, SourceConfig, load
from monitor.intake.collect import Watch, collect, own_accounts
from monitor.intake.matching import Query, QueryError, compile_query
from monitor.store.db import connect, migrate
from monitor.watch.alerting import health


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
    text = starter.write_config(answers)
    try:
        _refuse_unusable(text, config.name)
        config.write_text(text, encoding="utf-8")
    except ConfigError as error:
        fail(f"These answers make no settings, so nothing was written.\n{error}")
    except OSError as error:
        fail(f"{config} cannot be written: {error.strerror}. Give another place with --config.")
    console.print(f"Wrote {config}. Try it with `monitor check`, then `monitor up`.")


def _refuse_unusable(text: str, name: str) -> None:
    """Read the settings from a place of their own. Raises ConfigError where they cannot be used."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8")
        try:
            load(path)
        except ConfigError as error:
            raise ConfigError(str(error).replace(str(path), name)) from error


def _listed(words: str) -> list[str]:
    return [word.strip() for word in words.split(",") if word.strip()]


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
    compiled = _compiled(query)
    source = _file_source(file, column or [], network, query)
    checked.sources[source.name] = source
    database = connect(checked.database_url)
    migrate(database)
    running = schedule.Engine.prepare(checked, database)
    watch = Watch(source, compiled, own_accounts(checked))
    with Session(database) as session:
        fetch = collect(session, watch)
        if fetch is None:
            fail("This file is being imported already.")
        if fetch.error:
            fail(fetch.error)
        received, new = fetch.received, fetch.new
        left_out, notes = fetch.skipped + fetch.unmatched, fetch.notes
        backlog = health.health(session).to_score
    with progress("scoring", backlog) as advance:
        for step in running.work_through():
            advance(step)
    console.print(f"{received} posts read, {new} new, {left_out} left out.")
    if notes:
        console.print(escape(notes))


def _compiled(query: str) -> Query:
    try:
        return compile_query(query)
    except QueryError as error:
        fail(f"--query cannot be used: {error}.")


def _file_source(file: Path, columns: list[str], network: str, query: str) -> SourceConfig:
    pairs = [pair.partition("=") for pair in columns]
    if any(not theirs for _, _, theirs in pairs):
        fail("--column wants ours=theirs, for example --column text=body")
    try:
        settings = File.Settings.model_validate(
            {
                "path": file.resolve(),
                "network": network,
                "complete": True,
                "columns": {ours: theirs for ours, _, theirs in pairs},
            }
        )
    except ValidationError as error:
        wrong = {problem["loc"][0] for problem in error.errors()}
        fail("\n".join(words for name, words in _wanted(file).items() if name in wrong))
    name = "import-" + "".join(c if c.isalnum() else "-" for c in file.stem.lower())[:30]
    return SourceConfig(name, File, settings, query, timedelta(0), enabled=True)


def _wanted(file: Path) -> dict[str, str]:
    """What each setting of an import has to be, in words."""
    columns = ", ".join(get_args(Column))
    return {
        "path": f"{file.name} cannot be read: it must end in .csv, .tsv, .jsonl or .ndjson.",
        "network": "--network wants small letters, digits, - and _, for example my-net.",
        "columns": f"--column wants ours=theirs, where ours is one of {columns}.",
    }
