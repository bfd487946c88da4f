"""Promises to customers: who made them, until when, and whether they were kept.

Whether one is broken follows from its time alone. It comes back before that, and its owner is told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.desk import group
from monitor.desk.cases import CaseConflictError, CaseError, record
from monitor.desk.clock.notices import tell
from monitor.store.db import row_count
from monitor.store.models import Author, Case, Commitment, Notice, NoticeKind, now

TOLD_BEFORE = timedelta(hours=1)
"""How long before it is due the owner is told."""

AT_ONCE = 1000
"""Promises that one run tells of."""


class Standing(StrEnum):
    """How a promise stands."""

    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"
    """Its time is over, and it was not kept by then."""
    KEPT_LATE = "kept late"
    """Broken, and made good afterwards."""
    DROPPED = "dropped"
    """The customer needs it no longer."""


@dataclass(frozen=True)
class Due:
    """A promise that is due, with where it belongs."""

    id: int
    case_id: int
    """The case where it is to be seen: of a merged one, the case that it goes on in."""
    customer: str
    text: str
    owner: str
    due_at: datetime


def standing(promised: Commitment, at: datetime) -> Standing:
    """How a promise stands at a moment."""
    if promised.dropped_at is not None:
        return Standing.DROPPED
    if promised.kept_at is not None:
        return Standing.KEPT if promised.kept_at <= promised.due_at else Standing.KEPT_LATE
    return Standing.OPEN if at <= promised.due_at else Standing.BROKEN


def promise(
    session: Session,
    case_id: int,
    agent: str,
    text: str,
    due_at: datetime,
    owner: str | None = None,
) -> Commitment:
    """Keep what was promised to the customer of a case, by whom and until when.

    It is the agent's own, unless `owner` names another. Raises CaseError without words or with a
    time that is over, CaseConflictError where the case is gone or goes on in another.
    """
    text = text.strip()[:2000]
    if not text:
        raise CaseError("Write what was promised.")
    if due_at <= now():
        raise CaseError("Choose a time in the future.")
    session.rollback()
    case = session.get(Case, case_id, populate_existing=True)
    goes_on = case.merged_into if case is not None else None
    if case is None or goes_on is not None:
        session.rollback()
        raise CaseConflictError(
            f"This case goes on in case {goes_on}. Promise it there."
            if goes_on is not None
            else "There is no such case any more."
        )
    made = Commitment(case_id=case_id, text=text, owner=owner or agent, due_at=due_at)
    session.add(made)
    stamp = f"until {due_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    record(session, case_id, "promised", agent=agent, detail=f"{text[:200]}, {stamp}")
    session.commit()
    return made


def keep(session: Session, promise_id: int, agent: str) -> None:
    """Say that a promise was kept, late or in time. Raises CaseConflictError if it is not open."""
    _settle(session, promise_id, agent, "promise kept", {"kept_at": now()})


def drop(session: Session, promise_id: int, agent: str) -> None:
    """Say that the customer needs it no longer. Raises CaseConflictError if it is not open."""
    _settle(session, promise_id, agent, "promise dropped", {"dropped_at": now()})


def take_back(session: Session, promise_id: int, agent: str) -> None:
    """A kept or dropped promise is open again. Raises CaseConflictError if it is open already."""
    settled = sa.or_(col(Commitment.kept_at).is_not(None), col(Commitment.dropped_at).is_not(None))
    unsettled = {"kept_at": None, "dropped_at": None}
    _change(session, promise_id, agent, settled, "promise open again", unsettled)


def of_case(session: Session, case_id: int) -> Sequence[Commitment]:
    """The promises of a case and of those merged into it, in the order of their times."""
    found = select(Commitment).where(col(Commitment.case_id).in_(group.ids(session, case_id)))
    return session.exec(found.order_by(col(Commitment.due_at), col(Commitment.id))).all()


def due_soon(session: Session, at: datetime, within: timedelta, limit: int = 100) -> list[Due]:
    """Promises that are open and due until then; those whose time is over come first."""
    return _due(session, at, within, limit)


def _due(
    session: Session,
    at: datetime,
    within: timedelta,
    limit: int,
    *conditions: sa.ColumnElement[bool],
) -> list[Due]:
    rows = session.exec(
        select(Commitment, Case, Author)
        .where(
            *_open(),
            *conditions,
            col(Commitment.due_at) <= at + within,
            col(Case.id) == col(Commitment.case_id),
            col(Author.id) == col(Case.author_id),
        )
        .order_by(col(Commitment.due_at), col(Commitment.id))
        .limit(limit)
    )
    return [
        Due(
            id=promised.id,
            case_id=case.merged_into or case.id,
            customer=author.name or author.handle,
            text=promised.text,
            owner=promised.owner,
            due_at=promised.due_at,
        )
        for promised, case, author in rows
    ]


def tell_due(session: Session, leads: Iterable[str] = ()) -> int:
    """Tell the owners of what is due soon, and them and the leads of what is broken, once each.

    Returns how many notices were written.
    """
    at = now()
    wanted: dict[tuple[str, str], tuple[NoticeKind, Due]] = {}
    for due in _due(session, at, TOLD_BEFORE, AT_ONCE, _untold(at)):
        if due.due_at > at:
            wanted[due.owner, f"promise {due.id} due"] = (NoticeKind.PROMISE_DUE, due)
        else:
            for agent in (due.owner, *leads):
                wanted[agent, f"promise {due.id} broken"] = (NoticeKind.PROMISE_BROKEN, due)
    agents, keys = {agent for agent, _ in wanted}, {key for _, key in wanted}
    told = select(Notice.agent, Notice.key).where(
        col(Notice.agent).in_(agents), col(Notice.key).in_(keys)
    )
    known = session.exec(told).all()
    new = {who: what for who, what in wanted.items() if who not in set(known)}
    for (agent, key), (kind, due) in new.items():
        word = "is due soon" if kind is NoticeKind.PROMISE_DUE else "was not kept in time"
        text = f"The promise to {due.customer} {word}: {due.text}"
        tell(session, agent, key, kind, text, due.case_id)
    session.commit()
    return len(new)


def _untold(at: datetime) -> sa.ColumnElement[bool]:
    """Whose owner has not been told yet: a thousand that nobody keeps must not hide the next."""
    word = sa.case((col(Commitment.due_at) > at, " due"), else_=" broken")
    key = sa.literal("promise ") + sa.cast(col(Commitment.id), sa.String) + word
    told = sa.exists().where(col(Notice.agent) == col(Commitment.owner), col(Notice.key) == key)
    return ~told


def _open() -> list[sa.ColumnElement[bool]]:
    return [col(Commitment.kept_at).is_(None), col(Commitment.dropped_at).is_(None)]


def _settle(
    session: Session, promise_id: int, agent: str, what: str, values: dict[str, datetime]
) -> None:
    _change(session, promise_id, agent, sa.and_(*_open()), what, values)


def _change(
    session: Session,
    promise_id: int,
    agent: str,
    condition: sa.ColumnElement[bool],
    what: str,
    values: dict[str, datetime] | dict[str, None],
) -> None:
    """The one conditional UPDATE of a promise, with its line in the case's history."""
    session.rollback()
    changed = session.execute(
        sa.update(Commitment)
        .where(col(Commitment.id) == promise_id, condition)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if row_count(changed) == 0:
        session.rollback()
        raise CaseConflictError("This promise changed meanwhile. Look at how it stands.")
    promised = session.get_one(Commitment, promise_id, populate_existing=True)
    record(session, promised.case_id, what, agent=agent, detail=promised.text[:200])
    session.commit()
