"""Collects the posts of one source: pages with their cursor, each in one commit, and the ledger."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from connectors.base import MAX_TEXT, ConnectorError, FetchedPost, Page
from monitor.config import Config, SourceConfig
from monitor.intake import sources
from monitor.intake.matching import Query, compile_query
from monitor.store.db import insert, row_count
from monitor.store.models import Author, Fetch, Post, Source, now

FUTURE = timedelta(days=1)
"""A post dated further ahead than this is dated by us; clocks and zones explain less."""


@dataclass(frozen=True)
class Watch:
    """A source with what makes its posts ours."""

    config: SourceConfig
    query: Query
    accounts: frozenset[str]
    """Our own handles, folded."""

    @classmethod
    def of(cls, config: Config, name: str) -> "Watch":
        """The watch of a configured source. Raises QueryError."""
        source = config.sources[name]
        return cls(source, compile_query(source.query), own_accounts(config))


def own_accounts(config: Config) -> frozenset[str]:
    """Our handles as they are compared."""
    return frozenset(handle.lstrip("@").casefold() for handle in config.company.accounts)


def collect(session: Session, watch: Watch) -> Fetch | None:
    """Fetch a source if it is due and nobody else does: its ledger row, or None.

    Errors of the network end on the source's row and in the ledger. A bug is raised, but first it
    is written there too and the source waits, so that it cannot loop.
    """
    lease = sources.claim(session, watch.config.name)
    if lease is None:
        return None
    cursor = session.get_one(Source, lease.source_id).cursor
    fetch = Fetch(source_id=lease.source_id, cursor_from=cursor)
    session.add(fetch)
    session.commit()  # From here until a page is there no connection waits for the network.
    try:
        with closing(watch.config.open()) as connector:
            _fetch_pages(session, watch, connector.fetch(cursor), lease, fetch)
    except sources.LeaseLostError:
        session.rollback()
        fetch.error = "Another engine went on with this source."
    except ConnectorError as error:
        sources.failed(session, lease, watch.config.every, error)
        fetch.error = str(error)
    except Exception as error:
        bug = ConnectorError(f"A bug in the monitor: {type(error).__name__}. See the log.")
        sources.failed(session, lease, watch.config.every, bug)
        _finish(session, fetch, str(bug))
        raise
    else:
        sources.succeeded(session, lease, watch.config.every)
    _finish(session, fetch, fetch.error)
    return fetch


def _finish(session: Session, fetch: Fetch, error: str | None) -> None:
    fetch.finished_at = now()
    fetch.error = error
    session.add(fetch)
    session.commit()


def _fetch_pages(
    session: Session, watch: Watch, pages: Iterable[Page], lease: sources.Lease, fetch: Fetch
) -> None:
    reasons: Counter[str] = Counter()
    gaps: list[str] = []
    for page in pages:
        sources.hold(session, lease, page.cursor)
        store_page(session, watch, fetch, page, reasons)
        if page.gap:
            gaps.append(page.gap)
        fetch.gap = "\n".join(gaps)[:2000] or None
        fetch.notes = "\n".join(f"{n} × {why}" for why, n in reasons.most_common(20)) or None
        if page.quota:
            fetch.quota_remaining = page.quota.remaining
            fetch.quota_resets_at = page.quota.resets_at
        session.add(fetch)
        session.commit()


def store_page(
    session: Session,
    watch: Watch,
    fetch: Fetch,
    page: Page,
    reasons: Counter[str],
) -> None:
    """Store what is ours of a page, once, and count the rest in `fetch` and `reasons`."""
    fetch.received += len(page.posts) + len(page.skipped)
    fetch.skipped += len(page.skipped)
    reasons.update(reason[:200] for reason in page.skipped)
    public = [post for post in page.posts if post.public]
    if len(public) < len(page.posts):
        fetch.skipped += len(page.posts) - len(public)
        reasons["private post left out"] += len(page.posts) - len(public)
    ours = _ours(session, watch, public)
    fetch.unmatched += len(public) - len(ours)
    if not ours:
        return
    stored = store_posts(session, fetch.source_id, watch.accounts, ours, reasons)
    fetch.new += stored.new
    fetch.changed += stored.changed


@dataclass(frozen=True)
class Stored:
    """How many posts were new, and how many known ones came edited or deleted."""

    new: int
    changed: int


def store_posts(
    session: Session,
    source_id: int,
    accounts: frozenset[str],
    posts: Sequence[tuple[FetchedPost, list[str]]],
    reasons: Counter[str],
) -> Stored:
    """Store public posts once, each with why it is ours. The caller commits."""
    authors = _store_authors(session, accounts, [post for post, _ in posts])
    fetched_at = now()
    rows = {}
    for post, matched in posts:
        rows[post.network, post.external_id] = {
            "network": post.network,
            "external_id": post.external_id,
            "source_id": source_id,
            "author_id": authors[post.network, post.author_id],
            "text": _bounded(post.text, reasons),
            "url": post.url,
            "language": post.language,
            "created_at": _dated(post.created_at, fetched_at, reasons),
            "fetched_at": fetched_at,
            "edited_at": post.edited_at,
            "deleted_at": fetched_at if post.deleted else None,
            "reply_to": post.reply_to,
            "thread": post.thread or post.reply_to or post.external_id,
            "repost_of": post.repost_of,
            "matched": ", ".join(matched)[:500],
            "ref": post.ref,
        }
    # Rows apart from the statement: it is compiled once, not for each page anew.
    new = session.connection().execute(
        insert(session, Post)
        .on_conflict_do_nothing()
        .returning(col(Post.network), col(Post.external_id)),
        list(rows.values()),
    )
    stored = {(network, external_id) for network, external_id in new}
    changed = [
        post
        for post, _ in posts
        if (post.network, post.external_id) not in stored and (post.edited_at or post.deleted)
    ]
    return Stored(len(stored), sum(_change(session, post, reasons) for post in changed))


def _ours(
    session: Session, watch: Watch, posts: Sequence[FetchedPost]
) -> list[tuple[FetchedPost, list[str]]]:
    """The posts that are about us, each with why: its words, our account, or a thread of ours."""
    ours: dict[int, list[str]] = {}
    for index, post in enumerate(posts):
        found = watch.query.match(post.text)
        if found is None and post.author_handle.casefold() in watch.accounts:
            found = ["our account"]
        if found is not None:
            ours[index] = found
    pointers = {
        pointer
        for index, post in enumerate(posts)
        if index not in ours
        for pointer in (post.external_id, post.reply_to, post.thread, post.repost_of)
        if pointer
    }
    if pointers:
        stored = select(Post.external_id).where(
            col(Post.network).in_({post.network for post in posts}),
            col(Post.external_id).in_(pointers),
        )
        known = set(session.scalars(stored)) | {posts[index].external_id for index in ours}
        for index, post in enumerate(posts):
            if index in ours:
                continue
            if post.repost_of in known:
                ours[index] = ["repost of a post of ours"]
            elif post.external_id in known or post.reply_to in known or post.thread in known:
                ours[index] = ["thread of ours"]
                known.add(post.external_id)
    return [(posts[index], ours[index]) for index in sorted(ours)]


def _store_authors(
    session: Session, accounts: frozenset[str], posts: Iterable[FetchedPost]
) -> dict[tuple[str, str], int]:
    """Insert or refresh the authors of these posts: their ids by network and external id."""
    rows = {
        (post.network, post.author_id): {
            "network": post.network,
            "external_id": post.author_id,
            "handle": post.author_handle,
            "name": post.author_name,
            "followers": post.followers,
            "own": post.author_handle.casefold() in accounts,
            "blocked": False,
        }
        for post in posts
    }
    # Sorted, so that two engines lock the same rows in the same order.
    statement = insert(session, Author)
    stored = session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=["network", "external_id"],
            set_={
                "handle": statement.excluded.handle,
                "name": statement.excluded.name,
                "followers": sa.func.coalesce(statement.excluded.followers, col(Author.followers)),
                "own": statement.excluded.own,
            },
        ).returning(col(Author.network), col(Author.external_id), col(Author.id)),
        [rows[key] for key in sorted(rows)],
    )
    return {(network, external_id): key for network, external_id, key in stored}


def _bounded(text: str, reasons: Counter[str]) -> str:
    if len(text) <= MAX_TEXT:
        return text
    reasons[f"text cut at {MAX_TEXT:,} characters"] += 1
    return text[:MAX_TEXT]


def _dated(created_at: datetime, fetched_at: datetime, reasons: Counter[str]) -> datetime:
    if created_at <= fetched_at + FUTURE:
        return created_at
    reasons["dated in the future: taken as of now"] += 1
    return fetched_at


def take_back(session: Session, *which: sa.ColumnElement[bool]) -> bool:
    """The author took a post back: its words go, the fact that it was there stays. True if it did.

    The caller commits.
    """
    values: dict[str, object] = {
        "deleted_at": now(),
        "text": "",
        "previous_text": None,
        "vector": None,
    }
    return _update(session, (*which, col(Post.deleted_at).is_(None)), values)


def _change(session: Session, post: FetchedPost, reasons: Counter[str]) -> bool:
    """Apply an edit or a deletion to a known post. True if it changed anything."""
    which = (col(Post.network) == post.network, col(Post.external_id) == post.external_id)
    if post.deleted:
        return take_back(session, *which)
    text = _bounded(post.text, reasons)
    values: dict[str, object] = {
        "previous_text": Post.text,
        "text": text,
        "edited_at": post.edited_at,
        "scorer": None,
    }
    return _update(
        session, (*which, col(Post.deleted_at).is_(None), col(Post.text) != text), values
    )


def _update(
    session: Session, which: Iterable[sa.ColumnElement[bool]], values: dict[str, object]
) -> bool:
    """Change a post and have it triaged again."""
    changed = sa.update(Post).where(*which).values(**values, triaged_at=None)
    return row_count(session.execute(changed.execution_options(synchronize_session=False))) > 0
