"""The rows of sources: which is due, who fetches it, and when it is asked again.

A source's row is its own schedule. While it is fetched, `next_fetch_at` is a lease: an engine that
dies lets go of it by the clock, and one that lost it cannot commit another page.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from connectors.base import ConnectorError, FatalError, RetryableError
from monitor.config import Config
from monitor.store.db import lock_writes, row_count
from monitor.store.models import Source, SourceState, now

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
"""How long one page may take before another engine may ask this source."""

LONGEST_WAIT = timedelta(hours=1)
"""Between two tries of a failing source, unless the network asks for more."""


class LeaseLostError(Exception):
    """Another engine took this source over; what it does not have yet, it will fetch."""


def sync_sources(session: Session, config: Config) -> None:
    """Make the source rows match config.toml. One switched off by an error gets another try."""
    rows = {source.name: source for source in session.exec(select(Source))}
    for name, source in config.sources.items():
        row = rows.pop(name, None) or Source(name=name, connector=source.connector.name)
        if row.connector != source.connector.name:
            row.connector, row.cursor = source.connector.name, None
        row.configured = source.enabled
        if row.state == SourceState.OFF:
            try_again(row)
        session.add(row)
    for row in rows.values():
        row.configured = False
        session.add(row)
    session.commit()


def try_again(source: Source) -> None:
    """Make a failing or switched-off source due at once. The caller commits."""
    source.state = SourceState.ACTIVE
    source.next_fetch_at = now()


@dataclass
class Lease:
    """The right to fetch a source, until then. Kept apart from the row, which others may change."""

    source_id: int
    until: datetime


def claim(session: Session, name: str) -> Lease | None:
    """Take the lease of a due source with one conditional UPDATE; None if it is not to be had."""
    at = now()
    claimed = session.execute(
        sa.update(Source)
        .where(
            col(Source.name) == name,
            col(Source.state) == SourceState.ACTIVE,
            col(Source.configured),
            col(Source.next_fetch_at) <= at,
        )
        .values(next_fetch_at=at + LEASE)
        .returning(col(Source.id))
        .execution_options(synchronize_session=False)
    ).first()
    session.commit()
    return Lease(claimed[0], at + LEASE) if claimed else None


def hold(session: Session, lease: Lease, cursor: str | None) -> None:
    """Begin a page's transaction: prolong the lease and move the cursor, if it is still ours.

    Raises LeaseLostError.
    """
    until = now() + LEASE
    values: dict[str, object] = {"next_fetch_at": until}
    if cursor is not None:
        values["cursor"] = cursor
    session.rollback()  # What was read began a transaction; the write has to come first.
    moved = session.execute(
        sa.update(Source)
        .where(col(Source.id) == lease.source_id, col(Source.next_fetch_at) == lease.until)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if row_count(moved) == 0:
        raise LeaseLostError
    lease.until = until


def _held(session: Session, lease: Lease) -> Source | None:
    """The row of a source with its lock, if the lease is still ours.

    It begins a transaction, which the caller commits.
    """
    session.rollback()
    lock_writes(session)
    still_ours = (col(Source.id) == lease.source_id, col(Source.next_fetch_at) == lease.until)
    found = select(Source).where(*still_ours).with_for_update()
    return session.exec(found.execution_options(populate_existing=True)).first()


def succeeded(session: Session, lease: Lease, every: timedelta) -> None:
    """Set the next fetch after a good one, unless another engine took over. The caller commits."""
    source = _held(session, lease)
    if source is None:
        return
    if source.failures:
        log.info("source %s is back after %d failures", source.name, source.failures)
    source.failures = 0
    source.last_error = None
    source.last_success_at = now()
    source.next_fetch_at = now() + every
    session.add(source)


def failed(session: Session, lease: Lease, every: timedelta, error: ConnectorError) -> None:
    """Write the error where a person sees it and set the next try: doubling, or as asked.

    After a FatalError the source is off until a person has mended it. Nothing is written where
    another engine took the source over: how that fares, it says. The caller commits.
    """
    source = _held(session, lease)
    if source is None:
        return
    if source.failures == 0:
        log.warning("source %s is lost: %s", source.name, error)
    source.failures += 1
    source.last_error = str(error)
    wait = max(every, timedelta(seconds=30)) * 2 ** min(source.failures - 1, 10)
    wait = min(wait, max(LONGEST_WAIT, every))
    if isinstance(error, FatalError):
        source.state = SourceState.OFF
    elif isinstance(error, RetryableError) and error.retry_after is not None:
        wait = max(every, timedelta(seconds=min(error.retry_after, 86_400)))
    source.next_fetch_at = now() + wait
    session.add(source)
