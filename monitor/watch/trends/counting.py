"""Counts what is asked, breaks it down, and finds its rows: all three from the same conditions."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

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
    Source,
)
from monitor.watch.trends import topics, waits
from monitor.watch.trends.conditions import Conditions, Rules
from monitor.watch.trends.measures import MEASURES, NONE, SIFTED, Asked, Kind

IDS: dict[Kind, Any] = {
    Kind.POST: col(Post.id),
    Kind.AUTHOR: col(Post.author_id),
    Kind.CASE: col(Case.id),
    Kind.SLA: col(SlaResult.id),
    Kind.PROMISE: col(Commitment.id),
    Kind.REPLY: col(Reply.id),
}
TIMES: dict[Kind, Any] = {
    Kind.POST: col(Post.created_at),
    Kind.CASE: col(Case.opened_at),
    Kind.SLA: col(SlaResult.due_at),
    Kind.PROMISE: col(Commitment.due_at),
    Kind.REPLY: col(Reply.sent_at),
}
CASES: dict[Kind, Any] = {
    Kind.POST: col(Post.case_id),
    Kind.AUTHOR: col(Post.case_id),
    Kind.CASE: col(Case.id),
    Kind.SLA: col(SlaResult.case_id),
    Kind.PROMISE: col(Commitment.case_id),
    Kind.REPLY: col(Reply.case_id),
}


def conditions(asked: Asked, rules: Rules) -> Conditions:
    """What the rows of a number fulfil; what is sifted in Python left out."""
    kind = asked.kind
    found = list(MEASURES[asked.measure].conditions(asked.begins, asked.ends, rules))
    for by, value in asked.where:
        if by not in SIFTED:
            found.append(_narrow(kind, by, value))
    return found


def count(session: Session, asked: Asked, rules: Rules) -> int:
    """How many rows a number counts."""
    if _sifted(asked):
        return len(_sift(session, asked, rules))
    column = IDS[asked.kind]
    counted = sa.func.count(sa.distinct(column)) if asked.kind == Kind.AUTHOR else sa.func.count()
    found: int = session.execute(
        sa.select(counted).select_from(column.class_).where(*conditions(asked, rules))
    ).scalar_one()
    return found


def ids(
    session: Session, asked: Asked, rules: Rules, limit: int | None = None, offset: int = 0
) -> list[int]:
    """The ids of the rows that a number counts, the newest first; authors by how much they wrote.

    Without a limit, all of them: as many as `count` says.
    """
    if _sifted(asked):
        found = _sift(session, asked, rules)
        return found[offset : None if limit is None else offset + limit]
    column = IDS[asked.kind]
    query = sa.select(column).where(*conditions(asked, rules))
    if asked.kind == Kind.AUTHOR:
        query = query.group_by(column).order_by(sa.func.count().desc(), column)
    else:
        query = query.order_by(TIMES[asked.kind].desc(), column.desc())
    if limit is not None:
        query = query.limit(limit).offset(offset)
    return list(session.execute(query).scalars())


def grouped(session: Session, asked: Asked, by: str, rules: Rules) -> dict[str, int]:
    """The number for every value of a dimension that has any; NONE for those without one.

    A case may have many tags: then the parts are more than the whole.
    """
    value, joins = value_of(asked.kind, by)
    column = IDS[asked.kind]
    counted = sa.func.count(sa.distinct(column)) if asked.kind == Kind.AUTHOR else sa.func.count()
    query = sa.select(value, counted).select_from(column.class_)
    for table, on in joins:
        query = query.join(table, on)
    rows = session.execute(query.where(*conditions(asked, rules)).group_by(value)).all()
    return named(session, by, rows)


def named(session: Session, by: str, rows: Sequence[Any]) -> dict[str, int]:
    """Rows of value and number as a dictionary; sources by name, NONE for those without a value."""
    names = sources(session) if by == "source" else {}
    found: dict[str, int] = {}
    for value, number in rows:
        name = names.get(value, str(value)) if value not in (None, "") else NONE
        found[name] = found.get(name, 0) + number
    return found


def sources(session: Session) -> dict[int, str]:
    """The names of the sources by their ids."""
    return {row[0]: row[1] for row in session.execute(sa.select(col(Source.id), col(Source.name)))}


def incidents(session: Session, numbers: Sequence[str]) -> dict[str, str]:
    """The titles of incidents by their ids, as far as these are any."""
    wanted = [int(number) for number in numbers if number.isdigit()]
    rows = session.execute(
        sa.select(col(Incident.id), col(Incident.title)).where(col(Incident.id).in_(wanted))
    )
    return {str(row[0]): row[1] for row in rows}


def _narrow(kind: Kind, by: str, value: str) -> sa.ColumnElement[bool]:
    """The condition that a dimension has a value."""
    if by == "tag":
        tagged = sa.select(col(CaseTag.case_id)).where(col(CaseTag.tag) == value)
        return CASES[kind].in_(tagged)  # type: ignore[no-any-return]  # Any column
    if by == "incident":
        number = int(value) if value.isdigit() else -1
        of_incident = sa.select(col(IncidentCase.case_id))
        chosen = of_incident.where(col(IncidentCase.incident_id) == number)
        return CASES[kind].in_(chosen)  # type: ignore[no-any-return]  # Any column
    if kind in (Kind.SLA, Kind.PROMISE, Kind.REPLY) and (kind, by) not in OWN:
        of_case = sa.select(col(Case.id)).where(_narrow(Kind.CASE, by, value))
        return CASES[kind].in_(of_case)  # type: ignore[no-any-return]  # Any column
    if by == "source":
        of_name = sa.select(col(Source.id)).where(col(Source.name) == value)
        return _of_post(kind, col(Post.source_id).in_(of_name))
    if by == "language":
        spoken = col(Post.language)
        return _of_post(kind, spoken.is_(None) if value == NONE else spoken == value)
    column = OWN[kind, by]
    return column.is_(None) if value == NONE else column == value  # type: ignore[no-any-return]  # Any column


OWN: dict[tuple[Kind, str], Any] = {
    (Kind.POST, "network"): col(Post.network),
    (Kind.AUTHOR, "network"): col(Post.network),
    (Kind.CASE, "network"): col(Case.network),
    (Kind.CASE, "agent"): col(Case.assignee),
    (Kind.CASE, "outcome"): col(Case.outcome),
    (Kind.CASE, "dismissal"): col(Case.dismissal),
    (Kind.SLA, "promise"): col(SlaResult.kind),
    (Kind.SLA, "policy"): col(SlaResult.policy),
    (Kind.PROMISE, "agent"): col(Commitment.owner),
    (Kind.REPLY, "agent"): col(Reply.agent),
}
"""Dimensions that stand in the rows themselves."""


def _of_post(kind: Kind, condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    if kind != Kind.CASE:
        return condition
    return sa.exists().where(col(Post.id) == col(Case.post_id), condition)


def value_of(kind: Kind, by: str) -> tuple[Any, list[tuple[Any, Any]]]:
    """The column of a dimension, and what to join to have it."""
    if by == "tag":
        return col(CaseTag.tag), [(CaseTag, col(CaseTag.case_id) == CASES[kind])]
    if by == "incident":
        return col(IncidentCase.incident_id), [
            (IncidentCase, col(IncidentCase.case_id) == CASES[kind])
        ]
    if (kind, by) in OWN:
        return OWN[kind, by], []
    joins: list[tuple[Any, Any]] = []
    if kind in (Kind.SLA, Kind.PROMISE, Kind.REPLY):
        joins.append((Case, col(Case.id) == CASES[kind]))
        if (Kind.CASE, by) in OWN:
            return OWN[Kind.CASE, by], joins
    if kind not in (Kind.POST, Kind.AUTHOR):
        joins.append((Post, col(Post.id) == col(Case.post_id)))
    return {"source": col(Post.source_id), "language": col(Post.language)}[by], joins


def _sifted(asked: Asked) -> bool:
    return any(by in SIFTED for by, _ in asked.where)


def _sift(session: Session, asked: Asked, rules: Rules) -> list[int]:
    """The ids of the rows that the database alone cannot find."""
    chosen = dict(asked.where)
    found = conditions(asked, rules)
    if "topic" in chosen:
        said = topics.posts_with(session, found, chosen["topic"])
        if asked.kind == Kind.AUTHOR:
            return [author for author, _ in Counter(author for _, author in said).most_common()]
        return [post for post, _ in said]
    waited = waits.waits(session, asked.measure, found)
    return sorted(waited.of(rules.hours, chosen["hours"]).ids, reverse=True)


def rows(session: Session, kind: Kind, wanted: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """The rows of a kind in the order of their ids: the row, its case and its author.

    A post may have no case; an author stands alone.
    """
    for first in range(0, len(wanted), 500):
        part = wanted[first : first + 500]
        found = {row[0].id: row for row in session.execute(_rows(kind, part))}
        yield from (tuple(found[number]) for number in part if number in found)


def _rows(kind: Kind, wanted: Sequence[int]) -> Any:
    table: Any = {
        Kind.POST: Post,
        Kind.AUTHOR: Author,
        Kind.CASE: Case,
        Kind.SLA: SlaResult,
        Kind.PROMISE: Commitment,
        Kind.REPLY: Reply,
    }[kind]
    chosen = col(table.id).in_(wanted)
    if kind == Kind.AUTHOR:
        return sa.select(Author).where(chosen)
    if kind == Kind.POST:
        authors = col(Author.id) == col(Post.author_id)
        cases = col(Case.id) == col(Post.case_id)
        return (
            sa.select(Post, Case, Author).join(Author, authors).outerjoin(Case, cases).where(chosen)
        )
    authors = col(Author.id) == col(Case.author_id)
    if kind == Kind.CASE:
        query = sa.select(Case, Post, Author).join(Post, col(Post.id) == col(Case.post_id))
    else:
        query = sa.select(table, Case, Author).join(Case, col(Case.id) == CASES[kind])
    return query.join(Author, authors).where(chosen)
