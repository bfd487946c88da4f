"""What is known of incidents: the customers' own words, how many tell of it, whom to tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.store.models import (
    Author,
    Case,
    CaseStatus,
    Incident,
    IncidentCase,
    IncidentStatus,
    Outcome,
    Post,
    Reply,
    ReplyStatus,
)
from monitor.watch.incident.grouping import Item, same_words, voices, words
from monitor.watch.incident.proposing import SUFFICE, items_of, tells_of

QUOTES = 4
"""Customers whose words the card shows."""

SHOWN = 1_000
"""Cases of one incident that its card lists; it counts all."""

EVERY = 2**31 - 1
"""A limit that is none."""


@dataclass(frozen=True)
class Member:
    """One case of an incident."""

    link: IncidentCase
    case: Case
    author: Author
    told: Item
    """What its author told, as the incident sees it."""


@dataclass(frozen=True)
class Card:
    """One incident: all that its cases tell, and the newest of them, the first to tell first."""

    incident: Incident
    told: Sequence[Item]
    """What the author of each case told, the first first."""
    networks: Sequence[tuple[str, int]]
    """The networks with how many cases each has, the most first."""
    unresolved: int
    """Cases that still stand."""
    answered: int
    """Cases that we have answered at least once, but merged ones."""
    members: Sequence[Member]
    """The cases that are listed, SHOWN at most."""

    @property
    def number(self) -> int:
        """Cases in it."""
        return len(self.told)

    @property
    def authors(self) -> int:
        """Distinct authors; those who only copied are not counted."""
        return voices(self.told)

    @property
    def first_seen(self) -> datetime:
        """When the first of them wrote."""
        return min((one.at for one in self.told), default=self.incident.first_seen_at)

    @property
    def since_fixed(self) -> int:
        """Customers who told of it after it was said to be fixed."""
        fixed = self.incident.closed_at if self.incident.status == IncidentStatus.FIXED else None
        return sum(fixed is not None and one.at > fixed for one in self.told)

    @property
    def growth(self) -> list[tuple[datetime, int]]:
        """How many distinct authors had told of it at each time that one more did."""
        seen: set[int] = set()
        texts: set[str] = set()
        steps: list[tuple[datetime, int]] = []
        for one in self.told:
            same = same_words(one.text) or f"#{one.case}"
            if one.author not in seen and same not in texts:
                seen.add(one.author)
                steps.append((one.at, len(seen)))
            texts.add(same)
        return steps

    @property
    def quotes(self) -> list[Member]:
        """A few customers whose words differ: each adds the most new ones to those before."""
        left = list({same_words(one.told.text): one for one in reversed(self.members)}.values())
        said: frozenset[str] = frozenset()
        chosen: list[Member] = []
        while left and len(chosen) < QUOTES:
            best = max(left, key=partial(_news, said=said))
            left.remove(best)
            said |= words(best.told.text)
            chosen.append(best)
        return chosen

    def silent(self, low: int, high: int) -> tuple[int, int]:
        """How many may have kept silent, by the owner's rule of thumb; nothing measured."""
        return self.authors * low, self.authors * high


def _news(one: Member, said: frozenset[str]) -> tuple[float, int]:
    """How much a customer says that others have not; of equals, who came first."""
    mine = words(one.told.text)
    # The square root: an essay says more, and fewer people read it.
    return len(mine - said) / max(1, len(mine)) ** 0.5, -one.told.case


def card(session: Session, incident_id: int) -> Card | None:
    """Everything about an incident, or None if there is no such one."""
    incident = session.get(Incident, incident_id, populate_existing=True)
    if incident is None:
        return None
    return cards(session, [incident])[0]


def proposed(session: Session) -> list[Card]:
    """Proposals that wait for a person's word, those of most customers first."""
    found = cards(session, _with_status(session, IncidentStatus.PROPOSED))
    enough = [one for one in found if one.authors >= SUFFICE]
    return sorted(enough, key=lambda one: (-one.authors, one.incident.id))


def under_way(session: Session) -> list[Card]:
    """Open and watched incidents, the one told of last first."""
    found = cards(session, _with_status(session, IncidentStatus.OPEN, IncidentStatus.WATCHING))
    return sorted(found, key=lambda one: one.incident.last_seen_at, reverse=True)


def over(session: Session, limit: int = 20) -> list[Card]:
    """Incidents that ended, the newest first."""
    ended = _with_status(session, IncidentStatus.FIXED, IncidentStatus.NO_FAULT)
    newest = sorted(ended, key=lambda one: one.closed_at or one.created_at, reverse=True)
    return cards(session, newest[:limit])


def of_case(session: Session, case_id: int) -> Card | None:
    """The incident that a case stands in, if a person has confirmed it."""
    shown = (IncidentStatus.OPEN, IncidentStatus.WATCHING, IncidentStatus.FIXED)
    incident = session.exec(
        select(Incident)
        .join(IncidentCase, col(IncidentCase.incident_id) == col(Incident.id))
        .where(IncidentCase.case_id == case_id, col(Incident.status).in_(shown))
    ).first()
    return cards(session, [incident])[0] if incident else None


def follow_up(session: Session, incident: Incident, limit: int) -> list[Member]:
    """Those who have not been told that it is fixed, who came first first; nobody as long as it is
    not. As many as `untold` says, `limit` at most."""
    waiting = _untold(incident)
    if waiting is None:
        return []
    query = _rows(incident).where(waiting).order_by(col(Post.created_at), col(Case.id))
    rows = session.exec(query.limit(limit)).all()
    return _members(rows, {one.case: one for one in _told(session, incident, rows)})


def untold(session: Session, incident: Incident) -> int:
    """How many have not been told that it is fixed."""
    waiting = _untold(incident)
    if waiting is None:
        return 0
    query = select(sa.func.count()).select_from(IncidentCase)
    return session.exec(query.where(IncidentCase.incident_id == incident.id, waiting)).one()


def draft(incident: Incident, author: Author) -> str:
    """An answer to begin with, for a person to make their own and send."""
    if incident.update:
        text = incident.update
    elif incident.status == IncidentStatus.FIXED:
        text = "what you told us about is fixed now. Is all well at yours too?"
    else:
        return ""
    return f"Hello {author.name or author.handle}, {text}"


def cards(session: Session, incidents: Sequence[Incident]) -> list[Card]:
    """Cards of these incidents, in their order."""
    return [_card(session, incident) for incident in incidents]


def _card(session: Session, incident: Incident) -> Card:
    told = _told(session, incident)
    newest = _rows(incident).order_by(col(IncidentCase.added_at).desc(), col(Case.id).desc())
    rows = session.exec(newest.limit(SHOWN)).all()
    counted = session.exec(
        select(
            Case.network,
            sa.func.count(),
            sa.func.sum(sa.case((col(Case.status) != CaseStatus.RESOLVED, 1), else_=0)),
            sa.func.count(col(Case.first_answered_at)).filter(
                col(Case.outcome).is_distinct_from(Outcome.MERGED)
            ),
        )
        .join(IncidentCase, col(IncidentCase.case_id) == col(Case.id))
        .where(IncidentCase.incident_id == incident.id)
        .group_by(Case.network)
        .order_by(sa.func.count().desc(), Case.network)
    ).all()
    return Card(
        incident,
        told,
        networks=[(network, number) for network, number, _, _ in counted],
        unresolved=sum(standing for _, _, standing, _ in counted),
        answered=sum(answered for _, _, _, answered in counted),
        members=_members(rows, {one.case: one for one in told}),
    )


def _with_status(session: Session, *statuses: IncidentStatus) -> Sequence[Incident]:
    return session.exec(
        select(Incident).where(col(Incident.status).in_(statuses)).order_by(col(Incident.id))
    ).all()


Row = tuple[IncidentCase, Case, Author, Post]


def _rows(incident: Incident) -> Any:
    """The cases of an incident with what is shown of them, to be ordered."""
    return (
        select(IncidentCase, Case, Author, Post)
        .join(Case, col(Case.id) == col(IncidentCase.case_id))
        .join(Author, col(Author.id) == col(Case.author_id))
        .join(Post, col(Post.id) == col(Case.post_id))
        .where(IncidentCase.incident_id == incident.id)
    )


def _members(rows: Sequence[Row], told: Mapping[int, Item]) -> list[Member]:
    found = [
        Member(link, case, author, told[case.id])
        for link, case, author, _ in rows
        if case.id in told  # else it was added between two questions to the database
    ]
    return sorted(found, key=lambda member: (member.told.at, member.case.id))


def _told(session: Session, incident: Incident, rows: Sequence[Row] | None = None) -> list[Item]:
    """What the author of every case, or of these, told: the first first."""
    heads = (
        sa.select(col(Case.id), col(Case.author_id), col(Post.created_at))
        .join(IncidentCase, col(IncidentCase.case_id) == col(Case.id))
        .join(Post, col(Post.id) == col(Case.post_id))
        .where(col(IncidentCase.incident_id) == incident.id)
    )
    conditions = [tells_of(incident.id)]
    if rows is not None:
        chosen = col(Case.id).in_([case.id for _, case, _, _ in rows])
        heads = heads.where(chosen)
        conditions.append(chosen)
    found = session.execute(heads).all()
    items = {one.case: one for one in items_of(session, conditions, 0.0, EVERY)}
    told = [
        # Whose posts are all deleted has told nothing that may be shown.
        items.get(case_id) or Item(0, case_id, author_id, at, "")
        for case_id, author_id, at in found
    ]
    return sorted(told, key=lambda one: (one.at, one.case))


def _untold(incident: Incident) -> sa.ColumnElement[bool] | None:
    """Whether nobody told a customer, nor answered, since it was fixed; None: it is not."""
    if incident.status != IncidentStatus.FIXED or incident.closed_at is None:
        return None
    answered = sa.exists().where(
        col(Reply.case_id) == col(IncidentCase.case_id),
        col(Reply.status).in_((ReplyStatus.SENT, ReplyStatus.SEEN)),
        col(Reply.sent_at) >= incident.closed_at,
    )
    return sa.and_(col(IncidentCase.followed_up_at).is_(None), ~answered)
