"""Two people at one case: who is there, whose words stay, what changed meanwhile, who is told."""

from datetime import timedelta

import pytest
import time_machine
from sqlmodel import Session

from monitor.answer import replies
from monitor.desk import cases
from monitor.desk.clock import notices
from monitor.desk.page import notes, presence
from monitor.store.models import CaseStatus, Outcome, now
from tests.dashboard.conftest import Seat
from tests.dashboard.seed import Desk


def box(seat: Seat) -> str:
    """What the answer's box says."""
    return next(a.value or "" for a in seat.app.text_area if a.label == "Your answer")


def write(seat: Seat, text: str) -> Seat:
    """Type into the answer's box and leave it."""
    next(a for a in seat.app.text_area if a.label == "Your answer").set_value(text).run()
    seat.check()
    return seat


def test_colleagues_see_who_is_looking_and_who_is_writing(desk: Desk, case_id: int) -> None:
    alice = Seat("alice").open("case", id=str(case_id))
    assert "is looking at this case" not in alice.html
    bob = Seat("bob").open("case", id=str(case_id))
    assert "<b>alice</b> is looking at this case" in bob.html
    assert "<b>bob</b> is looking at this case" in alice.look().html
    write(alice, "We send it today")
    assert "<b>alice</b> is writing on this case" in bob.look().html
    nobody = Seat(None).open("case", id=str(case_id))
    assert "<b>bob</b> is looking" in nobody.html
    assert len([e for e in bob.app.html if "is writing" in e.value]) == 1


def test_who_has_gone_is_gone_after_a_while(desk: Desk, case_id: int) -> None:
    Seat("alice").open("case", id=str(case_id))
    with time_machine.travel(now() + 2 * presence.LEASE):
        bob = Seat("bob").open("case", id=str(case_id))
        assert "is looking at this case" not in bob.html


def test_writing_ends_when_nothing_more_is_written(desk: Desk, case_id: int) -> None:
    alice = write(Seat("alice").open("case", id=str(case_id)), "We send it")
    with time_machine.travel(now() + timedelta(minutes=3)):
        alice.look()
        bob = Seat("bob").open("case", id=str(case_id))
        assert "<b>alice</b> is looking at this case" in bob.html


def test_a_draft_is_there_for_the_next_owner_and_says_when_it_was_saved(
    desk: Desk, case_id: int
) -> None:
    alice = write(Seat("alice").open("case", id=str(case_id)), "We send it tod")
    assert "Draft saved" in alice.html
    alice.app.menu_button(key="assign").click("bob").run()
    alice.check()
    bob = Seat("bob").open("case", id=str(case_id))
    assert box(bob) == "We send it tod"
    assert "Draft of alice, saved" in bob.html
    write(bob, "We send it today")
    assert "We send it today" in alice.look().html
    bob.app.menu_button(key="assign").click("alice").run()
    assert box(alice.look()) == "We send it today", "not her own words of before"


def test_a_browser_that_crashed_loses_nothing_that_was_saved(desk: Desk, case_id: int) -> None:
    write(Seat("alice").open("case", id=str(case_id)), "We send it today")
    assert box(Seat("alice").open("case", id=str(case_id))) == "We send it today"


def test_two_windows_never_write_over_each_other(desk: Desk, case_id: int) -> None:
    one = Seat("alice").open("case", id=str(case_id))
    two = Seat("alice").open("case", id=str(case_id))
    write(one, "first")
    write(two, "second")
    assert "The draft changed meanwhile: it says now: “first”" in two.told
    assert box(two) == "second", "what was typed stays"
    two.click("send")
    assert "The draft changed meanwhile" in two.told
    two.click("draft-keep")
    assert not two.has("draft-keep")
    assert "The draft was changed elsewhere" in one.look().html
    one.click("draft-take")
    assert box(one) == "second"
    write(one, "third")
    assert box(Seat("alice").open("case", id=str(case_id))) == "third"


def test_a_draft_thrown_away_elsewhere(desk: Desk, case_id: int) -> None:
    one = write(Seat("alice").open("case", id=str(case_id)), "first")
    Seat("alice").open("case", id=str(case_id)).click("discard")
    assert "thrown away elsewhere" in one.look().html
    one.click("draft-take")
    assert box(one) == ""


@pytest.mark.parametrize("key", ["pending", "snooze-1 hour"])
def test_a_click_on_a_case_that_changed_is_refused_with_what_changed(desk: Desk, key: str) -> None:
    case_id = desk.complaint("ben", "No refund", at=now() - timedelta(hours=5))
    alice = Seat("alice").open("case", id=str(case_id))
    desk.complaint("ben", "Still no refund, this is a scam")
    alice.click(key)
    assert "This case changed while you looked at it: another post" in alice.told
    assert "this is a scam" in alice.html
    assert desk.case(case_id).status == CaseStatus.OPEN
    alice.click(key)
    assert desk.case(case_id).status != CaseStatus.OPEN, "they have seen it now"


def test_resolving_what_a_colleague_just_put_aside(desk: Desk) -> None:
    case_id = desk.complaint("ben", "No refund")
    alice = Seat("alice").open("case", id=str(case_id))
    with Session(desk.engine) as session:
        cases.snooze(session, case_id, "bob", now() + timedelta(days=1))
    alice.click("resolve-now")
    assert "snoozed by bob" in alice.told
    assert desk.case(case_id).status == CaseStatus.SNOOZED


def test_assigning_a_case_that_was_just_resolved(desk: Desk, case_id: int) -> None:
    bob = Seat("bob").open("case", id=str(case_id))
    with Session(desk.engine) as session:
        cases.resolve(session, case_id, "alice", Outcome.EXPLAINED)
    bob.app.menu_button(key="assign").click("bob").run()
    bob.check()
    assert "resolved by alice (explained)" in bob.told
    assert desk.case(case_id).assignee == "alice"


def test_a_claim_after_a_colleague_s_tells_who_was_first(desk: Desk) -> None:
    case_id = desk.complaint("ben", "No refund")
    bob = Seat("bob").open("case", id=str(case_id))
    Seat("alice").open("case", id=str(case_id)).click("claim")
    assert "it is open and alice has it. Last: claimed by alice." in bob.click("claim").told


def test_an_answer_to_words_that_are_not_the_last_ones_is_not_sent(
    desk: Desk, case_id: int
) -> None:
    alice = write(Seat("alice").open("case", id=str(case_id)), "We send it today")
    desk.complaint("ben", "Got a refund, but the wrong sum", hours=0)
    alice.click("send")
    assert "another post" in alice.told
    assert "the wrong sum" in alice.html
    assert box(alice) == "We send it today"
    assert desk.case(case_id).answered_at is None
    alice.click("send")
    assert desk.case(case_id).answered_at is not None


def test_only_the_owner_s_draft_is_saved(desk: Desk, case_id: int) -> None:
    alice = Seat("alice").open("case", id=str(case_id))
    with Session(desk.engine) as session:
        cases.assign(session, case_id, "bob", "bob", "alice")
        replies.save_draft(session, case_id, "bob", "Mine now")
    write(alice, "Hello")
    assert "bob has this case" in alice.told
    assert "What you typed last is not saved" in alice.html
    assert ">Hello<" in alice.html
    assert "What you typed last" not in Seat("alice").open("case", id=str(case_id)).html
    assert box(Seat("bob").open("case", id=str(case_id))) == "Mine now"


def test_a_note_tells_a_colleague_who_finds_the_case_by_the_bell(desk: Desk, case_id: int) -> None:
    alice = Seat("alice").open("case", id=str(case_id))
    alice.app.text_area(key=f"note-{case_id}").set_value("@Bob do <b>you</b> know them?")
    alice.click("add-note")
    assert "The note is kept; told: bob." in alice.told
    assert "<mark>@Bob</mark> do &lt;b&gt;you&lt;/b&gt; know them?" in alice.html
    bob = Seat("bob").open()
    assert "alice named you in a note: @Bob do &lt;b&gt;you&lt;/b&gt;" in bob.html
    assert f"To case {case_id}" in [link.value for link in bob.app.sidebar.page_link]
    with Session(desk.engine) as session:
        (notice,) = notices.unseen(session, "bob")
    bob.open("case", id=str(case_id), notice=str(notice.id))
    assert "notice" not in bob.app.query_params
    assert "Nothing new for you" in bob.look().html
    assert "Nothing new for you" in alice.look().html


def test_all_notices_are_marked_as_seen(desk: Desk, case_id: int) -> None:
    with Session(desk.engine) as session:
        for text in ("@bob one", "@bob two"):
            notes.note(session, case_id, "alice", text, ["alice", "bob"])
    bob = Seat("bob").open()
    assert "@bob one" in bob.html
    bob.click("bell-seen")
    assert "@bob one" not in bob.html
    assert "Nothing new for you" in bob.html
    Seat(None).open()


@pytest.mark.parametrize("asked", ["x", "9" * 30, "-1", "999999", ""])
def test_a_link_to_a_notice_that_is_none(desk: Desk, case_id: int, asked: str) -> None:
    assert "Ben B" in Seat("bob").open("case", id=str(case_id), notice=asked).html
