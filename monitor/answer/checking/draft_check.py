"""The draft check at a case: what it knows of the case, what it holds back, what was overridden."""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.answer import promises
from monitor.answer.checking.drafts import Context, Finding, all_rules, check
from monitor.answer.checking.plain import sentence_at
from monitor.desk.cases import CaseError, record
from monitor.settings import Desk
from monitor.store.models import (
    Author,
    Canned,
    Case,
    DraftOverride,
    Post,
    Reply,
    ReplyStatus,
)

MANY = 100
"""Posts and answers that are read, the newest first."""

PROMISE = "promise"
"""The offer of a finding that can be recorded as a promise."""

SAID = (ReplyStatus.SENDING, ReplyStatus.SENT, ReplyStatus.SEEN)
"""Answers that the customer may have read; one that is gone from the network may be said again."""


def context_of(session: Session, case_id: int, desk: Desk, but: int | None = None) -> Context:
    """What the check knows of a case; `but` is the reply that is being checked."""
    case = session.get_one(Case, case_id)
    texts = select(Post.text, Post.previous_text).where(Post.author_id == case.author_id)
    posts = session.exec(texts.order_by(col(Post.id).desc()).limit(MANY)).all()
    said = select(Reply.text, Reply.case_id).join(Case, col(Case.id) == col(Reply.case_id))
    said = said.where(
        Case.author_id == case.author_id,
        col(Reply.status).in_(SAID),
        sa.true() if but is None else col(Reply.id) != but,
    )
    replies = session.exec(said.order_by(col(Reply.id).desc()).limit(MANY)).all()
    # Answers that were made on the network came back as posts of our own accounts.
    threads = select(Post.thread).where(col(Post.case_id) == case_id).distinct()
    ours = (
        select(Post.text)
        .join(Author, col(Author.id) == col(Post.author_id))
        .where(
            col(Post.network) == case.network,
            col(Post.thread).in_(threads),
            col(Author.own).is_(True),
        )
    )
    native = session.exec(ours.limit(MANY)).all()
    return Context(
        posts=[text for row in posts for text in row if text],
        earlier=[*(text for text, _ in replies), *native],
        in_thread=[*(text for text, of in replies if of == case_id), *native],
        canned=session.exec(select(Canned.text)).all(),
        own_contacts=desk.own_contacts,
        private_contact=desk.private_contact,
    )


def findings(
    session: Session, case_id: int, text: str, desk: Desk, but: int | None = None
) -> list[Finding]:
    """What the check finds in a draft of this case, what blocks first.

    A promise is found no longer once its sentence is recorded as one and not dropped.
    """
    found = check(text, context_of(session, case_id, desk, but))
    if not any(finding.offer == PROMISE for finding in found):
        return found
    made = promises.of_case(session, case_id)
    recorded = {promised.text for promised in made if promised.dropped_at is None}
    return [
        finding
        for finding in found
        if finding.offer != PROMISE or sentence_at(text, finding.start, finding.end) not in recorded
    ]


def let_pass(
    session: Session, reply: Reply, agent: str, desk: Desk, reasons: Mapping[str, str]
) -> None:
    """Check a reply once more before it goes out; `reasons` says why by the rule's id.

    The caller holds the reply's row and commits: reasons are kept with what they let pass. One that
    was given before for the same words of this reply still holds. Raises CaseError, with the
    transaction rolled back, where something blocks or a warning has no reason.
    """
    found = findings(session, reply.case_id, reply.text, desk, reply.id)
    given = select(DraftOverride.rule, DraftOverride.phrase)
    known = set(session.exec(given.where(DraftOverride.reply_id == reply.id)).all())
    open_ones = [f for f in found if f.blocks or (f.rule, f.phrase) not in known]
    names = {rule.id: rule.name for rule in all_rules()}
    for finding in open_ones:
        if finding.blocks:
            session.rollback()
            raise CaseError(f"It cannot be sent: “{finding.phrase}”. {finding.reason}")
        if not reasons.get(finding.rule, "").strip():
            session.rollback()
            raise CaseError(
                f"The draft check warns: {names[finding.rule].lower()}. Change the answer, or say "
                "below it why you send it all the same."
            )
    for finding in open_ones:
        reason = reasons[finding.rule].strip()[:1000]
        session.add(
            DraftOverride(
                reply_id=reply.id,
                rule=finding.rule,
                phrase=finding.phrase,
                reason=reason,
                agent=agent,
            )
        )
        told = f"{names[finding.rule].lower()}, because {reason}"
        record(session, reply.case_id, "sent despite a warning", agent=agent, detail=told)


def overrides(session: Session, since: datetime) -> dict[str, int]:
    """How often each rule's warning was overridden since then; not by person."""
    counted = session.exec(
        select(DraftOverride.rule, sa.func.count())
        .where(DraftOverride.at >= since)
        .group_by(DraftOverride.rule)
        .order_by(DraftOverride.rule)
    ).all()
    return dict(counted)
