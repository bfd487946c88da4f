"""How well and how fast is answered: every table of the second half of the trends."""

import streamlit as st

from dashboard import times, widgets
from dashboard.markup import Markup, draw, foreign, join, tag
from dashboard.number_links import count, lines, link, named, table
from monitor.store.models import Author, Case
from monitor.watch.reports.wording import length, length_change, share, share_change
from monitor.watch.trends.measures import IN, OUT, Asked
from monitor.watch.trends.overview import Overview
from monitor.watch.trends.response import WAITED, Times
from monitor.watch.trends.waits import Spread

CASE_PAGE, ROWS_PAGE = "app_pages/case.py", "app_pages/rows.py"


def draw_found(told: Overview) -> None:
    """What became of all the cases that the period found, dismissed ones with their reasons."""
    found, before = told.response.found, told.response_before.found
    draw(tag("h3", "What became of the cases that were found", cls="side-title"))
    rows = [
        ("Answered", count(found.answered, told.asked("answered"), "answered")),
        ("Not answered", count(found.unanswered, told.asked("unanswered"), "not answered")),
    ]
    for reason, number in sorted(told.response.dismissals.items()):
        asked = told.asked("dismissed").narrowed("dismissal", reason)
        rows.append((join("Dismissed: ", named(reason)), count(number, asked, "dismissed")))
    rows.append(("All cases found", count(found.cases, told.asked("cases"), "cases")))
    rate = f"Response rate {share(found.rate)}, {share_change(found.rate, before.rate)}."
    draw(table(("", "Cases"), rows), tag("p", rate, cls="muted"))


def draw_times(told: Overview) -> None:
    """Medians and 90th percentiles, by the clock and in working time."""
    draw(tag("h3", "How fast", cls="side-title"))
    rows = []
    for name, words in WAITED.items():
        present, before = told.response.times[name], told.response_before.times[name]
        rows.append((words, *_times(told, name, present), _before(told, name, present, before)))
    columns = (
        "", "How many", "Median", "90% within", "Median in working time", "90% within, working",
        "Begun in hours: median", "Begun out of hours: median", "Period before",
    )  # fmt: skip
    draw(table(columns, rows, text_columns=(0, 8)))
    words = (
        "Counted by when the answer or the end came. Dismissed and merged cases tell nothing of a "
        "resolution. Working time is what [hours] in the settings say."
    )
    draw(tag("p", words, cls="muted"))


def _times(told: Overview, name: str, present: Times) -> tuple[Markup, ...]:
    asked = told.asked(name)

    def cell(spread: Spread, seconds: float | None, hours: str = "") -> Markup:
        if not spread.number:
            return tag("span", length(None), cls="muted")
        of = asked.narrowed("hours", hours) if hours else asked
        return link(length(seconds), of, WAITED[name])

    return (
        count(present.clock.number, asked, WAITED[name]),
        cell(present.clock, present.clock.median),
        cell(present.clock, present.clock.p90),
        cell(present.working, present.working.median),
        cell(present.working, present.working.p90),
        cell(present.inside, present.inside.median, IN),
        cell(present.outside, present.outside.median, OUT),
    )


def _before(told: Overview, name: str, present: Times, before: Times) -> Markup:
    words = length_change(present.clock.median, before.clock.median)
    if not before.clock.number:
        return tag("span", words, cls="muted")
    return link(words, told.asked(name, before=True), f"{WAITED[name]}, period before")


def draw_promises(told: Overview) -> None:
    """What an SLA and what people promised."""
    met, missed, kept = told.response.met, told.response.missed, told.response.kept
    draw(tag("h3", "Promises", cls="side-title"))
    rows = []
    for name in sorted({*met, *missed}):
        good, bad = met.get(name, 0), missed.get(name, 0)
        rows.append(
            (
                f"SLA: {name}",
                count(good, told.asked("sla-met").narrowed("promise", name), "met"),
                count(bad, told.asked("sla-missed").narrowed("promise", name), "missed"),
                share(good / (good + bad)),
            )
        )
    rows.append(
        (
            "To customers",
            count(kept.kept, told.asked("kept"), "kept"),
            join(
                count(kept.broken, told.asked("broken"), "broken"),
                " and ",
                count(kept.late, told.asked("late"), "kept late"),
                " late",
            ),
            share(kept.rate),
        )
    )
    draw(table(("Due in this period", "Kept", "Broken", "Kept, of those over"), rows))
    running = count(kept.running, told.asked("running"), "still to be kept")
    draw(tag("p", running, " to customers are still to be kept.", cls="muted"))


def draw_ends(told: Overview) -> None:
    """How cases ended, and where people say that the model was wrong."""
    draw(tag("h3", "How cases ended", cls="side-title"))
    rows = [
        (named(name), count(number, told.asked("resolved").narrowed("outcome", name), name))
        for name, number in sorted(told.response.outcomes.items(), key=lambda one: -one[1])
    ]
    if rows:
        draw(table(("Ended in this period", "Cases"), rows))
    else:
        draw(tag("p", "No case ended in this period.", cls="muted"))
    draw(tag("h3", "Corrections of the model", cls="side-title"))
    response = told.response
    draw(
        lines(
            join(
                count(response.said_complaint, told.asked("missed"), "missed complaints"),
                " complaints that the model did not take for any; ",
                count(response.said_fine, told.asked("false"), "no complaints"),
                " posts that it did and people do not.",
            )
        )
    )


def draw_work(told: Overview) -> None:
    """Who has and did what."""
    draw(tag("h3", "Workload", cls="side-title"))
    rows = [
        (
            named(one.agent, "nobody"),
            count(one.replies, told.asked("replies").narrowed("agent", one.agent), "answers"),
            count(one.resolved, told.asked("resolved").narrowed("agent", one.agent), "ended"),
            count(one.held, told.asked("held").narrowed("agent", one.agent), "has now"),
        )
        for one in told.work
    ]
    if not rows:
        draw(tag("p", "Nobody has a case or did anything in this period.", cls="muted"))
        return
    draw(table(("", "Answers sent", "Cases ended", "Cases now"), rows))


def draw_never(told: Overview, found: list[tuple[Case, Author]]) -> None:
    """The never answered by age, and the oldest of them."""
    draw(tag("h3", "Never answered, the oldest first", cls="side-title"))
    if not found:
        draw(tag("p", "Every standing case has been answered at least once.", cls="muted"))
        return
    ages: list[str] = []
    for age in told.ages:
        ages += [f"{age.words}: ", count(age.number, age.asked, f"never answered, {age.words}")]
        ages.append(" · ")
    draw(tag("p", *ages[:-1]))
    for case, author in found:
        with st.container(
            key=f"never-{case.id}",
            horizontal=True,
            wrap=False,
            vertical_alignment="center",
            gap="small",
        ):
            draw(_waiter(case, author, told))
            st.page_link(
                CASE_PAGE,
                label=f"Open case {case.id}",
                icon=":material/chevron_right:",
                query_params={"id": str(case.id)},
                width=40,
            )
    st.page_link(
        ROWS_PAGE,
        label="All of them",
        icon=":material/list:",
        query_params=Asked("never").address,
    )


def _waiter(case: Case, author: Author, told: Overview) -> Markup:
    return tag(
        "div",
        tag("b", times.ago(case.opened_at, told.period.zone)),
        foreign(f"@{author.handle}", cls="handle"),
        tag("span", foreign(case.network), cls="muted"),
        widgets.status_badge(case.status),
        widgets.owner(case.assignee, None),
        cls="never",
    )
