"""The rows that a number counts: as many as it says, as a list and as a file."""

import re
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

import streamlit as st
from sqlmodel import Session

from dashboard import resources
from dashboard.markup import draw, foreign, join, tag
from dashboard.row_lines import line
from dashboard.times import full
from dashboard.widgets import counted
from monitor.watch.reports import export
from monitor.watch.reports.sheet import ROWS, Value, to_csv, to_xlsx, too_long
from monitor.watch.trends import counting
from monitor.watch.trends.conditions import Rules
from monitor.watch.trends.measures import LONG_AGO, MEASURES, NONE, UNTIL_NOW, Asked, Kind

TRENDS_PAGE = "app_pages/trends.py"

PAGE = 50

NOUNS = {
    Kind.POST: "post",
    Kind.AUTHOR: "author",
    Kind.CASE: "case",
    Kind.SLA: "SLA promise",
    Kind.PROMISE: "promise",
    Kind.REPLY: "answer",
}

WHERE = {
    "hours": {"in": "begun in working hours", "out": "begun out of working hours"},
}

Maker = Callable[[tuple[str, ...], list[tuple[Value, ...]]], bytes]


def main() -> None:
    """The whole page."""
    st.page_link(TRENDS_PAGE, label="Trends", icon=":material/arrow_back:")
    rules = resources.rules()
    try:
        asked = Asked.of_address(st.query_params)
    except ValueError as error:
        draw(tag("div", tag("h2", "There is nothing to list"), tag("p", str(error)), cls="empty"))
        return
    page = _page(st.query_params)
    with resources.session() as session:
        number = counting.count(session, asked, rules)
        ids = counting.ids(session, asked, rules, PAGE, page * PAGE)
        found = list(counting.rows(session, asked.kind, ids))
        title = _title(session, asked)
    draw(
        tag("h1", counted(number, NOUNS[asked.kind])),
        tag("p", title),
        tag("p", _span(asked), cls="muted"),
    )
    if not number:
        words = "They may have been erased, or changed since the number was counted."
        draw(tag("div", tag("h2", "None now"), tag("p", words), cls="empty"))
        return
    _files(asked, rules, number)
    draw(*[line(asked.kind, row, resources.config().zone) for row in found])
    _pager(asked, page, number)


def _page(query: Mapping[str, str]) -> int:
    asked = query.get("part", "0")
    return int(asked) if re.fullmatch(r"[0-9]{1,7}", asked) else 0


def _title(session: Session, asked: Asked) -> str:
    """What is listed, in words of ours and values that may be strangers'."""
    parts: list[str] = [MEASURES[asked.measure].words]
    for by, value in asked.where:
        shown = "unknown" if value == NONE else value
        if by in WHERE:
            parts.append(f", {WHERE[by].get(value, value)}")
        elif by == "incident":
            title = counting.incidents(session, [value]).get(value, value)
            parts += [", incident: ", foreign(title)]
        elif by == "topic":
            parts += [", of the newest that are read those that say: ", foreign(shown)]
        else:
            parts += [f", {by}: ", foreign(shown)]
    return join(*parts)


def _span(asked: Asked) -> str:
    zone = resources.config().zone
    if asked.measure == "held":
        return "Now."
    begin = "" if asked.begins == LONG_AGO else f"From {full(asked.begins, zone)} "
    end = "" if asked.ends >= UNTIL_NOW else f"until {full(asked.ends, zone)}"
    words = (begin + end).strip()
    return f"{words[:1].upper()}{words[1:]}." if words else "At any time."


def _files(asked: Asked, rules: Rules, number: int) -> None:
    zone = resources.config().zone
    makers: dict[str, tuple[Maker, str]] = {
        "csv": (lambda columns, rows: to_csv(columns, rows, zone), "text/csv"),
        "xlsx": (
            lambda columns, rows: to_xlsx(columns, rows, zone),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
    }
    database = resources.database()

    def made(maker: Maker) -> Callable[[], bytes]:
        def make() -> bytes:
            with Session(database) as session:
                return maker(*export.table(session, asked, rules))

        return make

    with st.container(horizontal=True, gap="small"):
        for ending, (maker, mime) in makers.items():
            if ending == "xlsx" and number > ROWS:
                draw(tag("p", too_long(number), cls="muted"), width="content")
                continue
            st.download_button(
                f"Download {counted(number, 'row')} as {ending.upper()}",
                made(maker),
                file_name=f"{asked.measure}.{ending}",
                mime=mime,
                key=f"rows-{ending}",
                icon=":material/download:",
                on_click="ignore",
                type="tertiary",
            )


def _pager(asked: Asked, page: int, number: int) -> None:
    last = (number - 1) // PAGE
    if last == 0:
        return

    def to(words: str, other: int) -> str:
        if not 0 <= other <= last:
            return tag("span", words, cls="muted")
        address = urlencode(asked.address | {"part": str(other)})
        return tag("a", words, href=f"rows?{address}", target="_self")

    draw(
        tag(
            "p",
            to("Back", page - 1),
            f"  {page * PAGE + 1:,} to {min(number, (page + 1) * PAGE):,} of {number:,}  ",
            to("Next", page + 1),
            cls="pages",
        )
    )


main()
