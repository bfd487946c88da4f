"""The channels that alerts go to: whether they work, and a message that proves it."""

from collections.abc import Mapping

import streamlit as st
from sqlmodel import Session, col, select

from dashboard import actions, resources, times, widgets
from dashboard.markup import Markup, draw, foreign, tag
from monitor.alert_settings import channel_variable
from monitor.store.models import Channel
from monitor.watch.alerting import notify


def draw_channels() -> None:
    """Every channel with its use, its state and a test."""
    config = resources.config()
    draw(tag("h3", "Channels", cls="side-title"))
    if not config.alerts.channels:
        draw(
            tag(
                "div",
                tag("p", "Nobody is told of alerts: they only show here. Name channels under "
                    f"[alerts] in {config.path.name}, for example:"),
                tag("pre", '[alerts]\npage = ["pager"]\nticket = ["mail"]'),
                tag("p", "and give each an Apprise address in the environment: "
                    "MONITOR_CHANNEL_PAGER_URL, MONITOR_CHANNEL_MAIL_URL."),
                cls="notice hint",
            )
        )  # fmt: skip
    with resources.session() as session:
        rows = {row.name: row for row in session.exec(select(Channel).order_by(col(Channel.name)))}
    for name in config.named_channels:
        with st.container(key=f"channel-{name}", horizontal=True, vertical_alignment="center"):
            draw(_line(name, rows))
            st.button(
                "Send a test",
                key=f"prove-{name}",
                on_click=_prove,
                args=(name,),
                help=f"Sends a message to {name} that says that nothing is wrong",
            )


def _line(name: str, rows: Mapping[str, Channel]) -> Markup:
    config, row = resources.config(), rows.get(name)
    uses = [
        word
        for word, names in (
            ("pages", config.alerts.told(urgent=True)),
            ("tickets", config.alerts.told(urgent=False)),
            ("escalation", config.alerts.escalate),
            ("digest", config.digest.channels),
        )
        if name in names
    ]
    parts = [tag("b", name), tag("span", ", ".join(uses), cls="muted")]
    if name not in config.channels:
        parts.append(widgets.badge("No address", "red", f"Set {channel_variable(name)}"))
    elif row is None:
        parts.append(widgets.badge("Never used", "gray"))
    elif row.failures:
        parts.append(widgets.badge(f"Failed {row.failures} times in a row", "red"))
    else:
        parts.append(widgets.badge("Works", "green"))
    if row is not None and row.sent_at:
        parts.append(tag("span", "last message ", times.ago(row.sent_at, config.zone), cls="muted"))
    if row is not None and row.failures and row.error:
        parts.append(foreign(row.error))
    return tag("div", *parts, cls="state-line")


def _prove(name: str) -> None:
    def call(session: Session, agent: str) -> None:
        error = notify.prove(session, resources.config(), name)
        if error:
            raise notify.ChannelError(f"{name} did not take the message: {error}")

    actions.act(call, f"{name} took the message: look whether it arrived.")
