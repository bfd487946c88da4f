"""What is known of incidents: the customers' own words, how many tell of it, whom to tell."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.store.models import (
    Author,
    Case,
    CaseStatus,
    Incident,
    IncidentCase,
    IncidentStatus,
    Post,
    Reply,
    ReplyStatus,
)
from monitor.watch.incident.grouping import Item, same_words, voices, words
from monitor.watch.incident.proposing import SUFFICE, items_of, tells_of

QUOTES = 4
"""Customers whose words the card shows."""

SHOWN = 1_000
"""Cases of one incident that its card reads."""


@dataclass(frozen=True)
class Member:
    """One case of an incident."""

    link: IncidentCase
    case: Case
    author: Author
    told: Item
    """What its author told, as the incident sees it."""
    answered_since: datetime | None = None
    """When we first answered after it was fixed."""

    @property
    def followed_up(self) -> bool:
        """Whether the customer was told that it is fixed."""
        return self.link.followed_up_at is not None or self.answered_since is not None


@dataclass(frozen=True)
class Card:
    """One incident with its cases, the first to tell of it first."""

    incident: Incident
    members: Sequence[Member]

    @property
    def authors(self) -> int:
        """Distinct authors; those who only copied are not counted."""
        return voices([member.told for member in self.members])

    @property
    def first_seen(self) -> datetime:
        """When the first of them wrote."""
        return min((one.told.at for one in self.members), default=self.incident.first_seen_at)

    @property
    def networks(self) -> list[tuple[str, int]]:
        """The networks with how many cases each has, the most first."""
        return Counter(member.case.network for member in self.members).most_common()

    @property
    def unresolved(self) -> int:
        """Cases that still stand."""
        return sum(member.case.status != CaseStatus.RESOLVED for member in self.members)

    @property
    def answered(self) -> int:
        """Cases that we have answered at least once."""
        return sum(member.case.first_answered_at is not None for member in self.members)

    @property
    def since_fixed(self) -> int:
        """Customers who told of it after it was said to be fixed."""
        fixed = self.incident.closed_at if self.incident.status == IncidentStatus.FIXED else None
        return sum(fixed is not None and member.told.at > fixed for member in self.members)

    @property
    def growth(self) -> list[tuple[datetime, int]]:
        """How many distinct authors had told of it at each time that one more did."""
        seen: set[int] = set()
        texts: set[str] = set()
        steps: list[tuple[datetime, int]] = []
        for member in self.members:
            same = same_words(member.told.text) or f"#{member.told.case}"
            if member.told.author not in seen and same not in texts:
                seen.add(member.told.author)
                steps.append((member.told.at, len(seen)))
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


def follow_up(of: Card) -> list[Member]:
    """Those who have not been told that it is fixed; nobody as long as it is not."""
    if of.incident.status != IncidentStatus.FIXED:
        return []
    return [member for member in of.members if not member.followed_up]


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
    return [Card(incident, _members(session, incident)) for incident in incidents]


def _with_status(session: Session, *statuses: IncidentStatus) -> Sequence[Incident]:
    return session.exec(
        select(Incident).where(col(Incident.status).in_(statuses)).order_by(col(Incident.id))
    ).all()


def _members(session: Session, incident: Incident) -> list[Member]:
    rows = session.exec(
        select(IncidentCase, Case, Author, Post)
        .join(Case, col(Case.id) == col(IncidentCase.case_id))
        .join(Author, col(Author.id) == col(Case.author_id))
        .join(Post, col(Post.id) == col(Case.post_id))
        .where(IncidentCase.incident_id == incident.id)
        .order_by(col(IncidentCase.added_at).desc())
        .limit(SHOWN)
    ).all()
    items = {item.case: item for item in items_of(session, [tells_of(incident.id)], 0.0, SHOWN)}
    answered = _answered_since(session, incident)
    found = [
        Member(
            link,
            case,
            author,
            # Whose posts are all deleted has told nothing that may be shown.
            items.get(case.id) or Item(0, case.id, author.id, post.created_at, ""),
            answered.get(case.id),
        )
        for link, case, author, post in rows
    ]
    return sorted(found, key=lambda member: (member.told.at, member.case.id))


def _answered_since(session: Session, incident: Incident) -> dict[int, datetime]:
    """When each case was first answered after the incident was fixed."""
    if incident.status != IncidentStatus.FIXED or incident.closed_at is None:
        return {}
    rows = session.exec(
        select(Reply.case_id, sa.func.min(col(Reply.sent_at)))
        .join(IncidentCase, col(IncidentCase.case_id) == col(Reply.case_id))
        .where(
            IncidentCase.incident_id == incident.id,
            col(Reply.status).in_((ReplyStatus.SENT, ReplyStatus.SEEN)),
            col(Reply.sent_at) >= incident.closed_at,
        )
        .group_by(col(Reply.case_id))
    )
    return {case_id: at for case_id, at in rows if at is not None}
