"""Why the marked post scores as it does: its text, each part on a ground that shows its weight."""

import re

import streamlit as st

from dashboard import resources
from dashboard.markup import Markup, draw, foreign, join, tag
from dashboard.widgets import notice
from monitor.desk.page.case_file import CaseFile
from monitor.model.scorer import ModelError
from monitor.model.why import LONGEST, Piece
from monitor.store.models import Post

FULL = 0.5
"""Log odds from which a ground may have its full strength: less is noise, however it compares."""

BETWEEN = re.compile(r"(^\s+|\s*\n\s*|\s+$)")
"""White space that belongs to no word."""

HOW = (
    "Each part was left out in turn: the stronger its ground, the more the model's verdict changes "
    "without it. Point at a part for its weight, in log odds."
)


def draw_why(file: CaseFile) -> None:
    """The section, which asks the model only when somebody wants to know."""
    post = file.post
    draw(tag("h3", "Why this score", cls="side-title"))
    if not post.text.strip():
        draw(tag("p", "The marked post has no text.", cls="muted small"))
        return
    if st.session_state.get("why") != post.id:
        st.button(
            "Show what weighs in the text",
            key="why-show",
            on_click=_show,
            args=(post.id,),
            help="Leaves each part of the marked post out in turn and asks the model again",
        )
        return
    try:
        pieces, model = resources.explanation(post.text)
    except (ModelError, OSError) as error:
        draw(notice(f"The model cannot be asked. {error}"))
        return
    draw(tag("div", _text(pieces), _legend(), *_remarks(post, model), cls="side"))


def _show(post_id: int) -> None:
    st.session_state.why = post_id


def _text(pieces: list[Piece]) -> Markup:
    """The words of the post; only grounds and titles are added."""
    full = max([FULL, *(abs(piece.weight) for piece in pieces)])
    return foreign(
        join(*(_piece(piece, abs(piece.weight) / full) for piece in pieces)),
        cls="text weighed",
        name="div",
    )


def _piece(piece: Piece, share: float) -> Markup:
    # White space at its ends and between lines has no ground: one part can be told from the next.
    side = "towards" if piece.weight >= 0 else "away"
    look = {"cls": f"weight {side}", "style": f"--share:{100 * share:.0f}%"}
    title = f"{piece.weight:+.2f}".replace("-", "−")
    return join(
        *(
            tag("span", words, **look, title=title) if words.strip() else words
            for words in BETWEEN.split(piece.text)
        )
    )


def _legend() -> Markup:
    sides = (("towards", "speaks for a complaint"), ("away", "speaks against it"))
    words = [
        tag("span", tag("i", cls=f"weight swatch {side}", style="--share:100%"), text)
        for side, text in sides
    ]
    return tag("p", *words, cls="legend small muted", title=HOW)


def _remarks(post: Post, model: str) -> list[Markup]:
    """How to read it, and where it is not the whole truth."""
    remarks = [HOW]
    if len(post.text) > LONGEST:
        remarks.append(f"Only the first {LONGEST:,} characters were looked at.")
    if (post.scorer or "").startswith(f"{model}+"):
        remarks.append("What the model learned from this team is in the score, but not in this.")
    elif post.scorer not in (None, model):
        remarks.append(f"This is how {model} reads it; the score is from {post.scorer}.")
    return [tag("p", " ".join(remarks), cls="muted small")]
