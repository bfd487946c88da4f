"""The rows that a number counts, as columns of a file: as many rows as the number says.

The columns of each kind are stable: new ones come at the end. Times are the team's; lengths are in
hours. Text of strangers is left as it is here and made harmless by `monitor.watch.reports.sheet`.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from monitor.hours import Hours, business_time
from monitor.store.models import (
    Author,
    Case,
    CaseTag,
    Commitment,
    Incident,
    IncidentCase,
    Post,
    Reply,
    SlaResult,
    now,
)
from monitor.watch.reports.sheet import Value
from monitor.watch.trends import counting
from monitor.watch.trends.conditions import Rules
from monitor.watch.trends.measures import Asked, Kind

CASE_COLUMNS = (
    "case", "network", "source", "author", "author_id", "followers", "vip", "language", "url",
    "text", "complaint", "severity", "status", "owner", "reply_status", "opened_at",
    "first_answered_at", "answered_at", "resolved_at", "first_response_hours",
    "first_response_working_hours", "resolution_hours", "outcome", "dismissal", "wanted", "remedy",
    "goodwill", "cannot_help", "partial", "referred_to", "merged_into", "sla", "first_met",
    "resolution_met", "promises", "promises_broken", "replies", "tags", "incident_id", "incident",
    "promises_late",
)  # fmt: skip
"""One row per case."""

COLUMNS: dict[Kind, tuple[str, ...]] = {
    Kind.CASE: CASE_COLUMNS,
    Kind.POST: (
        "post", "case", "network", "source", "author", "author_id", "followers", "language", "url",
        "text", "created_at", "complaint", "sentiment", "severity", "matched", "model",
    ),
    Kind.AUTHOR: ("author_id", "network", "author", "name", "followers", "vip"),
    Kind.SLA: ("case", "network", "author", "owner", "policy", "promise", "due_at", "met"),
    Kind.PROMISE: (
        "case", "network", "author", "owner", "promise", "made_at", "due_at", "kept_at",
    ),
    Kind.REPLY: (
        "case", "network", "author", "agent", "reply", "status", "sent_at", "seen_at", "url",
    ),
}  # fmt: skip

BATCH = 500


def table(
    session: Session, asked: Asked, rules: Rules
) -> tuple[tuple[str, ...], list[tuple[Value, ...]]]:
    """Columns and rows of everything that a number counts."""
    found = counting.ids(session, asked, rules)
    return COLUMNS[asked.kind], list(rows(session, asked.kind, found, rules.hours))


def rows(
    session: Session, kind: Kind, ids: Sequence[int], hours: Hours
) -> Iterator[tuple[Value, ...]]:
    """The rows with these ids, in their order."""
    names = counting.sources(session)
    for first in range(0, len(ids), BATCH):
        part = ids[first : first + BATCH]
        beside = _Beside(session, part) if kind == Kind.CASE else None
        for row in counting.rows(session, kind, part):
            yield _WRITTEN[kind](row, names, beside, hours)
        session.expunge_all()


class _Beside:
    """What stands beside cases: promises, answers, tags, incidents."""

    def __init__(self, session: Session, ids: Sequence[int]) -> None:
        self.tags: dict[int, list[str]] = {}
        chosen = col(CaseTag.case_id).in_(ids)
        for case_id, tag in session.execute(
            sa.select(col(CaseTag.case_id), col(CaseTag.tag))
            .where(chosen)
            .order_by(col(CaseTag.tag))
        ):
            self.tags.setdefault(case_id, []).append(tag)
        self.incidents: dict[int, tuple[int, str]] = {
            row[0]: (row[1], row[2])
            for row in session.execute(
                sa.select(col(IncidentCase.case_id), col(Incident.id), col(Incident.title))
                .join(Incident, col(Incident.id) == col(IncidentCase.incident_id))
                .where(col(IncidentCase.case_id).in_(ids))
            )
        }
        self.met: dict[tuple[int, str], bool] = {}
        for result in session.scalars(
            sa.select(SlaResult)
            .where(col(SlaResult.case_id).in_(ids))
            .order_by(col(SlaResult.due_at))
        ):
            self.met[result.case_id, str(result.kind)] = result.met
        self.promises: dict[int, list[Commitment]] = {}
        for promised in session.scalars(
            sa.select(Commitment).where(
                col(Commitment.case_id).in_(ids), col(Commitment.dropped_at).is_(None)
            )
        ):
            self.promises.setdefault(promised.case_id, []).append(promised)
        counted = sa.select(col(Reply.case_id), sa.func.count()).where(
            col(Reply.case_id).in_(ids), col(Reply.sent_at).is_not(None)
        )
        self.replies: dict[int, int] = {
            row[0]: row[1] for row in session.execute(counted.group_by(col(Reply.case_id)))
        }


def _case(row: Any, names: dict[int, str], beside: _Beside, hours: Hours) -> tuple[Value, ...]:
    case: Case
    post: Post
    author: Author
    case, post, author = row
    first, ended = case.first_answered_at, case.resolved_at
    number, title = beside.incidents.get(case.id, (None, ""))
    promises = beside.promises.get(case.id, [])
    return (
        case.id, case.network, names.get(post.source_id, ""), author.handle, author.external_id,
        author.followers, author.vip, post.language, post.url, post.text, case.complaint,
        case.severity, str(case.status), case.assignee, str(case.reply_status), case.opened_at,
        first, case.answered_at, ended, _hours(case.opened_at, first),
        None if first is None
        else round(business_time(case.opened_at, first, hours).total_seconds() / 3600, 3),
        _hours(case.opened_at, ended), _text(case.outcome), _text(case.dismissal), case.wanted,
        case.remedy, case.goodwill, _text(case.cannot_help), case.partial, case.referred_to,
        case.merged_into, case.sla, beside.met.get((case.id, "first response")),
        beside.met.get((case.id, "resolution")), len(promises), sum(map(_broken, promises)),
        beside.replies.get(case.id, 0), ", ".join(beside.tags.get(case.id, [])), number, title,
        sum(map(_late, promises)),
    )  # fmt: skip


def _broken(promised: Commitment) -> bool:
    """Not kept, and its time is over: one that was kept late is told apart."""
    return promised.kept_at is None and now() > promised.due_at


def _late(promised: Commitment) -> bool:
    return promised.kept_at is not None and promised.kept_at > promised.due_at


def _post(row: Any, names: dict[int, str], _: object, __: Hours) -> tuple[Value, ...]:
    post: Post
    author: Author
    post, _case_row, author = row
    return (
        post.id, post.case_id, post.network, names.get(post.source_id, ""), author.handle,
        author.external_id, author.followers, post.language, post.url, post.text, post.created_at,
        post.complaint, _text(post.sentiment), post.severity, post.matched, post.scorer,
    )  # fmt: skip


def _author(row: Any, _: dict[int, str], __: object, ___: Hours) -> tuple[Value, ...]:
    author: Author = row[0]
    who = (author.external_id, author.network, author.handle, author.name)
    return (*who, author.followers, author.vip)


def _sla(row: Any, _: dict[int, str], __: object, ___: Hours) -> tuple[Value, ...]:
    result: SlaResult = row[0]
    told = (result.policy, str(result.kind), result.due_at, result.met)
    return (*_of_case(row[1], row[2]), row[1].assignee, *told)


def _promise(row: Any, _: dict[int, str], __: object, ___: Hours) -> tuple[Value, ...]:
    made: Commitment = row[0]
    told = (made.owner, made.text, made.made_at, made.due_at, made.kept_at)
    return (*_of_case(row[1], row[2]), *told)


def _reply(row: Any, _: dict[int, str], __: object, ___: Hours) -> tuple[Value, ...]:
    reply: Reply = row[0]
    told = (reply.agent, reply.text, str(reply.status), reply.sent_at, reply.seen_at, reply.url)
    return (*_of_case(row[1], row[2]), *told)


def _of_case(case: Case, author: Author) -> tuple[Value, ...]:
    return case.id, case.network, author.handle


_WRITTEN: dict[Kind, Callable[..., tuple[Value, ...]]] = {
    Kind.CASE: _case,
    Kind.POST: _post,
    Kind.AUTHOR: _author,
    Kind.SLA: _sla,
    Kind.PROMISE: _promise,
    Kind.REPLY: _reply,
}


def _hours(begin: datetime, end: datetime | None) -> float | None:
    return None if end is None else round(max(0.0, (end - begin).total_seconds()) / 3600, 3)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
