"""One incident: what the customers say, how many they are, what proves it, whom to tell."""

import streamlit as st

from dashboard import actions, incident_actions, resources, times, widgets
from dashboard.charts import growth
from dashboard.incident_words import LIST_PAGE, quote, status_badge
from dashboard.markup import Markup, draw, foreign, link_out, tag
from dashboard.number_links import count
from monitor.store.models import IncidentStatus
from monitor.watch.incident import incident_card
from monitor.watch.incident.incident_card import Card, Member
from monitor.watch.reports.sheet import to_csv
from monitor.watch.trends.measures import Asked

CASE_PAGE = "app_pages/case.py"

WHY_HERE = "Why it is in this incident: how alike it is to the others, or who put it here"

SHOWN = 100
"""Cases, and customers to tell, that the page lists."""


def main() -> None:
    """The whole page."""
    number = resources.asked_number("id")
    with resources.session() as session:
        card = incident_card.card(session, number) if number is not None else None
    st.page_link(LIST_PAGE, label="Incidents", icon=":material/arrow_back:")
    if card is None:
        text = "The link is cut off, or it was made on another machine."
        draw(tag("div", tag("h2", "There is no such incident"), tag("p", text), cls="empty"))
        return
    _header(card)
    actions.show_outcome()
    incident_actions.draw_status(card)
    with st.container(key="case-body"):
        left, right = st.columns([11, 6], gap="large")
        with left:
            _words(card)
            _figures(card)
            _growth(card)
            _follow_up(card)
            _cases(card)
        with right:
            _evidence(card)
            incident_actions.draw_forms(card)


def _header(card: Card) -> None:
    incident = card.incident
    state: list[str | Markup] = [status_badge(incident.status)]
    if incident.reporter:
        state.append(tag("span", f"reported by {incident.reporter}", cls="muted"))
    if incident.closed_at and incident.closed_by:
        words = f"closed by {incident.closed_by} {times.relative(incident.closed_at)}"
        state.append(tag("span", words, cls="muted"))
    if incident.merged_into:
        state.append(tag("span", f"goes on in incident {incident.merged_into}"))
    draw(
        tag(
            "header",
            tag("h1", foreign(incident.title)),
            tag("div", *state, cls="state-line"),
            cls="case-head",
        )
    )
    if card.since_fixed:
        people = widgets.counted(card.since_fixed, "customer")
        words = f"{people} told of it after it was fixed. Is it?"
        draw(widgets.notice(words, "doubt"))


def _words(card: Card) -> None:
    draw(tag("h3", "In the customers’ own words", cls="side-title"))
    if not card.members:
        draw(tag("p", "It has no case.", cls="muted"))
    draw(tag("div", *[quote(member) for member in card.quotes], cls="quotes"))


def _figures(card: Card) -> None:
    zone, rule = resources.config().zone, resources.config().incidents
    low, high = card.silent(rule.silent_low, rule.silent_high)
    networks = ", ".join(f"{network} {number}" for network, number in card.networks)
    facts = [
        ("Distinct authors", tag("b", f"{card.authors:,}")),
        ("First seen", tag("b", times.ago(card.first_seen, zone))),
        ("Networks", tag("b", foreign(networks))),
        ("Cases open", _of_all(card, card.unresolved, "standing")),
        ("Cases answered", _of_all(card, card.answered, "answered")),
        ("Silent ones", tag("b", f"{low:,} to {high:,}")),
    ]
    boxes = [
        tag(
            "div",
            tag("small", name, cls="muted"),
            value,
            cls="long-one" if name == "Networks" else None,
        )
        for name, value in facts
    ]
    draw(tag("div", *boxes, cls="facts card"))
    words = (
        f"Silent ones: distinct authors times {rule.silent_low} to {rule.silent_high}, a "
        "rule of thumb, not measured. Copies and several posts of one person count once."
    )
    draw(tag("p", words, cls="muted small"))


def _of_all(card: Card, number: int, measure: str) -> Markup:
    """A number of its cases that opens them."""
    asked = Asked(measure).narrowed("incident", str(card.incident.id))
    return tag("b", count(number, asked, "cases"), f" of {card.number:,}")


def _growth(card: Card) -> None:
    zone = resources.config().zone
    rows = [{"time": times.wall(at, zone), "authors": people} for at, people in card.growth]
    if len(rows) < 2:
        return
    table = to_csv(("time", "authors"), card.growth, zone)
    draw(tag("h3", "Growth", cls="side-title"))
    st.altair_chart(growth(rows), width="stretch")
    st.download_button(
        "Download these numbers as CSV", table, key="growth-csv", mime="text/csv",
        file_name=f"incident-{card.incident.id}.csv", icon=":material/download:",
        on_click="ignore", type="tertiary",
    )  # fmt: skip


def _follow_up(card: Card) -> None:
    if card.incident.status != IncidentStatus.FIXED:
        return
    with resources.session() as session:
        waiting = incident_card.follow_up(session, card.incident, SHOWN)
        untold = incident_card.untold(session, card.incident)
    title = f"{card.number - untold:,} of {card.number:,} were told that it is fixed"
    draw(tag("h3", "To be told", tag("small", title, cls="muted"), cls="side-title"))
    if not waiting:
        draw(tag("p", "Everybody was told.", cls="muted"))
    for member in waiting:
        with st.container(key=f"tell-{member.case.id}", border=True):
            draw(
                widgets.author_line(member.author),
                foreign(incident_card.draft(card.incident, member.author), cls="text draft"),
            )
            with st.container(
                key=f"tell-buttons-{member.case.id}",
                horizontal=True,
                gap="small",
                vertical_alignment="center",
            ):
                _case_link(member, "Answer in case")
                st.button(
                    "Was told", key=f"told-{member.case.id}", type="tertiary",
                    on_click=incident_actions.mark_told, args=(card.incident.id, member.case.id),
                    help="By another way, or it needs no word",
                )  # fmt: skip
    _more(untold - len(waiting))


def _cases(card: Card) -> None:
    draw(tag("h3", f"Cases ({card.number:,})", cls="side-title"))
    for member in card.members[:SHOWN]:
        with st.container(
            key=f"member-{member.case.id}", horizontal=True, wrap=False,
            vertical_alignment="center", gap="small",
        ):  # fmt: skip
            draw(_member(member))
            _case_link(member, "Case")
    _more(card.number - len(card.members[:SHOWN]))


def _more(number: int) -> None:
    if number > 0:
        draw(tag("p", f"and {number:,} more", cls="muted"))


def _member(member: Member) -> Markup:
    if member.link.added_by:
        why = f"put here by {member.link.added_by}"
    elif member.link.likeness is not None:
        why = f"{member.link.likeness:.0%} alike"
    else:
        why = ""
    line = tag(
        "div",
        foreign(f"@{member.author.handle}", cls="handle"),
        widgets.on_network(member.case.network),
        tag("span", times.relative(member.told.at)),
        widgets.status_badge(member.case.status),
        widgets.reply_badge(member.case.reply_status),
        widgets.owner(member.case.assignee, actions.me()),
        tag("span", why, cls="muted", title=WHY_HERE if why else None),
        cls="who",
    )
    return tag("div", line, foreign(member.told.text, cls="text clamp", name="div"))


def _case_link(member: Member, words: str) -> None:
    st.page_link(
        CASE_PAGE,
        label=f"{words} {member.case.id}",
        icon=":material/chevron_right:",
        query_params={"id": str(member.case.id)},
        width="content",
    )


def _evidence(card: Card) -> None:
    incident, zone = card.incident, resources.config().zone
    draw(tag("h3", "Evidence", cls="side-title"))
    if incident.evidence_at and incident.evidence_by:
        link = link_out(incident.evidence_url, "Where it was read ↗")
        read = tag(
            "span", f"read by {incident.evidence_by} ", times.ago(incident.evidence_at, zone)
        )
        draw(tag("p", tag("b", incident.evidence_value), " ", link, " ", read))
    else:
        draw(tag("p", "None yet: a link, and a number that can prove it.", cls="muted"))
    lines = [
        ("Reproduced", str(incident.reproduced)),
        ("Fault", incident.fault or "not described yet"),
        ("Cause", incident.cause or "not known yet"),
    ]
    draw(
        *[
            tag("p", tag("b", f"{name}: "), tag("span", value, cls="text"), cls="said")
            for name, value in lines
        ]
    )


main()
