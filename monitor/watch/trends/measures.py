"""What each number counts, as conditions on rows; the number and its rows are made of these.

A number is told by an `Asked`: a measure, from when until when, and what it is narrowed to. It
can be written as an address, so that every number on a page is a link to what it counts.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from monitor.hours import Hours
from monitor.store.models import (
    ACTIVE,
    Author,
    Case,
    CaseStatus,
    Commitment,
    Label,
    Outcome,
    Post,
    Reply,
    ReplyStatus,
    SlaResult,
    now,
)

Conditions = list[sa.ColumnElement[bool]]

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
class Rules:
    """What the settings say that numbers depend on."""

    threshold: float
    """From here a post counts as a complaint. Nothing counted is kept, so it may change."""
    hours: Hours
    ours: frozenset[str] = frozenset()
    """Words of our own names: they are no topic."""


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
        known = sorted(DIMENSIONS[MEASURES[measure].kind] | SIFTED)
        where = tuple((by, query[by]) for by in known if query.get(by))
        return cls(measure, begins, ends, where)


STAMP = "%Y%m%dT%H%M%S.%fZ"


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime(STAMP)


@dataclass(frozen=True)
class Measure:
    """What a number counts, in words and as conditions."""

    kind: Kind
    words: str
    conditions: Callable[[datetime, datetime, Rules], Conditions]
    wait: tuple[Any, Any] | None = None
    """The columns between which its rows waited, where it is a time that is measured."""


def _within(column: Any, begins: datetime, ends: datetime) -> Conditions:
    return [column >= begins, column < ends]


def _posts(begins: datetime, ends: datetime, _: Rules) -> Conditions:
    # Written out, as the index is. Few authors are our own: a list is quicker than a join.
    own = sa.select(col(Author.id)).where(sa.literal_column("author.own"))
    return [
        *_within(col(Post.created_at), begins, ends),
        col(Post.repost_of).is_(None),
        col(Post.author_id).not_in(own),
    ]


def _complaints(begins: datetime, ends: datetime, rules: Rules) -> Conditions:
    return [*_posts(begins, ends, rules), col(Post.complaint) >= rules.threshold]


def _corrected(said: bool) -> Callable[[datetime, datetime, Rules], Conditions]:
    def conditions(begins: datetime, ends: datetime, rules: Rules) -> Conditions:
        score = col(Post.complaint)
        labelled = sa.select(col(Label.post_id)).where(
            *_within(col(Label.labelled_at), begins, ends), col(Label.complaint).is_(said)
        )
        wrong = score < rules.threshold if said else score >= rules.threshold
        return [wrong, col(Post.id).in_(labelled)]

    return conditions


NOT_MERGED = sa.or_(col(Case.outcome).is_(None), col(Case.outcome) != Outcome.MERGED)
"""A merged case goes on in another, where it is counted."""


def _opened(*more: sa.ColumnElement[bool]) -> Callable[[datetime, datetime, Rules], Conditions]:
    def conditions(begins: datetime, ends: datetime, _: Rules) -> Conditions:
        return [*_within(col(Case.opened_at), begins, ends), NOT_MERGED, *more]

    return conditions


def _first(begins: datetime, ends: datetime, _: Rules) -> Conditions:
    return [*_within(col(Case.first_answered_at), begins, ends), NOT_MERGED]


def _resolved(*more: sa.ColumnElement[bool]) -> Callable[[datetime, datetime, Rules], Conditions]:
    def conditions(begins: datetime, ends: datetime, _: Rules) -> Conditions:
        return [*_within(col(Case.resolved_at), begins, ends), NOT_MERGED, *more]

    return conditions


# Written out, as the index is: SQLite finds it by the words.
NEVER = sa.and_(
    col(Case.first_answered_at).is_(None),
    col(Case.status) != sa.literal_column(f"'{CaseStatus.RESOLVED}'"),
)


def _never(begins: datetime, ends: datetime, _: Rules) -> Conditions:
    return [NEVER, *_within(col(Case.opened_at), begins, ends)]


def _held(_: datetime, __: datetime, ___: Rules) -> Conditions:
    return [col(Case.assignee).is_not(None), col(Case.status).in_(ACTIVE)]


def _sla(met: bool) -> Callable[[datetime, datetime, Rules], Conditions]:
    def conditions(begins: datetime, ends: datetime, _: Rules) -> Conditions:
        return [*_within(col(SlaResult.due_at), begins, ends), col(SlaResult.met).is_(met)]

    return conditions


def _promised(
    standing: Callable[[], sa.ColumnElement[bool]],
) -> Callable[[datetime, datetime, Rules], Conditions]:
    def conditions(begins: datetime, ends: datetime, _: Rules) -> Conditions:
        due = _within(col(Commitment.due_at), begins, ends)
        return [*due, col(Commitment.dropped_at).is_(None), standing()]

    return conditions


_KEPT, _DUE = col(Commitment.kept_at), col(Commitment.due_at)

_PUBLIC = (ReplyStatus.SENT, ReplyStatus.SEEN, ReplyStatus.GONE)


def _replies(begins: datetime, ends: datetime, _: Rules) -> Conditions:
    return [*_within(col(Reply.sent_at), begins, ends), col(Reply.status).in_(_PUBLIC)]


def _asked_again() -> Any:
    """When the customer wrote first after our answer before this one; null: not since then."""
    earlier = sa.orm.aliased(Reply)
    before = (
        sa.select(sa.func.max(earlier.sent_at))
        .where(
            col(earlier.case_id) == col(Reply.case_id),
            col(earlier.sent_at) < col(Reply.sent_at),
            col(earlier.status).in_(_PUBLIC),
        )
        .correlate(Reply)
        .scalar_subquery()
    )
    return (
        sa.select(sa.func.min(col(Post.created_at)))
        .join(Case, col(Case.id) == col(Post.case_id))
        .where(
            col(Post.case_id) == col(Reply.case_id),
            col(Post.author_id) == col(Case.author_id),
            col(Post.created_at) > before,
            col(Post.created_at) <= col(Reply.sent_at),
        )
        .correlate(Reply)
        .scalar_subquery()
    )


ASKED_AGAIN = _asked_again()


def _next(begins: datetime, ends: datetime, rules: Rules) -> Conditions:
    return [*_replies(begins, ends, rules), ASKED_AGAIN.is_not(None)]


_ENDED = col(Case.outcome) != Outcome.DISMISSED

MEASURES: dict[str, Measure] = {
    "posts": Measure(Kind.POST, "Posts about us, without reposts and our own", _posts),
    "complaints": Measure(Kind.POST, "Posts that the model takes for complaints", _complaints),
    "authors": Measure(Kind.AUTHOR, "Authors of complaints", _complaints),
    "missed": Measure(Kind.POST, "People said complaint, the model did not", _corrected(True)),
    "false": Measure(Kind.POST, "The model said complaint, people did not", _corrected(False)),
    "cases": Measure(Kind.CASE, "Cases found, dismissed ones too", _opened()),
    "answered": Measure(
        Kind.CASE,
        "Cases found that we have answered",
        _opened(col(Case.first_answered_at).is_not(None)),
    ),
    "unanswered": Measure(
        Kind.CASE,
        "Cases found that nobody has answered or dismissed",
        _opened(
            col(Case.first_answered_at).is_(None),
            sa.or_(col(Case.outcome).is_(None), _ENDED),
        ),
    ),
    "dismissed": Measure(
        Kind.CASE,
        "Cases found that were dismissed without an answer",
        _opened(col(Case.outcome) == Outcome.DISMISSED, col(Case.first_answered_at).is_(None)),
    ),
    "first": Measure(
        Kind.CASE,
        "Cases that got their first answer",
        _first,
        (col(Case.opened_at), col(Case.first_answered_at)),
    ),
    "next": Measure(
        Kind.REPLY,
        "Answers to customers who wrote again",
        _next,
        (ASKED_AGAIN, col(Reply.sent_at)),
    ),
    "resolution": Measure(
        Kind.CASE,
        "Cases resolved, without dismissed ones",
        _resolved(sa.or_(col(Case.outcome).is_(None), _ENDED)),
        (col(Case.opened_at), col(Case.resolved_at)),
    ),
    "resolved": Measure(Kind.CASE, "Cases resolved or dismissed", _resolved()),
    "never": Measure(Kind.CASE, "Standing cases that nobody has ever answered", _never),
    "held": Measure(Kind.CASE, "Standing cases that somebody has now", _held),
    "replies": Measure(Kind.REPLY, "Public answers sent", _replies),
    "sla-met": Measure(Kind.SLA, "SLA promises due and met", _sla(True)),
    "sla-missed": Measure(Kind.SLA, "SLA promises due and missed", _sla(False)),
    "kept": Measure(Kind.PROMISE, "Promises kept in time", _promised(lambda: _KEPT <= _DUE)),
    "late": Measure(Kind.PROMISE, "Promises kept late", _promised(lambda: _KEPT > _DUE)),
    "broken": Measure(
        Kind.PROMISE,
        "Promises broken",
        _promised(lambda: sa.and_(_KEPT.is_(None), now() > _DUE)),
    ),
    "running": Measure(
        Kind.PROMISE,
        "Promises still to be kept",
        _promised(lambda: sa.and_(_KEPT.is_(None), now() <= _DUE)),
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
