"""The posts of a case that its threads are asked by, and those whose end matters."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.desk import group
from monitor.store.models import Author, Case, Post, Reply, ReplyStatus

THREADS = 3
"""Threads of one case that are followed: the newest."""


class Known(NamedTuple):
    """A post that we have."""

    id: int
    network: str
    external_id: str
    ref: str
    thread: str | None


FIELDS = (
    col(Post.id),
    col(Post.network),
    col(Post.external_id),
    col(Post.ref),
    col(Post.thread),
)


def newest_of_each_thread(
    session: Session, case_id: int, source_id: int, family: list[int]
) -> list[Known]:
    """The last post in each of the newest threads of a case, by which it is asked.

    What the cases merged with it have from the same source is asked with it.
    """
    merged = sa.and_(col(Post.case_id).in_(family), col(Post.source_id) == source_id)
    rows = session.execute(
        sa.select(*FIELDS)
        .where(sa.or_(col(Post.case_id) == case_id, merged), col(Post.ref) != "")
        .order_by(col(Post.deleted_at).is_not(None), col(Post.created_at).desc())
        .limit(100)
    ).all()
    newest: dict[str | None, Known] = {}
    for row in rows:
        newest.setdefault(row.thread, Known(*row))
    return list(newest.values())[:THREADS]


def family_of(session: Session, case_id: int) -> list[int]:
    """The cases that are read as one with this one."""
    case = session.get_one(Case, case_id, populate_existing=True)
    return group.ids(session, case.merged_into or case_id)


def ours_of(
    session: Session, case_id: int, family: list[int], threads: list[str | None]
) -> list[Known]:
    """The posts whose end matters: our answers first, then the case's posts in these threads."""
    network = sa.select(col(Case.network)).where(col(Case.id) == case_id)
    answers = sa.select(col(Reply.external_id)).where(
        col(Reply.case_id).in_(family),
        col(Reply.status).in_((ReplyStatus.SENT, ReplyStatus.SEEN)),
    )
    of_case = sa.and_(col(Post.case_id).in_(family), col(Post.thread).in_(threads))
    rows = session.execute(
        sa.select(*FIELDS)
        .where(
            col(Post.network) == network.scalar_subquery(),
            sa.or_(col(Post.external_id).in_(answers), of_case),
            col(Post.deleted_at).is_(None),
            col(Post.ref) != "",
        )
        .order_by(col(Post.case_id).is_not(None), col(Post.created_at).desc())
    ).all()
    return [Known(*row) for row in rows]


def customer(session: Session, case_id: int) -> str | None:
    """The network's id of who a case is of."""
    of_case = select(Author.external_id).where(
        col(Case.id) == case_id, col(Author.id) == col(Case.author_id)
    )
    return session.exec(of_case).first()
