"""Whether we have said this before, word for word."""

import re
from collections.abc import Sequence

from monitor.answer.checking.plain import plain

SHORTEST = 10
"""Letters; a "Thank you" may be said twice."""

SIGNATURE = re.compile(
    r"[\s.!?](?:[\^*~/|]\s?\w{1,20}|[-–—]{1,2}\s?[A-Z]\w{0,19})\s*(?:\d/\d)?\s*$"
)
FIELD = re.compile(r"\{[^{}\n]{0,40}\}")


def letters(text: str) -> str:
    """What is left of an answer when links, handles, the signature and all signs are gone."""
    bare = SIGNATURE.sub("", plain(text))
    return "".join(sign for sign in bare.casefold() if sign.isalnum())


def said_before(text: str, earlier: Sequence[str]) -> bool:
    """Whether one of the earlier answers has the same letters."""
    mine = letters(text)
    return len(mine) >= SHORTEST and any(letters(said) == mine for said in earlier)


def second_canned(text: str, in_thread: Sequence[str], canned: Sequence[str]) -> bool:
    """Whether this is a canned answer, unchanged, and not the first in this thread."""
    shapes = [shape for shape in map(_shape, canned) if shape]

    def is_canned(said: str) -> bool:
        return any(shape.fullmatch(letters(said)) for shape in shapes)

    return is_canned(text) and any(is_canned(said) for said in in_thread)


def _shape(canned: str) -> re.Pattern[str] | None:
    """The letters of a canned answer, with room for what its {fields} are filled with."""
    parts = [letters(part) for part in FIELD.split(canned)]
    if sum(map(len, parts)) < SHORTEST:
        return None
    return re.compile(".{0,80}".join(map(re.escape, parts)))
