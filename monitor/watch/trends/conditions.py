"""The conditions that the rows of each number fulfil, from when until when."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from monitor.hours import Hours
from monitor.store.models import (
    ACTIVE,
    BY_HAND,
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
)

Conditions = list[sa.ColumnElement[bool]]
Condition = Callable[[datetime, datetime, "Rules"], Conditions]


@dataclass(frozen=True)
class Rules:
    """What the settings say that numbers depend on."""

    threshold: float
    """From here a post counts as a complaint. Nothing counted is kept, so it may change."""
    hours: Hours
    ours: frozenset[str] = frozenset()
    """Words of our own names: they are no topic."""


def within(column: Any, begins: datetime, ends: datetime) -> Conditions:
    """From one moment until, but without, another."""
    return [column >= begins, column < ends]


def posts(begins: datetime, ends: datetime, _: Rules) -> Conditions:
    """Posts about us that were found on networks: no reposts, and nothing of our own.

    What a person wrote down by hand is not among them, nor among the complaints and their authors:
    nobody looks for calls that are no complaint, so each one written down would raise the share. It
    counts where cases do, as a case found, answered and resolved.
    """
    # Written out, as the index is. Few authors are our own: a list is quicker than a join.
    own = sa.select(col(Author.id)).where(sa.literal_column("author.own"))
    return [
        *within(col(Post.created_at), begins, ends),
        col(Post.repost_of).is_(None),
        col(Post.network) != BY_HAND,
        col(Post.author_id).not_in(own),
    ]


def complaints(begins: datetime, ends: datetime, rules: Rules) -> Conditions:
    """Those of them that the model takes for complaints."""
    return [*posts(begins, ends, rules), col(Post.complaint) >= rules.threshold]


def corrected(said: bool) -> Condition:
    """Posts of which people said, in this time, what the model does not."""

    def conditions(begins: datetime, ends: datetime, rules: Rules) -> Conditions:
        score = col(Post.complaint)
        labelled = sa.select(col(Label.post_id)).where(
            *within(col(Label.labelled_at), begins, ends), col(Label.complaint).is_(said)
        )
        wrong = score < rules.threshold if said else score >= rules.threshold
        return [wrong, col(Post.id).in_(labelled)]

    return conditions


def wrong(begins: datetime, ends: datetime, rules: Rules) -> Conditions:
    """Posts of which people said, in this time, something else than the model."""
    both = [sa.and_(*corrected(said)(begins, ends, rules)) for said in (True, False)]
    return [sa.or_(*both)]


NOT_MERGED = sa.or_(col(Case.outcome).is_(None), col(Case.outcome) != Outcome.MERGED)
"""A merged case goes on in another, where it is counted."""


def opened(*more: sa.ColumnElement[bool]) -> Condition:
    """Cases that opened, but merged ones."""

    def conditions(begins: datetime, ends: datetime, _: Rules) -> Conditions:
        return [*within(col(Case.opened_at), begins, ends), NOT_MERGED, *more]

    return conditions


def first(begins: datetime, ends: datetime, _: Rules) -> Conditions:
    """Cases that got their first answer, but merged ones."""
    return [*within(col(Case.first_answered_at), begins, ends), NOT_MERGED]


def resolved(*more: sa.ColumnElement[bool]) -> Condition:
    """Cases that ended, but merged ones."""

    def conditions(begins: datetime, ends: datetime, _: Rules) -> Conditions:
        return [*within(col(Case.resolved_at), begins, ends), NOT_MERGED, *more]

    return conditions


# Written out, as the index is: SQLite finds it by the words.
NEVER = sa.and_(
    col(Case.first_answered_at).is_(None),
    col(Case.status) != sa.literal_column(f"'{CaseStatus.RESOLVED}'"),
)


def never(begins: datetime, ends: datetime, _: Rules) -> Conditions:
    """Standing cases without any answer, that opened in this time."""
    return [NEVER, *within(col(Case.opened_at), begins, ends)]


def standing(begins: datetime, ends: datetime, _: Rules) -> Conditions:
    """Cases that stand, and opened in this time."""
    return [*within(col(Case.opened_at), begins, ends), col(Case.status).in_(ACTIVE)]


def held(_: datetime, __: datetime, ___: Rules) -> Conditions:
    """Standing cases that somebody has, whenever."""
    return [col(Case.assignee).is_not(None), col(Case.status).in_(ACTIVE)]


def sla(met: bool) -> Condition:
    """Promises of an SLA that were due."""

    def conditions(begins: datetime, ends: datetime, _: Rules) -> Conditions:
        return [*within(col(SlaResult.due_at), begins, ends), col(SlaResult.met).is_(met)]

    return conditions


def promised(
    standing: Callable[[], sa.ColumnElement[bool]],
) -> Condition:
    """Promises to customers that were due and not dropped, as they stand now."""

    def conditions(begins: datetime, ends: datetime, _: Rules) -> Conditions:
        due = within(col(Commitment.due_at), begins, ends)
        return [*due, col(Commitment.dropped_at).is_(None), standing()]

    return conditions


KEPT, DUE = col(Commitment.kept_at), col(Commitment.due_at)

_PUBLIC = (ReplyStatus.SENT, ReplyStatus.SEEN, ReplyStatus.GONE)


def replies(begins: datetime, ends: datetime, _: Rules) -> Conditions:
    """Public answers that the network took."""
    return [*within(col(Reply.sent_at), begins, ends), col(Reply.status).in_(_PUBLIC)]


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


def next_replies(begins: datetime, ends: datetime, rules: Rules) -> Conditions:
    """Those of them to a customer who wrote again."""
    return [*replies(begins, ends, rules), ASKED_AGAIN.is_not(None)]
