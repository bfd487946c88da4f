"""Faults that more than one customer tells of: proposed, under way, over."""

import streamlit as st

from dashboard import actions, resources
from dashboard.incident_words import CARD_PAGE, head, quote
from dashboard.markup import draw, tag
from monitor.watch.incident import incident_card, incidents
from monitor.watch.incident.incident_card import Card


def main() -> None:
    """The whole page."""
    draw(tag("h1", "Incidents"))
    with resources.session() as session:
        proposed = incident_card.proposed(session)
        under_way = incident_card.under_way(session)
        over = incident_card.over(session)
    actions.show_outcome()
    if not (proposed or under_way or over):
        _nothing()
        return
    if proposed:
        draw(tag("h3", "Do these tell of one fault?", cls="side-title"))
        for card in proposed:
            _proposal(card)
    draw(tag("h3", "Under way", cls="side-title"))
    if not under_way:
        draw(tag("p", "No incident is open.", cls="muted"))
    for card in under_way:
        _row(card)
    if over:
        draw(tag("h3", "Over", cls="side-title"))
        for card in over:
            _row(card)


def _nothing() -> None:
    text = "Two customers who tell of the same fault suffice for a proposal."
    draw(tag("div", tag("h2", "No incident yet"), tag("p", text), cls="empty"))


def _proposal(card: Card) -> None:
    number = card.incident.id
    with st.container(key=f"proposal-{number}", border=True):
        draw(head(card))
        draw(tag("div", *[quote(member) for member in card.quotes], cls="quotes"))
        with st.container(
            key=f"proposal-buttons-{number}",
            horizontal=True,
            gap="small",
            vertical_alignment="center",
        ):
            st.button(
                "Confirm", key=f"confirm-{number}", type="primary", icon=":material/check:",
                on_click=_confirm, args=(number,), help="These customers tell of one fault",
            )  # fmt: skip
            st.button(
                "No", key=f"reject-{number}", on_click=_reject, args=(number,),
                help="They have nothing in common: not proposed again",
            )  # fmt: skip
            _link(card)


def _row(card: Card) -> None:
    with st.container(
        key=f"incident-{card.incident.id}",
        horizontal=True,
        wrap=False,
        vertical_alignment="center",
        gap="small",
    ):
        draw(head(card))
        _link(card)


def _link(card: Card) -> None:
    st.page_link(
        CARD_PAGE,
        label=f"Look at incident {card.incident.id}",
        icon=":material/chevron_right:",
        query_params={"id": str(card.incident.id)},
        width="content",
    )


def _confirm(number: int) -> None:
    actions.act(
        lambda session, agent: incidents.confirm(session, number, agent),
        "Confirmed: it is an incident, and you reported it.",
        undo=lambda session, agent: incidents.propose_again(session, number),
    )


def _reject(number: int) -> None:
    actions.act(
        lambda session, agent: incidents.reject(session, number, agent),
        "They are not proposed again.",
        undo=lambda session, agent: incidents.propose_again(session, number),
    )


main()
