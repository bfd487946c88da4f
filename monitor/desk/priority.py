"""The priority of a case: named parts that add up, so that a person can read why it ranks there.

Points, all of them: complaint 0 to 40 (half in a language that the model was not measured on),
severity 0 to 20, reach 0 to 15 (logarithmic), repeat contact 0 to 15, 10 for an author whom a
colleague marked as VIP, waiting 3 a day, and 30 less once we answered.

Waiting grows at the same speed for every case, so the order of two cases never changes by time
alone. `rank` uses that: it is the priority as it would be at a fixed moment, long past. It sorts
as the priority does now, stays put until the case itself changes, and can be indexed.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.store.models import Case

PER_HOUR = 0.125
"""Points for each hour that the customer waits, or since we answered an open case."""

VIP_POINTS = 10.0

EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Part:
    """One reason: its name, its points, and the fact behind it in words."""

    name: str
    points: float
    because: str


def fixed_parts(case: Case) -> list[Part]:
    """The parts that time does not change."""
    parts = [
        Part("complaint", complaint_points(case.complaint, case.measured), _sure(case)),
        Part("severity", 20 * case.severity, f"sounds {_tone(case.severity)}"),
        Part("reach", reach_points(case.reach), f"{case.reach:,} followers may see it"),
        Part("repeat", repeat_points(case.contacts), _contacts(case.contacts)),
    ]
    if case.vip:
        parts.append(Part("vip", VIP_POINTS, "a colleague marked the author as VIP"))
    if case.waiting_since is None:
        parts.append(Part("answered", -30.0, _at_rest(case)))
    return parts


def parts(case: Case, now: datetime) -> list[Part]:
    """Every part of the priority at `now`. Their points add up to `priority`."""
    hours = (now - _clock(case)).total_seconds() / 3600
    word = "waiting" if case.waiting_since else f"since {_since(case)}"
    waiting = Part("waiting", PER_HOUR * max(0.0, hours), f"{_span(hours)} {word}")
    return [*fixed_parts(case), waiting]


def priority(case: Case, now: datetime) -> float:
    """Points of the case at `now`."""
    return sum(part.points for part in parts(case, now))


def rank(case: Case) -> float:
    """What sorts as the priority does, at any moment: the fixed parts less the clock's start."""
    hours = (_clock(case) - EPOCH).total_seconds() / 3600
    return sum(part.points for part in fixed_parts(case)) - PER_HOUR * hours


def complaint_points(complaint: float, measured: bool) -> float:
    """40 for a sure complaint; half where nobody knows how good the model is in its language."""
    return (40 if measured else 20) * complaint


def reach_points(followers: int) -> float:
    """0 at no followers, 7.5 at a thousand, 15 at a million and above."""
    return min(15.0, 2.5 * math.log10(1 + max(0, followers)))


def repeat_points(contacts: int) -> float:
    """Somebody who has to write again is 5 points worse off each time, up to 15."""
    return min(15.0, 5.0 * max(0, contacts - 1))


def _clock(case: Case) -> datetime:
    return case.waiting_since or case.answered_at or case.opened_at


def _at_rest(case: Case) -> str:
    """Why nobody waits: a case can be closed, or merged, that we never answered."""
    if case.answered_at is None:
        return "the customer is not waiting"
    return "we answered; the customer is not waiting"


def _since(case: Case) -> str:
    return "our answer" if case.answered_at else "the case was opened"


def _sure(case: Case) -> str:
    words = f"{case.complaint:.0%} sure that it is a complaint"
    if case.measured:
        return words
    return f"{words}, in a language that the model was not measured on: counted half"


def _tone(severity: float) -> str:
    tones = ("calm", "displeased", "angry", "furious")
    return tones[min(3, int(severity * 4))]


def _contacts(contacts: int) -> str:
    return "first contact" if contacts <= 1 else f"wrote {contacts} times"


def _span(hours: float) -> str:
    """Whole units only, as people count time that has passed."""
    if hours < 1:
        return f"{max(0, int(hours * 60))} min"
    return f"{int(hours)} h" if hours < 48 else f"{int(hours / 24)} days"
