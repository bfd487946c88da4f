"""What the desk knows of an author and decides about them, from one of their cases."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.desk.cases import CaseConflictError, CaseError, record
from monitor.desk.priority import VIP_POINTS
from monitor.store.db import row_count
from monitor.store.models import Author, Case, Post

LONGEST = 500
"""Characters of a preference."""


@dataclass(frozen=True)
class Known:
    """How long and how well we know an author."""

    first_seen: datetime | None
    """When we first fetched a post of theirs."""
    posts: int
    cases: int


def known(session: Session, author_id: int) -> Known:
    """What has come from an author so far."""
    of_author = col(Post.author_id) == author_id
    posts = select(sa.func.min(col(Post.fetched_at)), sa.func.count()).where(of_author)
    first_seen, number = session.exec(posts).one()
    cases = select(sa.func.count()).select_from(Case).where(col(Case.author_id) == author_id)
    return Known(first_seen, number, session.exec(cases).one())


def set_vip(session: Session, case_id: int, agent: str, vip: bool) -> None:
    """Say that the author of a case matters more, or no longer: all their cases rank anew.

    Raises CaseConflictError where a colleague said it already, CaseError for an unknown case.
    """
    author_id = _change(session, case_id, {"vip": vip}, col(Author.vip) != vip)
    points = VIP_POINTS if vip else -VIP_POINTS
    session.execute(
        sa.update(Case)
        .where(col(Case.author_id) == author_id, col(Case.vip) != vip)
        # Other promises may hold for them: they are reckoned anew.
        .values(vip=vip, rank=col(Case.rank) + points, promised_at=None)
        .execution_options(synchronize_session=False)
    )
    record(session, case_id, "author marked as VIP" if vip else "author no longer VIP", agent=agent)
    session.commit()


def set_blocked(session: Session, case_id: int, agent: str, blocked: bool) -> None:
    """Let new posts of a case's author make no case and join none, or let them again.

    The cases that there are stay as they are.
    Raises CaseConflictError where a colleague did it already, CaseError for an unknown case.
    """
    _change(session, case_id, {"blocked": blocked}, col(Author.blocked) != blocked)
    record(session, case_id, "author blocked" if blocked else "author unblocked", agent=agent)
    session.commit()


def set_preference(session: Session, case_id: int, agent: str, text: str, before: str) -> None:
    """Keep how the author of a case wants to be answered, in place of what was `before`.

    Raises CaseConflictError where a colleague wrote something else meanwhile, CaseError for an
    unknown case or too long a text.
    """
    text = " ".join(text.split())
    if len(text) > LONGEST:
        raise CaseError(f"Say it in at most {LONGEST} characters.")
    if text == before:
        return
    _change(session, case_id, {"preference": text}, col(Author.preference) == before)
    record(session, case_id, "preference noted", agent=agent, detail=text)
    session.commit()


def _change(
    session: Session, case_id: int, values: dict[str, Any], unless_done: sa.ColumnElement[bool]
) -> int:
    """The one conditional UPDATE; it begins the transaction. Returns the author's id."""
    session.rollback()
    author_id = session.exec(select(Case.author_id).where(col(Case.id) == case_id)).first()
    if author_id is None:
        raise CaseError("There is no such case any more.")
    changed = session.execute(
        sa.update(Author)
        .where(col(Author.id) == author_id, unless_done)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if row_count(changed) == 0:
        session.rollback()
        author = session.get_one(Author, author_id, populate_existing=True)
        raise CaseConflictError(f"A colleague was first. {_how_they_stand(author)}")
    return author_id


def _how_they_stand(author: Author) -> str:
    vip = "a VIP" if author.vip else "no VIP"
    blocked = "blocked" if author.blocked else "not blocked"
    wish = f"wants: {author.preference}" if author.preference else "no preference is noted"
    return f"This author is {vip} and {blocked}; {wish}."
