"""How incidents are told in words and small drawings, on more than one page."""

from datetime import timedelta

from dashboard import times
from dashboard.markup import Markup, foreign, tag
from dashboard.widgets import badge, counted, on_network
from monitor.store.models import IncidentStatus, now
from monitor.watch.incident.incident_card import Card, Member

LIST_PAGE, CARD_PAGE = "app_pages/incidents.py", "app_pages/incident.py"

STATUS = {
    IncidentStatus.PROPOSED: ("Proposed", "violet", "The monitor thinks so; nobody has confirmed."),
    IncidentStatus.OPEN: ("Open", "red", "A person confirmed it."),
    IncidentStatus.WATCHING: ("Watching", "amber", "Thought to be over; not sure yet."),
    IncidentStatus.FIXED: ("Fixed", "green", "Its customers are to be told."),
    IncidentStatus.NO_FAULT: ("No fault", "gray", "Closed: nothing was wrong."),
    IncidentStatus.REJECTED: ("Rejected", "gray", "These cases have nothing in common."),
    IncidentStatus.MERGED: ("Merged", "gray", "Goes on in another incident."),
}

BARS = 24
"""Bars of the small drawing of how it grows."""


def status_badge(status: IncidentStatus) -> Markup:
    """Where an incident stands."""
    return badge(*STATUS[status])


def growth_bars(card: Card) -> Markup:
    """Distinct authors from the first one until now, as small bars."""
    steps = card.growth
    if not steps:
        return Markup("")
    begin = steps[0][0]
    length = max(now() - begin, timedelta(minutes=1))
    most = steps[-1][1]
    bars = []
    for bar in range(1, BARS + 1):
        until = begin + length * bar / BARS
        people = max((number for at, number in steps if at <= until), default=0)
        bars.append(tag("i", style=f"height:{max(8, 100 * people // most)}%"))
    words = f"{counted(most, 'author')} since {times.relative(begin)}"
    return tag("span", *bars, cls="growth", title=words, role="img", aria_label=words)


def quote(member: Member) -> Markup:
    """What a customer told, in their own words."""
    words = foreign(member.told.text or "(deleted by its author)", cls="text clamp", name="div")
    who = tag(
        "div",
        foreign(f"@{member.author.handle}", cls="handle"),
        on_network(member.author.network),
        tag("span", times.relative(member.told.at)),
        cls="who",
    )
    return tag("blockquote", words, who, cls="quote")


def head(card: Card) -> Markup:
    """An incident in a line."""
    return tag(
        "div",
        status_badge(card.incident.status),
        tag("b", foreign(card.incident.title)),
        tag("span", counted(card.authors, "author")),
        tag("span", f"first seen {times.relative(card.first_seen)}", cls="muted"),
        growth_bars(card),
        cls="state-line",
    )
