"""Every post that came in, the newest first: where a complaint that the model missed is found."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.store.models import Author, Post

PAGE = 25


@dataclass(frozen=True)
class Place:
    """Where a post stands in the list."""

    created_at: datetime
    id: int


def newest(
    session: Session,
    words: str = "",
    network: str | None = None,
    after: Place | None = None,
    limit: int = PAGE,
) -> list[tuple[Post, Author]]:
    """The next posts after a place, reposts left out.

    Every word stands in the post or in its author's handle.
    """
    posts = (
        select(Post, Author)
        .where(col(Author.id) == col(Post.author_id), col(Post.repost_of).is_(None))
        .order_by(col(Post.created_at).desc(), col(Post.id).desc())
        .limit(limit)
    )
    if network is not None:
        posts = posts.where(col(Post.network) == network)
    for word in words.split():
        posts = posts.where(
            sa.or_(
                col(Post.text).icontains(word, autoescape=True),
                col(Author.handle).icontains(word, autoescape=True),
            )
        )
    if after is not None:
        # A row value: both databases seek to it in the index.
        here = sa.tuple_(col(Post.created_at), col(Post.id))
        posts = posts.where(here < (after.created_at, after.id))
    return [(post, author) for post, author in session.exec(posts)]
