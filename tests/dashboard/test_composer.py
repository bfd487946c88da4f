"""The box in which an answer is written: canned replies, the private contact, approval."""

import pytest
from sqlmodel import Session, select

from connectors.base import FatalError
from monitor.answer import canned
from monitor.desk import cases
from monitor.store.models import Canned, Notice, ReplyStatus
from tests.dashboard.conftest import Seat
from tests.dashboard.seed import Desk
from tests.dashboard.test_reply import Fake, network, write

__all__ = ["network"]

CONTACT = "https://a.invalid/"


@pytest.fixture
def approving(desk: Desk) -> Desk:
    """bob is a lead, who reads what the others answer."""
    text = desk.config.read_text()
    text = text.replace('name = "bob"', 'name = "bob"\nrole = "lead"')
    desk.config.write_text(text.replace("[desk]", '[desk]\napproval = "everyone"'))
    return desk


@pytest.fixture
def contact(desk: Desk) -> Desk:
    """The company has a private contact."""
    text = desk.config.read_text()
    desk.config.write_text(text.replace("[desk]", f'[desk]\nprivate_contact = "{CONTACT}"'))
    return desk


def written(seat: Seat) -> str | None:
    """What stands in the box."""
    return next(area.value for area in seat.app.text_area if area.label == "Your answer")


def keep_canned(desk: Desk, name: str, text: str) -> int:
    """A canned reply that bob made."""
    with Session(desk.engine) as session:
        return canned.add(session, "bob", name, text).id


def names(desk: Desk) -> list[str]:
    """The canned replies that there are."""
    with Session(desk.engine) as session:
        return [one.name for one in canned.all_canned(session)]


def begin(seat: Seat, name: str) -> Seat:
    """Choose a canned reply to begin with."""
    box = next(box for box in seat.app.selectbox if box.label == "Begin with a canned reply")
    box.set_value(name).run()
    seat.check()
    return seat


def choose(seat: Seat, how: str) -> Seat:
    """Turn the switch under the box."""
    switch = next(one for one in seat.app.segmented_control if one.label == "How to answer")
    switch.set_value(how).run()
    seat.check()
    return seat


def test_a_canned_reply_is_filled_in_below_what_was_typed(
    desk: Desk, network: type[Fake], case_id: int
) -> None:
    keep_canned(desk, "Refund", "{customer}, by [date]. {agent}")
    seat = write(Seat().open("case", id=str(case_id)), "Hello!")
    begin(seat, "Refund")
    assert written(seat) == "Hello!\n\nBen B, by [date]. alice"
    assert seat.app.button(key="send").disabled
    assert "It cannot be sent before that is mended" in seat.html
    write(seat, "Ben B, it went out today. alice").click("send")
    assert network.sent == ["Ben B, it went out today. alice"]


def test_canned_replies_are_kept_changed_and_deleted_with_undo(
    desk: Desk, network: type[Fake], case_id: int
) -> None:
    seat = write(Seat().open("case", id=str(case_id)), "We look at it")
    name = next(box for box in seat.app.text_input if box.label == "Name")
    assert "Give it a name" in seat.click("canned-keep").told
    name = next(box for box in seat.app.text_input if box.label == "Name")
    name.set_value("Look")
    seat.click("canned-keep")
    with Session(desk.engine) as session:
        kept = session.exec(select(Canned)).one()
    assert (kept.name, kept.text, kept.agent) == ("Look", "We look at it", "alice")
    seat.app.selectbox(key="canned-which").set_value("Look").run()
    next(box for box in seat.app.text_input if box.label == "Name").set_value("Looking")
    seat.click("canned-keep")
    assert names(desk) == ["Looking"]
    seat.click("undo")
    assert names(desk) == ["Look"]
    seat.app.selectbox(key="canned-which").set_value("Look").run()
    seat.click("canned-delete")
    assert names(desk) == []
    assert "is deleted" in seat.told
    seat.click("undo")
    assert names(desk) == ["Look"]
    assert written(seat) == "We look at it"


def test_what_a_colleague_deleted_meanwhile(desk: Desk, network: type[Fake], case_id: int) -> None:
    number = keep_canned(desk, "Refund", "Soon")
    seat = Seat().open("case", id=str(case_id))
    seat.app.selectbox(key="canned-which").set_value("Refund").run()
    with Session(desk.engine) as session:
        canned.delete(session, number)
    assert "deleted this canned reply meanwhile" in seat.click("canned-keep").told
    assert [box.label for box in seat.app.selectbox if box.label.startswith("Begin")] == []


def test_public_then_private_is_seen_before_it_is_sent(
    contact: Desk, network: type[Fake], case_id: int
) -> None:
    seat = write(Seat().open("case", id=str(case_id)), "We are sorry.")
    choose(seat, "Public, then private")
    assert written(seat) == f"We are sorry.\n\n{CONTACT}"
    assert "33 of 40 characters" in seat.html
    assert written(choose(seat, "Public")) == "We are sorry."
    choose(seat, "Public, then private").click("send")
    assert network.sent == [f"We are sorry.\n\n{CONTACT}"]
    assert "sent an answer" in seat.html
    assert "public, then private" in seat.html


def test_without_a_private_contact_the_choice_says_how_to_set_one(
    desk: Desk, network: type[Fake], case_id: int
) -> None:
    seat = write(Seat().open("case", id=str(case_id)), "We are sorry.")
    choose(seat, "Public, then private")
    assert "private_contact" in seat.told
    assert written(seat) == "We are sorry."


def test_a_lead_approves_and_it_is_sent(approving: Desk, network: type[Fake], case_id: int) -> None:
    alice = write(Seat().open("case", id=str(case_id)), "We send it today")
    assert not alice.has("send")
    alice.click("ask")
    assert "Your answer waits for a lead since" in alice.html
    assert not alice.has("approve")
    assert approving.case(case_id).reply_status == ReplyStatus.WAITING
    with Session(approving.engine) as session:
        assert [notice.agent for notice in session.exec(select(Notice))] == ["bob"]
    bob = Seat("bob").open("case", id=str(case_id))
    assert "The answer of alice waits for a lead since" in bob.html
    assert bob.html.count("We send it today") == 1
    assert not bob.has("take-back")
    bob.click("approve")
    assert network.sent == ["We send it today"]
    assert "Sent." in bob.told
    assert "approved the answer" in bob.html
    assert approving.case(case_id).reply_status == ReplyStatus.SENT


def test_what_the_author_changed_meanwhile_is_not_approved(
    approving: Desk, network: type[Fake], case_id: int
) -> None:
    alice = write(Seat().open("case", id=str(case_id)), "We send it today").click("ask")
    bob = Seat("bob").open("case", id=str(case_id))
    write(alice.click("take-back"), "We send nothing").click("ask")
    assert "changed meanwhile" in bob.click("approve").told
    assert network.sent == []
    assert "We send nothing" in bob.html
    bob.click("approve")
    assert network.sent == ["We send nothing"]


def test_a_lead_sends_it_back_with_a_note(
    approving: Desk, network: type[Fake], case_id: int
) -> None:
    write(Seat().open("case", id=str(case_id)), "We send it").click("ask")
    bob = Seat("bob").open("case", id=str(case_id))
    assert "Say what has to change" in bob.click("send-back").told
    note = next(area for area in bob.app.text_area if area.label == "What has to change")
    note.set_value("Say <b>when</b>.")
    bob.click("send-back")
    assert "alice has it back" in bob.told
    alice = Seat().open("case", id=str(case_id))
    assert "bob sent it back:" in alice.html
    assert "Say &lt;b&gt;when&lt;/b&gt;." in alice.html
    assert written(alice) == "We send it"
    write(alice, "We send it today").click("ask")
    assert approving.case(case_id).reply_status == ReplyStatus.WAITING
    assert network.sent == []


def test_approved_but_refused_by_the_network_is_sent_again_without_asking(
    approving: Desk, network: type[Fake], case_id: int
) -> None:
    write(Seat().open("case", id=str(case_id)), "We send it").click("ask")
    network.answer = FatalError("The token is wrong: renew it.")
    Seat("bob").open("case", id=str(case_id)).click("approve")
    network.answer = None
    alice = Seat().open("case", id=str(case_id))
    assert "The token is wrong" in alice.html
    alice.click("send-again")
    assert network.sent == ["We send it"]


def test_a_lead_needs_nobody_and_cannot_approve_without_a_name(
    approving: Desk, network: type[Fake], case_id: int
) -> None:
    write(Seat().open("case", id=str(case_id)), "We send it").click("ask")
    nobody = Seat(None).open("case", id=str(case_id))
    assert "Choose your name first" in nobody.html
    assert not nobody.has("approve")
    other = approving.complaint("cas", "Broken again")
    with Session(approving.engine) as session:
        cases.claim(session, other, "bob")
    bob = write(Seat("bob").open("case", id=str(other)), "At once").click("send")
    assert network.sent == ["At once"]
    assert "Sent." in bob.told
