"""Just the cases of a surge: those with a complaint in its time and place."""

from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import streamlit as st

from dashboard import resources, times, widgets
from dashboard.markup import Markup, draw, foreign, tag
from monitor.desk.queue import work_queue
from monitor.desk.queue.work_queue import Row
from monitor.store.models import Alert, AlertState, now
from monitor.watch.detection import surge_cases

CASE_PAGE = "app_pages/case.py"

SHOWN = 100


def draw_cases_of(alert: Alert) -> None:
    """The cases that an alert is about, where it is a surge."""
    place = surge_cases.place_of(dict(parse_qsl(alert.address)))
    if place is not None:
        over = alert.state == AlertState.RESOLVED
        draw_cases(place, alert.resolved_at if over and alert.resolved_at else now())


def draw_asked() -> bool:
    """The cases of the time and place in the address. Returns whether there is one."""
    asked = {name: st.query_params[name] for name in st.query_params}
    place, until = surge_cases.place_of(asked), now()
    if place is None:
        return False
    with suppress(KeyError, ValueError, OverflowError):
        until = datetime.fromisoformat(asked["until"]).astimezone(UTC)
    draw_cases(place, until)
    return True


def draw_cases(place: surge_cases.Place, until: datetime) -> None:
    """The cases, the newest first."""
    limit = resources.threshold()
    with resources.session() as session:
        ids = surge_cases.cases(session, place, until, limit or 0.5, SHOWN + 1)
        rows = work_queue.rows(session, ids[:SHOWN])
    zone = resources.config().zone
    many = f"The latest {SHOWN} cases" if len(ids) > SHOWN else widgets.counted(len(ids), "case")
    span = f" from {times.stamp(place.since, zone)} to {times.stamp(until, zone)}"
    draw(tag("h3", f"{many} with complaints{span}", cls="side-title"))
    if not rows:
        draw(tag("p", "No complaint of this time has become a case yet.", cls="muted"))
    for row in rows:
        with st.container(
            key=f"never-{row.case.id}",
            horizontal=True,
            wrap=False,
            vertical_alignment="center",
            gap="small",
        ):
            draw(_line(row))
            st.page_link(
                CASE_PAGE,
                label=f"Open case {row.case.id}",
                icon=":material/chevron_right:",
                query_params={"id": str(row.case.id)},
                width=40,
            )


def _line(row: Row) -> Markup:
    zone = resources.config().zone
    text = " ".join(row.post.text[:300].split())
    return tag(
        "div",
        tag("b", times.ago(row.post.created_at, zone)),
        foreign(text),
        tag("span", foreign(row.case.network), cls="muted"),
        widgets.status_badge(row.case.status),
        widgets.owner(row.case.assignee, None),
        cls="never surge",
    )
