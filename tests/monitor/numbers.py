"""A desk's rows made straight in the database, for numbers to count."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlmodel import Session, SQLModel

from monitor.hours import Hours, shift
from monitor.store.models import (
    Author,
    Case,
    CaseStatus,
    Commitment,
    Dismissal,
    Outcome,
    Post,
    Reply,
    ReplyStatus,
    Source,
)
from monitor.watch.trends.conditions import Rules
from monitor.watch.trends.periods import Period

VIENNA = ZoneInfo("Europe/Vienna")
OFFICE = Hours(VIENNA, ((shift("09:00-17:00"),),) * 5 + ((), ()))
RULES = Rules(0.5, OFFICE)
# A Friday evening; its week is the 47th.
AT = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
WEEK = Period(date(2026, 11, 16), date(2026, 11, 22), VIENNA)


def utc(day: int, hour: int = 12, minute: int = 0) -> datetime:
    """A moment of November 2026."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


R = TypeVar("R", bound=SQLModel)


@dataclass
class Rows:
    """Adds rows and hands them back."""

    session: Session
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    authors: dict[str, Author] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)

    def post(
        self,
        at: datetime,
        author: str = "carol",
        text: str = "acme is down",
        *,
        network: str = "net",
        source: str = "acme",
        complaint: float = 0.9,
        own: bool = False,
        **more: Any,
    ) -> Post:
        """A post that the model has read."""
        if source not in self.sources:
            self.sources[source] = self._kept(Source(name=source, connector="scripted"))
        if author not in self.authors:
            made = Author(network=network, external_id=author, handle=author, own=own)
            self.authors[author] = self._kept(made)
        number = f"p{next(self.numbers)}"
        post = Post(
            network=network,
            external_id=number,
            source_id=self.sources[source].id,
            author_id=self.authors[author].id,
            text=text,
            created_at=at,
            thread=number,
            scorer="fake",
            complaint=complaint,
            **more,
        )
        return self._kept(post)

    def case(
        self,
        at: datetime,
        author: str = "carol",
        text: str = "acme is down",
        *,
        answered: datetime | None = None,
        resolved: datetime | None = None,
        outcome: Outcome | None = None,
        dismissal: Dismissal | None = None,
        assignee: str | None = None,
        network: str = "net",
        **post: Any,
    ) -> Case:
        """A complaint with its case, answered and resolved as told."""
        complaint = self.post(at, author, text, network=network, **post)
        case = Case(
            author_id=complaint.author_id,
            network=network,
            post_id=complaint.id,
            opened_at=at,
            waiting_since=None if answered else at,
            first_answered_at=answered,
            answered_at=answered,
            resolved_at=resolved,
            status=CaseStatus.RESOLVED if resolved else CaseStatus.OPEN,
            outcome=outcome,
            dismissal=dismissal,
            assignee=assignee,
        )
        self._kept(case)
        complaint.case_id = case.id
        self.session.add(complaint)
        if answered:
            self.reply(case, answered)
        self.session.commit()
        return case

    def again(self, case: Case, at: datetime) -> Post:
        """The customer of a case writes once more."""
        author = next(name for name, one in self.authors.items() if one.id == case.author_id)
        return self.post(at, author, "still down", case_id=case.id, network=case.network)

    def reply(self, case: Case, at: datetime, agent: str = "alice") -> Reply:
        """We answer in public."""
        reply = Reply(
            case_id=case.id,
            post_id=case.post_id,
            agent=agent,
            text="Sorry",
            status=ReplyStatus.SEEN,
            key=f"k{next(self.numbers)}",
            sent_at=at,
        )
        return self._kept(reply)

    def promise(
        self, case: Case, due: datetime, kept: datetime | None = None, **more: Any
    ) -> Commitment:
        """Somebody promises something."""
        made = Commitment(
            case_id=case.id,
            text="Refund",
            owner="alice",
            due_at=due,
            kept_at=kept,
            made_at=due - timedelta(days=1),
            **more,
        )
        return self._kept(made)

    def _kept(self, row: R) -> R:
        self.session.add(row)
        self.session.commit()
        self.session.refresh(row)
        return row
