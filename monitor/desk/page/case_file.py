"""Everything about one case, read together for its page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.desk import group, tags
from monitor.desk.page import authors, repeats
from monitor.store.models import Author, Case, CaseEvent, Label, Note, Post, Reply, Source

LONGEST_THREAD = 200
"""Posts of a thread that one page shows."""

MOST_LINES = 500
"""Events, notes and replies that one page shows: the newest, each in order of time."""


@dataclass(frozen=True)
class CaseFile:
    """Everything that the page of one case shows."""

    case: Case
    author: Author
    known: authors.Known
    """What has come from the author so far."""
    post: Post
    """The one that the queue shows."""
    source: str
    """Name of the source that it came through, which is also how it is answered."""
    labels: Sequence[Label]
    """What people said of that post, newest first."""
    thread: Sequence[tuple[Post, Author]]
    """The posts of the case and of their threads, in order of time."""
    repeats: dict[int, list[Post]]
    """Of the author's posts in the thread, by id: the others of theirs that say the same."""
    tags: Sequence[str]
    earlier: Sequence[Case]
    """The author's other cases, newest first."""
    replies: Sequence[Reply]
    notes: Sequence[Note]
    events: Sequence[CaseEvent]
    merged: Sequence[Case]
    """The cases that go on in this one. Their posts, replies, notes and events are among these."""


def case_file(session: Session, case_id: int) -> CaseFile | None:
    """Everything about a case, or None if there is no such case."""
    case = session.get(Case, case_id, populate_existing=True)
    if case is None:
        return None
    post = session.get_one(Post, case.post_id)
    merged = group.merged_into(session, case.id)
    case_ids = [case.id, *[member.id for member in merged]]
    networks = {case.network, *[member.network for member in merged]}
    threads = select(Post.thread).where(col(Post.case_id).in_(case_ids)).distinct()
    # A union, as each half has its index: with OR every post of the network is looked at.
    of_thread = sa.select(col(Post.id)).where(
        col(Post.network).in_(networks), col(Post.thread).in_(threads)
    )
    ids = sa.select(col(Post.id)).where(col(Post.case_id).in_(case_ids)).union(of_thread)
    thread = session.exec(
        select(Post, Author)
        .where(
            col(Post.id).in_(ids.subquery().select()),
            col(Author.id) == col(Post.author_id),
            col(Post.repost_of).is_(None),
        )
        # Of a thread that went round the world: the case's own posts, then the newest others.
        .order_by(
            sa.case((col(Post.case_id).in_(case_ids), 0), else_=1), col(Post.created_at).desc()
        )
        .limit(LONGEST_THREAD)
    ).all()
    thread = sorted(thread, key=lambda row: (row[0].created_at, row[0].id))

    def of_case(table: Any) -> Any:
        found = select(table).where(table.case_id.in_(case_ids)).order_by(table.id.desc())
        return session.exec(found.limit(MOST_LINES)).all()[::-1]

    return CaseFile(
        case=case,
        author=session.get_one(Author, case.author_id),
        known=authors.known(session, case.author_id),
        post=post,
        source=session.get_one(Source, post.source_id).name,
        labels=session.exec(
            select(Label)
            .where(col(Label.post_id) == post.id, col(Label.complaint).is_not(None))
            .order_by(col(Label.labelled_at).desc(), col(Label.id).desc())
        ).all(),
        thread=thread,
        repeats=repeats.repeats(session, case.author_id, [post for post, _ in thread]),
        tags=tags.of_cases(session, [case.id]).get(case.id, []),
        earlier=session.exec(
            select(Case)
            .where(Case.author_id == case.author_id, Case.id != case.id)
            .order_by(col(Case.id).desc())
            .limit(20)
        ).all(),
        replies=of_case(Reply),
        notes=of_case(Note),
        events=of_case(CaseEvent),
        merged=merged,
    )


def mark(session: Session, case_id: int) -> tuple[object, ...]:
    """What differs as soon as the case's page would tell something else; cheap to ask again."""

    def last(table: Any) -> Any:
        found = sa.select(sa.func.max(table.id)).where(table.case_id == case_id)
        return found.scalar_subquery()

    labelled = sa.select(sa.func.max(col(Label.labelled_at))).where(
        col(Label.post_id) == col(Case.post_id)
    )
    case = sa.select(col(Case.status), col(Case.assignee), col(Case.reply_status), col(Case.due_at))
    found = session.execute(
        case.add_columns(last(CaseEvent), last(Note), labelled.scalar_subquery()).where(
            col(Case.id) == case_id
        )
    )
    return tuple(found.one_or_none() or ())
