"""Words that people put on cases, to find and count them by."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from monitor.desk.cases import CaseError, record
from monitor.store.db import insert, row_count
from monitor.store.models import CaseTag

LONGEST = 30
"""Characters of a tag."""


def clean(tag: str) -> str:
    """A tag as it is kept: in small letters, with single spaces. Raises CaseError."""
    words = " ".join(tag.lower().split())
    if not 1 <= len(words) <= LONGEST:
        raise CaseError(f"A tag has 1 to {LONGEST} characters.")
    return words


def add(session: Session, case_id: int, agent: str, tag: str) -> None:
    """Put a tag on a case; nothing happens where it has it. Raises CaseError."""
    words = clean(tag)
    session.rollback()
    statement = insert(session, CaseTag).values(case_id=case_id, tag=words)
    try:
        # What comes back tells whether it was new: PostgreSQL's row count does not.
        new = statement.on_conflict_do_nothing().returning(col(CaseTag.tag))
        if session.execute(new).first():
            record(session, case_id, "tagged", agent=agent, detail=words)
        session.commit()
    except IntegrityError as error:
        session.rollback()
        raise CaseError("There is no such case any more.") from error


def remove(session: Session, case_id: int, agent: str, tag: str) -> None:
    """Take a tag off a case; nothing happens where it lacks it. Raises CaseError."""
    words = clean(tag)
    session.rollback()
    removed = session.execute(
        sa.delete(CaseTag).where(col(CaseTag.case_id) == case_id, col(CaseTag.tag) == words)
    )
    if row_count(removed):
        record(session, case_id, "tag removed", agent=agent, detail=words)
    session.commit()


def of_cases(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    """The tags of each of these cases, in the order of the alphabet; an empty list where none."""
    found: dict[int, list[str]] = {case_id: [] for case_id in ids}
    rows = select(CaseTag).where(col(CaseTag.case_id).in_(ids)).order_by(col(CaseTag.tag))
    for row in session.exec(rows):
        found[row.case_id].append(row.tag)
    return found


def all_tags(session: Session) -> list[tuple[str, int]]:
    """Every tag with the number of cases that have it, the most used first."""
    number = sa.func.count()
    rows = select(CaseTag.tag, number).group_by(col(CaseTag.tag))
    return [
        (tag, cases) for tag, cases in session.exec(rows.order_by(number.desc(), col(CaseTag.tag)))
    ]
