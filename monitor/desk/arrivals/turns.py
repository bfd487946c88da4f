"""Who has the word at a case: the customer wrote, or we answered."""

from datetime import datetime, timedelta

from sqlmodel import Session

from monitor.desk import group
from monitor.desk.cases import record
from monitor.desk.clock import notices, sla
from monitor.desk.priority import rank
from monitor.store.models import Case, CaseStatus, NoticeKind, Post, ReplyStatus, now

FOLLOW_AFTER = timedelta(minutes=5)
"""How soon after anybody wrote the threads of a case are looked at again."""

UNFINISHED = (ReplyStatus.DRAFT, ReplyStatus.WAITING, ReplyStatus.SENDING)
"""Statuses of an answer that somebody is at."""


def customer_wrote(session: Session, case: Case, post: Post) -> None:
    """The customer wrote (again): the case opens and the clock runs from the first unanswered word.

    It stays with its owner, who is told. What was written before our answer is attached only. The
    caller holds the row and commits.
    """
    heard = case.answered_at is not None and post.created_at <= case.answered_at
    # Set pending by hand, nobody waited any longer, whatever they were owed before.
    waited = None if case.status == CaseStatus.PENDING else case.waiting_since
    if case.status == CaseStatus.RESOLVED and not heard:
        record(session, case.id, "reopened", detail="the customer wrote again")
        case.resolved_at = case.outcome = case.dismissal = case.cannot_help = None
        case.status = CaseStatus.OPEN
        sla.opened_anew(case)
    elif case.status in (CaseStatus.PENDING, CaseStatus.SNOOZED) and not heard:
        record(session, case.id, "opened again", detail="the customer answered")
        case.snoozed_until = None
        case.status = CaseStatus.OPEN
    else:
        record(session, case.id, "another post")
    if not heard:
        sla.wait_since(case, min(waited or post.created_at, post.created_at))
        # What is being written or sent matters more than that it is needed.
        if case.answered_at is not None and case.reply_status not in UNFINISHED:
            case.reply_status = ReplyStatus.CUSTOMER_ANSWERED
        if case.assignee is not None:
            text = f"The customer of case {case.id} wrote again."
            key = f"customer {case.id} {post.id}"
            notices.tell(session, case.assignee, key, NoticeKind.CUSTOMER, text, case.id)
    case.promised_at = case.compared_at = None
    case.thread_due_at = now() + FOLLOW_AFTER
    case.rank = rank(case)
    session.add(case)


def we_answered(session: Session, case: Case, status: ReplyStatus, at: datetime) -> None:
    """We answered in public: the customer waits no longer, unless they have written since.

    An answer may come to our knowledge long after it was made. The caller holds the row and
    commits.
    """
    sla.answered(case, at)
    case.first_answered_at = min(case.first_answered_at or at, at)
    case.answered_at = max(case.answered_at or at, at)
    case.reply_status = status
    if case.waiting_since is not None:
        session.flush()
        sla.wait_since(case, group.unanswered_since(session, case))
        if case.waiting_since is not None:
            case.reply_status = ReplyStatus.CUSTOMER_ANSWERED
        elif case.status == CaseStatus.OPEN:
            case.status = CaseStatus.PENDING
    case.due_at = sla.earliest(case)
    case.thread_due_at = now() + FOLLOW_AFTER
    case.rank = rank(case)
