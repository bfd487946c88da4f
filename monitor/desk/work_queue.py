"""The ranked queue: what is to be done first, filtered and paged by key, never by offset."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from monitor.store.models import Author, Case, CaseStatus, Post, ReplyStatus

PAGE = 25

NOBODY = ""
"""The owner of a case that nobody has claimed."""


@dataclass(frozen=True)
class Filter:
    """What a queue shows. None means any."""

    status: CaseStatus | None = CaseStatus.OPEN
    network: str | None = None
    owner: str | None = None
    """A name, or NOBODY."""
    reply_status: ReplyStatus | None = None
    words: str = ""
    """Every one of them stands in a post of the case or in the author's handle."""

    def fits(self, case: Case) -> bool:
        """Whether a case still belongs here, as far as its own row tells: words are not read."""
        return (
            self.status in (None, case.status)
            and self.network in (None, case.network)
            and self.owner in (None, case.assignee or NOBODY)
            and self.reply_status in (None, case.reply_status)
        )


@dataclass(frozen=True)
class Position:
    """A place in the queue: that of one row."""

    rank: float
    id: int


@dataclass(frozen=True)
class Row:
    """One line of the queue."""

    case: Case
    post: Post
    author: Author

    @property
    def position(self) -> Position:
        """Where the row stands; the next page begins after the last row's."""
        return Position(self.case.rank, self.case.id)


def queue(
    session: Session, chosen: Filter, after: Position | None = None, limit: int = PAGE
) -> list[Row]:
    """The next rows of the queue after a position, highest priority first."""
    cases = select(Case.id).where(*_conditions(chosen))
    if after is not None:
        # A row value: both databases seek to it in the index.
        cases = cases.where(sa.tuple_(col(Case.rank), col(Case.id)) < (after.rank, after.id))
    cases = cases.order_by(col(Case.rank).desc(), col(Case.id).desc()).limit(limit)
    return _rows(session, cases)


def rows(session: Session, ids: Sequence[int]) -> list[Row]:
    """The rows of these cases as they are now, in the order of `ids`; unknown ones are left out."""
    found = {
        row.case.id: row for row in _rows(session, select(Case.id).where(col(Case.id).in_(ids)))
    }
    return [found[case_id] for case_id in ids if case_id in found]


def _rows(session: Session, cases: SelectOfScalar[int]) -> list[Row]:
    found = session.exec(
        select(Case, Post, Author)
        .where(
            col(Case.id).in_(cases.subquery().select()),
            col(Post.id) == col(Case.post_id),
            col(Author.id) == col(Case.author_id),
        )
        .order_by(col(Case.rank).desc(), col(Case.id).desc())
    ).all()
    return [Row(case, post, author) for case, post, author in found]


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


def _conditions(chosen: Filter) -> list[sa.ColumnElement[bool]]:
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
