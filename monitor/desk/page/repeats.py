"""Posts that one author has posted more than once, word for word or nearly so."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from sqlmodel import Session, col, select

from monitor.store.models import Post

WITHIN = timedelta(days=30)
"""How far apart two posts are the same word again."""

ALIKE = 0.95
"""Cosine of two posts' vectors from which they say the same. Strict: among 700 written posts about
the same few faults, no pair reaches even 0.8 with the shipped model."""

MOST = 200
"""Posts of an author that are compared, the newest first."""

_ADDRESS = re.compile(r"https?://\S+|[@#][\w.@-]+")
_NO_LETTER = re.compile(r"[\W_]+")


def repeats(session: Session, author_id: int, posts: Sequence[Post]) -> dict[int, list[Post]]:
    """For each of these posts of an author, the others of theirs that say the same, newest first.

    Those that were posted once are left out. Deleted posts and reposts are never the same.
    """
    mine = [post for post in posts if post.author_id == author_id and _counts(post)]
    if not mine:
        return {}
    since = min(post.created_at for post in mine) - WITHIN
    candidates = session.exec(
        select(Post)
        .where(
            col(Post.author_id) == author_id,
            col(Post.created_at) >= since,
            col(Post.deleted_at).is_(None),
            col(Post.repost_of).is_(None),
        )
        .order_by(col(Post.created_at).desc(), col(Post.id).desc())
        .limit(MOST)
    ).all()
    alike = _same_letters(mine, candidates) | (_cosines(mine, candidates) >= ALIKE)
    at, other_at = (
        np.array([post.created_at.timestamp() for post in group]) for group in (mine, candidates)
    )
    alike &= np.abs(at[:, None] - other_at[None, :]) <= WITHIN.total_seconds()
    found: dict[int, list[Post]] = {}
    for post, row in zip(mine, alike, strict=True):
        same = [candidates[int(place)] for place in np.flatnonzero(row)]
        same = [other for other in same if other.id != post.id]
        if same:
            found[post.id] = same
    return found


def plain(text: str) -> str:
    """The letters and digits of a text, without case, links, @names and tags."""
    return _NO_LETTER.sub("", _ADDRESS.sub(" ", text.casefold()))


def _counts(post: Post) -> bool:
    return post.deleted_at is None and post.repost_of is None


def _same_letters(mine: Sequence[Post], others: Sequence[Post]) -> Any:
    """Which of `mine` have the letters of which of the others: a truth value for each pair."""
    numbers: dict[str, int] = {"": -1}
    one, other = (
        np.array([numbers.setdefault(plain(post.text), len(numbers)) for post in group])
        for group in (mine, others)
    )
    return (one[:, None] == other[None, :]) & (one[:, None] >= 0)


def _cosines(mine: Sequence[Post], others: Sequence[Post]) -> Any:
    """How near the vectors of each pair lie; 0 where one has none, or one of another model."""
    lengths = {len(post.vector) for post in [*mine, *others] if post.vector}
    width = max(lengths, default=1)

    def directions(posts: Sequence[Post]) -> Any:
        rows = np.zeros((len(posts), width), dtype=np.float32)
        for place, post in enumerate(posts):
            if post.vector and len(post.vector) == width:
                rows[place] = np.frombuffer(post.vector, dtype=np.int8)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.where(norms == 0, 1, norms)

    return directions(mine) @ directions(others).T
