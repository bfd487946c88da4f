"""What people say of posts: corrections, doubtful posts that were looked at, the blind sample.

The sample is drawn once a week, at random and with its parts mixed, so that what people say of it
measures the model: `monitor.watch.quality` does.
"""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from monitor.desk import verdicts
from monitor.desk.cases import CaseConflictError, CaseError, record
from monitor.desk.verdicts import Said
from monitor.store.db import row_count
from monitor.store.models import BY_HAND, Author, BlindSample, Label, LabelOrigin, Post, now

FINE, FLAGGED = 40, 20
"""Posts of a sample that ranked under the threshold, and from it on."""

CHECK_WITHIN = timedelta(days=30)
"""How far back a doubtful post is still worth a look."""

UNMEASURED_FROM = 0.05
"""From here a post is doubtful in a language on which the model was not measured."""


def set_label(
    session: Session,
    post_id: int,
    agent: str,
    complaint: bool,
    origin: LabelOrigin,
    severity: float | None = None,
) -> None:
    """Keep what `agent` says of a post, in place of what was said there before.

    Raises CaseError where there is no such post.
    """
    session.rollback()
    post = session.get(Post, post_id)
    if post is None:
        session.rollback()
        raise CaseError("There is no such post any more.")
    verdicts.write(session, post_id, origin, agent, complaint, severity)
    _tell(session, post, complaint, agent)
    session.commit()


def clear_label(
    session: Session, post_id: int, origin: LabelOrigin, agent: str | None = None
) -> None:
    """Take back what was said of a post. One of a sample waits for its answer again."""
    session.rollback()
    verdicts.erase(session, post_id, origin)
    post = session.get(Post, post_id)
    if post is not None and post.case_id is not None:
        record(session, post.case_id, "label taken back", agent=agent)
    session.commit()


def put_back(
    session: Session, post_id: int, agent: str, origin: LabelOrigin, before: Said | None
) -> None:
    """Let a post's label say what it said before; None: nothing. The history names `agent`.

    It stays the word of whoever said it. Raises CaseError where there is no such post.
    """
    if before is None:
        clear_label(session, post_id, origin, agent)
        return
    session.rollback()
    post = session.get(Post, post_id)
    if post is None:
        session.rollback()
        raise CaseError("There is no such post any more.")
    if verdicts.of_posts(session, [post_id], origin).get(post_id) == before:
        session.rollback()
        return
    who = before.agent or agent
    verdicts.write(session, post_id, origin, who, before.complaint, before.severity)
    if post.case_id is not None:
        verdict = "a complaint" if before.complaint else "not a complaint"
        detail = f"{verdict}, as {who} had said"
        record(session, post.case_id, "labelled", agent=agent, detail=detail)
    session.commit()


def countable() -> list[sa.ColumnElement[bool]]:
    """What makes a post, joined to its author, one that could be a complaint and was read.

    What somebody here wrote down says nothing of how the model reads the public.
    """
    return [
        col(Post.network) != BY_HAND,
        col(Post.scorer).is_not(None),
        col(Post.repost_of).is_(None),
        col(Post.deleted_at).is_(None),
        col(Author.own).is_(False),
        col(Author.blocked).is_(False),
    ]


def draw_sample(session: Session, zone: ZoneInfo, threshold: float) -> BlindSample | None:
    """Draw the blind sample of the last full week, Monday to Sunday in the team's time zone.

    None where it is drawn already, by whichever engine, or the week has no posts.
    """
    session.rollback()
    today = now().astimezone(zone).date()
    end = today - timedelta(days=today.weekday())
    week = end - timedelta(days=7)
    if session.exec(select(BlindSample.id).where(col(BlindSample.week) == week)).first():
        session.rollback()
        return None
    begins, ends = (
        datetime.combine(day, time(), tzinfo=zone).astimezone(UTC) for day in (week, end)
    )
    of_week = [*countable(), col(Post.created_at) >= begins, col(Post.created_at) < ends]
    fine = [*of_week, col(Post.complaint) < threshold]
    flagged = [*of_week, col(Post.complaint) >= threshold]
    sample = BlindSample(
        week=week,
        threshold=threshold,
        fine=_number(session, fine),
        flagged=_number(session, flagged),
    )
    if not sample.fine and not sample.flagged:
        session.rollback()
        return None
    drawn = [(post_id, False) for post_id in _random(session, fine, FINE)]
    drawn += [(post_id, True) for post_id in _random(session, flagged, FLAGGED)]
    # They are shown in the order of their ids, which must not tell the part.
    random.shuffle(drawn)
    try:
        session.add(sample)
        session.flush()
        session.add_all(
            Label(post_id=post_id, origin=LabelOrigin.SAMPLE, sample_id=sample.id, flagged=part)
            for post_id, part in drawn
        )
        session.commit()
    except IntegrityError:
        session.rollback()
        return None
    session.refresh(sample)
    return sample


def to_label(session: Session, limit: int) -> list[tuple[Label, Post, Author]]:
    """Posts of the blind samples that wait for a person's word, the newest sample first."""
    query = (
        select(Label, Post, Author)
        .where(
            *_waiting_in_sample(),
            col(Post.id) == col(Label.post_id),
            col(Author.id) == col(Post.author_id),
        )
        .order_by(col(Label.sample_id).desc(), col(Label.id))
        .limit(limit)
    )
    return [(label, post, author) for label, post, author in session.exec(query)]


def count_to_label(session: Session) -> int:
    """How many posts of the blind samples wait for a person's word."""
    return _count(session, sa.select(col(Label.id)).where(*_waiting_in_sample()))


def progress(session: Session, sample_id: int) -> tuple[int, int]:
    """How many posts of a sample have got their word, out of how many."""
    return session.exec(
        select(sa.func.count(col(Label.complaint)), sa.func.count()).where(
            col(Label.sample_id) == sample_id
        )
    ).one()


def give(session: Session, label_id: int, agent: str, complaint: bool) -> None:
    """Say of a post of a blind sample what it is. Raises CaseConflictError for the second one."""
    session.rollback()
    changed = session.execute(
        sa.update(Label)
        .where(col(Label.id) == label_id, *_waiting_in_sample())
        .values(complaint=complaint, agent=agent, labelled_at=now())
        .execution_options(synchronize_session=False)
    )
    label = session.get(Label, label_id, populate_existing=True)
    if row_count(changed) == 0:
        session.rollback()
        who = label.agent if label is not None else None
        raise CaseConflictError(f"{who or 'Somebody'} was first with this post.")
    if label is not None:
        _tell(session, session.get_one(Post, label.post_id), complaint, agent)
    session.commit()


def to_check(session: Session, threshold: float, limit: int) -> Sequence[tuple[Post, Author]]:
    """Posts of the last month that the model is not sure of, the most probable first.

    Nobody has said a word of them, they have no case, and they are in no blind sample.
    """
    query = (
        select(Post, Author)
        .join(Author, col(Author.id) == col(Post.author_id))
        .where(*_doubtful(threshold))
        .order_by(col(Post.complaint).desc(), col(Post.id).desc())
        .limit(limit)
    )
    return [(post, author) for post, author in session.exec(query)]


def count_to_check(session: Session, threshold: float, limit: int | None = None) -> int:
    """How many posts `to_check` has; counts no further than `limit`."""
    found = sa.select(col(Post.id)).join(Author, col(Author.id) == col(Post.author_id))
    return _count(session, found.where(*_doubtful(threshold)).limit(limit))


def _doubtful(threshold: float) -> list[sa.ColumnElement[bool]]:
    score = col(Post.complaint)
    unsure = sa.and_(score >= threshold / 2, score < threshold)
    unmeasured = sa.and_(col(Post.measured).is_(False), score >= UNMEASURED_FROM)
    return [
        *countable(),
        col(Post.created_at) >= now() - CHECK_WITHIN,
        col(Post.triaged_at).is_not(None),
        col(Post.case_id).is_(None),
        sa.or_(unsure, unmeasured),
        ~sa.exists().where(col(Label.post_id) == col(Post.id)),
    ]


def _waiting_in_sample() -> list[sa.ColumnElement[bool]]:
    return [col(Label.sample_id).is_not(None), col(Label.complaint).is_(None)]


def _tell(session: Session, post: Post, complaint: bool, agent: str) -> None:
    if post.case_id is not None:
        detail = "a complaint" if complaint else "not a complaint"
        record(session, post.case_id, "labelled", agent=agent, detail=detail)


def _number(session: Session, conditions: list[sa.ColumnElement[bool]]) -> int:
    return _count(session, _ids(conditions))


def _random(session: Session, conditions: list[sa.ColumnElement[bool]], size: int) -> list[int]:
    drawn = _ids(conditions).order_by(sa.func.random()).limit(size)
    return list(session.execute(drawn).scalars())


def _ids(conditions: list[sa.ColumnElement[bool]]) -> Any:
    found = sa.select(col(Post.id)).join(Author, col(Author.id) == col(Post.author_id))
    return found.where(*conditions)


def _count(session: Session, ids: Any) -> int:
    counted: int = session.execute(
        sa.select(sa.func.count()).select_from(ids.subquery())
    ).scalar_one()
    return counted
