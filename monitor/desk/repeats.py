"""Posts that one author has posted more than once, word for word or nearly so."""

import re
from collections.abc import Sequence
from datetime import timedelta

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
    letters = {post.id: plain(post.text) for post in [*candidates, *mine]}
    vectors = {post.id: _direction(post.vector) for post in [*candidates, *mine]}
    found: dict[int, list[Post]] = {}
    for post in mine:
        same = [
            other
            for other in candidates
            if other.id != post.id
            and abs(other.created_at - post.created_at) <= WITHIN
            and (
                (letters[post.id] != "" and letters[other.id] == letters[post.id])
                or _alike(vectors[post.id], vectors[other.id])
            )
        ]
        if same:
            found[post.id] = same
    return found


def plain(text: str) -> str:
    """The letters and digits of a text, without case, links, @names and tags."""
    return _NO_LETTER.sub("", _ADDRESS.sub(" ", text.casefold()))


def _counts(post: Post) -> bool:
    return post.deleted_at is None and post.repost_of is None


def _direction(vector: bytes | None) -> "np.ndarray[tuple[int], np.dtype[np.float32]] | None":
    if not vector:
        return None
    numbers = np.frombuffer(vector, dtype=np.int8).astype(np.float32)
    length = float(np.linalg.norm(numbers))
    return numbers / np.float32(length) if length else None


def _alike(
    one: "np.ndarray[tuple[int], np.dtype[np.float32]] | None",
    other: "np.ndarray[tuple[int], np.dtype[np.float32]] | None",
) -> bool:
    if one is None or other is None or one.shape != other.shape:
        return False
    return float(one @ other) >= ALIKE
