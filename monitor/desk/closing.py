"""How a case ends: what the customer wanted, what was done, and what we could not do and why.

What put the problem right and what was given on top are kept apart: a voucher mends nothing.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from monitor.desk import cases
from monitor.desk.cases import CaseError
from monitor.store.models import CannotHelp, Dismissal, Outcome, now

CLOCK_SKEW = timedelta(minutes=5)
"""How far a browser's clock may run ahead of ours."""

WORKS_HERE = re.compile(r"\bworks\s+(here|fine|for\s+(me|us))\b", re.IGNORECASE)
"""Says something of our desk and nothing of the customer's problem."""


@dataclass(frozen=True)
class Ending:
    """How a case ends, in full. Only the outcome has to be said, unless we cannot help."""

    outcome: Outcome
    dismissal: Dismissal | None = None
    wanted: str = ""
    """What the customer wanted; empty: as it was recorded before."""
    delivered_at: datetime | None = None
    """When they got it; None: as it was recorded before."""
    remedy: str = ""
    """What put the problem right."""
    goodwill: str = ""
    """What was given on top."""
    cannot_help: CannotHelp | None = None
    partial: str = ""
    """The part that we can do all the same."""
    referred_to: str = ""
    """Who takes what we cannot do."""


def resolve_with(session: Session, case_id: int, agent: str, ending: Ending) -> None:
    """Close a case and keep how it ended. Raises CaseError, which says what is missing.

    Raises CaseConflictError where somebody else has the case, or it is closed already.
    """
    _check(ending)
    details: dict[str, object] = {
        "remedy": ending.remedy.strip(),
        "goodwill": ending.goodwill.strip(),
        "cannot_help": ending.cannot_help,
        "partial": ending.partial.strip(),
        "referred_to": ending.referred_to.strip(),
    }
    if ending.wanted.strip():
        details["wanted"] = ending.wanted.strip()
    if ending.delivered_at is not None:
        details["delivered_at"] = ending.delivered_at
    cases.resolve(session, case_id, agent, ending.outcome, ending.dismissal, details)


def set_wanted(session: Session, case_id: int, agent: str, wanted: str) -> None:
    """Keep in a line what the customer wants; empty takes it back. Raises CaseConflictError."""
    wanted = " ".join(wanted.split())
    detail = wanted or "nothing that we know"
    cases.learn(session, case_id, agent, {"wanted": wanted}, "wanted", detail)


def delivered(session: Session, case_id: int, agent: str, at: datetime | None) -> None:
    """Keep when the customer got what they wanted; None takes it back.

    Raises CaseError for a time to come, CaseConflictError where somebody else has the case.
    """
    _check_past(at)
    stamp = f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else "not yet"
    cases.learn(session, case_id, agent, {"delivered_at": at}, "delivered", stamp)


def _check(ending: Ending) -> None:
    if WORKS_HERE.search(ending.remedy):
        raise CaseError("Say what was done for the customer. That it works at our desk is none.")
    if ending.outcome is Outcome.CANNOT_HELP:
        needed = {
            "why we cannot help": ending.cannot_help,
            "the part that we can do": ending.partial.strip(),
            "who takes the rest": ending.referred_to.strip(),
        }
        missing = [words for words, given in needed.items() if not given]
        if missing:
            raise CaseError(f"Still missing: {', '.join(missing)}.")
    elif ending.cannot_help is not None:
        raise CaseError("A reason why we cannot help goes with that outcome only.")
    _check_past(ending.delivered_at)


def _check_past(at: datetime | None) -> None:
    if at is not None and at > now() + CLOCK_SKEW:
        raise CaseError("The customer cannot have got it in the future. Promise it instead.")
