"""Our own posts on the network: attached to the case that they answer, and missed when they go."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.desk import group
from monitor.desk.arrivals.turns import we_answered
from monitor.desk.cases import REOPEN_WITHIN, record
from monitor.desk.clock import notices, sla
from monitor.desk.priority import rank
from monitor.store.models import (
    Author,
    Case,
    CaseStatus,
    NoticeKind,
    Post,
    Reply,
    ReplyStatus,
    now,
)

TOLD = 300
"""Characters of an answer that stand in the notice of its end."""

LONGEST_CHAIN = 20
"""Posts of ours below one another that one answer may be cut into."""


def attach(session: Session, post: Post, author: Author, leads: Sequence[str] = ()) -> None:
    """One of our posts came from the network: it answers a case, or is gone there.

    What we sent, or recorded by its link, is seen now; another one is a native answer with the
    network's time and author. Of one that is gone the case's owner is told, or `leads` where nobody
    has the case. The caller commits.
    """
    known = _known(session, post)
    case_id = known.case_id if known else _case_answered(session, post)
    if case_id is None:
        return
    case = session.get(Case, case_id, with_for_update=True)
    if case is None:
        return
    case = group.goes_on(session, case)
    if post.deleted_at:
        if known and known.status in (ReplyStatus.SENT, ReplyStatus.SEEN):
            _gone(session, case, known)
            _tell_gone(session, case, known, leads)
    elif known is None:
        _native(session, case, post, author)
    elif known.status == ReplyStatus.SENT:
        known.status, known.seen_at, known.updated_at = ReplyStatus.SEEN, now(), now()
        known.external_id = post.external_id
        session.add(known)
        if case.reply_status == ReplyStatus.SENT:
            case.reply_status = ReplyStatus.SEEN
        session.add(case)
        record(session, case.id, "reply seen")


def triage_around(session: Session, posts: Sequence[Post]) -> None:
    """Have triaged again what came before these posts belonged to a case, and goes on from them.

    That is what their authors wrote in the thread after them, and what we answered there. Posts
    come in no order: pages run backwards, a thread is told late, a case is opened by hand. The
    caller commits.
    """
    if not posts:
        return
    session.flush()
    threads = {post.thread for post in posts} | {post.external_id for post in posts}
    earlier = sa.orm.aliased(Post)
    goes_on = sa.exists().where(
        col(earlier.case_id).is_not(None),
        col(earlier.author_id) == col(Post.author_id),
        col(earlier.thread) == col(Post.thread),
        col(earlier.created_at) < col(Post.created_at),
    )
    ours = col(Post.author_id).in_(select(Author.id).where(col(Author.own)))
    attached = sa.exists().where(col(Reply.external_id) == col(Post.external_id))
    session.execute(
        sa.update(Post)
        .where(
            col(Post.network).in_({post.network for post in posts}),
            col(Post.thread).in_(threads),
            col(Post.case_id).is_(None),
            col(Post.deleted_at).is_(None),
            col(Post.triaged_at).is_not(None),
            sa.or_(
                sa.and_(col(Post.author_id).in_({post.author_id for post in posts}), goes_on),
                sa.and_(ours, ~attached),
            ),
        )
        .values(triaged_at=None)
        .execution_options(synchronize_session=False)
    )


def _known(session: Session, post: Post) -> Reply | None:
    """The reply that this post is, if we sent it, found it before or know its link.

    It may hang on the case that the answered one was merged into, and that be of another network.
    """
    of_network = select(Reply).where(
        col(Case.id) == col(Reply.case_id), col(Case.network) == post.network
    )
    known = session.exec(of_network.where(col(Reply.external_id) == post.external_id)).first()
    if known is None:
        found = select(Reply).where(col(Reply.key) == native_key(post.network, post.external_id))
        known = session.exec(found).first()
    if known is not None or not post.url:
        return known
    case_id = _case_answered(session, post)
    case = session.get(Case, case_id) if case_id is not None else None
    if case is None:
        return None
    by_hand = select(Reply).where(
        col(Reply.case_id).in_(group.ids(session, case.merged_into or case.id)),
        col(Reply.elsewhere),
        sa.or_(col(Reply.external_id).is_(None), col(Reply.external_id) == post.external_id),
        col(Reply.url) == post.url,
    )
    return session.exec(by_hand).first()


def _case_answered(session: Session, post: Post) -> int | None:
    """The case of the post that this one answers, be it through other posts of ours."""
    pointer = post.reply_to
    for _ in range(LONGEST_CHAIN):
        if pointer is None:
            return None
        above = session.exec(
            select(Post, Author.own).where(
                col(Post.network) == post.network,
                col(Post.external_id) == pointer,
                col(Author.id) == col(Post.author_id),
            )
        ).first()
        if above is None:  # We may have sent it without its ever coming back as a post.
            sent = select(Reply.case_id).where(
                col(Reply.external_id) == pointer,
                col(Case.id) == col(Reply.case_id),
                col(Case.network) == post.network,
            )
            return session.exec(sent).first()
        answered, own = above
        if answered.case_id is not None:
            return answered.case_id
        if not own:
            return None
        pointer = answered.reply_to
    return None


def _native(session: Session, case: Case, post: Post, author: Author) -> None:
    """An answer that somebody made on the network itself."""
    session.add(
        Reply(
            case_id=case.id,
            post_id=case.post_id,
            agent=author.handle,
            text=post.text,
            status=ReplyStatus.SEEN,
            key=native_key(post.network, post.external_id),
            elsewhere=True,
            sent_at=post.created_at,
            seen_at=now(),
            external_id=post.external_id,
            url=post.url,
        )
    )
    record(session, case.id, "answered on the network", detail=f"by @{author.handle}")
    we_answered(session, case, ReplyStatus.SEEN, post.created_at)
    session.add(case)


def native_key(network: str, external_id: str) -> str:
    """The key of a reply that was found on the network: one row, whoever finds it."""
    return f"native:{network}:{external_id}"


def _gone(session: Session, case: Case, reply: Reply) -> None:
    """An answer was deleted on the network: without another one the customer waits as before."""
    reply.status, reply.updated_at = ReplyStatus.GONE, now()
    session.add(reply)
    record(session, case.id, "reply gone", detail=reply.url)
    session.flush()
    left = session.exec(
        select(Reply)
        .where(
            col(Reply.case_id).in_(group.ids(session, case.id)),
            col(Reply.status).in_((ReplyStatus.SENT, ReplyStatus.SEEN)),
            col(Reply.sent_at).is_not(None),
        )
        .order_by(col(Reply.sent_at))
    ).all()
    times = [other.sent_at for other in left if other.sent_at]
    if times and reply.sent_at and max(times) > reply.sent_at:
        return  # A later answer stands.
    case.answered_at = max(times, default=None)
    case.first_answered_at = min(times, default=None)
    since = group.unanswered_since(session, case)
    if since is None:
        case.reply_status = left[-1].status if left else ReplyStatus.GONE
    else:
        case.reply_status = ReplyStatus.GONE
        sla.answer_gone(case, reply.sent_at, since)
        if case.status != CaseStatus.RESOLVED or _may_reopen(session, case):
            case.status, case.waiting_since = CaseStatus.OPEN, since
            case.snoozed_until = case.resolved_at = case.outcome = case.dismissal = None
            case.cannot_help = None
            sla.reopened_by_hand(case)
    case.thread_due_at = now()
    case.rank = rank(case)
    session.add(case)


def _tell_gone(session: Session, case: Case, reply: Reply, leads: Sequence[str]) -> None:
    """A reply goes once, with the case's row held: one engine tells of it."""
    waits = " The customer waits again." if case.waiting_since is not None else ""
    text = (
        f"An answer to case {case.id} was deleted on the network.{waits} It said: "
        f"{reply.text[:TOLD] or reply.url}"
    )
    for agent in [case.assignee] if case.assignee else sorted(leads):
        notices.tell(session, agent, f"gone {reply.id}", NoticeKind.GONE, text, case.id)


def _may_reopen(session: Session, case: Case) -> bool:
    """Whether a resolved case is young, was not merged, and its author has no other standing one.

    Whoever tidies up their old posts shall not bring back the cases of a year.
    """
    if case.merged_into is not None or case.resolved_at is None:
        return False
    if case.resolved_at < now() - REOPEN_WITHIN:
        return False
    standing = select(Case.id).where(
        col(Case.author_id) == case.author_id, col(Case.status) != CaseStatus.RESOLVED
    )
    return session.exec(standing.limit(1)).first() is None
