"""One alert: what is wrong, who looks after it, and what can be done about it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

import streamlit as st
from sqlmodel import Session

from dashboard import actions, resources, times, widgets
from dashboard.alarm_line import ALERTS_PAGE
from dashboard.markup import Markup, draw, foreign, tag
from monitor.alert_settings import AlertSettings
from monitor.store.models import Alert, AlertEvent, AlertKind, AlertState, Severity, now
from monitor.watch.alerting import alert_lists, alert_words, alerts

STATES = {
    AlertState.FIRING: ("Firing", "red"),
    AlertState.ACKNOWLEDGED: ("Acknowledged", "blue"),
    AlertState.SILENCED: ("Silenced", "gray"),
    AlertState.RESOLVED: ("Over", "green"),
}

PAGES = {
    "case": "app_pages/case.py",
    "rows": "app_pages/rows.py",
    "sources": "app_pages/sources.py",
    "work_queue": "app_pages/work_queue.py",
}

LABELS = {
    "case": "Open the case",
    "rows": "Open the broken promises",
    "sources": "See sources",
}

Change = Callable[[Session, int, str, AlertSettings], None]
"""What a click does to an alert, in the name of an agent."""

UNTIL: dict[str, Callable[[], datetime]] = {
    "1 hour": lambda: now() + timedelta(hours=1),
    "4 hours": lambda: now() + timedelta(hours=4),
    "Tomorrow at nine": lambda: times.morning(resources.config().zone, 1),
    "3 days": lambda: now() + timedelta(days=3),
    "A week": lambda: now() + timedelta(days=7),
}


def draw_card(alert: Alert, *, alone: bool = False) -> None:
    """The alert with its buttons; `alone` on its page, its cases stand below it."""
    with st.container(key=f"alert-{alert.id}", border=True):
        draw(_head(alert), _text(alert))
        with st.container(horizontal=True, vertical_alignment="center", key=f"do-{alert.id}"):
            _buttons(alert)
            _link(alert, alone=alone)
        shown = st.expander("History", key=f"history-{alert.id}", type="compact", on_change="rerun")
        if shown.open:
            with shown:
                _history(alert)


def _head(alert: Alert) -> Markup:
    page = alert.severity == Severity.PAGE
    badges = [widgets.badge(*STATES[alert.state])]
    badges.append(
        widgets.badge("Page", "red", "Somebody has to look now, also at night")
        if page
        else widgets.badge("Ticket", "amber", "Somebody has to look today")
    )
    return tag("div", *badges, tag("h3", foreign(alert.title)), cls="state-line")


def _text(alert: Alert) -> Markup:
    zone = resources.config().zone
    length = times.span((now() - alert.fired_at).total_seconds())
    began = tag("time", length, title=times.full(alert.fired_at, zone))
    parts: list[str] = ["Firing for ", began]
    if alert.state == AlertState.RESOLVED and alert.resolved_at:
        parts = ["Fired ", times.clock(alert.fired_at, zone), ", over "]
        parts.append(times.ago(alert.resolved_at, zone))
    elif alert.kind == AlertKind.SPIKE and alert.value is not None:
        parts.append(f"; now {alert.value:,.0f} complaints, {alert.peak or 0:,.0f} at its peak")
    if alert.state == AlertState.FIRING and alert.repeat_at is None:
        parts.append("; part of something wider, so nobody is told of it by itself")
    if alert.firings > 1:
        parts.append(f", for the {alert.firings}th time" if alert.firings > 3 else ", again")
    if alert.acknowledged_by and alert.acknowledged_at:
        parts += [f". {alert.acknowledged_by} looks after it since "]
        parts.append(times.clock(alert.acknowledged_at, zone))
    if alert.silenced_until:
        parts += [f". Silenced by {alert.silenced_by} until "]
        parts += [times.clock(alert.silenced_until, zone), ": "]
        parts.append(foreign(alert.silence_reason))
    lines = tag("div", foreign(alert.text), cls="lines")
    return tag("div", lines, tag("p", *parts, ".", cls="muted small"))


def _buttons(alert: Alert) -> None:
    if alert.state == AlertState.FIRING:
        st.button(
            "Acknowledge",
            key=f"ack-{alert.id}",
            type="primary",
            on_click=_act,
            args=(alerts.acknowledge, alert.id, f"You look after it: {_told_again()}."),
            kwargs={"undo": alerts.take_back},
            help=f"You look after it: {_told_again()}",
        )
    if alert.state == AlertState.ACKNOWLEDGED:
        st.button(
            "Take back",
            key=f"unack-{alert.id}",
            on_click=_act,
            args=(alerts.take_back, alert.id, "Nobody looks after it; it is told again in time."),
        )
    if alert.state in (AlertState.FIRING, AlertState.ACKNOWLEDGED):
        _silence(alert)
    elif alert.silenced_until and alert.silenced_until > now():
        st.button(
            "End the silence",
            key=f"unsilence-{alert.id}",
            on_click=_act,
            args=(alerts.unsilence, alert.id, "The silence is over."),
        )


def _silence(alert: Alert) -> None:
    with st.popover("Silence", key=f"silence-{alert.id}", icon=":material/notifications_off:"):
        st.selectbox("Until", list(UNTIL), key=f"until-{alert.id}")
        st.text_input(
            "Why",
            key=f"why-{alert.id}",
            max_chars=300,
            placeholder="Planned works, a known fault …",
        )
        st.button("Silence it", key=f"silence-go-{alert.id}", on_click=_silenced, args=(alert.id,))


def _silenced(alert_id: int) -> None:
    until: datetime = UNTIL[st.session_state[f"until-{alert_id}"]]()
    why = str(st.session_state.get(f"why-{alert_id}") or "")
    settings = resources.config().alerts

    def undo(session: Session, agent: str) -> None:
        alerts.unsilence(session, alert_id, agent, settings)

    actions.act(
        lambda session, agent: alerts.silence(session, alert_id, agent, until, why),
        f"Silenced until {times.stamp(until, resources.config().zone)}.",
        undo=undo,
    )


def _act(call: Change, alert_id: int, text: str, undo: Change | None = None) -> None:
    actions.act(_bound(call, alert_id), text, undo=_bound(undo, alert_id) if undo else None)


def _bound(call: Change, alert_id: int) -> actions.Act:
    settings = resources.config().alerts
    return lambda session, agent: call(session, alert_id, agent, settings)


def _told_again() -> str:
    after = resources.config().alerts.remind_after
    if after is None:
        return "it is told to nobody again until it is over"
    return f"it is told once more if it still fires in {alert_words.span(after)}"


def _link(alert: Alert, *, alone: bool) -> None:
    """The way to what it is about."""
    name, _, query = alert.address.partition("?")
    if name in PAGES:
        st.page_link(
            PAGES[name],
            label=LABELS.get(name, "Open the cases"),
            icon=":material/chevron_right:",
            query_params=dict(parse_qsl(query)),
        )
    elif alert.address and not alone:
        st.page_link(
            ALERTS_PAGE,
            label="Open just these cases",
            icon=":material/chevron_right:",
            query_params={"alert": str(alert.id)},
        )


def _history(alert: Alert) -> None:
    zone = resources.config().zone
    with resources.session() as session:
        events = alert_lists.history(session, alert.id)
    draw(
        tag("ol", *[_event(event, times.clock(event.at, zone)) for event in events], cls="history")
    )


def _event(event: AlertEvent, at: Markup) -> Markup:
    by = f" by {event.agent}" if event.agent else ""
    detail = [tag("span", ": ", foreign(event.detail), cls="muted")] if event.detail else []
    return tag("li", tag("span", f"{event.what.capitalize()}{by}", *detail), at)
