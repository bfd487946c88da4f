"""What each number counts, as conditions on rows; the number and its rows are made of these.

A number is told by an `Asked`: a measure, from when until when, and what it is narrowed to. It
can be written as an address, so that every number on a page is a link to what it counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from monitor.store.models import Case, Outcome, Reply, now
from monitor.watch.trends import conditions
from monitor.watch.trends.conditions import Condition

NONE = "-"
"""In the place of a value: those that have none."""

UNTIL_NOW = datetime(2100, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class Kind(StrEnum):
    """What the rows of a number are."""

    POST = "post"
    AUTHOR = "author"
    CASE = "case"
    SLA = "SLA promise"
    PROMISE = "promise to a customer"
    REPLY = "answer"


@dataclass(frozen=True)
class Asked:
    """One number: what it counts. An unknown measure raises KeyError where it is looked up."""

    measure: str
    begins: datetime = LONG_AGO
    ends: datetime = UNTIL_NOW
    where: tuple[tuple[str, str], ...] = ()
    """Dimensions with their values; all of them hold."""

    def narrowed(self, by: str, value: str) -> "Asked":
        """The same with one more condition."""
        return replace(self, where=(*self.where, (by, value)))

    def other(self, measure: str) -> "Asked":
        """Another measure of the same."""
        return replace(self, measure=measure)

    @property
    def kind(self) -> Kind:
        """What its rows are."""
        return MEASURES[self.measure].kind

    @property
    def address(self) -> dict[str, str]:
        """As the query of an address."""
        times = {"from": _written(self.begins), "until": _written(self.ends)}
        return {"measure": self.measure, **times, **dict(self.where)}

    @classmethod
    def of_address(cls, query: Mapping[str, str]) -> "Asked":
        """What an address asks for. Raises ValueError, which says what is wrong with it."""
        measure = query.get("measure", "")
        if measure not in MEASURES:
            raise ValueError("This address names no number that is counted here.")
        try:
            begins, ends = (
                datetime.strptime(query[name], STAMP).replace(tzinfo=UTC)
                for name in ("from", "until")
            )
        except (KeyError, ValueError) as error:
            raise ValueError("This address does not say from when until when.") from error
        known = DIMENSIONS[MEASURES[measure].kind] | _sifts(measure)
        where = tuple((by, query[by]) for by in sorted(known) if query.get(by))
        if dict(where).get("hours", IN) not in (IN, OUT):
            raise ValueError(f"This address asks for hours that are neither {IN} nor {OUT}.")
        return cls(measure, begins, ends, where)


STAMP = "%Y%m%dT%H%M%S.%fZ"


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime(STAMP)


@dataclass(frozen=True)
class Measure:
    """What a number counts, in words and as conditions."""

    kind: Kind
    words: str
    conditions: Condition
    wait: tuple[Any, Any] | None = None
    """The columns between which its rows waited, where it is a time that is measured."""


_ENDED = col(Case.outcome) != Outcome.DISMISSED

MEASURES: dict[str, Measure] = {
    "posts": Measure(
        Kind.POST, "Posts about us on networks, without reposts and our own", conditions.posts
    ),
    "complaints": Measure(
        Kind.POST, "Posts on networks that the model takes for complaints", conditions.complaints
    ),
    "authors": Measure(Kind.AUTHOR, "Authors of complaints", conditions.complaints),
    "missed": Measure(
        Kind.POST, "People said complaint, the model did not", conditions.corrected(True)
    ),
    "false": Measure(
        Kind.POST, "The model said complaint, people did not", conditions.corrected(False)
    ),
    "wrong": Measure(Kind.POST, "People said otherwise than the model", conditions.wrong),
    "cases": Measure(Kind.CASE, "Cases found, dismissed ones too", conditions.opened()),
    "answered": Measure(
        Kind.CASE,
        "Cases found that we have answered",
        conditions.opened(col(Case.first_answered_at).is_not(None)),
    ),
    "unanswered": Measure(
        Kind.CASE,
        "Cases found that nobody has answered or dismissed",
        conditions.opened(
            col(Case.first_answered_at).is_(None),
            sa.or_(col(Case.outcome).is_(None), _ENDED),
        ),
    ),
    "dismissed": Measure(
        Kind.CASE,
        "Cases found that were dismissed without an answer",
        conditions.opened(
            col(Case.outcome) == Outcome.DISMISSED, col(Case.first_answered_at).is_(None)
        ),
    ),
    "first": Measure(
        Kind.CASE,
        "Cases that got their first answer",
        conditions.first,
        (col(Case.opened_at), col(Case.first_answered_at)),
    ),
    "next": Measure(
        Kind.REPLY,
        "Answers to customers who wrote again",
        conditions.next_replies,
        (conditions.ASKED_AGAIN, col(Reply.sent_at)),
    ),
    "resolution": Measure(
        Kind.CASE,
        "Cases resolved, without dismissed ones",
        conditions.resolved(sa.or_(col(Case.outcome).is_(None), _ENDED)),
        (col(Case.opened_at), col(Case.resolved_at)),
    ),
    "resolved": Measure(Kind.CASE, "Cases resolved or dismissed", conditions.resolved()),
    "standing": Measure(Kind.CASE, "Standing cases", conditions.standing),
    "never": Measure(Kind.CASE, "Standing cases that nobody has ever answered", conditions.never),
    "held": Measure(Kind.CASE, "Standing cases that somebody has now", conditions.held),
    "replies": Measure(Kind.REPLY, "Public answers sent", conditions.replies),
    "sla-met": Measure(Kind.SLA, "SLA promises due and met", conditions.sla(True)),
    "sla-missed": Measure(Kind.SLA, "SLA promises due and missed", conditions.sla(False)),
    "kept": Measure(
        Kind.PROMISE,
        "Promises kept in time",
        conditions.promised(lambda: conditions.KEPT <= conditions.DUE),
    ),
    "late": Measure(
        Kind.PROMISE,
        "Promises kept late",
        conditions.promised(lambda: conditions.KEPT > conditions.DUE),
    ),
    "broken": Measure(
        Kind.PROMISE,
        "Promises broken",
        conditions.promised(lambda: sa.and_(conditions.KEPT.is_(None), now() > conditions.DUE)),
    ),
    "running": Measure(
        Kind.PROMISE,
        "Promises still to be kept",
        conditions.promised(lambda: sa.and_(conditions.KEPT.is_(None), now() <= conditions.DUE)),
    ),
}

_OF_CASE = frozenset({"network", "source", "language", "tag", "incident", "agent"})

DIMENSIONS: dict[Kind, frozenset[str]] = {
    Kind.POST: frozenset({"network", "source", "language", "tag", "incident"}),
    Kind.AUTHOR: frozenset({"network", "source", "language", "tag", "incident"}),
    Kind.CASE: _OF_CASE | {"outcome", "dismissal"},
    Kind.SLA: _OF_CASE | {"promise", "policy"},
    Kind.PROMISE: _OF_CASE,
    Kind.REPLY: _OF_CASE,
}
"""What the numbers of each kind can be narrowed to."""

SIFTED = frozenset({"hours", "topic"})
"""Narrowed to in Python, row by row: the database knows neither our hours nor words."""

IN, OUT = "in", "out"
"""Whether a wait began in working hours or outside of them."""


def _sifts(measure: str) -> frozenset[str]:
    """Which of these a measure has."""
    asked = MEASURES[measure]
    if asked.wait is not None:
        return frozenset({"hours"})
    return frozenset({"topic"} if asked.kind in (Kind.POST, Kind.AUTHOR) else ())
