"""Alerts: prove that a channel works, list what fires, see how often a rule would have fired."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table
from sqlmodel import Session, col, select

from monitor import schedule
from monitor.commands.shared import DEFAULT_CONFIG, ConfigPath, console, errors, fail
from monitor.config import Config, load
from monitor.store.db import connect, migrate
from monitor.store.models import Alert, AlertState, now
from monitor.watch.alerting import notify
from monitor.watch.alerting.alert_rows import STANDS
from monitor.watch.detection import backtest as trial
from monitor.watch.detection import surges

app = typer.Typer(help="Alerts: prove a channel, list what fires, try a rule on the past.")


@app.command("test")
def prove(
    channel: Annotated[str | None, typer.Argument(help="Left out: every channel.")] = None,
    config: ConfigPath = DEFAULT_CONFIG,
) -> None:
    """Send a test message to one channel or to all. Exit 1 if one does not take it."""
    checked = load(config)
    names = checked.named_channels
    if not names:
        fail(f"{config} names no channel: set page = [...] or ticket = [...] under [alerts].")
    if channel is not None and channel not in names:
        fail(f"There is no channel {channel}; there are {', '.join(names)}.")
    database = connect(checked.database_url)
    migrate(database)
    broken = 0
    with Session(database) as session:
        for name in [channel] if channel else names:
            with errors.status(f"Sending to {name} ..."):
                error = notify.prove(session, checked, name)
            broken += error is not None
            told = "[green]took the message[/]: look whether it arrived"
            console.print(f"{name}: {told if error is None else f'[red]{escape(error)}[/]'}")
    raise typer.Exit(1 if broken else 0)


@app.command("list")
def list_(
    config: ConfigPath = DEFAULT_CONFIG,
    everything: Annotated[bool, typer.Option("--all", help="Those that are over, too.")] = False,
) -> None:
    """List what fires, is acknowledged or silenced. Exit 1 if something fires."""
    checked = load(config)
    database = connect(checked.database_url)
    migrate(database)
    table = Table("alert", "state", "severity", "since", "what", box=None)
    with Session(database) as session:
        query = select(Alert) if everything else select(Alert).where(STANDS)
        rows = session.exec(query.order_by(col(Alert.fired_at).desc()).limit(200)).all()
        for row in rows:
            table.add_row(str(row.id), row.state, row.severity, _local(row, checked), _what(row))
        firing = any(row.state == AlertState.FIRING for row in rows)
    console.print(table if rows else "Nothing fires.")
    raise typer.Exit(1 if firing else 0)


@app.command()
def backtest(
    config: ConfigPath = DEFAULT_CONFIG,
    days: Annotated[int, typer.Option(min=1, max=trial.LONGEST, help="How far back.")] = 90,
    network: Annotated[str | None, typer.Option(help="Only posts of this network.")] = None,
    source: Annotated[str | None, typer.Option(help="Only posts of this source.")] = None,
    ratio: Annotated[
        float | None, typer.Option(min=1.5, help="Try this spike_ratio instead.")
    ] = None,
    excess: Annotated[
        int | None, typer.Option(min=1, help="Try this spike_excess instead.")
    ] = None,
) -> None:
    """Say how often the alert of surges would have fired, and when."""
    checked = load(config)
    database = connect(checked.database_url)
    migrate(database)
    changes = {"spike_ratio": ratio, "spike_excess": excess}
    tried = checked.alerts.model_copy(update={k: v for k, v in changes.items() if v is not None})
    rules = surges.detector(tried)
    with Session(database) as session:
        known = trial.choices(session)
    for kind, asked, names in zip(("network", "source"), (network, source), known, strict=True):
        if asked is not None and asked not in names:
            there = f"there are {', '.join(names)}" if names else "there is none yet"
            fail(f"There is no {kind} {asked}; {there}.")
    with Session(database) as session, errors.status("Trying it on the past ..."):
        limit = schedule.threshold(checked)
        found = trial.backtest(
            session, limit, rules, days, now(), checked.every, network=network, source=source
        )
    times = "once" if len(found.firings) == 1 else f"{len(found.firings)} times"
    console.print(f"This rule would have fired {times} in the last {found.days} days.")
    if found.learned_since is None:
        console.print("There are too few days of posts yet: it was learning all the time.")
    elif (now() - found.learned_since).days < found.days - 1:
        since = found.learned_since.astimezone(checked.zone)
        console.print(f"Before {since:%Y-%m-%d %H:%M} it was learning what is usual.")
    table = Table("began", "ended", "severity", "at its peak", "usual", box=None)
    for one in found.firings:
        ended = one.ended.astimezone(checked.zone) if one.ended else None
        table.add_row(
            f"{one.began.astimezone(checked.zone):%Y-%m-%d %H:%M}",
            f"{ended:%Y-%m-%d %H:%M}" if ended else "fires now",
            one.severity,
            str(one.peak),
            f"{one.usual:.1f}",
        )
    if found.firings:
        console.print(table)


def _local(alert: Alert, config: Config) -> str:
    return f"{alert.fired_at.astimezone(config.zone):%d %b %H:%M}"


def _what(alert: Alert) -> str:
    by = alert.acknowledged_by or alert.silenced_by
    return escape(alert.title) + (f" [dim]({escape(by)})[/]" if by else "")
