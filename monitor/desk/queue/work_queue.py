"""The queue: what is to be done first, filtered and paged by key, never by offset."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.store.models import Author, Case, CaseStatus, CaseTag, Post, ReplyStatus, now

PAGE = 25

NOBODY = ""
"""The owner of a case that nobody has claimed."""

SOON = timedelta(hours=1)
"""A promise that ends within this time, or has ended, is breaching."""

COMMON = 1000
"""More cases than this with one tag are not all read for a page of them."""


class Sort(StrEnum):
    """In which order a queue stands."""

    PRIORITY = "priority"
    WAITING = "waiting longest"
    DUE = "due soonest"
    NEWEST = "newest"


@dataclass(frozen=True)
class Filter:
    """What a queue shows, and in which order. None means any."""

    status: CaseStatus | None = CaseStatus.OPEN
    network: str | None = None
    owner: str | None = None
    """A name, or NOBODY."""
    reply_status: ReplyStatus | None = None
    words: str = ""
    """Every one of them stands in a post of the case or in the author's handle."""
    tag: str | None = None
    vip: bool = False
    """Only cases of authors who were marked as mattering more."""
    breaching: bool = False
    """Only cases with a promise that ends within the hour, or has ended."""
    sort: Sort = Sort.PRIORITY

    def fits(self, case: Case) -> bool:
        """Whether a case still belongs here, as far as its own row tells.

        Its words, its tags and its author are not read.
        """
        return (
            self.status in (None, case.status)
            and self.network in (None, case.network)
            and self.owner in (None, case.assignee or NOBODY)
            and self.reply_status in (None, case.reply_status)
            and not (self.breaching and (case.due_at is None or case.due_at > now() + SOON))
        )


@dataclass(frozen=True)
class Position:
    """A place in the queue, in whichever order: that of one row."""

    rank: float
    id: int
    waiting_since: datetime | None = None
    due_at: datetime | None = None
    opened_at: datetime | None = None

    @classmethod
    def of(cls, case: Case) -> "Position":
        """Where a case stands now."""
        return cls(case.rank, case.id, case.waiting_since, case.due_at, case.opened_at)


@dataclass(frozen=True)
class Row:
    """One line of the queue."""

    case: Case
    post: Post
    author: Author
    tags: tuple[str, ...] = ()

    @property
    def position(self) -> Position:
        """Where the row stands; the next page begins after the last row's."""
        return Position.of(self.case)


def queue(
    session: Session, chosen: Filter, after: Position | None = None, limit: int = PAGE
) -> list[Row]:
    """The next rows of the queue after a position, in the order that the filter names."""
    return rows(session, ids(session, chosen, after, limit))


def ids(
    session: Session, chosen: Filter, after: Position | None = None, limit: int = PAGE
) -> list[int]:
    """The cases of the queue after a position, in its order."""
    found: list[int] = []
    for part in _parts(session, chosen, after):
        if len(found) < limit:
            found += session.execute(part.limit(limit - len(found))).scalars()
    return found


def first_free(session: Session, chosen: Filter) -> int | None:
    """The first case of the queue, locked; on PostgreSQL passing over those that others hold."""
    (first,) = _parts(session, chosen, None)
    locked = first.limit(1).with_for_update(of=Case, skip_locked=True)
    case_id: int | None = session.execute(locked).scalars().first()
    return case_id


def rows(session: Session, ids: Sequence[int]) -> list[Row]:
    """The rows of these cases as they are now, in the order of `ids`; unknown ones are left out."""
    if not ids:
        return []
    tags = sa.select(sa.func.coalesce(sa.func.aggregate_strings(col(CaseTag.tag), "\n"), "")).where(
        col(CaseTag.case_id) == col(Case.id)
    )
    read = session.execute(
        sa.select(Case, Post, Author, tags.scalar_subquery()).where(
            col(Case.id).in_(ids),
            col(Post.id) == col(Case.post_id),
            col(Author.id) == col(Case.author_id),
        )
    )
    found = {
        case.id: Row(case, post, author, tuple(sorted(said.split("\n"))) if said else ())
        for case, post, author, said in read
    }
    return [found[case_id] for case_id in ids if case_id in found]


def _parts(session: Session, chosen: Filter, after: Position | None) -> list[Any]:
    """The queries that give the order one after the other: first the cases that have a time to go
    by, then the others by priority."""
    found = sa.select(col(Case.id)).where(*_conditions(chosen, walk=_walks(session, chosen)))
    if chosen.sort is Sort.NEWEST:
        return [_seek(found, after, col(Case.opened_at), after and after.opened_at, down=True)]
    if chosen.sort is Sort.PRIORITY:
        return [_seek(found, after, col(Case.rank), after and after.rank, down=True)]
    waiting = chosen.sort is Sort.WAITING
    at = col(Case.waiting_since) if waiting else col(Case.due_at)
    reached = after and (after.waiting_since if waiting else after.due_at)
    timeless = found.where(at.is_(None))
    if after is not None and reached is None:
        return [_seek(timeless, after, col(Case.rank), after.rank, down=True)]
    return [
        _seek(found.where(at.is_not(None)), after, at, reached, down=False),
        _seek(timeless, None, col(Case.rank), None, down=True),
    ]


def _seek(found: Any, after: Position | None, key: Any, reached: Any, *, down: bool) -> Any:
    """What comes after a position in the order of a key, the case's id deciding between equals."""
    order = (key.desc(), col(Case.id).desc()) if down else (key, col(Case.id))
    if after is None:
        return found.order_by(*order)
    # A row value: both databases seek to it in the index.
    place, here = sa.tuple_(key, col(Case.id)), (reached, after.id)
    return found.where(place < here if down else place > here).order_by(*order)


def count(session: Session, chosen: Filter) -> int:
    """How many cases a filter shows."""
    return session.exec(select(sa.func.count(col(Case.id))).where(*_conditions(chosen))).one()


def counts_by_status(session: Session) -> dict[CaseStatus, int]:
    """How many cases there are of each status; 0 for those without."""
    found = session.exec(select(Case.status, sa.func.count()).group_by(col(Case.status))).all()
    return dict.fromkeys(CaseStatus, 0) | {CaseStatus(s): n for s, n in found}


def networks(session: Session) -> list[str]:
    """The networks that cases come from, by one seek each."""
    found: list[str] = []
    while True:
        after = found[-1] if found else ""
        status_free = select(sa.func.min(col(Author.network))).where(col(Author.network) > after)
        network = session.exec(status_free).first()
        if network is None:
            return found
        found.append(network)


def _walks(session: Session, chosen: Filter) -> bool:
    """Whether a page of cases with a tag is found sooner by going down the queue and looking
    whether each has it than by sorting all that have it: many have it, and all else is common."""
    narrow = chosen.owner or chosen.reply_status or chosen.words or chosen.vip or chosen.breaching
    if chosen.tag is None or narrow:
        return False
    tagged = sa.select(col(CaseTag.case_id)).where(col(CaseTag.tag) == chosen.tag)
    return session.execute(tagged.offset(COMMON).limit(1)).first() is not None


def _conditions(chosen: Filter, *, walk: bool = False) -> list[sa.ColumnElement[bool]]:
    """What a case has to be. `walk`: its tag is looked up case by case, in the queue's order."""
    conditions: list[sa.ColumnElement[bool]] = []
    if chosen.status is not None:
        conditions.append(col(Case.status) == chosen.status)
    if chosen.network is not None:
        conditions.append(col(Case.network) == chosen.network)
    if chosen.owner is not None:
        owner = col(Case.assignee)
        conditions.append(owner.is_(None) if chosen.owner == NOBODY else owner == chosen.owner)
    if chosen.reply_status is not None:
        conditions.append(col(Case.reply_status) == chosen.reply_status)
    if chosen.breaching:
        conditions.append(col(Case.due_at) <= now() + SOON)
    if chosen.tag is not None:
        tagged = sa.select(col(CaseTag.case_id)).where(col(CaseTag.tag) == chosen.tag)
        here = tagged.where(col(CaseTag.case_id) == col(Case.id)).exists()
        conditions.append(here if walk else col(Case.id).in_(tagged))
    if chosen.vip:
        conditions.append(col(Case.vip) == sa.true())
    conditions += [_has_word(word) for word in chosen.words.split()]
    return conditions


def _has_word(word: str) -> sa.ColumnElement[bool]:
    in_post = sa.exists().where(
        col(Post.case_id) == col(Case.id), col(Post.text).icontains(word, autoescape=True)
    )
    in_handle = sa.exists().where(
        col(Author.id) == col(Case.author_id), col(Author.handle).icontains(word, autoescape=True)
    )
    return sa.or_(in_post, in_handle)
