"""Brings standing cases up to date after their posts were scored again."""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.desk import group
from monitor.desk.priority import complaint_points, rank
from monitor.store.models import ACTIVE, Case, Label, Post, Sentiment, now

CONTACTS_WITHIN = timedelta(days=30)
"""How far back earlier complaints of an author count as repeat contact."""


def refresh(session: Session, case_ids: Sequence[int]) -> int:
    """Let these cases stand as their unanswered posts say now, in one commit. Returns how many.

    The rule is triage's: the worst post since our answer speaks for the case, unless its author
    was glad later. What a person said of a post is worth more than what the model says.
    """
    cases = session.exec(
        select(Case)
        .where(col(Case.id).in_(case_ids), col(Case.status).in_(ACTIVE))
        .order_by(col(Case.id))
        .with_for_update()
    ).all()
    for case in cases:
        stand(session, case)
        session.add(case)
    session.commit()
    return len(cases)


def stand(session: Session, case: Case) -> None:
    """Let a case stand as the unanswered posts of its group say now.

    The caller holds the row and commits. Where nothing is unanswered it stays as it is.
    """
    posts = session.exec(
        select(Post)
        .where(
            group.unanswered(session, case),
            col(Post.deleted_at).is_(None),
            col(Post.complaint).is_not(None),
        )
        .order_by(col(Post.created_at), col(Post.id))
    ).all()
    if posts:
        _stand(case, posts, _told(session, posts))


def count_contacts(session: Session, case: Case) -> int:
    """How often the authors of a case and of those merged into it wrote within a month."""
    authors = select(Case.author_id).where(col(Case.id).in_(group.ids(session, case.id)))
    counted = select(sa.func.count(col(Post.id))).where(
        col(Post.author_id).in_(authors.subquery().select()),
        col(Post.case_id).is_not(None),
        col(Post.created_at) > now() - CONTACTS_WITHIN,
    )
    return max(1, session.exec(counted).one())


def _told(session: Session, posts: Sequence[Post]) -> dict[int, bool]:
    """The newest word of a person on each of the posts that have one."""
    labels = select(Label.post_id, Label.complaint).where(
        col(Label.post_id).in_([post.id for post in posts]), col(Label.complaint).is_not(None)
    )
    rows = session.exec(labels.order_by(col(Label.labelled_at)))
    return {post_id: bool(complaint) for post_id, complaint in rows}


def _stand(case: Case, posts: Sequence[Post], told: dict[int, bool]) -> None:
    worst, severity = _worst(posts, told)
    if case.by_hand:  # A person said so, and how bad it is.
        case.complaint, case.measured, case.severity = 1.0, True, max(case.severity, severity)
    else:
        (case.complaint, case.measured), case.severity = _verdict(worst, told), severity
    # The answer goes to the post that is shown: it is never another author's.
    own = [post for post in posts if post.author_id == case.author_id]
    if own:
        case.post_id = _worst(own, told)[0].id
    case.rank = rank(case)


def _worst(posts: Sequence[Post], told: dict[int, bool]) -> tuple[Post, float]:
    """The post that speaks for these, and the highest severity since a glad one."""

    def points(post: Post) -> float:
        return complaint_points(*_verdict(post, told))

    worst, severity = posts[0], 0.0
    for post in posts:
        if post.sentiment == Sentiment.POSITIVE:
            worst, severity = post, 0.0
        if points(post) >= points(worst):
            worst = post
        severity = max(severity, post.severity or 0.0)
    return worst, severity


def _verdict(post: Post, told: dict[int, bool]) -> tuple[float, bool]:
    """The complaint probability of a post, and whether it can be relied on."""
    if post.id in told:
        return float(told[post.id]), True
    return post.complaint or 0.0, post.measured
