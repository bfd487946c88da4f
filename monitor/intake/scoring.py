"""Scores posts that have no score. A post without one is work to do, whoever is alive to do it."""

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.model.scorer import Scorer
from monitor.store.models import Post

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
    scores = scorer([text for _, text in posts])
    table = Post.__table__  # type: ignore[attr-defined]  # SQLModel does not declare it
    statement = (
        sa.update(table)
        # A text that was edited while it was being read is scored again.
        .where(
            table.c.id == sa.bindparam("post"),
            table.c.text == sa.bindparam("read"),
            table.c.scorer.is_(None),
        )
        .values(
            scorer=scorer.name,
            complaint=sa.bindparam("complaint_"),
            sentiment=sa.bindparam("sentiment_"),
            severity=sa.bindparam("severity_"),
            vector=sa.bindparam("vector_"),
        )
    )
    session.connection().execute(
        statement,
        [
            {
                "post": post_id,
                "read": text,
                "complaint_": score.complaint,
                "sentiment_": score.sentiment.value,
                "severity_": score.severity,
                "vector_": score.vector,
            }
            for (post_id, text), score in zip(posts, scores, strict=True)
        ],
    )
    session.commit()
    return len(posts)
