"""Numbers that open the rows which they count, alone and in tables."""

from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

from dashboard.markup import Markup, foreign, join, tag
from monitor.watch.reports.wording import NOT_MEASURED
from monitor.watch.trends.measures import NONE, Asked

ROWS = "rows"
"""The page that shows them, as it is called in an address."""


def link(text: str, asked: Asked, label: str = "") -> Markup:
    """A number as a link to its rows; `label` says to a screen reader what it counts."""
    return tag(
        "a",
        text,
        href=f"{ROWS}?{urlencode(asked.address)}",
        target="_self",
        cls="count",
        aria_label=f"{text} {label}".strip() if label else None,
    )


def count(number: int, asked: Asked, label: str = "") -> Markup:
    """A count as a link to its rows; of nothing there are none."""
    return link(f"{number:,}", asked, label) if number else tag("span", "0", cls="muted")


def figure(name: str, value: str, asked: Asked | None, told: str, meaning: str) -> Markup:
    """One large number: its name, what it was before in words, and its rows."""
    known = asked is not None and value not in ("0", NOT_MEASURED)
    inner = link(value, asked, name) if asked is not None and known else value
    return tag(
        "div",
        tag("small", name, cls="muted"),
        tag("b", inner),
        tag("small", told, cls="muted"),
        title=meaning,
        cls="figure",
    )


def figures(*shown: Markup) -> Markup:
    """Large numbers in a row."""
    return tag("div", *shown, cls="key-figures")


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    caption: str = "",
    text_columns: Sequence[int] = (0,),
) -> Markup:
    """A table whose first column, and the other text columns, stand left, and numbers right."""

    def kind(place: int) -> str | None:
        return None if place in text_columns else "num"

    head = [tag("th", name, cls=kind(place), scope="col") for place, name in enumerate(columns)]
    lines = [
        tag("tr", *[tag("td", cell, cls=kind(place)) for place, cell in enumerate(row)])
        for row in rows
    ]
    parts = [tag("caption", caption)] if caption else []
    parts += [tag("thead", tag("tr", *head)), tag("tbody", *lines)]
    return tag("div", tag("table", *parts, cls="numbers"), cls="wide")


def named(value: str, none: str = "unknown") -> Markup:
    """A value of a dimension, which may be a stranger's word; `none` where there is none."""
    return tag("span", none, cls="muted") if value == NONE else foreign(value)


def lines(*parts: Markup) -> Markup:
    """Paragraphs."""
    return join(*[tag("p", part) for part in parts])
