"""One action for many cases: each by the rules of the single one, and one undo for exactly those.

A case that changed meanwhile is skipped and counted. Each chunk is one commit: whoever waits for
one of its cases does not wait long, and what is done stays done if the rest fails.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Session, col

from monitor.desk import cases, labels, tags, verdicts
from monitor.desk.cases import CaseConflictError, CaseError
from monitor.desk.clock import notices
from monitor.desk.queue import work_queue
from monitor.desk.queue.work_queue import Filter
from monitor.desk.verdicts import Said
from monitor.store.db import inside, lock_writes
from monitor.store.models import Case, CaseStatus, Dismissal, LabelOrigin, NoticeKind, Outcome, now

MOST = 5_000
"""Cases that one action takes."""

CHUNK = 100


class Kind(StrEnum):
    """What was done."""

    CLAIMED = "claimed"
    ASSIGNED = "assigned"
    TAGGED = "tagged"
    SNOOZED = "snoozed"
    DISMISSED = "dismissed"
    LABELLED = "labelled"


@dataclass(frozen=True)
class Before:
    """How a case stood before the action."""

    case_id: int
    post_id: int
    status: CaseStatus
    assignee: str | None
    snoozed_until: datetime | None
    outcome: Outcome | None
    resolved_at: datetime | None
    said: Said | None = None
    """What a person had said at the desk of the post that it shows."""
    closed: Said | None = None
    """What an earlier outcome had said of that post."""


@dataclass(frozen=True)
class Done:
    """What an action did: enough to tell of it, and to take exactly that back."""

    kind: Kind
    agent: str
    cases: tuple[Before, ...]
    skipped: int
    """Cases that had changed meanwhile, or had that already."""
    to: str = ""
    """The new owner, or the tag."""
    until: datetime | None = None
    complaint: bool = False
    at: datetime = field(default_factory=now)
    """When it was done."""


def select(session: Session, chosen: Filter, limit: int = MOST) -> list[int]:
    """The cases that a filter shows, in its order; no more than `limit` of them."""
    return work_queue.ids(session, chosen, limit=limit)


def claim(session: Session, case_ids: Sequence[int], agent: str) -> Done:
    """Make `agent` the owner of those of the cases that nobody has."""
    done, skipped = _each(
        session, case_ids, lambda inner, case: cases.claim(inner, case.case_id, agent)
    )
    return Done(Kind.CLAIMED, agent, done, skipped)


def assign(session: Session, case_ids: Sequence[int], agent: str, to: str) -> Done:
    """Hand the cases to a colleague, whoever has them. Those that `to` has already are skipped.

    The colleague is told once, of all of them.
    """

    def one(inner: Session, case: Before) -> None:
        if case.assignee == to:
            raise CaseConflictError(f"{to} has it already.")
        cases.assign(inner, case.case_id, agent, to, case.assignee, quietly=True)

    done, skipped = _each(session, case_ids, one)
    if done and to != agent:
        only = done[0].case_id if len(done) == 1 else None
        what = f"case {only}" if only is not None else f"{len(done):,} cases"
        text = f"{agent} handed you {what}."
        notices.tell(session, to, f"assigned many {now()}", NoticeKind.ASSIGNED, text, only)
        session.commit()
    return Done(Kind.ASSIGNED, agent, done, skipped, to=to)


def tag(session: Session, case_ids: Sequence[int], agent: str, text: str) -> Done:
    """Put a tag on the cases. Those that have it already are skipped. Raises CaseError."""
    word = tags.normal(text)

    def one(inner: Session, case: Before) -> None:
        if not tags.add(inner, case.case_id, agent, word):
            raise CaseConflictError("It has this tag already.")

    done, skipped = _each(session, case_ids, one)
    return Done(Kind.TAGGED, agent, done, skipped, to=word)


def snooze(session: Session, case_ids: Sequence[int], agent: str, until: datetime) -> Done:
    """Put the cases aside until a time in the future. Raises CaseError for one that is over."""
    done, skipped = _each(
        session, case_ids, lambda inner, case: cases.snooze(inner, case.case_id, agent, until)
    )
    return Done(Kind.SNOOZED, agent, done, skipped, until=until)


def dismiss(session: Session, case_ids: Sequence[int], agent: str, why: Dismissal) -> Done:
    """Close the cases as needing no answer, with the reason."""

    def one(inner: Session, case: Before) -> None:
        cases.resolve(inner, case.case_id, agent, Outcome.DISMISSED, why)

    done, skipped = _each(session, case_ids, one)
    return Done(Kind.DISMISSED, agent, done, skipped)


def label(session: Session, case_ids: Sequence[int], agent: str, *, complaint: bool) -> Done:
    """Say of the post that each case shows whether it is a complaint; the cases stay as they are.

    Those of which that was said at the desk already are skipped.
    """

    def one(inner: Session, case: Before) -> None:
        if case.said is not None and case.said.complaint == complaint:
            raise CaseConflictError("Somebody said so already.")
        labels.set_label(inner, case.post_id, agent, complaint, LabelOrigin.DESK)

    done, skipped = _each(session, case_ids, one)
    return Done(Kind.LABELLED, agent, done, skipped, complaint=complaint)


def undo(session: Session, agent: str, done: Done) -> tuple[int, int]:
    """Take back exactly what an action did. Returns how many cases, and how many it left alone.

    A case that somebody changed since is left as they made it.
    """
    take_back = _TAKE_BACK[done.kind]
    was = {case.case_id: case for case in done.cases}

    def one(inner: Session, case: Before) -> None:
        take_back(inner, agent, done, was[case.case_id], case)

    undone, skipped = _each(session, list(was), one)
    return len(undone), skipped


def _each(
    session: Session, case_ids: Sequence[int], do: Callable[[Session, Before], object]
) -> tuple[tuple[Before, ...], int]:
    """Do it for each of the cases, a chunk in a commit. Returns those that it was done for, as
    they stood before, and the number of the others."""
    done: list[Before] = []
    wanted = sorted(set(case_ids))
    for first in range(0, len(wanted), CHUNK):
        session.rollback()
        lock_writes(session)
        try:
            # Read and locked in the order of their ids: two such actions never wait in a circle.
            standing = _standing(session, wanted[first : first + CHUNK])
            with inside(session) as inner:
                done += _those_that_could(inner, standing, do)
            session.commit()
        except BaseException:
            # Also of somebody who stops the program: the write lock must not outlive the chunk.
            session.rollback()
            raise
    return tuple(done), len(wanted) - len(done)


def _those_that_could(
    inner: Session, standing: Sequence[Before], do: Callable[[Session, Before], object]
) -> Iterator[Before]:
    for case in standing:
        try:
            do(inner, case)
        except CaseConflictError:
            continue
        yield case


def _standing(session: Session, case_ids: Sequence[int]) -> list[Before]:
    read = session.execute(
        sa.select(
            col(Case.id),
            col(Case.post_id),
            col(Case.status),
            col(Case.assignee),
            col(Case.snoozed_until),
            col(Case.outcome),
            col(Case.resolved_at),
        )
        .where(col(Case.id).in_(case_ids))
        .order_by(col(Case.id))
        .with_for_update()
    ).all()
    post_ids = [row.post_id for row in read]
    said = verdicts.of_posts(session, post_ids, LabelOrigin.DESK)
    closed = verdicts.of_posts(session, post_ids, LabelOrigin.OUTCOME)
    return [
        Before(
            row.id,
            row.post_id,
            row.status,
            row.assignee,
            row.snoozed_until,
            row.outcome,
            row.resolved_at,
            said.get(row.post_id),
            closed.get(row.post_id),
        )
        for row in read
    ]


def _unclaim(inner: Session, agent: str, done: Done, was: Before, stands: Before) -> None:
    cases.release(inner, was.case_id, done.agent)


def _hand_back(inner: Session, agent: str, done: Done, was: Before, stands: Before) -> None:
    cases.assign(inner, was.case_id, agent, was.assignee, done.to, quietly=True)


def _untag(inner: Session, agent: str, done: Done, was: Before, stands: Before) -> None:
    if not tags.remove(inner, was.case_id, agent, done.to):
        raise _changed()


def _wake(inner: Session, agent: str, done: Done, was: Before, stands: Before) -> None:
    if stands.status != CaseStatus.SNOOZED or stands.snoozed_until != done.until:
        raise _changed()
    cases.reopen(inner, was.case_id, agent)
    _as_it_was(inner, agent, was)


def _undismiss(inner: Session, agent: str, done: Done, was: Before, stands: Before) -> None:
    ours = stands.status == CaseStatus.RESOLVED and stands.outcome == Outcome.DISMISSED
    if not ours or stands.resolved_at is None or stands.resolved_at > done.at:
        raise _changed()
    cases.reopen(inner, was.case_id, agent)
    if was.closed is not None:
        labels.put_back(inner, was.post_id, agent, LabelOrigin.OUTCOME, was.closed)
    _as_it_was(inner, agent, was)


def _unlabel(inner: Session, agent: str, done: Done, was: Before, stands: Before) -> None:
    said = verdicts.of_posts(inner, [was.post_id], LabelOrigin.DESK).get(was.post_id)
    if said != Said(done.complaint, None, done.agent):
        raise _changed()
    labels.put_back(inner, was.post_id, agent, LabelOrigin.DESK, was.said)


def _as_it_was(inner: Session, agent: str, was: Before) -> None:
    """Put an open case back to pending or to sleep, if it was."""
    if was.status == CaseStatus.PENDING:
        cases.wait_for_customer(inner, was.case_id, agent)
    if was.status == CaseStatus.SNOOZED and was.snoozed_until is not None:
        try:
            cases.snooze(inner, was.case_id, agent, was.snoozed_until)
        except CaseError:
            return  # its time has come meanwhile


def _changed() -> CaseConflictError:
    return CaseConflictError("It changed meanwhile.")


_TAKE_BACK = {
    Kind.CLAIMED: _unclaim,
    Kind.ASSIGNED: _hand_back,
    Kind.TAGGED: _untag,
    Kind.SNOOZED: _wake,
    Kind.DISMISSED: _undismiss,
    Kind.LABELLED: _unlabel,
}
