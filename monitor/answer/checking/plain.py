"""A text without what only looks like words or numbers, every letter still at its place."""

import re
from collections.abc import Iterator

LINK = re.compile(r"https?://\S+|\bwww\.\S+|(?<![\w@.])[\w-]+(?:\.[\w-]+)+/\S*", re.IGNORECASE)
HANDLE = re.compile(r"(?<![\w.+-])@[\w.-]+(?:@[\w.-]+)?\b")
STRAIGHT = str.maketrans(
    {"’": "'", "‘": "'", "`": "'", "“": '"', "”": '"', "\u00a0": " ", "\u2011": "-"}
)
END = re.compile(r"(?<=[.!?…])[)\"'»]*\s+|\n+|(?<!\s)\s{9,}(?=[A-Z])")
"""Where a sentence ends; also at a link, where the next word is a capital's."""


def plain(text: str) -> str:
    """The text with links and handles blanked out and quotation marks straight.

    As long as the text, so that a place in one is the same place in the other. Time stamps in links
    look like telephone numbers, and handles have words in them.
    """
    text = LINK.sub(lambda hit: " " * len(hit[0]), text)
    return HANDLE.sub(lambda hit: " " * len(hit[0]), text).translate(STRAIGHT)


def sentences(text: str, start: int = 0) -> Iterator[tuple[int, int]]:
    """Where each sentence from `start` on begins and ends."""
    for end in END.finditer(text, start):
        if text[start : end.start()].strip():
            yield start, end.start()
        start = end.end()
    if text[start:].strip():
        yield start, len(text)


def sentence_at(text: str, start: int, end: int) -> str:
    """The words of the sentence in which a piece of a text stands."""
    for first, last in sentences(plain(text)):
        if first < end and start < last:
            return text[first:last].strip()
    return text[start:end].strip()
