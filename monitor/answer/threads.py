"""The threads of cases, looked at on the network: what came there, and what is gone.

A search need not find the customer's later posts, nor what our accounts write there by hand. So
the whole thread of a case is asked for, often while somebody writes and then ever more rarely.
What it has is stored as collecting stores it: scoring and triage do the rest.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from connectors.base import Connector, ConnectorError, FetchedPost, RetryableError
from monitor.answer.thread_posts import customer, family_of, newest_of_each_thread, ours_of
from monitor.desk.arrivals.turns import FOLLOW_AFTER
from monitor.desk.cases import REOPEN_WITHIN
from monitor.intake.collect import store_posts, take_back
from monitor.store.db import row_count
from monitor.store.models import (
    Case,
    CaseStatus,
    Post,
    Source,
    SourceState,
    now,
)

Open = Callable[[str], Connector | None]

AT_ONCE = 10
"""Cases looked at in one run. Once a minute, with some three requests for each, that is half of the
300 requests in five minutes that a Mastodon server allows."""

LEASE = timedelta(minutes=2)
"""How long one look may take before another engine may look."""

SHARE_OF_AGE = 12
"""A thread that was quiet for a day is looked at every two hours."""

LONGEST_WAIT = timedelta(hours=6)

AFTER_ERROR = timedelta(minutes=15)
"""How long a source is left alone after an error that passes and names no wait."""

MOST_POSTS = 500
"""Posts kept of one look: a thread that goes round the world is not stored whole."""

MOST_LOOKUPS = 5
"""Posts missing in a thread that are asked for one by one in a look."""


class _Due(NamedTuple):
    """A case that is due."""

    case_id: int
    at: datetime


def follow(session: Session, open_connector: Open, accounts: frozenset[str]) -> int:
    """Look at the threads that are due, a few of them. Returns how many cases were looked at.

    An error that passes leaves the whole source alone for a while; another one, this case.
    `accounts` are our own handles, folded.
    """
    found = session.execute(
        select(Case.id, Case.thread_due_at, Source)
        .where(
            col(Case.thread_due_at) <= now(),
            col(Post.id) == col(Case.post_id),
            col(Source.id) == col(Post.source_id),
        )
        # The longest due first: what is asked for above the rate waits, but in turn.
        .order_by(col(Case.thread_due_at), col(Case.id))
        .limit(AT_ONCE)
    ).all()
    by_source: dict[int, tuple[Source, list[_Due]]] = {}
    for case_id, at, source in found:
        by_source.setdefault(source.id, (source, []))[1].append(_Due(case_id, at))
    return sum(
        _follow_source(session, source, due, open_connector, accounts)
        for source, due in by_source.values()
    )


def _follow_source(
    session: Session,
    source: Source,
    due: list[_Due],
    open_connector: Open,
    accounts: frozenset[str],
) -> int:
    source_id = source.id
    connector = open_connector(source.name)
    if connector is None or source.state == SourceState.OFF:
        _leave_alone(session, source_id, now() + LONGEST_WAIT)
        return 0
    looked = 0
    with closing(connector):
        if not connector.can_thread:
            _leave_alone(session, source_id, None)
            return 0
        if source.failures and source.next_fetch_at > now():  # It asked us to wait.
            _leave_alone(session, source_id, source.next_fetch_at)
            return 0
        for case in due:
            if not _take(session, case):
                continue
            try:
                _look(session, connector, source_id, case.case_id, accounts)
            except RetryableError as error:
                session.rollback()
                wait = max(AFTER_ERROR, timedelta(seconds=error.retry_after or 0))
                _leave_alone(session, source_id, now() + wait)
                break
            except ConnectorError:
                session.rollback()
                _set_due(session, case.case_id, now() + LONGEST_WAIT)
                session.commit()
            else:
                looked += 1
    return looked


def _look(
    session: Session, connector: Connector, source_id: int, case_id: int, accounts: frozenset[str]
) -> None:
    """Store what the case's threads have, and notice what they have no longer; one commit."""
    family = family_of(session, case_id)
    known = newest_of_each_thread(session, case_id, source_id, family)
    author = customer(session, case_id)
    session.rollback()  # The network may take its time: no transaction waits for it.
    posts = {
        (post.network, post.external_id): post
        for each in known
        for post in connector.thread(each.ref)
        if post.public
    }
    missing = [
        post
        for post in ours_of(session, case_id, family, [each.thread for each in known])
        if (post.network, post.external_id) not in posts
    ]
    session.rollback()
    gone = [post.id for post in missing[:MOST_LOOKUPS] if connector.is_gone(post.ref)]

    def strangers_last(post: FetchedPost) -> tuple[bool, datetime]:
        ours = post.author_id == author or post.author_handle.casefold() in accounts
        return not ours, post.created_at

    kept = sorted(posts.values(), key=strangers_last)[:MOST_POSTS]
    if kept:
        why = [(post, ["thread of a case"]) for post in kept]
        store_posts(session, source_id, accounts, why, Counter())
        _mend_pointers(session, kept)
    for post_id in gone:
        take_back(session, col(Post.id) == post_id)
    _set_due(session, case_id, _next_look(session, session.get_one(Case, case_id)))
    session.commit()


def _mend_pointers(session: Session, posts: list[FetchedPost]) -> None:
    """A network may not tell at first what a post answers, nor its thread: now it has.

    Such a post, unless it belongs to a case already, is triaged again.
    """
    for post in posts:
        if post.thread is None or post.reply_to is None:
            continue
        again = sa.case((col(Post.case_id).is_(None), None), else_=col(Post.triaged_at))
        session.execute(
            sa.update(Post)
            .where(
                col(Post.network) == post.network,
                col(Post.external_id) == post.external_id,
                sa.or_(col(Post.reply_to).is_(None), col(Post.thread) != post.thread),
            )
            .values(reply_to=post.reply_to, thread=post.thread, triaged_at=again)
            .execution_options(synchronize_session=False)
        )


def _next_look(session: Session, case: Case) -> datetime | None:
    """When to look again: the longer nobody wrote, the later; never once a case is long over.

    One that was merged keeps the pace of the case that it goes on in, which looks for both where
    they came from one source.
    """
    if case.merged_into is not None:
        root = session.get_one(Case, case.merged_into)
        sources = select(Post.source_id).where(col(Post.id).in_((case.post_id, root.post_id)))
        if len(set(session.exec(sources))) == 1:
            return None
        return _next_look(session, root)
    at = now()
    if case.status == CaseStatus.RESOLVED and (case.resolved_at or at) < at - REOPEN_WITHIN:
        return None
    times = (case.opened_at, case.waiting_since, case.answered_at, case.resolved_at)
    quiet = at - max(time for time in times if time is not None)
    return at + min(max(quiet / SHARE_OF_AGE, FOLLOW_AFTER), LONGEST_WAIT)


def _take(session: Session, case: _Due) -> bool:
    """Whether this engine is the one that looks at a case now."""
    taken = session.execute(
        sa.update(Case)
        .where(col(Case.id) == case.case_id, col(Case.thread_due_at) == case.at)
        .values(thread_due_at=now() + LEASE)
        .execution_options(synchronize_session=False)
    )
    session.commit()
    return row_count(taken) > 0


def _set_due(session: Session, case_id: int, at: datetime | None) -> None:
    session.execute(
        sa.update(Case)
        .where(col(Case.id) == case_id)
        .values(thread_due_at=at)
        .execution_options(synchronize_session=False)
    )


def _leave_alone(session: Session, source_id: int, until: datetime | None) -> None:
    """Look at no thread of a source before then; at none where it is None."""
    of_source = select(Post.id).where(col(Post.source_id) == source_id)
    before = sa.true() if until is None else col(Case.thread_due_at) < until
    session.execute(
        sa.update(Case)
        .where(col(Case.thread_due_at).is_not(None), before, col(Case.post_id).in_(of_source))
        .values(thread_due_at=until)
        .execution_options(synchronize_session=False)
    )
    session.commit()
