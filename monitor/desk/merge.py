"""Cases that are one: the first goes on in the second, and can be taken out again.

Nothing moves. The posts, replies and notes of a merged case stay its own and are shown where it
goes on, one level deep. Only a person merges, and two authors never without having been asked.
"""

from typing import NoReturn

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from monitor.desk import group
from monitor.desk.arrivals import ended
from monitor.desk.arrivals.refresh import count_contacts, stand
from monitor.desk.cases import CaseConflictError, record
from monitor.desk.clock import sla
from monitor.desk.priority import rank
from monitor.store.db import lock_writes
from monitor.store.models import Case, CaseStatus, Outcome, Post, Reply, now


def merge(
    session: Session, source_id: int, target_id: int, agent: str, *, other_author: bool = False
) -> int:
    """Let one case go on in another, which opens again where it was closed.

    Returns the case that it goes on in: where the target was merged itself, the one that this one
    goes on in. The customer has waited since the earlier of both began to wait.

    Raises CaseError for what makes no sense, among it cases of two authors unless `other_author`
    says that a person has been asked, and CaseConflictError where a colleague has the source.
    """
    session.rollback()
    lock_writes(session)
    goal = session.get(Case, target_id, populate_existing=True)
    if goal is not None and goal.merged_into is not None:
        target_id = goal.merged_into
    if source_id == target_id:
        _refuse(session, "A case cannot be merged into itself.")
    held = _hold(session, source_id, target_id)
    source, target = held.get(source_id), held.get(target_id)
    if source is None or target is None:
        _refuse(session, f"There is no case {source_id if source is None else target_id}.")
    problem = _problem(session, source, target, agent, other_author)
    if problem:
        _refuse(session, problem)
    waited = [at for at in (source.waiting_since, target.waiting_since) if at is not None]
    source_waits = source.waiting_since is not None
    _close(source, target)
    session.add(source)
    try:
        session.flush()  # First of all: the author may have one standing case only.
        _go_on(session, source, target, source_waits)
        sla.wait_since(target, min(waited, default=None))
        target.reply_status = group.reply_status(session, target)
        target.thread_due_at = now()  # It is asked for the threads of both.
        session.add(target)
        session.flush()
        _stand_anew(session, target)
        record(session, source_id, "merged", agent=agent, detail=f"into case {target_id}")
        record(session, target_id, "merged in", agent=agent, detail=f"case {source_id}")
        session.commit()
    except IntegrityError as error:
        session.rollback()
        raise CaseConflictError(
            f"The customer of case {target_id} has a newer case that is open. Merge into that one."
        ) from error
    return target_id


def unmerge(session: Session, source_id: int, agent: str, was: Case | None = None) -> None:
    """Take a case out of the one that it goes on in: it stands again, with what it had.

    What another author wrote since the merge goes with them. `was` is the other case before the
    merge: where nothing has happened to it since, it is as it was, be it resolved or asleep.

    Raises CaseConflictError where it is not merged, a colleague has it, or its customer has
    another standing case.
    """
    session.rollback()
    lock_writes(session)
    found = session.get(Case, source_id, populate_existing=True)
    if found is None or found.merged_into is None:
        _refuse(session, f"Case {source_id} is not merged any more.")
    held = _hold(session, source_id, found.merged_into)
    source, target = held[source_id], held[found.merged_into]
    if source.merged_into != target.id:
        _refuse(session, f"Case {source_id} changed meanwhile. Look again.")
    if source.assignee not in (None, agent):
        _refuse(session, f"{source.assignee} had this case before it was merged. Ask them.")
    untouched = ended.untouched_since(session, target.id, "merged in", f"case {source_id}")
    if untouched and was is not None and was.id == target.id:
        _as_it_was(session, target, was, agent)
        session.flush()  # First of all: the author may have one standing case only.
    same_author = source.author_id == target.author_id
    since, answered_at = source.resolved_at, target.answered_at
    if same_author and answered_at and since and answered_at >= since:  # It was for this one too.
        source.answered_at = answered_at
        source.first_answered_at = source.first_answered_at or answered_at
    source.status = CaseStatus.OPEN
    if source.snoozed_until is not None:  # It was asleep when it was merged.
        asleep = source.snoozed_until > now()
        source.status = CaseStatus.SNOOZED if asleep else CaseStatus.OPEN
        source.snoozed_until = source.snoozed_until if asleep else None
    source.outcome = source.merged_into = source.resolved_at = None
    source.thread_due_at = now()
    sla.reopened_by_hand(source)
    session.add(source)
    try:
        session.flush()
    except IntegrityError as error:
        session.rollback()
        raise CaseConflictError(
            "A customer has one open case at a time, and this one has another. Resolve that "
            "first, then take this one out."
        ) from error
    if not same_author:
        written = (col(Post.case_id) == target.id, col(Post.author_id) == source.author_id)
        session.execute(
            sa.update(Post).where(*written).values(case_id=source_id),
            execution_options={"synchronize_session": False},
        )
    for case in (source, target):
        if case.status != CaseStatus.RESOLVED:
            sla.wait_since(case, group.unanswered_since(session, case))
            case.reply_status = group.reply_status(session, case)
            if case.waiting_since is None and case.status == CaseStatus.OPEN and case.answered_at:
                case.status = CaseStatus.PENDING
            _stand_anew(session, case)
    record(session, source_id, "unmerged", agent=agent, detail=f"of case {target.id}")
    record(session, target.id, "unmerged", agent=agent, detail=f"case {source_id}")
    session.commit()


def _hold(session: Session, *case_ids: int) -> dict[int, Case]:
    """The rows, held in the order of their numbers: two that cross never wait for each other."""
    found = session.exec(
        select(Case)
        .where(col(Case.id).in_(case_ids))
        .order_by(col(Case.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {case.id: case for case in found}


def _problem(
    session: Session, source: Case, target: Case, agent: str, other_author: bool
) -> str | None:
    """Why these two cannot be merged; None: they can."""
    if source.merged_into is not None:
        return f"Case {source.id} goes on in case {source.merged_into} already."
    if target.merged_into is not None:
        return f"Case {target.id} was merged at this moment. Look again."
    if source.status == CaseStatus.RESOLVED:
        return f"Case {source.id} is resolved. Only a case that stands can go on in another."
    if source.assignee not in (None, agent):
        return f"{source.assignee} has case {source.id} and can merge it."
    if group.merged_into(session, source.id):
        return f"Others go on in case {source.id}. Merge case {target.id} into it instead."
    unfinished = select(Reply.id).where(
        col(Reply.case_id) == source.id, col(Reply.status).in_(group.UNFINISHED)
    )
    if session.exec(unfinished.limit(1)).first() is not None:
        return f"A reply of case {source.id} is not finished. Send or discard it first."
    if source.author_id != target.author_id and not other_author:
        return (
            f"Case {target.id} is another customer's. Say that you mean it: one answer goes to "
            "one of them only."
        )
    return None


def _close(source: Case, target: Case) -> None:
    source.status, source.outcome, source.merged_into = (
        CaseStatus.RESOLVED,
        Outcome.MERGED,
        target.id,
    )
    source.resolved_at = now()
    source.waiting_since = None  # When it was to wake is kept, for who takes it out again.
    sla.resolved(source)


def _go_on(session: Session, source: Case, target: Case, source_waits: bool) -> None:
    if target.status == CaseStatus.RESOLVED:
        target.status = CaseStatus.OPEN
        target.resolved_at = target.outcome = target.dismissal = target.cannot_help = None
        sla.opened_anew(target)
        # In nobody's name, as when a customer comes back: its promises begin here.
        record(session, target.id, "reopened", detail=f"case {source.id} goes on in it")
    elif target.status in (CaseStatus.PENDING, CaseStatus.SNOOZED) and source_waits:
        target.status, target.snoozed_until = CaseStatus.OPEN, None


def _as_it_was(session: Session, target: Case, was: Case, agent: str) -> None:
    """Put a case that a merge opened back to its end, or to sleep."""
    end = ended.Ended.of(was)
    if end is not None:
        ended.end_again(session, target, end, agent)
    elif was.status == CaseStatus.SNOOZED and was.snoozed_until and was.snoozed_until > now():
        target.status, target.snoozed_until = CaseStatus.SNOOZED, was.snoozed_until
        session.add(target)


def _stand_anew(session: Session, case: Case) -> None:
    stand(session, case)
    case.contacts = count_contacts(session, case)
    case.rank = rank(case)
    session.add(case)


def _refuse(session: Session, text: str) -> NoReturn:
    session.rollback()
    raise CaseConflictError(text)
