"""Brings standing cases up to date after their posts were scored again."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.desk.priority import complaint_points, rank
from monitor.store.models import ACTIVE, Case, Label, Post, Sentiment


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
        posts = session.exec(
            select(Post)
            .where(
                col(Post.case_id) == case.id,
                col(Post.deleted_at).is_(None),
                col(Post.complaint).is_not(None),
                sa.true() if case.answered_at is None else col(Post.created_at) > case.answered_at,
            )
            .order_by(col(Post.created_at), col(Post.id))
        ).all()
        if posts:
            _stand(case, posts, _told(session, posts))
            session.add(case)
    session.commit()
    return len(cases)


def _told(session: Session, posts: Sequence[Post]) -> dict[int, bool]:
    """The newest word of a person on each of the posts that have one."""
    labels = select(Label.post_id, Label.complaint).where(
        col(Label.post_id).in_([post.id for post in posts]), col(Label.complaint).is_not(None)
    )
    rows = session.exec(labels.order_by(col(Label.labelled_at)))
    return {post_id: bool(complaint) for post_id, complaint in rows}


def _stand(case: Case, posts: Sequence[Post], told: dict[int, bool]) -> None:
    def points(post: Post) -> float:
        return complaint_points(*_verdict(post, told))

    worst, case.severity = posts[0], 0.0
    for post in posts:
        if post.sentiment == Sentiment.POSITIVE:
            worst, case.severity = post, 0.0
        if points(post) >= points(worst):
            worst = post
        case.severity = max(case.severity, post.severity or 0.0)
    case.post_id = worst.id
    case.complaint, case.measured = _verdict(worst, told)
    case.rank = rank(case)


def _verdict(post: Post, told: dict[int, bool]) -> tuple[float, bool]:
    """The complaint probability of a post, and whether it can be relied on."""
    if post.id in told:
        return float(told[post.id]), True
    return post.complaint or 0.0, post.measured
