"""What a promise says of its time, where it says it simply."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from monitor.answer.checking.due_words import due_in
from monitor.answer.checking.plain import sentence_at

ZONE = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
"""Noon of a Friday in the team's zone."""


@pytest.mark.parametrize(
    ("sentence", "due"),
    [
        ("You will have it today.", "20 18:00"),
        ("We call you tonight", "20 18:00"),
        ("I will write to you tomorrow.", "21 18:00"),
        ("We refund it within 24 hours.", "21 12:00"),
        ("It’ll be fixed in two days", "22 12:00"),
        ("We will answer within the next hour, an engineer is there in 30 minutes", None),
        ("We will answer within the next hour", "20 13:00"),
        ("You get it in an hour.", "20 13:00"),
        ("You get it within the next three hours.", "20 15:00"),
        ("It arrives in 2-3 days", "23 12:00"),
        ("It comes in two to four days.", "24 12:00"),
    ],
)
def test_a_day_or_a_span_is_a_time(sentence: str, due: str | None) -> None:
    found = due_in(sentence, NOON, ZONE)
    assert (f"{found:%d %H:%M}" if found else None) == due


@pytest.mark.parametrize(
    "sentence",
    [
        "We will fix it, I promise.",
        "You hear from us by noon tomorrow.",
        "We ring you tomorrow morning",
        "Tomorrow at 3 we are there.",
        "It is with you the day after tomorrow.",
        "You get today’s price back.",
        "It comes today or tomorrow.",
        "We refund it within 3 working days.",
        "On Monday it will be there.",
    ],
)
def test_what_is_not_that_simple_is_left_to_the_person(sentence: str) -> None:
    assert due_in(sentence, NOON, ZONE) is None


def test_today_ends_later_for_the_late_shift_and_never_in_the_past() -> None:
    late = datetime(2026, 11, 20, 19, 0, tzinfo=UTC)
    assert f"{due_in('You have it today.', late, ZONE):%d %H:%M}" == "20 23:59"
    last = datetime(2026, 11, 20, 22, 59, 30, tzinfo=UTC)
    assert due_in("You have it today.", last, ZONE) is None


def test_a_span_lasts_as_long_as_it_says_when_the_clocks_change() -> None:
    before = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    found = due_in("We answer within 24 hours.", before, ZONE)
    assert found == datetime(2026, 10, 25, 12, 0, tzinfo=UTC)


def test_the_sentence_of_a_phrase_is_told_whole() -> None:
    text = "We’re sorry.  See https://x.example/a.b! We’ll refund you today – all of it.\nBye"
    start = text.index("refund you")
    assert sentence_at(text, start, start + 6) == "We’ll refund you today – all of it."
    assert sentence_at(text, 0, 4) == "We’re sorry."
