"""The work that promises make: due times to be reckoned, breaches to be kept and told."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from monitor.desk.clock import sla
from monitor.desk.clock.notices import tell
from monitor.desk.clock.sla import Hours, Policy
from monitor.store.db import lock_writes, row_count
from monitor.store.models import (
    Author,
    Case,
    CaseEvent,
    CaseStatus,
    Notice,
    NoticeKind,
    Post,
    Reply,
    ReplyStatus,
    SlaKind,
    SlaResult,
    now,
)

BATCH = 500

TELL_WITHIN = timedelta(days=1)
"""An older breach is counted but not told: it came with posts of long ago."""

DUE = {
    SlaKind.FIRST: col(Case.first_due_at),
    SlaKind.NEXT: col(Case.next_due_at),
    SlaKind.RESOLUTION: col(Case.resolution_due_at),
}

# Written out, as the index is: SQLite finds it by the words.
STANDS = col(Case.status) != sa.literal_column(f"'{CaseStatus.RESOLVED}'")
STALE = sa.and_(col(Case.promised_at).is_(None), STANDS)


def forget(session: Session) -> int:
    """Have every standing case reckoned anew: the settings may have changed. Returns how many."""
    changed = session.execute(
        sa.update(Case)
        .where(STANDS, col(Case.promised_at).is_not(None))
        .values(promised_at=None)
        .execution_options(synchronize_session=False)
    )
    session.commit()
    return row_count(changed)


def refresh(session: Session, policies: Sequence[Policy], hours: Hours, limit: int = BATCH) -> int:
    """Set the due times of up to `limit` cases that need it, in one commit. Returns how many."""
    if not _begin(session, select(Case.id).where(STALE)):
        return 0
    rows = session.exec(
        select(Case, Author)
        .where(STALE, col(Author.id) == col(Case.author_id))
        .order_by(col(Case.id))
        .limit(limit)
        .with_for_update(skip_locked=True, of=Case)
        .execution_options(populate_existing=True)
    ).all()
    ids = [case.id for case, _ in rows]
    begun = _reopened(session, ids)
    told = _told(session, ids)
    unseen = _answered_unseen(session, ids)
    for case, author in rows:
        policy = sla.policy_for(case, author, policies)
        sla.reckon(case, policy, hours, begun.get(case.id, case.opened_at), told[case.id])
        session.add(case)
        first = (SlaKind.FIRST, case.first_due_at)
        # Answered before we could promise anything: the customer's wait counts all the same.
        if case.first_due_at and case.first_answered_at and first not in told[case.id]:
            met = case.first_answered_at <= case.first_due_at
            sla.keep(session, case, SlaKind.FIRST, case.first_due_at, met=met)
        if policy and policy.next and case.answered_at and case.id in unseen:
            due_at = sla.due(unseen[case.id], policy.next, hours)
            sla.keep(session, case, SlaKind.NEXT, due_at, met=case.answered_at <= due_at)
    session.commit()
    return len(rows)


def _answered_unseen(session: Session, ids: Sequence[int]) -> dict[int, datetime]:
    """Since when the customers had waited whose last answer was made before we knew of their wait.

    Question and answer came together: no next response was ever reckoned. One of which something
    is kept already is left out, be it by what the settings were then.
    """
    before = sa.select(sa.func.max(col(Reply.sent_at))).where(
        col(Reply.case_id) == col(Case.id),
        col(Reply.status).in_((ReplyStatus.SENT, ReplyStatus.SEEN)),
        col(Reply.sent_at) < col(Case.answered_at),
    )
    rows = session.exec(
        select(Case.id, sa.func.min(col(Post.created_at)))
        .where(
            col(Case.id).in_(ids),
            col(Case.answered_at) > col(Case.first_answered_at),
            col(Post.case_id) == col(Case.id),
            col(Post.created_at) <= col(Case.answered_at),
            col(Post.created_at) > before.scalar_subquery(),
        )
        .group_by(col(Case.id), col(Case.answered_at))
        .having(sa.func.min(col(Post.fetched_at)) >= col(Case.answered_at))
    )
    unseen = dict(rows.all())
    of_next = select(SlaResult).where(
        col(SlaResult.case_id).in_(unseen), col(SlaResult.kind) == SlaKind.NEXT
    )
    for kept in session.exec(of_next):
        since = unseen.get(kept.case_id)
        if since is not None and since < kept.due_at and since <= kept.at:
            del unseen[kept.case_id]
    return unseen


def _reopened(session: Session, ids: Sequence[int]) -> dict[int, datetime]:
    """When customers last came back to cases that were resolved."""
    rows = session.exec(
        select(CaseEvent.case_id, sa.func.max(col(CaseEvent.at)))
        .where(
            col(CaseEvent.case_id).in_(ids),
            col(CaseEvent.what) == "reopened",
            col(CaseEvent.agent).is_(None),
        )
        .group_by(col(CaseEvent.case_id))
    )
    return dict(rows.all())


def _told(session: Session, ids: Sequence[int]) -> dict[int, set[tuple[SlaKind, datetime]]]:
    """The promises of each case of which we know already what came of them."""
    told: dict[int, set[tuple[SlaKind, datetime]]] = {case_id: set() for case_id in ids}
    for result in session.exec(select(SlaResult).where(col(SlaResult.case_id).in_(ids))):
        told[result.case_id].add((result.kind, result.due_at))
    return told


def watch(
    session: Session, leads: Sequence[str], warn_before: timedelta, zone: ZoneInfo
) -> tuple[int, int]:
    """Tell owners what breaks soon, and leads what broke; keep every breach. Once each.

    Returns how many people were warned and how many promises were found broken.
    """
    warned = sum(_warn(session, kind, warn_before, zone) for kind in SlaKind)
    return warned, sum(_break(session, kind, leads, zone) for kind in SlaKind)


def _runs(kind: SlaKind) -> list[sa.ColumnElement[bool]]:
    """Conditions under which a promise of this kind runs on, as `sla.running` says of one case."""
    conditions = [STANDS, col(Case.promised_at).is_not(None)]
    if kind == SlaKind.FIRST:
        conditions.append(col(Case.first_answered_at).is_(None))
    if kind == SlaKind.NEXT:
        conditions += [
            col(Case.first_answered_at).is_not(None),
            col(Case.waiting_since).is_not(None),
            col(Case.status) != CaseStatus.PENDING,
        ]
    return conditions


def _warn(session: Session, kind: SlaKind, warn_before: timedelta, zone: ZoneInfo) -> int:
    at = now()
    soon = session.exec(
        select(Case)
        .where(
            *_runs(kind),
            sla.breaching(at, warn_before),
            DUE[kind] > at,
            DUE[kind] <= at + warn_before,
            col(Case.assignee).is_not(None),
        )
        .execution_options(populate_existing=True)
    ).all()
    keys = {_key(NoticeKind.SLA_SOON, case, kind): case for case in soon}
    told_before = select(Notice.agent, Notice.key).where(
        col(Notice.agent).in_({case.assignee for case in soon}), col(Notice.key).in_(keys)
    )
    known = set(session.exec(told_before))
    new = [(key, case) for key, case in keys.items() if (case.assignee, key) not in known]
    if not new:
        session.rollback()
        return 0
    told = [
        (case.assignee or "", key, _words(case, kind, zone, "is due"), case.id) for key, case in new
    ]
    session.rollback()
    lock_writes(session)
    count = _tell(session, NoticeKind.SLA_SOON, told)
    session.commit()
    return count


def _break(session: Session, kind: SlaKind, leads: Sequence[str], zone: ZoneInfo) -> int:
    at = now()
    known = sa.exists().where(
        col(SlaResult.case_id) == col(Case.id),
        col(SlaResult.kind) == kind,
        col(SlaResult.due_at) == DUE[kind],
    )
    conditions = (*_runs(kind), sla.breaching(at, timedelta(0)), DUE[kind] <= at, ~known)
    if not _begin(session, select(Case.id).where(*conditions)):
        return 0
    broken = session.exec(
        select(Case)
        .where(*conditions)
        .order_by(DUE[kind])
        .limit(BATCH)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    told, count = [], 0
    for case in broken:
        due_at = _due(case, kind)
        count += sla.keep(session, case, kind, due_at, met=False)
        if due_at > at - TELL_WITHIN:
            key, words = (
                _key(NoticeKind.SLA_BROKEN, case, kind),
                _words(case, kind, zone, "was due"),
            )
            told += [(lead, key, words, case.id) for lead in leads]
    _tell(session, NoticeKind.SLA_BROKEN, told)
    session.commit()
    return count


def _begin(session: Session, wanted: SelectOfScalar[int]) -> bool:
    """Whether there is something to do; then the transaction that does it has begun."""
    found = session.exec(wanted.limit(1)).first() is not None
    session.rollback()
    if found:
        lock_writes(session)
    return found


def _tell(session: Session, kind: NoticeKind, told: Iterable[tuple[str, str, str, int]]) -> int:
    # In one order, so that two engines never wait for each other.
    return sum(
        tell(session, agent, key, kind, text, case_id) for agent, key, text, case_id in sorted(told)
    )


def _due(case: Case, kind: SlaKind) -> datetime:
    found = {kind: at for at, kind in sla.running(case)}.get(kind)
    if found is None:
        raise ValueError("this promise does not run")
    return found


def _key(notice: NoticeKind, case: Case, kind: SlaKind) -> str:
    return f"{notice}:{case.id}:{kind}:{_due(case, kind):%Y-%m-%dT%H:%M:%S}"


def _words(case: Case, kind: SlaKind, zone: ZoneInfo, verb: str) -> str:
    at = _due(case, kind).astimezone(zone)
    owner = case.assignee or "nobody"
    return (
        f"Case {case.id}: the {kind} {verb} on {at:%a} {at.day} {at:%b at %H:%M}; {owner} has it."
    )
