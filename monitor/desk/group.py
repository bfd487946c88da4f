"""A case together with those that were merged into it: nothing moves, so they are read as one."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.store.models import Case, CaseStatus, Post, Reply, ReplyStatus

UNFINISHED = (ReplyStatus.DRAFT, ReplyStatus.WAITING, ReplyStatus.SENDING)
"""Statuses of an answer that somebody is at."""


def merged_into(session: Session, case_id: int) -> Sequence[Case]:
    """The cases that go on in this one, oldest first."""
    found = select(Case).where(col(Case.merged_into) == case_id).order_by(col(Case.id))
    return session.exec(found).all()


def ids(session: Session, case_id: int) -> list[int]:
    """The numbers of a case and of those that go on in it."""
    found = session.exec(select(Case.id).where(col(Case.merged_into) == case_id)).all()
    return [case_id, *found]


def goes_on(session: Session, case: Case) -> Case:
    """The case itself, or the one that it was merged into, with its row held."""
    if case.merged_into is None:
        return case
    return session.get_one(Case, case.merged_into, with_for_update=True)


def of_authors(session: Session, author_ids: set[int]) -> dict[int, Case]:
    """The case that each author's posts go to, its row held: the standing one, or the latest.

    One that was merged leads to the case that it goes on in.
    """
    by_author = col(Case.author_id).in_(author_ids)
    latest = sa.select(sa.func.max(col(Case.id))).where(by_author).group_by(col(Case.author_id))
    standing = sa.select(col(Case.id)).where(by_author, col(Case.status) != CaseStatus.RESOLVED)
    found: dict[int, Case] = {}
    for case in session.exec(
        select(Case)
        .where(col(Case.id).in_(latest.union(standing).subquery().select()))
        .order_by(col(Case.id))
        .with_for_update()
    ):
        known = found.get(case.author_id)
        if known is None or known.status == CaseStatus.RESOLVED:
            found[case.author_id] = case
    for author_id, case in list(found.items()):
        found[author_id] = goes_on(session, case)
        # Another customer's case does not come back for this one's new problem.
        if found[author_id].author_id != author_id and (
            found[author_id].status == CaseStatus.RESOLVED
        ):
            del found[author_id]
    return found


def unanswered(session: Session, case: Case) -> sa.ColumnElement[bool]:
    """What makes a post one of the group that we have not answered, as a condition of a query."""
    parts = [_of(case.id, case.answered_at)]
    for member in merged_into(session, case.id):
        parts.append(_of(member.id, _heard(case, member)))
    return sa.or_(*parts)


def unanswered_since(session: Session, case: Case) -> datetime | None:
    """When the oldest post of the group that we have not answered was written."""
    oldest = select(sa.func.min(col(Post.created_at)))
    return session.exec(oldest.where(unanswered(session, case))).first()


def reply_status(session: Session, case: Case) -> ReplyStatus:
    """What is being written for a case, or that the customer waits after our answer, or else how
    the group's newest answer stands."""
    written = select(Reply.status).where(
        col(Reply.case_id) == case.id, col(Reply.status).in_(UNFINISHED)
    )
    unfinished = session.exec(written).first()
    if unfinished is not None:
        return ReplyStatus(unfinished)
    of_group = select(Reply.status).where(col(Reply.case_id).in_(ids(session, case.id)))
    newest = session.exec(of_group.order_by(col(Reply.id).desc()).limit(1)).first()
    answered = case.answered_at is not None or newest in (ReplyStatus.SENT, ReplyStatus.SEEN)
    if answered and case.waiting_since is not None:
        return ReplyStatus.CUSTOMER_ANSWERED
    return ReplyStatus(newest) if newest else ReplyStatus.UNANSWERED


def _of(case_id: int, answered_at: datetime | None) -> sa.ColumnElement[bool]:
    of_case = col(Post.case_id) == case_id
    if answered_at is None:
        return of_case
    return sa.and_(of_case, col(Post.created_at) > answered_at)


def _heard(case: Case, member: Case) -> datetime | None:
    """Until when the posts of a merged case are answered: by its own answer, or one since."""
    later = case.answered_at
    if later is None or member.resolved_at is None or later < member.resolved_at:
        return member.answered_at
    return later
