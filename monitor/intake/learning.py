"""Learns from the team's labels: a new layer is kept only where it is better, and one can go back.

A layer belongs to one version of the shipped model. Posts that are scored keep the score and the
scorer's name that they have; `monitor rescore` goes over the open cases.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.model import layer as layers
from monitor.store.db import lock_writes
from monitor.store.models import Label, Layer, Post, now

MOST_LABELS = 20_000
"""The newest ones: companies and their customers change."""


class Learned(StrEnum):
    """What came of a try to learn."""

    BETTER = "better"
    NOT_BETTER = "not better"
    TOO_FEW = "too few labels"
    NOTHING_NEW = "no new labels"


@dataclass(frozen=True)
class Lesson:
    """The end of a try to learn, with its figures where there are any."""

    learned: Learned
    labels: int
    before: float | None = None
    """Average precision without the new layer, by cross-validation."""
    after: float | None = None
    """Average precision with it, by cross-validation."""
    version: int | None = None
    """Of the layer in use now; None: the model alone."""


def active_layer(session: Session, model: str) -> Layer | None:
    """The layer in use for this model, or None."""
    query = select(Layer).where(col(Layer.active).is_(True), col(Layer.model) == model)
    return session.exec(query).first()


def learn(session: Session, model: str, *, again: bool = False) -> Lesson:
    """Fit a layer to every label there is and use it if it is better by cross-validation.

    `model` is the shipped scorer's name. Without `again`, labels that the newest layer has seen
    all are not fitted twice, also where that layer was taken back: the schedule asks often.
    """
    asked_at = now()
    rows, last = _labelled(session, model)
    current = active_layer(session, model)
    version = current.id if current else None
    of_model = select(Layer).where(col(Layer.model) == model)
    newest = session.exec(of_model.order_by(col(Layer.id).desc()).limit(1)).first()
    seen = newest and newest.labels >= len(rows) and (last is None or last <= newest.created_at)
    if seen and not again:
        return Lesson(Learned.NOTHING_NEW, len(rows), version=version)
    if not rows:
        return Lesson(Learned.TOO_FEW, 0, version=version)
    read = layers.said(
        [odds for odds, _, _, _ in rows],
        [negative for _, negative, _, _ in rows],
        [vector for _, _, vector, _ in rows],
    )
    fit = layers.fit(read, [complaint for _, _, _, complaint in rows])
    if fit is None:
        return Lesson(Learned.TOO_FEW, len(rows), version=version)
    if not fit.better:
        return Lesson(Learned.NOT_BETTER, fit.labels, fit.before, fit.after, version)
    session.rollback()
    lock_writes(session)
    made = Layer(
        model=model,
        weights=layers.to_bytes(fit.weights),
        labels=fit.labels,
        before=fit.before,
        after=fit.after,
        created_at=asked_at,
    )
    session.add(made)
    session.flush()
    _use(session, made.id)
    session.commit()
    return Lesson(Learned.BETTER, fit.labels, fit.before, fit.after, made.id)


def go_back(session: Session, model: str) -> Layer | None:
    """Use the layer before the present one again, or none where it was the first. Returns it.

    Raises LookupError where no layer is in use.
    """
    lock_writes(session)
    current = active_layer(session, model)
    if current is None:
        session.rollback()
        raise LookupError("Nothing that was learned is in use: there is nothing to take back.")
    before = session.exec(
        select(Layer)
        .where(col(Layer.model) == model, col(Layer.id) < current.id)
        .order_by(col(Layer.id).desc())
    ).first()
    _use(session, before.id if before else None)
    session.commit()
    return before


def versions(session: Session) -> list[Layer]:
    """Every layer that was ever in use, the newest first."""
    return list(session.exec(select(Layer).order_by(col(Layer.id).desc())))


def _use(session: Session, version: int | None) -> None:
    """Make one layer the active one. Two statements: at no moment are two active."""
    session.execute(sa.update(Layer).where(col(Layer.active).is_(True)).values(active=False))
    if version is not None:
        session.execute(sa.update(Layer).where(col(Layer.id) == version).values(active=True))


def _labelled(
    session: Session, model: str
) -> tuple[list[tuple[float, float, bytes, bool]], datetime | None]:
    """What the model said of each labelled post with the newest word of a person on it, and when
    the last word of all was given."""
    query = (
        sa.select(
            col(Post.id),
            col(Post.odds),
            col(Post.negative),
            col(Post.vector),
            col(Label.complaint),
            col(Label.labelled_at),
        )
        .where(
            col(Post.id) == col(Label.post_id),
            col(Label.complaint).is_not(None),
            col(Post.vector).is_not(None),
            col(Post.odds).is_not(None),
            col(Post.negative).is_not(None),
            # With its layer, if it had one: odds and vector are the model's alone.
            sa.or_(col(Post.scorer) == model, col(Post.scorer).startswith(model + "+")),
        )
        .order_by(col(Label.labelled_at).desc())
        .limit(MOST_LABELS)
    )
    newest: dict[int, tuple[float, float, bytes, bool]] = {}
    last: datetime | None = None
    for post_id, odds, negative, vector, complaint, labelled_at in session.execute(query):
        newest.setdefault(post_id, (odds, negative, vector, complaint))
        last = last or labelled_at
    return [newest[post_id] for post_id in sorted(newest)], last
