"""How well and how fast is answered: rates, waits, promises, who does what, how cases end."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from monitor.store.models import Author, Case
from monitor.watch.trends.conditions import NEVER, Rules
from monitor.watch.trends.counting import conditions, count, grouped
from monitor.watch.trends.measures import IN, LONG_AGO, OUT, UNTIL_NOW, Asked
from monitor.watch.trends.waits import Spread, waits

AGES = (1, 3, 7, 30)
"""Days that part the never answered by their age."""

WAITED = {
    "first": "First response",
    "next": "Next response",
    "resolution": "Resolution",
}
"""Times that are measured, in words."""


@dataclass(frozen=True)
class Found:
    """The cases that a period found, and what we did: every case is in one of the three parts."""

    cases: int
    answered: int
    unanswered: int
    dismissed: int
    """Closed without an answer."""

    @property
    def rate(self) -> float | None:
        """Answered out of all cases found, dismissed ones included, 0 to 1; None without any."""
        return self.answered / self.cases if self.cases else None


@dataclass(frozen=True)
class Times:
    """How long something took, by the clock and in working time.

    `inside`: where the wait began in working hours, by the clock; `outside`: where it did not.
    """

    clock: Spread
    working: Spread
    inside: Spread
    outside: Spread


@dataclass(frozen=True)
class Age:
    """The never answered of an age."""

    words: str
    number: int
    asked: Asked


@dataclass(frozen=True)
class Kept:
    """Promises to customers that were due."""

    kept: int
    late: int
    broken: int
    running: int

    @property
    def rate(self) -> float | None:
        """Kept in time out of those whose time is over, 0 to 1."""
        over = self.kept + self.late + self.broken
        return self.kept / over if over else None


@dataclass(frozen=True)
class Work:
    """What one person has and did."""

    agent: str
    held: int
    """Standing cases now."""
    replies: int
    resolved: int
    """Cases that were theirs when they ended."""


@dataclass(frozen=True)
class Response:
    """The second half of the page, for one period."""

    found: Found
    times: dict[str, Times]
    met: dict[str, int]
    """SLA promises met, by what was promised."""
    missed: dict[str, int]
    kept: Kept
    outcomes: dict[str, int]
    dismissals: dict[str, int]
    said_complaint: int
    """Posts that people call complaints and the model does not."""
    said_fine: int

    @property
    def sla_rate(self) -> float | None:
        """SLA promises met out of those that were due, 0 to 1."""
        met, missed = sum(self.met.values()), sum(self.missed.values())
        return met / (met + missed) if met + missed else None


def response(session: Session, begins: datetime, ends: datetime, rules: Rules) -> Response:
    """Everything about answers in a period."""

    def number(measure: str) -> int:
        return count(session, Asked(measure, begins, ends), rules)

    def parts(measure: str, by: str) -> dict[str, int]:
        return grouped(session, Asked(measure, begins, ends), by, rules)

    return Response(
        found=found(session, begins, ends, rules),
        times={name: times(session, name, begins, ends, rules) for name in WAITED},
        met=parts("sla-met", "promise"),
        missed=parts("sla-missed", "promise"),
        kept=Kept(number("kept"), number("late"), number("broken"), number("running")),
        outcomes=parts("resolved", "outcome"),
        dismissals=dismissals(session, begins, ends, rules),
        said_complaint=number("missed"),
        said_fine=number("false"),
    )


def found(session: Session, begins: datetime, ends: datetime, rules: Rules) -> Found:
    """What became of the cases that a period found."""
    measures = ("cases", "answered", "unanswered", "dismissed")
    return Found(*[count(session, Asked(name, begins, ends), rules) for name in measures])


def times(session: Session, measure: str, begins: datetime, ends: datetime, rules: Rules) -> Times:
    """How long something took that came to its end in a period."""
    waited = waits(session, measure, conditions(Asked(measure, begins, ends), rules))
    return Times(
        waited.by_clock(),
        waited.in_hours(rules.hours),
        waited.of(rules.hours, IN).by_clock(),
        waited.of(rules.hours, OUT).by_clock(),
    )


def dismissals(session: Session, begins: datetime, ends: datetime, rules: Rules) -> dict[str, int]:
    """Why cases that a period found were dismissed."""
    return grouped(session, Asked("dismissed", begins, ends), "dismissal", rules)


def workload(session: Session, begins: datetime, ends: datetime, rules: Rules) -> list[Work]:
    """What each person has now and did in a period, the busiest first."""
    held, replies, resolved = (
        grouped(session, Asked(name, begins, ends), "agent", rules)
        for name in ("held", "replies", "resolved")
    )
    agents = sorted({*held, *replies, *resolved}, key=lambda name: (-replies.get(name, 0), name))
    return [
        Work(name, held.get(name, 0), replies.get(name, 0), resolved.get(name, 0))
        for name in agents
    ]


def ages(session: Session, at: datetime, rules: Rules) -> list[Age]:
    """The standing cases that nobody has ever answered, by how long ago they opened."""
    moments = [UNTIL_NOW, *[at - timedelta(days=days) for days in AGES], LONG_AGO]
    words = [
        "under a day",
        *[f"{a} to {b} days" for a, b in itertools.pairwise(AGES)],
        f"over {AGES[-1]} days",
    ]
    asked = [Asked("never", begins, ends) for ends, begins in itertools.pairwise(moments)]
    return [
        Age(text, count(session, one, rules), one) for text, one in zip(words, asked, strict=True)
    ]


def never_answered(session: Session, limit: int = 10) -> Sequence[tuple[Case, Author]]:
    """Standing cases that nobody has ever answered, the oldest first."""
    query = (
        select(Case, Author)
        .where(NEVER, col(Author.id) == col(Case.author_id))
        .order_by(col(Case.opened_at))
        .limit(limit)
    )
    return [(case, author) for case, author in session.exec(query)]
