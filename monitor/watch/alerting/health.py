"""Whether the monitor itself is well: the engine's sign of life, the backlog, each source."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.store.db import insert
from monitor.store.models import BY_HAND, Fetch, Heartbeat, Post, Source, SourceState, now

BEAT_EVERY = timedelta(seconds=5)

DEAD_AFTER = timedelta(seconds=30)
"""An engine that has not shown itself for so long is taken for dead."""


LEDGER_DAYS = 30
"""So long every fetch is kept; of older ones those that brought or told something."""


class Condition(StrEnum):
    """How a source fares."""

    GOOD = "good"
    FAILING = "failing"
    """Its last fetch failed; it is tried again by itself."""
    OFF = "off"
    """Only a person can mend it."""
    NEW = "not yet asked"
    REMOVED = "not in config"
    """Disabled or gone from config.toml."""


@dataclass(frozen=True)
class SourceHealth:
    """A source with its condition and its latest fetch."""

    source: Source
    condition: Condition
    fetch: Fetch | None
    posts: int
    """Posts stored in the last 24 hours."""


@dataclass(frozen=True)
class Health:
    """The monitor at one moment."""

    engine_seen_at: datetime | None
    to_score: int
    to_triage: int

    @property
    def engine_alive(self) -> bool:
        """Whether an engine has shown itself lately."""
        return self.engine_seen_at is not None and now() - self.engine_seen_at < DEAD_AFTER


def beat(session: Session, detail: str = "") -> None:
    """Show that the engine lives."""
    statement = insert(session, Heartbeat).values(name="engine", at=now(), detail=detail)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["name"],
            set_={"at": statement.excluded.at, "detail": statement.excluded.detail},
        )
    )
    session.commit()


def health(session: Session) -> Health:
    """The engine's sign of life and how much work waits for it."""
    engine = session.get(Heartbeat, "engine", populate_existing=True)
    to_score = select(sa.func.count()).select_from(Post).where(col(Post.scorer).is_(None))
    to_triage = select(sa.func.count()).select_from(Post)
    return Health(
        engine_seen_at=engine.at if engine else None,
        to_score=session.exec(to_score).one(),
        to_triage=session.exec(
            to_triage.where(col(Post.triaged_at).is_(None), col(Post.scorer).is_not(None))
        ).one(),
    )


def sources(session: Session) -> list[SourceHealth]:
    """Every source ever configured, those that need a person first.

    What people write down by hand has no source that could fail.
    """
    latest = select(sa.func.max(col(Fetch.id))).group_by(col(Fetch.source_id))
    fetches = {
        fetch.source_id: fetch
        for fetch in session.exec(select(Fetch).where(col(Fetch.id).in_(latest)))
    }
    since = now() - timedelta(days=1)
    recent = (
        select(Fetch.source_id, sa.func.sum(col(Fetch.new)))
        .where(col(Fetch.started_at) > since)
        .group_by(col(Fetch.source_id))
    )
    posts = dict(session.exec(recent).all())
    found = [
        SourceHealth(source, condition(source), fetches.get(source.id), posts.get(source.id, 0))
        for source in session.exec(
            select(Source).where(col(Source.name) != BY_HAND).order_by(col(Source.name))
        )
    ]
    urgency = [Condition.OFF, Condition.FAILING, Condition.NEW, Condition.GOOD, Condition.REMOVED]
    return sorted(found, key=lambda row: urgency.index(row.condition))


def condition(source: Source) -> Condition:
    """How a source fares, from its row alone."""
    if not source.configured:
        return Condition.REMOVED
    if source.state == SourceState.OFF:
        return Condition.OFF
    if source.failures:
        return Condition.FAILING
    return Condition.GOOD if source.last_success_at else Condition.NEW


def ledger(session: Session, source_id: int, limit: int = 50) -> Sequence[Fetch]:
    """The latest fetches of a source that brought, skipped or missed anything, or failed."""
    telling = sa.or_(
        col(Fetch.received) > 0, col(Fetch.error).is_not(None), col(Fetch.gap).is_not(None)
    )
    query = select(Fetch).where(col(Fetch.source_id) == source_id, telling)
    return session.exec(query.order_by(col(Fetch.id).desc()).limit(limit)).all()


def prune_ledger(session: Session, days: int = LEDGER_DAYS) -> None:
    """Forget fetches older than `days` that brought nothing and told nothing."""
    session.execute(
        sa.delete(Fetch).where(
            col(Fetch.started_at) < now() - timedelta(days=days),
            col(Fetch.received) == 0,
            col(Fetch.error).is_(None),
            col(Fetch.gap).is_(None),
        )
    )
    session.commit()
