"""What happened to a case since somebody last looked at it."""

from sqlmodel import Session, col, select

from monitor.desk.cases import CaseConflictError
from monitor.store.models import CaseEvent

WEIGHTY = (
    "claimed",
    "released",
    "assigned",
    "pending",
    "snoozed",
    "snooze over",
    "resolved",
    "reopened",
    "opened again",
    "another post",
    "added by hand",
    "post edited by its author",
    "post deleted by its author",
    "reply approved",
    "reply is being sent",
    "reply gone",
    "answered on the network",
    "answered elsewhere",
    "merged in",
    "unmerged",
)
"""Events after which somebody may decide otherwise."""


def refuse_if_changed(session: Session, case_id: int, agent: str, seen: int) -> None:
    """Raise CaseConflictError, with what changed, where others did so after the event `seen`."""
    events = session.exec(
        select(CaseEvent)
        .where(
            col(CaseEvent.case_id) == case_id,
            col(CaseEvent.id) > seen,
            col(CaseEvent.what).in_(WEIGHTY),
            col(CaseEvent.agent).is_distinct_from(agent),
        )
        .order_by(col(CaseEvent.id))
        .limit(5)
    ).all()
    if events:
        told = "; ".join(_words(event) for event in events)
        raise CaseConflictError(
            f"This case changed while you looked at it: {told}. "
            "It is shown as it is now: look, then do it again if it still fits."
        )


def _words(event: CaseEvent) -> str:
    words = f"{event.what} by {event.agent}" if event.agent else event.what
    return f"{words} ({event.detail[:200]})" if event.detail else words
