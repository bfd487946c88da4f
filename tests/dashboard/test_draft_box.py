"""The draft check under the answer: what it marks, stops and lets pass with a reason."""

from datetime import UTC, datetime

import pytest
import streamlit as st
import time_machine
from sqlmodel import Session, select

from dashboard import resources
from monitor.answer.replies import discard_draft
from monitor.desk.merge import merge
from monitor.store.models import Commitment, DraftOverride
from tests.dashboard.conftest import Seat
from tests.dashboard.seed import Desk
from tests.dashboard.test_reply import Fake, network, write

__all__ = ["network"]


@pytest.fixture
def roomy(network: type[Fake]) -> type[Fake]:
    """A network that takes long answers."""
    network.max_length = 500
    return network


def why(seat: Seat) -> str:
    """Key of the field for the reason."""
    return next(str(i.key) for i in seat.app.text_input if i.label.startswith("Send it all the"))


def test_a_good_answer_is_left_alone(desk: Desk, roomy: type[Fake], case_id: int) -> None:
    seat = write(Seat().open("case", id=str(case_id)), "Your refund left our bank this morning.")
    assert 'class="findings"' not in seat.html
    seat.click("send")
    assert roomy.sent == ["Your refund left our bank this morning."]


def test_a_placeholder_is_marked_and_stops_it(desk: Desk, roomy: type[Fake], case_id: int) -> None:
    seat = write(Seat().open("case", id=str(case_id)), "Hi {name}, <b>we</b> look.")
    assert ">{name}</mark>" in seat.html
    assert "&lt;b&gt;we" in seat.html
    assert "It cannot be sent before that is mended" in seat.html
    assert seat.app.button(key="send").disabled
    assert not [i for i in seat.app.text_input if i.label.startswith("Send it all the")]
    write(seat, "Hi Ben, we look.")
    assert not seat.app.button(key="send").disabled


def test_a_warning_is_sent_with_a_reason_only(desk: Desk, roomy: type[Fake], case_id: int) -> None:
    seat = write(Seat().open("case", id=str(case_id)), "Please open a ticket.")
    assert ">open a ticket</mark>" in seat.html
    assert "Process before the problem" in seat.html
    assert "Better: " in seat.html
    seat.click("send")
    assert "say below it why you send it all the same" in seat.told
    assert roomy.sent == []
    seat.app.text_input(key=why(seat)).set_value("Ben asked where to open one")
    seat.click("send")
    assert roomy.sent == ["Please open a ticket."]
    with Session(desk.engine) as session:
        (kept,) = session.exec(select(DraftOverride)).all()
    assert (kept.rule, kept.reason) == ("process_first", "Ben asked where to open one")
    assert "sent it despite a warning" in seat.html


def test_own_contacts_come_from_the_settings(desk: Desk, roomy: type[Fake], case_id: int) -> None:
    seat = write(Seat().open("case", id=str(case_id)), "Our desk is desk@halewick.example.")
    assert seat.app.button(key="send").disabled
    text = desk.config.read_text()
    desk.config.write_text(text.replace("[desk]", '[desk]\nown_contacts = ["halewick.example"]'))
    st.cache_resource.clear()
    seat.look()
    assert not seat.app.button(key="send").disabled


def test_every_rule_says_whether_it_is_on_and_how_often_it_was_right(
    desk: Desk, roomy: type[Fake], case_id: int
) -> None:
    html = Seat().open("case", id=str(case_id)).html
    assert "Process before the problem" in html
    assert "hits in real answers were right" in html
    assert "off<div" in html
    assert "68 % of its 19 hits in written answers were right" in html


# ---- promises ----

NINE = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def offered(seat: Seat) -> list[str]:
    """Keys of the forms that record what the draft promises."""
    buttons = [str(button.key) for button in seat.app.button]
    return [
        key.removeprefix("promise-it-") for key in buttons if key.startswith("promise-it-draft")
    ]


def recorded(desk: Desk) -> list[Commitment]:
    with Session(desk.engine) as session:
        return list(session.exec(select(Commitment)).all())


def test_a_promise_in_the_draft_is_recorded_with_its_words_and_time(
    desk: Desk, roomy: type[Fake], case_id: int
) -> None:
    with time_machine.travel(NINE, tick=False):
        seat = Seat().open("case", id=str(case_id))
        assert offered(seat) == []
        write(seat, "We are sorry. Your refund will be sent *tomorrow*.")
        assert "A promise that is not written down" in seat.html
        (key,) = offered(seat)
        words = "Your refund will be sent *tomorrow*."
        assert seat.app.text_area(key=f"promise-text-{key}").value == words
        assert seat.app.selectbox(key=f"promise-owner-{key}").value == "alice"
        seat.click(f"promise-it-{key}")
        (made,) = recorded(desk)
        assert (made.text, made.owner, made.case_id) == (words, "alice", case_id)
        there = made.due_at.astimezone(resources.config().zone)
        assert f"{there:%d %H:%M}" == "21 18:00"
        assert "Promised until" in seat.told
        # It is in the ledger: nothing is left to warn of, and the answer goes out without a reason.
        assert offered(seat) == []
        assert 'class="findings"' not in seat.html
        seat.click("send")
    assert roomy.sent == ["We are sorry. Your refund will be sent *tomorrow*."]


def test_a_promise_without_a_simple_time_is_not_recorded_before_one_is_chosen(
    desk: Desk, roomy: type[Fake], case_id: int
) -> None:
    seat = write(Seat().open("case", id=str(case_id)), "It will be fixed, I promise.")
    (key,) = offered(seat)
    assert seat.app.datetime_input(key=f"promise-due-{key}").value is None
    seat.click(f"promise-it-{key}")
    assert "Choose until when" in seat.told
    assert recorded(desk) == []
    seat.app.datetime_input(key=f"promise-due-{key}").set_value(
        datetime.fromisoformat("2031-01-01T12:00")
    )
    seat.app.selectbox(key=f"promise-owner-{key}").select("bob")
    seat.click(f"promise-it-{key}")
    (made,) = recorded(desk)
    assert (made.owner, made.due_at.year) == ("bob", 2031)


def test_an_undone_record_is_warned_of_again(desk: Desk, roomy: type[Fake], case_id: int) -> None:
    seat = write(Seat().open("case", id=str(case_id)), "We will refund you within 3 hours.")
    seat.click(f"promise-it-{offered(seat)[0]}")
    assert offered(seat) == []
    seat.click("undo")
    (key,) = offered(seat)
    kept = seat.app.text_area(key=f"promise-text-{key}").value
    assert kept == "We will refund you within 3 hours."
    seat.click("send")
    assert "say below it why you send it all the same" in seat.told
    assert roomy.sent == []


def test_two_promises_have_two_forms_and_a_time_that_is_over_is_refused(
    desk: Desk, roomy: type[Fake], case_id: int
) -> None:
    text = "We will refund you within 3 hours. You will hear from us tomorrow."
    seat = write(Seat().open("case", id=str(case_id)), text)
    first, second = offered(seat)
    seat.app.datetime_input(key=f"promise-due-{first}").set_value(
        datetime.fromisoformat("2020-01-01T12:00")
    )
    assert "in the future" in seat.click(f"promise-it-{first}").told
    seat.click(f"promise-it-{second}")
    assert [made.text for made in recorded(desk)] == ["You will hear from us tomorrow."]
    assert offered(seat) == [first]


def test_a_promise_at_a_case_that_was_merged_meanwhile_is_refused(
    desk: Desk, roomy: type[Fake], case_id: int
) -> None:
    seat = write(Seat().open("case", id=str(case_id)), "We will refund you within 3 hours.")
    (key,) = offered(seat)
    other = desk.complaint("ben2", "No refund", name="Ben C")
    with Session(desk.engine) as session:
        discard_draft(session, case_id, "alice")
        merge(session, case_id, other, "alice", other_author=True)
    seat.click(f"promise-it-{key}")
    assert f"goes on in case {other}" in seat.told
    assert recorded(desk) == []
