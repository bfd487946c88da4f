"""Where posts come from, whether they still come, and what was missed."""

from functools import partial

import streamlit as st
from sqlmodel import Session

from dashboard import actions, resources, times, widgets
from dashboard.markup import Markup, draw, foreign, tag
from monitor.intake import sources
from monitor.store.models import Fetch, Source, now
from monitor.watch.alerting import health
from monitor.watch.alerting.health import Condition, SourceHealth

REFRESH_SECONDS = 10

LEDGER_LINES = 30

CONDITIONS = {
    Condition.GOOD: ("Good", "green", "Its last fetch went well."),
    Condition.FAILING: ("Failing", "amber", "Its last fetch failed; it is tried again by itself."),
    Condition.OFF: ("Off", "red", "Only a person can mend it: the error says how."),
    Condition.NEW: ("Not yet asked", "blue", "The engine has not come to it yet."),
    Condition.REMOVED: ("Not in config", "gray", "Disabled or gone from the settings."),
}

COLUMNS = {
    "When": "When we asked the network",
    "Received": "Posts that the network gave us",
    "New": "Of these, the ones that we kept: about us and not known yet",
    "Changed": "Known posts that came again edited or deleted",
    "Not ours": "Posts that your query does not count as being about you; not kept",
    "Skipped": "Malformed or private posts, left out; the note says why",
    "Quota": "Calls that the network still allows",
    "What else": "Posts known to be missed, errors, and why posts were skipped",
}


def main() -> None:
    """The whole page."""
    draw(tag("h1", "Sources"))
    _page()


@st.fragment(run_every=REFRESH_SECONDS)
def _page() -> None:
    actions.show_outcome()
    with resources.session() as session:
        found = health.sources(session)
        beat = health.health(session)
    _engine(beat)
    if not found:
        name = resources.config().path.name
        text = f"Add a [sources.NAME] table to {name} and start the engine with `monitor up`."
        draw(tag("div", tag("h2", "Nothing is watched yet"), tag("p", text), cls="empty"))
    for row in found:
        _source(row)


def _engine(beat: health.Health) -> None:
    """The engine's sign of life and what waits for it."""
    zone = resources.config().zone
    alive = beat.engine_alive
    facts = [
        _fact("Engine", "Running" if alive else "Not running", "" if alive else "too-long"),
        _fact("Last sign of life", widgets.since(beat.engine_seen_at, zone)),
        _fact("Posts to read", f"{beat.to_score:,}"),
        _fact("Posts to sort", f"{beat.to_triage:,}"),
    ]
    draw(tag("div", *facts, cls="facts card"))


def _fact(name: str, value: str, colour: str = "") -> Markup:
    return tag("div", tag("small", name, cls="muted"), tag("b", value, cls=colour))


def _source(row: SourceHealth) -> None:
    source, zone = row.source, resources.config().zone
    asked = row.condition in (Condition.GOOD, Condition.FAILING, Condition.NEW)
    facts = [
        _fact("Last success", widgets.since(source.last_success_at, zone)),
        _fact("Next fetch", _next(source) if asked else "never"),
        _fact("New posts in 24 h", f"{row.posts:,}"),
        _fact("Quota left", _quota(row.fetch)),
    ]
    with st.container(key=f"source-{source.id}", border=True):
        with st.container(horizontal=True, vertical_alignment="center", key=f"head-{source.id}"):
            draw(
                tag(
                    "div",
                    tag("b", source.name, cls="name"),
                    tag("span", source.connector, cls="muted"),
                    widgets.badge(*CONDITIONS[row.condition]),
                    cls="state-line",
                )
            )
            if row.condition is not Condition.REMOVED:
                st.button(
                    "Try now",
                    key=f"try-{source.id}",
                    icon=":material/refresh:",
                    on_click=_try_now,
                    args=(source.id, source.name),
                )
        draw(tag("div", *facts, cls="facts"))
        if source.last_error:
            failures = widgets.counted(source.failures, "failed fetch").replace("fetchs", "fetches")
            told = tag("p", foreign(source.last_error))
            kind = "problem" if row.condition is Condition.OFF else "doubt"
            draw(tag("div", tag("b", f"{failures} in a row"), told, cls=f"notice {kind}"))
        shown = st.expander(
            "Latest fetches", key=f"ledger-{source.id}", type="compact", on_change="rerun"
        )
        if shown.open:
            with shown:
                _ledger(source)


def _next(source: Source) -> Markup:
    """When it is asked again; one that is due waits for an engine."""
    if source.next_fetch_at > now():
        return times.ago(source.next_fetch_at, resources.config().zone)
    return tag("span", "due, ", times.ago(source.next_fetch_at, resources.config().zone))


def _quota(fetch: Fetch | None) -> Markup | str:
    if fetch is None or fetch.quota_remaining is None:
        return tag("span", "not told", cls="muted", title="This network does not tell it")
    return f"{fetch.quota_remaining:,}"


def _try_now(source_id: int, name: str) -> None:
    alive = resources.vitals().health.engine_alive
    when = "within seconds" if alive else "as soon as the engine runs"
    actions.act(partial(_make_due, source_id), f"{name} is asked {when}.")


def _make_due(source_id: int, session: Session, agent: str) -> None:
    source = session.get_one(Source, source_id)
    sources.try_again(source)
    session.add(source)
    session.commit()


def _ledger(source: Source) -> None:
    with resources.session() as session:
        fetches = health.ledger(session, source.id, LEDGER_LINES)
    if not fetches:
        draw(tag("p", "No fetch has brought, missed or failed at anything yet.", cls="muted"))
        return
    heads = [tag("th", name, title=meaning) for name, meaning in COLUMNS.items()]
    lines = [_fetch(fetch) for fetch in fetches]
    draw(
        tag(
            "p",
            "Fetches that brought, missed or failed at something, newest first. Received = new + "
            "changed + not ours + skipped + known already.",
            cls="muted small",
        ),
        tag(
            "div",
            tag("table", tag("tr", *heads), *lines, cls="ledger"),
            cls="wide",
        ),
    )


def _fetch(fetch: Fetch) -> Markup:
    numbers = (fetch.received, fetch.new, fetch.changed, fetch.unmatched, fetch.skipped)
    quota = "" if fetch.quota_remaining is None else f"{fetch.quota_remaining:,}"
    return tag(
        "tr",
        tag("td", times.clock(fetch.started_at, resources.config().zone)),
        *[tag("td", f"{number:,}" if number else "·", cls="num") for number in numbers],
        tag("td", quota, cls="num"),
        tag("td", *_remarks(fetch)),
    )


def _remarks(fetch: Fetch) -> list[Markup]:
    found = []
    if fetch.error:
        found.append(tag("div", widgets.badge("Failed", "red"), " ", foreign(fetch.error)))
    if fetch.gap:
        found.append(tag("div", widgets.badge("Gap", "amber"), " ", foreign(fetch.gap)))
    if fetch.notes:
        found.append(foreign(fetch.notes, cls="muted lines", name="div"))
    if fetch.finished_at is None:
        found.append(tag("div", "still running, or the engine stopped", cls="muted"))
    return found


main()
