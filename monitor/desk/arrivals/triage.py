"""Decides which posts make work: they open a case, join one, or answer one.

A complaint opens a case or joins its author's standing one; a recently resolved one is reopened.
What the author adds in the thread of a standing case joins it too. A repost adds reach and never
makes a case; our own post answers the case of the post that it replies to. Where the model is
wrong, a person opens a case by hand.
"""

import logging
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from monitor.desk import group
from monitor.desk.arrivals.batch import Batch
from monitor.desk.arrivals.ended import Ended, end_again, untouched_since
from monitor.desk.arrivals.refresh import count_contacts, stand
from monitor.desk.cases import CaseConflictError, CaseError, record
from monitor.desk.clock import sla
from monitor.desk.priority import rank
from monitor.store.db import lock_writes
from monitor.store.models import (
    Author,
    Case,
    CaseEvent,
    CaseStatus,
    Note,
    Notice,
    Post,
    Presence,
    Reply,
    SlaResult,
    now,
)

log = logging.getLogger(__name__)

BATCH = 500


def triage_new(
    session: Session, threshold: float, limit: int = BATCH, leads: Sequence[str] = ()
) -> int:
    """Look at up to `limit` scored posts, oldest first, in one commit. Returns how many.

    `leads` are told what concerns a case that nobody has.
    Where the database refuses that, as another engine opened the same author's case first or one
    post cannot be kept, they are looked at one by one: no post stands in the way of the others.
    """
    if session.exec(_waiting().limit(1)).first() is None:
        session.rollback()
        return 0
    session.rollback()
    lock_writes(session)
    posts = session.exec(_waiting().limit(limit).with_for_update(skip_locked=True)).all()
    by_time = [post.id for post in sorted(posts, key=lambda post: (post.created_at, post.id))]
    try:
        Batch(session, threshold, posts, leads).run()
        session.commit()
    except IntegrityError:
        session.rollback()
        return sum(_triage_one(session, threshold, post_id, leads) for post_id in by_time)
    return len(posts)


def _triage_one(session: Session, threshold: float, post_id: int, leads: Sequence[str]) -> bool:
    """Look at one post. One that cannot be kept is told in the log and left aside for good."""
    for tries_left in (1, 0):
        session.rollback()
        lock_writes(session)
        wanted = _waiting().where(col(Post.id) == post_id)
        post = session.exec(wanted.with_for_update(skip_locked=True)).first()
        if post is None:
            session.rollback()
            return False
        try:
            Batch(session, threshold, [post], leads).run()
            session.commit()
        except IntegrityError as error:
            session.rollback()
            if tries_left:  # Another engine was first: the second try sees what it made.
                continue
            why = str(error.orig).partition("\n")[0]  # PostgreSQL goes on with the row's words.
            log.error("post %d makes no case, look at it by hand: %s", post_id, why)
            aside = sa.update(Post).where(col(Post.id) == post_id).values(triaged_at=now())
            session.execute(aside.execution_options(synchronize_session=False))
            session.commit()
        return True
    return False


def _waiting() -> SelectOfScalar[Post]:
    return (
        select(Post)
        .where(col(Post.triaged_at).is_(None), col(Post.scorer).is_not(None))
        .order_by(col(Post.id))
    )


def open_by_hand(session: Session, post_id: int, agent: str) -> int:
    """Open a case for a post that a person calls a complaint, whatever its score. Returns the case.

    It joins its author's standing case, or a recently resolved one, as a complaint that the model
    found would. Raises CaseError for a post that is never a case, CaseConflictError where its
    author got a case at the same moment.
    """
    session.rollback()
    lock_writes(session)
    post = session.get(Post, post_id, with_for_update=True, populate_existing=True)
    if post is None:
        raise CaseError("There is no such post any more.")
    if post.case_id is not None:
        case_id = post.case_id
        session.rollback()
        return case_id
    author = session.get_one(Author, post.author_id)
    if author.own or post.repost_of or post.deleted_at:
        session.rollback()
        raise CaseError("Our own posts, reposts and deleted posts make no case.")
    try:
        Batch(session, 0.0, [post]).by_hand(post, agent)
        session.commit()
    except IntegrityError as error:
        session.rollback()
        raise CaseConflictError(
            "This customer got a case at the same moment. Try again: the post joins it."
        ) from error
    return session.exec(select(Post.case_id).where(col(Post.id) == post_id)).one() or 0


def would_open_again(session: Session, post_id: int) -> Ended | None:
    """How the case had ended that `open_by_hand` opens again for a post; None: it opens none so.

    Kept for `close_by_hand`.
    """
    post = session.get(Post, post_id)
    known = group.of_authors(session, {post.author_id}) if post and not post.case_id else {}
    found = [Ended.of(case) for case in known.values()]
    session.rollback()
    return found[0] if found else None


def close_by_hand(session: Session, post_id: int, agent: str, was: Ended | None = None) -> bool:
    """Undo `open_by_hand`. Returns whether the post is out of its case again.

    A case that was opened for it alone goes, as long as nobody has touched it. Out of one that
    stood before, the post is taken, unless it came there by itself or has been answered; one that
    had ended, as `was` says, is resolved again, unless more has happened since.
    """
    session.rollback()
    lock_writes(session)
    post = session.get(Post, post_id, with_for_update=True, populate_existing=True)
    case = None
    if post is not None and post.case_id is not None:
        case = session.get(Case, post.case_id, with_for_update=True, populate_existing=True)
    done = False
    if post is not None and case is not None:
        if _untouched(session, case):
            done = _remove(session, case)
        elif _was_added(session, case, post):
            done = True
            again = was is not None and was.case_id == case.id and _opened_for(session, case, post)
            _take_out(session, case, post, agent)
            if again and was is not None:
                end_again(session, case, was, agent)
    if not done:
        session.rollback()
        return False
    session.commit()
    return True


def _remove(session: Session, case: Case) -> bool:
    """Delete a case, unless something else belongs to it by now."""
    of_case = col(Post.case_id) == case.id
    try:
        session.execute(sa.update(Post).where(of_case).values(case_id=None))
        for table in (CaseEvent, SlaResult, Notice, Presence):
            session.execute(sa.delete(table).where(col(table.case_id) == case.id))
        session.execute(sa.delete(Case).where(col(Case.id) == case.id))
    except IntegrityError:  # something else belongs to it by now
        return False
    return True


def _was_added(session: Session, case: Case, post: Post) -> bool:
    """Whether a person put this post into this case, and nobody has answered it there."""
    added = select(CaseEvent.id).where(
        col(CaseEvent.case_id) == case.id,
        col(CaseEvent.what) == "added by hand",
        col(CaseEvent.detail) == f"post {post.id}",
    )
    answers = select(Reply.id).where(col(Reply.post_id) == post.id)
    others = select(Post.id).where(col(Post.case_id) == case.id, col(Post.id) != post.id)
    return (
        session.exec(added.limit(1)).first() is not None
        and session.exec(answers.limit(1)).first() is None
        and session.exec(others.limit(1)).first() is not None
    )


def _opened_for(session: Session, case: Case, post: Post) -> bool:
    """Whether nothing has happened to a case since a person put this post into it."""
    return untouched_since(session, case.id, "added by hand", f"post {post.id}")


def _take_out(session: Session, case: Case, post: Post, agent: str) -> None:
    """The case stands as its other posts say. One that we have answered waits for the customer."""
    post.case_id = None
    session.add(post)
    session.flush()
    if case.post_id == post.id:
        own_first = sa.case((col(Post.author_id) == case.author_id, 0), else_=1)
        left = select(Post.id).where(col(Post.case_id) == case.id)
        newest = left.order_by(own_first, col(Post.created_at).desc()).limit(1)
        case.post_id = session.exec(newest).one()
    stand(session, case)
    case.contacts = count_contacts(session, case)
    if case.status != CaseStatus.RESOLVED:
        sla.wait_since(case, group.unanswered_since(session, case))
        case.reply_status = group.reply_status(session, case)
        if case.waiting_since is None and case.status == CaseStatus.OPEN and case.answered_at:
            case.status = CaseStatus.PENDING
    case.rank = rank(case)
    session.add(case)
    record(session, case.id, "taken out by hand", agent=agent, detail=f"post {post.id}")


def _untouched(session: Session, case: Case) -> bool:
    """Whether a case is as it was when a person opened it for one post."""
    whats = session.exec(
        select(CaseEvent.what).where(col(CaseEvent.case_id) == case.id).order_by(col(CaseEvent.id))
    ).all()
    if case.status != CaseStatus.OPEN or case.assignee or whats[:1] != ["opened by hand"]:
        return False
    posts = select(sa.func.count()).select_from(Post).where(col(Post.case_id) == case.id)
    replies = select(sa.func.count()).select_from(Reply).where(col(Reply.case_id) == case.id)
    notes = select(sa.func.count()).select_from(Note).where(col(Note.case_id) == case.id)
    numbers = [session.exec(query).one() for query in (posts, replies, notes)]
    return numbers == [1, 0, 0] and not group.merged_into(session, case.id)
