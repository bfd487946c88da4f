"""The draft check under the answer: what it marks, stops and lets pass with a reason."""

import pytest
import streamlit as st
from sqlmodel import Session, select

from monitor.store.models import DraftOverride
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
