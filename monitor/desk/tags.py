"""Words that people put on cases."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from monitor.desk.cases import CaseError, record
from monitor.store.db import insert, row_count
from monitor.store.models import CaseTag

LONGEST = 30


def normal(text: str) -> str:
    """A tag as it is kept: lower-case, single spaces, no leading #. Raises CaseError."""
    tag = " ".join(text.split()).lstrip("# ").lower()
    if not tag or not tag.isprintable():
        raise CaseError("Write a word for the tag first.")
    if len(tag) > LONGEST:
        raise CaseError(f"A tag has at most {LONGEST} letters: this one has {len(tag)}.")
    return tag


def add(session: Session, case_id: int, agent: str, text: str) -> bool:
    """Put a tag on a case, whoever has it. Returns whether it is new there. Raises CaseError."""
    tag = normal(text)
    session.rollback()
    statement = insert(session, CaseTag).values(case_id=case_id, tag=tag)
    try:
        # What comes back tells: the row count of an INSERT is not known everywhere.
        added = session.execute(statement.on_conflict_do_nothing().returning(col(CaseTag.tag)))
        new = added.first() is not None
    except IntegrityError as error:
        session.rollback()
        raise CaseError("There is no such case any more.") from error
    if new:
        record(session, case_id, "tagged", agent=agent, detail=tag)
    session.commit()
    return new


def remove(session: Session, case_id: int, agent: str, text: str) -> bool:
    """Take a tag off a case. Returns whether it was there. Raises CaseError for an empty one."""
    tag = normal(text)
    session.rollback()
    removed = session.execute(
        sa.delete(CaseTag).where(col(CaseTag.case_id) == case_id, col(CaseTag.tag) == tag),
        execution_options={"synchronize_session": False},
    )
    was_there = row_count(removed) == 1
    if was_there:
        record(session, case_id, "tag removed", agent=agent, detail=tag)
    session.commit()
    return was_there


def of_cases(session: Session, case_ids: Sequence[int]) -> dict[int, list[str]]:
    """The tags of these cases, in order of the alphabet; cases without tags are left out."""
    found: dict[int, list[str]] = {}
    read = sa.select(col(CaseTag.case_id), col(CaseTag.tag)).where(
        col(CaseTag.case_id).in_(case_ids)
    )
    for case_id, tag in session.execute(read.order_by(col(CaseTag.tag))):
        found.setdefault(case_id, []).append(tag)
    return found


def all_tags(session: Session) -> dict[str, int]:
    """Every tag with the number of its cases, the most used first."""
    number = sa.func.count()
    read = sa.select(col(CaseTag.tag), number).group_by(col(CaseTag.tag))
    found = session.execute(read.order_by(number.desc(), col(CaseTag.tag)))
    return dict(found.all())
