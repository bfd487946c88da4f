"""What every page needs: the settings, the database, the cached figures that many pages show."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import NoReturn

import sqlalchemy as sa
import streamlit as st
from sqlmodel import Session, select

from dashboard.markup import draw, tag
from monitor import schedule
from monitor.answer import promises
from monitor.config import Config, ConfigError, load
from monitor.desk import labels
from monitor.desk import tags as desk_tags
from monitor.desk.clock import notices
from monitor.desk.queue import absence, work_queue
from monitor.desk.queue import views as desk_views
from monitor.model.scorer import ModelError, Scorer, load_scorer
from monitor.model.why import Piece, why
from monitor.store.db import DatabaseError, check_version, connect
from monitor.store.models import CaseStatus, Notice, SavedView, Source, now
from monitor.watch.alerting import alert_lists, health
from monitor.watch.incident import incident_card
from monitor.watch.trends.conditions import Rules
from monitor.watch.trends.overview import rules_of

LOOPBACK = ("127.0.0.1", "localhost", "::1")

_ASKING = Lock()
"""The model's tokenizer serves one thread at a time."""


@dataclass(frozen=True)
class Vitals:
    """Whether the monitor works, in the few facts that every page shows."""

    health: health.Health
    sources: int
    """Sources that are asked."""
    troubled: int
    """Of these, the ones that fail or are off."""


def refuse_strangers() -> None:
    """Stop unless the server is reached from this machine only: there is no sign-in yet."""
    address = st.get_option("server.address")
    if address not in LOOPBACK:
        stop(
            "The dashboard does not run on an address that others can reach",
            f"server.address is {address or 'not set, which means every network card'}. There is "
            "no sign-in yet, so anybody there could answer customers in your name. Set it to "
            "127.0.0.1, or start with `monitor up`.",
        )


def stop(title: str, text: str) -> NoReturn:
    """Show what is wrong and what to do about it, and nothing else."""
    lines = [tag("p", line) for line in text.splitlines() if line.strip()]
    draw(tag("div", tag("h2", title), *lines, cls="stopped", role="alert"))
    st.stop()


def config() -> Config:
    """The settings of the file that MONITOR_CONFIG names. Stops with a readable page."""
    try:
        return _config(os.environ.get("MONITOR_CONFIG", "config.toml"))
    except ConfigError as error:
        stop("The settings cannot be used", str(error))


@st.cache_resource(show_spinner=False)
def _config(path: str) -> Config:
    return load(Path(path))


@st.cache_resource(show_spinner=False)
def _engine(url: str) -> sa.Engine:
    engine = connect(url)
    check_version(engine)
    return engine


@contextmanager
def session() -> Iterator[Session]:
    """A session that is closed at the end. Stops with a readable page where there is no database.

    Rows that were read stay readable afterwards.
    """
    try:
        with Session(_engine(config().database_url), expire_on_commit=False) as opened:
            yield opened
    except DatabaseError as error:
        stop("The database cannot be used", str(error))
    except sa.exc.OperationalError:
        stop(
            "The database does not answer",
            "It is busy or not running. Nothing is lost: reload this page in a moment. If that "
            "does not help, look whether the database server runs, or the disk is full.",
        )


def database() -> sa.Engine:
    """The database, for what opens sessions of its own. Stops with a readable page without one."""
    try:
        return _engine(config().database_url)
    except DatabaseError as error:
        stop("The database cannot be used", str(error))


def rules() -> Rules:
    """What numbers depend on. Stops with a readable page where nothing says what a complaint is."""
    limit = threshold()
    if limit is None:
        stop(
            "There is nothing to count complaints by",
            "No model is installed and no threshold is set. Set desk.threshold in the settings.",
        )
    return rules_of(config(), limit)


@contextmanager
def open_session() -> Iterator[Session]:
    """The same without a page: raises DatabaseError or OperationalError."""
    with Session(_engine(config().database_url), expire_on_commit=False) as opened:
        yield opened


def threshold() -> float | None:
    """The complaint probability that opens a case; None where no model says one."""
    try:
        return schedule.threshold(config())
    except (ModelError, OSError):
        return None


@st.cache_resource(show_spinner="Loading the model …")
def scorer() -> Scorer:
    """The model, loaded when it is first asked here. Raises ModelError or OSError."""
    return load_scorer(config().model, threads=1)


@st.cache_data(max_entries=200, show_spinner="Asking the model …")
def explanation(text: str) -> tuple[list[Piece], str]:
    """What weighs in a text, and the name of the model that says so.

    Raises ModelError or OSError where the model cannot be loaded.
    """
    model = scorer()
    with _ASKING:
        return why(model, text), model.name


@st.cache_data(ttl=15, show_spinner=False)
def counts() -> dict[CaseStatus, int]:
    """How many cases there are of each status; up to 15 s old."""
    with session() as opened:
        return work_queue.counts_by_status(opened)


@st.cache_data(ttl=15, show_spinner=False)
def count(chosen: work_queue.Filter) -> int:
    """How many cases a filter without words shows; up to 15 s old."""
    with session() as opened:
        return work_queue.count(opened, chosen)


@st.cache_data(ttl=60, show_spinner=False)
def networks() -> list[str]:
    """The networks that there are posts of; up to a minute old."""
    with session() as opened:
        return work_queue.networks(opened)


@st.cache_data(ttl=60, show_spinner=False)
def tags() -> list[str]:
    """The tags that there are, the most used first; up to a minute old."""
    with session() as opened:
        return list(desk_tags.all_tags(opened))


@st.cache_data(ttl=60, show_spinner=False)
def views(person: str | None) -> list[SavedView]:
    """The saved views that a person sees; up to a minute old."""
    with session() as opened:
        return list(desk_views.views(opened, person))


@st.cache_data(ttl=15, show_spinner=False)
def away() -> dict[str, datetime | None]:
    """Who is away, and until when; up to 15 s old."""
    with session() as opened:
        return absence.away(opened)


@st.cache_data(ttl=5, show_spinner=False)
def vitals() -> Vitals:
    """How the monitor fares; up to 5 s old."""
    with session() as opened:
        conditions = [health.condition(source) for source in opened.exec(select(Source))]
        bad = (health.Condition.FAILING, health.Condition.OFF)
        return Vitals(
            health=health.health(opened),
            sources=sum(condition != health.Condition.REMOVED for condition in conditions),
            troubled=sum(condition in bad for condition in conditions),
        )


PROMISES_WITHIN = timedelta(hours=4)
"""How long before it is due a promise stands above the queue."""


@st.cache_data(ttl=15, show_spinner=False)
def promises_due() -> list[promises.Due]:
    """The promises that are due soon or broken, these first; up to 15 s old."""
    with session() as opened:
        return promises.due_soon(opened, now(), PROMISES_WITHIN)


MANY = 99
"""Posts to check are counted no further."""


@st.cache_data(ttl=60, show_spinner=False)
def to_check() -> int:
    """How many posts wait for a person's word, MANY + 1 at most; up to a minute old.

    0 where that cannot be told: what is wrong is said by the page.
    """
    limit = threshold()
    try:
        with Session(_engine(config().database_url)) as opened:
            waiting = labels.count_to_label(opened)
            if limit is not None and waiting <= MANY:
                waiting += labels.count_to_check(opened, limit, MANY + 1 - waiting)
            return min(waiting, MANY + 1)
    except (DatabaseError, sa.exc.OperationalError):
        return 0


def unseen(person: str) -> Sequence[Notice]:
    """What a person has not seen yet; nothing where that cannot be told, as the page says why."""
    try:
        with Session(_engine(config().database_url), expire_on_commit=False) as opened:
            return notices.unseen(opened, person)
    except (DatabaseError, sa.exc.OperationalError):
        return []


@st.cache_data(ttl=15, show_spinner=False)
def proposals() -> int:
    """How many proposed incidents wait for a person's word; up to 15 s old.

    0 where that cannot be told: what is wrong is said by the page.
    """
    try:
        with Session(_engine(config().database_url)) as opened:
            return len(incident_card.proposed(opened))
    except (DatabaseError, sa.exc.OperationalError):
        return 0


@st.cache_data(ttl=10, show_spinner=False)
def firing() -> list[str]:
    """The titles of what fires; up to 10 s old. Raises where the database cannot be read."""
    with open_session() as opened:
        return [alert.title for alert in alert_lists.firing(opened)]


def asked_number(name: str) -> int | None:
    """The number that the page's address asks for; None where it is none."""
    asked = st.query_params.get(name, "")
    # More digits than any database counts to are nobody's number.
    return int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 19 else None


def forget_counts() -> None:
    """Count anew at the next look: something was just changed here."""
    for kept in (proposals, counts, count, promises_due, views, away, to_check, firing):
        kept.clear()
