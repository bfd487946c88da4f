"""Scores posts that have no score. A post without one is work to do, whoever is alive to do it."""

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.intake.learning import active_layer
from monitor.model import layer as layers
from monitor.model.language import languages
from monitor.model.scorer import Scorer, log_odds, sigmoid
from monitor.store.models import ACTIVE, Case, Layer, Post

BATCH = 1024
"""Posts scored per commit: what an engine that dies has to do again. Enough of them that texts of
like length meet in the model's batches."""


def score_new(session: Session, scorer: Scorer, limit: int = BATCH) -> int:
    """Score up to `limit` posts, the newest first, in one commit. Returns how many.

    On PostgreSQL a second engine takes other rows; on SQLite it may score the same ones again,
    which changes nothing.
    """
    posts = session.execute(
        select(Post.id, Post.text)
        .where(col(Post.scorer).is_(None))
        .order_by(col(Post.id).desc())
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if not posts:
        session.rollback()
        return 0
    table = _posts()
    _score(session, scorer, [(row[0], row[1]) for row in posts], table.c.scorer.is_(None))
    session.commit()
    return len(posts)


def rescore(session: Session, scorer: Scorer) -> Iterator[tuple[int, list[int]]]:
    """Score the posts of every standing case again, a commit for each batch.

    Yields how many posts were scored and the ids of their cases. The caller brings these up to
    date before it asks for the next batch. A run that is stopped has done what it has yielded,
    and another one begins anew.
    """
    last = 0
    while True:
        posts = session.execute(
            select(Post.id, Post.text, Post.case_id)
            .where(
                col(Case.id) == col(Post.case_id),
                col(Case.status).in_(ACTIVE),
                col(Post.scorer).is_not(None),
                col(Post.deleted_at).is_(None),
                col(Post.id) > last,
            )
            .order_by(col(Post.id))
            .limit(BATCH)
        ).all()
        if not posts:
            session.rollback()
            return
        _score(session, scorer, [(row[0], row[1]) for row in posts], sa.true())
        session.commit()
        last = posts[-1][0]
        yield len(posts), sorted({row[2] for row in posts})


def to_rescore(session: Session) -> int:
    """How many posts `rescore` would read."""
    counted = select(sa.func.count(col(Post.id))).where(
        col(Case.id) == col(Post.case_id),
        col(Case.status).in_(ACTIVE),
        col(Post.scorer).is_not(None),
        col(Post.deleted_at).is_(None),
    )
    return session.exec(counted).one()


def _score(
    session: Session,
    scorer: Scorer,
    posts: Sequence[tuple[int, str]],
    condition: sa.ColumnElement[bool],
) -> None:
    """Write what the model, and what was learned on top of it, says of these posts."""
    table = _posts()
    statement = (
        sa.update(table)
        # A text that was edited while it was being read is scored again.
        .where(table.c.id == sa.bindparam("post"), table.c.text == sa.bindparam("read"), condition)
        .values(
            scorer=sa.bindparam("scorer_"),
            complaint=sa.bindparam("complaint_"),
            odds=sa.bindparam("odds_"),
            negative=sa.bindparam("negative_"),
            sentiment=sa.bindparam("sentiment_"),
            severity=sa.bindparam("severity_"),
            vector=sa.bindparam("vector_"),
            measured=sa.bindparam("measured_"),
            # Where the text does not tell its language, the network's word for it stays.
            language=sa.func.coalesce(sa.bindparam("language_", type_=sa.String), table.c.language),
        )
    )
    layer = active_layer(session, scorer.name)
    texts = [text for _, text in posts]
    verdicts = _verdicts(scorer, layer, texts)
    session.connection().execute(
        statement,
        [
            {"post": post_id, "read": text} | verdict
            for (post_id, text), verdict in zip(posts, verdicts, strict=True)
        ],
    )


def _verdicts(scorer: Scorer, layer: Layer | None, texts: Sequence[str]) -> list[dict[str, Any]]:
    scores = scorer(texts)
    odds = [log_odds(score.complaint) for score in scores]
    complaints = [score.complaint for score in scores]
    names = [scorer.name] * len(scores)
    worded = [place for place, score in enumerate(scores) if score.vector is not None]
    if layer and worded:
        read = layers.said(
            [odds[place] for place in worded],
            [scores[place].negative for place in worded],
            [scores[place].vector or b"" for place in worded],
        )
        learned = sigmoid(layers.corrected(layers.from_bytes(layer.weights), read))
        for place, probability in zip(worded, learned, strict=True):
            complaints[place] = float(probability)
            names[place] = f"{scorer.name}+{layer.id}"
    told = languages(texts)
    return [
        {
            "scorer_": names[place],
            "complaint_": complaints[place],
            "odds_": odds[place],
            "negative_": score.negative,
            "sentiment_": score.sentiment.value,
            "severity_": score.severity,
            "vector_": score.vector,
            "measured_": not scorer.languages or told[place] in (None, *scorer.languages),
            "language_": told[place],
        }
        for place, score in enumerate(scores)
    ]


def _posts() -> sa.Table:
    table: sa.Table = Post.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
    return table
