"""Counts of complaints by the posts' own time, as the spike detector wants them.

An author counts once an hour, and a text that is copied counts once: a robot, a campaign or one
angry person is not a surge. Old buckets are kept; a look reads only what may have changed.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.desk.page.repeats import plain
from monitor.store.models import Author, Post
from monitor.watch.detection import outages
from monitor.watch.detection.usual import Bools, Counts, Ints

BUCKET = timedelta(minutes=5)

COPIED = 25
"""Letters from which the same text is a copy. Many people say “Acme is down” by themselves."""

APART = timedelta(hours=12)
"""How far apart two posts are no longer the same."""

LEDGER_EVERY = timedelta(minutes=10)
"""How often the ledger of fetches is read: what was dead matters for what is usual later on."""

ALL = "all"

COMPLAINTS, MENTIONS, AUTHORS = range(3)

Table = npt.NDArray[np.int64]
"""Three rows, by the numbers above; a column for each bucket."""


class Said(NamedTuple):
    """What counts of a post."""

    at: datetime
    network: str
    source_id: int
    author_id: int
    complaint: bool
    text: str


def series_of(said: Said) -> tuple[str, str, str]:
    """What a post is counted in."""
    return ALL, f"network:{said.network}", f"source:{said.source_id}"


def floor(at: datetime) -> datetime:
    """When the bucket of a time begins."""
    seconds = int(BUCKET.total_seconds())
    return datetime.fromtimestamp(int(at.timestamp()) // seconds * seconds, UTC)


def fold(rows: Iterable[Said]) -> Iterator[tuple[Said, bool, bool, bool]]:
    """Each post, oldest first, with whether it counts as a complaint, as a mention, and as a person
    who had not complained in the three hours before."""
    complained: dict[int, datetime] = {}
    mentioned: dict[int, datetime] = {}
    newcomers: dict[int, datetime] = {}
    copies: dict[int, datetime] = {}
    hour, never = timedelta(hours=1), datetime.min.replace(tzinfo=UTC)
    for said in rows:
        letters = plain(said.text)
        copy = False
        if len(letters) >= COPIED:
            key = hash(letters)
            copy = said.at - copies.get(key, never) < APART
            copies[key] = said.at
        mention = not copy and said.at - mentioned.get(said.author_id, never) >= hour
        if mention:
            mentioned[said.author_id] = said.at
        complaint = said.complaint and not copy
        complaint &= said.at - complained.get(said.author_id, never) >= hour
        newcomer = False
        if complaint:
            complained[said.author_id] = said.at
            newcomer = said.at - newcomers.get(said.author_id, never) >= 3 * hour
            newcomers[said.author_id] = said.at
        yield said, complaint, mention or complaint, newcomer


def read(
    session: Session,
    since: datetime,
    until: datetime,
    threshold: float,
    *conditions: sa.ColumnElement[bool],
) -> Iterator[Said]:
    """Others' posts in a time, oldest first; those that were not scored yet are no complaints."""
    query = (
        sa.select(
            col(Post.created_at),
            col(Post.network),
            col(Post.source_id),
            col(Post.author_id),
            col(Post.complaint),
            sa.func.substr(col(Post.text), 1, 300),
        )
        .join(Author, col(Author.id) == col(Post.author_id))
        .where(
            col(Post.created_at) >= since,
            col(Post.created_at) < until,
            col(Post.repost_of).is_(None),
            col(Author.own).is_(False),
            col(Author.blocked).is_(False),
            *conditions,
        )
        .order_by(col(Post.created_at), col(Post.id))
    )
    rows: Any = session.execute(query.execution_options(yield_per=5000))
    for at, network, source_id, author_id, complaint, text in rows:
        found = complaint is not None and complaint >= threshold
        yield Said(at, network, source_id, author_id, found, text)


def count(
    rows: Iterable[Said], tables: dict[str, Table], start: datetime, since: datetime, size: int
) -> dict[str, set[int]]:
    """Add posts from `since` on to the tables, which begin at `start`; earlier ones only tell what
    is a copy. All that was counted there before must have been taken away. Returns the sources that
    each series has posts of."""
    members: dict[str, set[int]] = {}
    for said, complaint, mention, newcomer in fold(rows):
        place = int((said.at - start) // BUCKET)
        if said.at < since or not 0 <= place < size:
            continue
        for name in series_of(said):
            table = tables.get(name)
            if table is None:
                table = tables[name] = np.zeros((3, size), np.int64)
            table[:, place] += (complaint, mention, newcomer)
            members.setdefault(name, set()).add(said.source_id)
    return members


def posts_of_sources(tables: Mapping[str, Table]) -> dict[int, Ints]:
    """The posts of each source, by its id, from the tables of all series."""
    parts = ((name.partition(":"), table) for name, table in tables.items())
    return {int(rest): table[MENTIONS] for (kind, _, rest), table in parts if kind == "source"}


def counts(table: Table, start: datetime, dead: Bools | None) -> Counts:
    """A table as the detector wants it, with the times in which nothing could be seen."""
    return Counts(start, table[COMPLAINTS], table[MENTIONS], table[AUTHORS], dead=dead)


@dataclass
class Tally:
    """The counts of the last weeks, kept up to date."""

    threshold: float
    size: int
    """Buckets that are kept."""
    every: Mapping[str, timedelta] = field(default_factory=dict)
    """How often each source is fetched, by name."""
    start: datetime | None = None
    tables: dict[str, Table] = field(default_factory=dict)
    members: dict[str, set[int]] = field(default_factory=dict)
    """The sources that each series has posts of."""
    dead: dict[str, Bools] = field(default_factory=dict)
    """Where nothing of a series could be seen."""
    dead_at: datetime | None = None
    """When the ledger was read for that."""
    mark: int = 0
    """Posts up to this id are counted with their score."""
    dear: float = 0.0
    """How long the last look at everything took, and when it may be done again."""
    rest_until: float = 0.0

    def look(self, session: Session, at: datetime) -> None:
        """Bring the counts up to the last bucket that is over at `at`."""
        end = floor(at)
        start = end - self.size * BUCKET
        before, mark = self._changed_since(session)
        reached = end if self.start is None else min(end, self.start + self.size * BUCKET)
        recent = reached - timedelta(hours=2)
        since = min(recent, floor(before)) if before else recent
        began = time.monotonic()
        wide = since < end - timedelta(days=1)
        if wide and self.start is not None and began < self.rest_until:
            # While a large backlog comes in, not everything is counted anew each time.
            since, mark = recent, self.mark
        since = max(start, since if self.start else start)
        self._roll(start)
        for table in self.tables.values():
            table[:, max(0, int((since - start) // BUCKET)) :] = 0
        rows = read(session, since - APART, end, self.threshold)
        for name, source_ids in count(rows, self.tables, start, since, self.size).items():
            self.members.setdefault(name, set()).update(source_ids)
        session.rollback()
        if self.dead_at is None or at - self.dead_at >= LEDGER_EVERY:
            posts = posts_of_sources(self.tables)
            self.dead = outages.dead(session, posts, self.members, start, end, self.every)
            self.dead_at = at
        if wide:
            self.rest_until = time.monotonic() + 20 * (time.monotonic() - began)
        self.mark = mark

    def counts(self, series: str) -> Counts | None:
        """The counts of a series; None: nothing was ever posted there."""
        table = self.tables.get(series)
        if table is None or self.start is None:
            return None
        return counts(table, self.start, self.dead.get(series))

    def _changed_since(self, session: Session) -> tuple[datetime | None, int]:
        """The time of the oldest post that was not counted with its score, and the next mark."""
        unscored = session.exec(
            select(sa.func.min(col(Post.id))).where(col(Post.scorer).is_(None))
        ).one()
        last = session.exec(select(sa.func.max(col(Post.id)))).one() or 0
        new = col(Post.id) > self.mark
        # Counted too: for the least alone the database goes through the times of all posts.
        oldest = select(sa.func.min(col(Post.created_at)), sa.func.count()).where(new)
        before, _ = session.exec(oldest).one()
        return before, last if unscored is None else unscored - 1

    def _roll(self, start: datetime) -> None:
        """Let the tables, and what was dead, begin at `start`."""
        if self.start is not None:
            by = max(0, min(self.size, int((start - self.start) // BUCKET)))
            for kept in (*self.tables.values(), *self.dead.values()):
                kept[..., : self.size - by] = kept[..., by:].copy()
                kept[..., self.size - by :] = 0
        self.start = start
