"""Until when a sentence promises something, where it says so simply."""

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY_ENDS = time(18)
"""What is promised for a day is done when the people at the desk go home."""

NUMBERS = {
    word: number
    for number, words in enumerate(
        ("a an one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"), 1
    )
    for word in words.split()
}
UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}

NUMBER = rf"(?:\d{{1,3}}|{'|'.join(NUMBERS)})"
SPAN = re.compile(
    rf"\b(?:with)?in (?:(?:the next )?(?:{NUMBER} ?(?:-|–|to|or) ?)?({NUMBER})|the next) "
    r"(minute|hour|day)s?\b",
    re.IGNORECASE,
)
DAY = re.compile(r"(?<!day after )\b(today|tonight|tomorrow)\b(?!['’]s)", re.IGNORECASE)
NARROWER = re.compile(
    r"\b(?:noon|midday|midnight|morning|lunch\w*|o['’]clock|day after|before|first thing)\b"
    r"|\d ?[ap]\.?m\b|\b\d{1,2}[:.]\d\d\b|\b(?:at|by|until) (?:about )?(?:\d|"
    + "|".join(NUMBERS)
    + r")",
    re.IGNORECASE,
)
"""A time of the day beside the day: what exactly is meant, a person says."""


def due_in(sentence: str, at: datetime, zone: ZoneInfo) -> datetime | None:
    """The time until which a sentence that is written `at` promises something, in its zone.

    That is the end of today or tomorrow, or so many minutes, hours or days from `at`; of a range
    the later. None where it names no time, two, or one that is not as simple.
    """
    spans = {_number(hit[1]) * UNITS[hit[2].lower()] for hit in SPAN.finditer(sentence)}
    days = {hit[1].lower() == "tomorrow" for hit in DAY.finditer(sentence)}
    if len(spans) + len(days) != 1 or (days and NARROWER.search(sentence)):
        return None
    local = at.astimezone(zone)
    if spans:
        # Across a change of the clocks a span stays as long as it says.
        return (at + spans.pop()).astimezone(zone)
    date = local.date() + timedelta(days=int(days.pop()))
    evening = datetime.combine(date, DAY_ENDS, zone)
    late = datetime.combine(date, time(23, 59), zone)
    return next((end for end in (evening, late) if end > at), None)


def _number(word: str | None) -> int:
    if word is None:  # “within the next hour”
        return 1
    return int(word) if word.isdecimal() else NUMBERS[word.lower()]
