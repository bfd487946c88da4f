"""What a rule would have done in the past, before anybody is woken by it."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import altair as alt
import streamlit as st

from dashboard import resources, times, widgets
from dashboard.alarm_line import ALERTS_PAGE
from dashboard.markup import Markup, draw, tag
from monitor.store.models import Severity, now
from monitor.watch.detection import backtest, surges
from monitor.watch.detection.backtest import Backtest, Firing

DAYS = 90

EVERYTHING = "Everything"


def draw_backtest() -> None:
    """Choose what and how, and see when it would have fired."""
    rules = surges.detector(resources.config().alerts)
    draw(tag("h3", "Try a rule on the past", cls="side-title"))
    with resources.session() as session:
        networks, sources = backtest.choices(session)
    what = [EVERYTHING, *(f"Network {name}" for name in networks)]
    what += [f"Source {name}" for name in sources]
    with (
        st.form("try-rule", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        chosen = st.selectbox("What", what, key="try-what")
        ratio = st.number_input(
            "Times the usual",
            min_value=1.5,
            max_value=100.0,
            value=rules.fast_ratio,
            step=0.1,
            key="try-ratio",
        )
        excess = st.number_input(
            "At least this many above it, in an hour",
            min_value=1,
            max_value=100_000,
            value=rules.fast_excess,
            key="try-excess",
        )
        asked = st.form_submit_button(f"Try it on the last {DAYS} days", key="try-go")
    if asked:
        st.session_state["tried"] = (chosen, round(float(ratio), 2), int(excess))
    tried: tuple[str, float, int] | None = st.session_state.get("tried")
    if tried is not None:
        _draw(*tried)


def _draw(chosen: str, ratio: float, excess: int) -> None:
    found = _found(chosen, ratio, excess)
    many = len(found.firings)
    times_ = "once" if many == 1 else f"{many} times"
    draw(tag("p", tag("b", f"This rule would have fired {times_} in the last {found.days} days.")))
    _learning(found)
    if found.by_day:
        zone = resources.config().zone
        st.altair_chart(_chart(found, zone), width="stretch")
        draw(tag("p", f"Days of {zone.key}.", cls="muted"))
    for number, firing in enumerate(found.firings[:50]):
        with st.container(
            key=f"tried-{number}", horizontal=True, wrap=False, vertical_alignment="center"
        ):
            draw(_line(firing))
            st.page_link(
                ALERTS_PAGE,
                label=f"Cases of {times.stamp(firing.began, resources.config().zone)}",
                icon=":material/chevron_right:",
                query_params=_address(chosen, firing),
            )
    rules = surges.detector(resources.config().alerts)
    if (ratio, excess) != (round(rules.fast_ratio, 2), rules.fast_excess):
        name = resources.config().path.name
        draw(
            tag("p", f"To keep it, put this under [alerts] in {name} and restart:", cls="muted"),
            tag("pre", f"spike_ratio = {ratio}\nspike_excess = {excess}"),
        )


def _learning(found: Backtest) -> None:
    zone = resources.config().zone
    if found.learned_since is None:
        words = "There are too few days of posts yet: it was learning all the time."
    elif now() - found.learned_since < timedelta(days=found.days - 1):
        since = times.stamp(found.learned_since, zone)
        words = f"Until {since} it was learning what is usual and could not have fired."
    else:
        return
    draw(tag("p", words, cls="muted"))


@st.cache_data(ttl=300, max_entries=20, show_spinner="Trying it on the past …")
def _found(chosen: str, ratio: float, excess: int) -> Backtest:
    settings = resources.config().alerts.model_copy(
        update={"spike_ratio": ratio, "spike_excess": excess}
    )
    with resources.session() as session:
        return backtest.backtest(
            session,
            resources.threshold() or 0.5,
            surges.detector(settings),
            DAYS,
            now(),
            resources.config().every,
            zone=resources.config().zone,
            **_place(chosen),
        )


def _place(chosen: str) -> dict[str, str]:
    kind, _, name = chosen.partition(" ")
    return {kind.lower(): name} if name else {}


def _address(chosen: str, firing: Firing) -> dict[str, str]:
    found = {"since": (firing.began - timedelta(hours=1)).isoformat(), **_place(chosen)}
    if firing.ended is not None:
        found["until"] = firing.ended.isoformat()
    return found


def _line(firing: Firing) -> Markup:
    zone = resources.config().zone
    ended = f"until {times.stamp(firing.ended, zone)}" if firing.ended else "fires now"
    colour = "red" if firing.severity is Severity.PAGE else "amber"
    return tag(
        "div",
        widgets.badge(firing.severity.capitalize(), colour),
        tag("b", times.stamp(firing.began, zone)),
        tag("span", ended, cls="muted"),
        tag("span", f"{firing.peak} at its peak, usual {firing.usual:.1f}"),
        cls="state-line",
    )


def _chart(found: Backtest, zone: ZoneInfo) -> alt.LayerChart | alt.FacetChart:
    """Complaints by day, and when it would have fired, by the team's clock in any browser."""

    def wall(at: datetime) -> str:
        return at.astimezone(zone).replace(tzinfo=None).isoformat()

    values = [{"day": f"{day}T00:00:00", "complaints": n} for day, n in found.by_day]
    x = alt.X("day:T", title=None, axis=alt.Axis(format="%-d %b", tickCount=10))
    bars = (
        alt.Chart({"values": values})
        .mark_bar(color="#8593a3")
        .encode(
            x=x,
            y=alt.Y("complaints:Q", title="Complaints a day"),
            tooltip=[
                alt.Tooltip("day:T", title="Day", format="%a %-d %b"),
                alt.Tooltip("complaints:Q", title="Complaints"),
            ],
        )
    )
    fired = [{"day": wall(f.began), "severity": f.severity.value} for f in found.firings]
    rules = (
        alt.Chart({"values": fired})
        .mark_rule(color="#c2410c", strokeWidth=2)
        .encode(x=x, tooltip=[alt.Tooltip("day:T", title="Fired", format="%-d %b %H:%M")])
    )
    most = max(found.by_day, key=lambda one: one[1])
    words = (
        f"Complaints by day: {most[1]} at most, on {most[0]}. "
        f"The rule would have fired at the lines: {len(fired)}."
    )
    return alt.layer(bars, rules).properties(height=200, description=words)
