"""What is promised for a case, until when, and whether it was kept.

The first policy that fits a case counts. Its due times stand on the case:

- first response: from when the case opened, or its customer opened it again, until our first answer
- next response: after that, from when the customer began to wait until we answer. Pending stops
  it, as nobody waits; a snooze does not, as it is ours and not the customer's
- resolution: from the same start as the first response until the case is resolved

Transitions here know no policies: they stop what runs, keep what came of it, and leave
`promised_at` null where something may begin anew. `monitor.desk.clock.sla_clock` does that work.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import object_session
from sqlmodel import Session, col

from monitor.desk.priority import fixed_parts
from monitor.hours import Hours, business_time, due
from monitor.sla_settings import Policy
from monitor.store.db import insert
from monitor.store.models import Author, Case, CaseStatus, Outcome, SlaKind, SlaResult, now

__all__ = [
    "Hours",
    "Policy",
    "answered",
    "breaching",
    "business_time",
    "due",
    "earliest",
    "keep",
    "opened_anew",
    "policy_for",
    "reckon",
    "reopened_by_hand",
    "resolved",
    "running",
    "stop_waiting",
    "wait_since",
]

UNCOUNTED = (Outcome.DISMISSED, Outcome.MERGED)
"""Ends that say nothing of a resolution."""


def policy_for(case: Case, author: Author, policies: Sequence[Policy]) -> Policy | None:
    """The first policy that fits a case; None where none does.

    Its points are those that neither time nor our answer changes: what we promise does not become
    another thing by waiting.
    """
    points = sum(part.points for part in fixed_parts(case) if part.name != "answered")
    for policy in policies:
        if (
            (policy.min_priority is None or points >= policy.min_priority)
            and policy.vip in (None, author.vip)
            and (policy.networks is None or case.network in policy.networks)
        ):
            return policy
    return None


def running(case: Case) -> list[tuple[datetime, SlaKind]]:
    """The promises that are still to be kept, the earliest first; late ones too."""
    if case.status == CaseStatus.RESOLVED:
        return []
    found = []
    if case.first_due_at and case.first_answered_at is None:
        found.append((case.first_due_at, SlaKind.FIRST))
    if case.next_due_at and _awaits_next(case):
        found.append((case.next_due_at, SlaKind.NEXT))
    if case.resolution_due_at:
        found.append((case.resolution_due_at, SlaKind.RESOLUTION))
    return sorted(found)


def earliest(case: Case) -> datetime | None:
    """When the first promise of a case that is still to be kept breaks, or broke."""
    return min((at for at, _ in running(case)), default=None)


def _awaits_next(case: Case) -> bool:
    """Whether the customer waits for an answer after our first one."""
    return (
        case.first_answered_at is not None
        and case.waiting_since is not None
        and case.status not in (CaseStatus.PENDING, CaseStatus.RESOLVED)
    )


def breaching(at: datetime, within: timedelta) -> sa.ColumnElement[bool]:
    """Condition on Case: a promise breaks within this time from `at`, or is broken already."""
    return sa.and_(col(Case.status) != CaseStatus.RESOLVED, col(Case.due_at) <= at + within)


def reckon(
    case: Case,
    policy: Policy | None,
    hours: Hours,
    begun: datetime,
    told: Collection[tuple[SlaKind, datetime]] = (),
) -> None:
    """Set the due times of a standing case by its policy. `begun`: it opened, or opened again.

    What is `told` already, kept or broken, stays as it was promised.
    """
    case.sla = policy.name if policy else None
    first, later, resolution = (
        (policy.first, policy.next, policy.resolution) if policy else (None, None, None)
    )
    if (SlaKind.FIRST, case.first_due_at) not in told:
        start = begun if case.first_answered_at is None else case.opened_at
        case.first_due_at = due(start, first, hours) if first else None
    if not _awaits_next(case):
        case.next_due_at = None
    elif (SlaKind.NEXT, case.next_due_at) not in told:
        since = case.waiting_since
        case.next_due_at = due(since, later, hours) if later and since else None
    if (SlaKind.RESOLUTION, case.resolution_due_at) not in told:
        case.resolution_due_at = due(begun, resolution, hours) if resolution else None
    case.due_at = earliest(case)
    case.promised_at = now()


def answered(case: Case, at: datetime) -> None:
    """Keep what our answer of `at` means for the promises. Called before the case notes it.

    An answer that was found late takes a breach back that it shows to be none. The caller holds
    the row and commits.
    """
    before = case.first_answered_at
    if case.first_due_at and (before is None or at < before):
        _keep(case, SlaKind.FIRST, case.first_due_at, met=at <= case.first_due_at)
    if case.waiting_since is not None and case.waiting_since <= at:
        if case.next_due_at and before is not None:
            _keep(case, SlaKind.NEXT, case.next_due_at, met=at <= case.next_due_at)
        case.next_due_at = None


def opened_anew(case: Case) -> None:
    """A customer came back to a resolved case: what ended with it is promised anew."""
    case.resolution_due_at = case.promised_at = None
    if case.first_answered_at is None:
        case.first_due_at = None


def wait_since(case: Case, since: datetime | None) -> None:
    """The customer waits since then, or no longer: what is promised of it is reckoned anew.

    The caller holds the row and commits.
    """
    if case.waiting_since != since:
        case.waiting_since, case.promised_at = since, None
    if since is None:
        case.next_due_at = None
    case.due_at = earliest(case)


def stop_waiting(case: Case) -> None:
    """The customer has the word: nobody waits for a next answer, but still for a first one.

    The caller holds the row and commits.
    """
    if case.answered_at is not None:
        case.waiting_since = None
    case.next_due_at = case.promised_at = None
    case.due_at = earliest(case)


def resolved(case: Case) -> None:
    """Keep whether a case was resolved in time. The caller holds the row and commits.

    A case that needed no answer, or goes on in another, tells nothing of that.
    """
    case.next_due_at = case.due_at = None
    if case.resolution_due_at and case.resolved_at and case.outcome not in UNCOUNTED:
        met = case.resolved_at <= case.resolution_due_at
        _keep(case, SlaKind.RESOLUTION, case.resolution_due_at, met=met)


def reopened_by_hand(case: Case) -> None:
    """It was not resolved after all: its promise runs on. The caller holds the row and commits."""
    if case.resolution_due_at:
        _held_by(case).execute(
            sa.delete(SlaResult).where(
                col(SlaResult.case_id) == case.id,
                col(SlaResult.kind) == SlaKind.RESOLUTION,
                col(SlaResult.due_at) == case.resolution_due_at,
                col(SlaResult.met),
            )
        )
    case.promised_at = None
    case.due_at = earliest(case)


def answer_gone(case: Case, sent_at: datetime | None, since: datetime) -> None:
    """Take back what an answer of `sent_at` kept, as it is there no longer: they wait since then.

    Called once the case stands without it. The caller holds the row and commits.
    """
    rested = [
        sa.and_(
            col(SlaResult.kind) == SlaKind.NEXT,
            col(SlaResult.due_at) > since,
            col(SlaResult.at) >= (sent_at or since),
        )
    ]
    if case.first_answered_at is None:
        rested.append(col(SlaResult.kind) == SlaKind.FIRST)
    _held_by(case).execute(
        sa.delete(SlaResult).where(
            col(SlaResult.case_id) == case.id, col(SlaResult.met), sa.or_(*rested)
        )
    )
    case.promised_at = None


def _keep(case: Case, kind: SlaKind, at: datetime, *, met: bool) -> None:
    keep(_held_by(case), case, kind, at, met=met)


def _held_by(case: Case) -> Session:
    """The session of a row: those who change a case need not pass theirs along."""
    session = object_session(case)
    if not isinstance(session, Session):
        raise ValueError("the case is not held by a session")
    return session


def keep(session: Session, case: Case, kind: SlaKind, at: datetime, *, met: bool) -> bool:
    """Write once what came of a promise; kept is the last word. Returns whether that is news.

    The caller commits.
    """
    values = {
        "case_id": case.id,
        "policy": case.sla or "",
        "kind": kind,
        "due_at": at,
        "met": met,
        "at": now(),
    }
    written = insert(session, SlaResult).values(**values)
    once = ["case_id", "kind", "due_at"]
    if met:
        written = written.on_conflict_do_update(index_elements=once, set_={"met": True})
    else:
        written = written.on_conflict_do_nothing(index_elements=once)
    return session.execute(written.returning(SlaResult.id)).first() is not None
