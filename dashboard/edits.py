"""What an author did to a post afterwards: which words changed, or that they are gone."""

import difflib
import re
from datetime import datetime
from zoneinfo import ZoneInfo

from dashboard import times
from dashboard.markup import Markup, foreign, join, tag
from monitor.store.models import Post

MOST_WORDS = 1500
"""Longer texts are not compared: they are shown as they were."""

WORD = re.compile(r"\S+\s*|\s+")


def deleted(post: Post, mark: Markup, zone: ZoneInfo) -> Markup:
    """That the author took a post back, and its words with it."""
    when = times.ago(post.deleted_at, zone) if post.deleted_at else Markup("")
    words = " The author deleted this post; its words are gone from here too. "
    return tag("p", mark, words, tag("span", when, cls="muted"), cls="changed")


def edited(post: Post, mark: Markup, late: Markup, zone: ZoneInfo) -> Markup:
    """What a post said before its last edit, as a difference."""
    when = join(" ", times.ago(post.edited_at, zone)) if post.edited_at else Markup("")
    return tag(
        "details",
        tag("summary", mark, late, when, tag("span", " · what changed")),
        foreign(difference(post.previous_text or "", post.text), cls="text earlier", name="div"),
    )


def after_answer(post: Post, answered_at: datetime | None) -> bool:
    """Whether a post was edited after we first answered: our answer may not fit it any more."""
    return bool(post.edited_at and answered_at and post.edited_at > answered_at)


def difference(before: str, after: str) -> Markup:
    """Both texts in one: words that went are struck out, words that came are underlined."""
    old, new = WORD.findall(before), WORD.findall(after)
    if max(len(old), len(new)) > MOST_WORDS:
        return join(before)
    parts: list[Markup] = []
    for what, old_from, old_to, new_from, new_to in difflib.SequenceMatcher(
        None, old, new
    ).get_opcodes():
        gone, come = "".join(old[old_from:old_to]), "".join(new[new_from:new_to])
        if what == "equal":
            parts.append(join(gone))
            continue
        if gone:
            parts.append(tag("del", gone))
        if come:
            parts.append(tag("ins", come))
    return join(*parts)
