"""Answering a case: drafts, sending once, and what is told when it goes wrong."""

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from sqlmodel import Session, select

import connectors
from connectors.base import Connector, FatalError, RetryableError, SentReply
from monitor.answer import replies
from monitor.store.models import CaseStatus, Reply, ReplyStatus, now
from tests.dashboard.conftest import Seat
from tests.dashboard.seed import Desk


class Fake(Connector):
    """A network that takes what `answer` says."""

    name = "fake"
    max_length = 40
    takes = True
    answer: ClassVar[Exception | None] = None
    sent: ClassVar[list[str]] = []

    def fetch(self, cursor: str | None) -> Any:
        """Nothing ever comes."""
        yield from ()

    @property
    def can_reply(self) -> bool:
        """As the test wants it."""
        return self.takes

    def reply(self, ref: str, text: str, key: str) -> SentReply:
        """Take it, or fail as told."""
        if self.answer:
            raise self.answer
        self.sent.append(text)
        return SentReply(f"r{len(self.sent)}", "https://social.invalid/r", datetime.now(UTC))


@pytest.fixture
def network(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> type[Fake]:
    """The desk's source talks to the fake network."""

    class Network(Fake):
        sent: ClassVar[list[str]] = []

    monkeypatch.setitem(connectors.CONNECTORS, "fake", Network)
    desk.config.write_text(desk.config.read_text().replace('"demo"', '"fake"'))
    return Network


def write(seat: Seat, text: str) -> Seat:
    """Type into the box and leave it."""
    box = next(area for area in seat.app.text_area if area.label == "Your answer")
    box.set_value(text).run()
    seat.check()
    return seat


def test_a_reply_is_drafted_counted_and_sent(desk: Desk, network: type[Fake], case_id: int) -> None:
    seat = write(Seat().open("case", id=str(case_id)), "We send it today")
    assert "16 of 40 characters" in seat.html
    assert desk.case(case_id).reply_status == ReplyStatus.DRAFT
    assert seat.app.button(key="send").label == "Send publicly as Halewick"
    seat.click("send")
    assert network.sent == ["We send it today"]
    assert "Sent." in seat.told
    case = desk.case(case_id)
    assert case.reply_status == ReplyStatus.SENT
    assert case.status == CaseStatus.PENDING
    assert "We send it today" in seat.html
    boxes = [area.value for area in seat.app.text_area if area.label == "Your answer"]
    assert boxes == [""]


def test_a_draft_waits_for_the_next_visit_and_can_be_thrown_away(
    desk: Desk, network: type[Fake], case_id: int
) -> None:
    write(Seat().open("case", id=str(case_id)), "We send it tod")
    seat = Seat().open("case", id=str(case_id))
    assert [a.value for a in seat.app.text_area if a.label == "Your answer"] == ["We send it tod"]
    seat.click("discard")
    assert desk.case(case_id).reply_status == ReplyStatus.UNANSWERED
    assert not seat.has("discard")


def test_too_long_an_answer_cannot_be_sent(desk: Desk, network: type[Fake], case_id: int) -> None:
    seat = write(Seat().open("case", id=str(case_id)), "x" * 41)
    assert "1 too many" in seat.html
    assert seat.app.button(key="send").disabled


def test_an_empty_answer_is_refused(desk: Desk, network: type[Fake], case_id: int) -> None:
    seat = Seat().open("case", id=str(case_id)).click("send")
    assert "Write something first" in seat.told
    assert network.sent == []


def test_a_refused_answer_says_why_and_can_be_sent_again(
    desk: Desk, network: type[Fake], case_id: int
) -> None:
    network.answer = FatalError("The token is wrong: renew it.")
    seat = write(Seat().open("case", id=str(case_id)), "We send it today").click("send")
    assert "The token is wrong: renew it." in seat.html
    assert desk.case(case_id).reply_status == ReplyStatus.FAILED
    network.answer = None
    seat.click("send-again")
    assert network.sent == ["We send it today"]
    assert desk.case(case_id).reply_status == ReplyStatus.SENT


def test_a_lost_answer_is_not_sent_by_itself_and_a_person_decides(
    desk: Desk, network: type[Fake], case_id: int
) -> None:
    network.answer = RetryableError("social.invalid did not answer in time.")
    seat = write(Seat().open("case", id=str(case_id)), "We send it today").click("send")
    assert "It is being sent at this moment" in seat.html
    assert not seat.has("send")
    with Session(desk.engine) as session:
        reply = session.exec(select(Reply)).one()
        reply.updated_at = now() - timedelta(minutes=5)
        session.add(reply)
        session.commit()
    seat.look()
    assert "We do not know whether this answer arrived" in seat.html
    assert "did not answer in time" in seat.html
    seat.click("give-up")
    assert desk.case(case_id).reply_status == ReplyStatus.FAILED
    assert network.sent == []


def test_only_the_owner_answers(desk: Desk, network: type[Fake], case_id: int) -> None:
    with Session(desk.engine) as session:
        replies.save_draft(session, case_id, "alice", "Nearly done")
    bob = Seat("bob").open("case", id=str(case_id))
    assert "has this case and answers it" in bob.html
    assert "Nearly done" in bob.html
    assert not bob.has("send")
    assert "Choose your name first" in Seat(None).open("case", id=str(case_id)).html


def test_a_source_that_only_reads_offers_the_way_by_hand(
    desk: Desk, network: type[Fake], case_id: int
) -> None:
    network.takes = False
    seat = Seat().open("case", id=str(case_id))
    assert "reads only" in seat.html
    assert not seat.has("send")
    seat.app.text_input(key="by-hand-link").set_value("javascript:alert(1)")
    assert "it begins with https://" in seat.click("record").told
    seat.app.text_input(key="by-hand-link").set_value("https://social.invalid/r/1")
    seat.click("record")
    assert desk.case(case_id).status == CaseStatus.PENDING
    assert 'href="https://social.invalid/r/1"' in seat.html


def test_the_demo_says_that_it_pretends(desk: Desk, case_id: int) -> None:
    seat = Seat().open("case", id=str(case_id))
    assert "Nothing leaves this machine" in seat.html
    assert seat.app.button(key="send").label == "Pretend to send"


def test_a_source_gone_from_the_settings(desk: Desk, case_id: int) -> None:
    desk.config.write_text(desk.config.read_text().replace("sources.demo", "sources.other"))
    seat = Seat().open("case", id=str(case_id))
    assert "no longer in the settings" in seat.html
    assert seat.has("record")
