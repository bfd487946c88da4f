"""HTML that cannot be broken by what strangers write.

`tag` escapes everything that is not Markup already, so a post can only ever appear as its text.
Nothing from outside goes through Streamlit's Markdown, which knows links, images and formulas.
"""

import html
import re
from urllib.parse import urlsplit

import streamlit as st

VOID = frozenset({"br", "hr", "wbr"})

# Marks that turn the direction of everything after them. `dir=auto` does that work for honest text.
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# A letter with a dozen accents covers its neighbours ("zalgo").
PILED = re.compile(r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u20d0-\u20ff]{3})"
                   r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u20d0-\u20ff]+")  # fmt: skip


class Markup(str):
    """HTML that is safe to draw, as `tag` made it."""

    __slots__ = ()


def tag(name: str, *children: str, **attributes: str | int | None) -> Markup:
    """An element. Children that are plain text are escaped, as are all attributes.

    `cls` is the class; an underscore in an attribute's name is a hyphen; None leaves it out.
    """
    written = "".join(
        f' {"class" if key == "cls" else key.replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{join(*children)}</{name}>")


def join(*parts: str) -> Markup:
    """Parts in a row; plain text among them is escaped."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in parts))


def escape(text: str) -> Markup:
    """Text as it may stand in HTML."""
    return Markup(html.escape(harmless(text)))


def harmless(text: str) -> str:
    """Text without the characters that disturb what stands around it."""
    return PILED.sub(r"\1", CONTROL.sub("", TURNING.sub("", text)))


def foreign(text: str, *, cls: str = "", name: str = "span") -> Markup:
    """A stranger's words: as text, in their own direction, apart from their surroundings."""
    return tag(name, text, cls=f"foreign {cls}".strip(), dir="auto")


def plain(text: str) -> str:
    """A colleague's words for a label, which Streamlit reads as Markdown: nothing in it works."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|>~:$<&])", r"\\\1", harmless(text))


def link_out(url: str, label: str) -> Markup:
    """A link to a post on its network; only its label where the address is not of the web."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good:
        return Markup("")
    # The browser tells the network nothing about us, and the new page cannot reach ours.
    return tag("a", label, href=url, target="_blank", rel="noopener noreferrer", title=url[:300])


def draw(*parts: str, width: str = "stretch") -> None:
    """Put HTML on the page."""
    body = join(*parts)
    if body:
        st.html(body, width="stretch" if width == "stretch" else "content")
