"""Writes what people say of a post into its labels; the caller commits.

Apart from `monitor.desk.labels`, as closing a case writes one too and cases know nothing of labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.store.db import insert
from monitor.store.models import Dismissal, Label, LabelOrigin, Outcome, now


@dataclass(frozen=True)
class Said:
    """What a person said of a post: enough to say it again once something else is taken back."""

    complaint: bool
    severity: float | None
    agent: str | None

    @classmethod
    def of(cls, label: Label) -> "Said":
        """What a label that was given says."""
        return cls(bool(label.complaint), label.severity, label.agent)


_SAYS_YES = (Outcome.SOLVED, Outcome.EXPLAINED, Outcome.CANNOT_HELP)
_SAYS_NO = (Dismissal.NOT_A_COMPLAINT, Dismissal.SPAM)


def of_outcome(outcome: Outcome, dismissal: Dismissal | None) -> bool | None:
    """Whether an outcome says that the post was a complaint; None where it says nothing of it."""
    if outcome in _SAYS_YES:
        return True
    return False if dismissal in _SAYS_NO else None


def write(
    session: Session,
    post_id: int,
    origin: LabelOrigin,
    agent: str,
    complaint: bool,
    severity: float | None = None,
) -> None:
    """Give a post its label of this origin, in place of an earlier one."""
    said = {"complaint": complaint, "severity": severity, "agent": agent, "labelled_at": now()}
    statement = insert(session, Label).values(post_id=post_id, origin=origin, **said)
    session.execute(
        statement.on_conflict_do_update(index_elements=["post_id", "origin"], set_=said),
        execution_options={"synchronize_session": False},
    )


def said(session: Session, post_id: int, origin: LabelOrigin) -> bool | None:
    """What a post's label of this origin says; None where there is none."""
    chosen = (col(Label.post_id) == post_id, col(Label.origin) == origin)
    return session.exec(select(Label.complaint).where(*chosen)).first()


def of_posts(session: Session, post_ids: Sequence[int], origin: LabelOrigin) -> dict[int, Said]:
    """What the labels of this origin say of these posts; those without one are left out."""
    found = select(Label).where(
        col(Label.post_id).in_(post_ids),
        col(Label.origin) == origin,
        col(Label.complaint).is_not(None),
    )
    return {label.post_id: Said.of(label) for label in session.exec(found)}


def erase(
    session: Session, post_id: int, origin: LabelOrigin, since: datetime | None = None
) -> None:
    """Take a post's label of this origin away. One of a sample waits for its answer again.

    With `since`, one that is older stays.
    """
    chosen = [col(Label.post_id) == post_id, col(Label.origin) == origin]
    if since is not None:
        chosen.append(col(Label.labelled_at) >= since)
    unsaid = {"complaint": None, "severity": None, "agent": None, "labelled_at": None}
    unsampled = col(Label.sample_id).is_(None)
    options = {"synchronize_session": False}
    session.execute(sa.delete(Label).where(*chosen, unsampled), execution_options=options)
    session.execute(sa.update(Label).where(*chosen).values(**unsaid), execution_options=options)
