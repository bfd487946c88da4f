"""Promises on the pages: the badge that warns, and what one is told."""

from datetime import timedelta

import pytest
from sqlmodel import Session

from dashboard import resources
from monitor.config import load
from monitor.desk import cases
from monitor.desk.clock import sla_clock
from monitor.store.models import Outcome
from tests.dashboard.conftest import Seat
from tests.dashboard.seed import Desk

POLICY = """
[[sla]]
name = "Quick & kind"
first = "2 h"
resolution = "40 h"
"""


@pytest.fixture(name="desk")
def _promising(desk: Desk) -> Desk:
    """A desk that promises an answer within two hours, around the clock; bob leads it."""
    text = desk.config.read_text(encoding="utf-8")
    text = text.replace('name = "bob"', 'name = "bob"\nrole = "lead"')
    desk.config.write_text(text + POLICY, encoding="utf-8")
    return desk


def reckon(desk: Desk) -> None:
    """What the engine does every few seconds."""
    config = load(desk.config)
    with Session(desk.engine) as session:
        while sla_clock.refresh(session, config.sla, config.hours):
            pass
        sla_clock.watch(session, config.leads, config.desk.warn_before, config.zone)


def test_the_badge_says_how_long_there_is(desk: Desk) -> None:
    desk.complaint("ann", "No refund for weeks", hours=0.49)
    desk.complaint("ben", "No refund for weeks", hours=1.51)
    desk.complaint("cid", "No refund for weeks", hours=5.01)
    reckon(desk)
    html = Seat().open().html
    assert '<span class="badge gray" title="Promised by Quick &amp; kind. first response' in html
    assert ">due in 1 h<" in html
    assert '<span class="badge amber" title="Promised by' in html
    assert ">due in 29 min<" in html
    assert '<span class="badge red" title="Promised by' in html
    assert ">late by 3 h<" in html


def test_the_case_shows_what_breaks_next_until_it_ends(desk: Desk) -> None:
    case_id = desk.complaint("ben", "No refund for weeks", hours=1.51)
    reckon(desk)
    seat = Seat().open("case", id=str(case_id))
    assert ">due in 29 min<" in seat.html
    assert "; resolution: " in seat.html
    with Session(desk.engine) as session:
        cases.resolve(session, case_id, "alice", Outcome.SOLVED)
    assert ">due in" not in seat.look().html


def test_without_policies_there_is_no_badge(desk: Desk) -> None:
    text = desk.config.read_text(encoding="utf-8")
    desk.config.write_text(text.replace(POLICY, ""), encoding="utf-8")
    resources._config.clear()
    case_id = desk.complaint("ben", "No refund for weeks", hours=9)
    reckon(desk)
    for seat in (Seat().open(), Seat().open("case", id=str(case_id))):
        assert ">due in" not in seat.html
        assert ">late by" not in seat.html


def test_who_is_told_sees_it_and_marks_it_seen(desk: Desk) -> None:
    near = desk.complaint("ann", "No refund for weeks", hours=1.75)
    late = desk.complaint("ben", "No refund for weeks", hours=2.5)
    with Session(desk.engine) as session:
        cases.claim(session, near, "alice")
    reckon(desk)
    alice, bob = Seat("alice").open(), Seat("bob").open()
    assert f"Case {near}: the first response is due on" in alice.html
    assert f"Case {late}: the first response was due on" in bob.html
    assert f"Case {late}: " not in alice.html
    bob.click("bell-seen")
    assert not bob.has("bell-seen")
    assert alice.look().has("bell-seen"), "each for themselves"
    assert not Seat(None).open().has("bell-seen")


def test_the_badge_waits_for_the_engine(desk: Desk) -> None:
    case_id = desk.complaint("ben", "No refund for weeks", hours=1)
    assert ">due in" not in Seat().open().html
    reckon(desk)
    found = desk.case(case_id)
    assert found.due_at is not None
    assert found.due_at - found.opened_at == timedelta(hours=2)
