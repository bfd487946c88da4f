"""Answering: saved, sent at most once, looked for, never sent again by itself."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from connectors.base import FatalError, RetryableError
from monitor.answer import replies, settling
from monitor.desk import cases
from monitor.desk.cases import CaseConflictError, CaseError
from monitor.store.models import Case, CaseStatus, Reply, ReplyStatus, now
from tests.conftest import ALICE, BOB, ScriptedNetwork, make_post
from tests.monitor.test_desk import Desk, desk

__all__ = ["desk"]


@pytest.fixture
def case(desk: Desk) -> Case:
    """A case that alice has claimed."""
    (found,) = desk.receive(make_post("1", "acme is down"))
    cases.claim(desk.session, found.id, ALICE)
    return found


def forget(session: Session) -> None:
    """Let two minutes pass for every reply."""
    session.execute(
        sa.update(Reply).values(updated_at=now() - timedelta(minutes=2), checked_at=None)
    )
    session.commit()


def test_a_reply_is_sent_once_and_then_seen(
    session: Session, case: Case, network: ScriptedNetwork
) -> None:
    draft = replies.save_draft(session, case.id, ALICE, "We are sorry.")
    assert session.get_one(Case, case.id).reply_status == ReplyStatus.DRAFT
    sent = replies.send(session, draft.id, ALICE, network)
    assert sent.status == ReplyStatus.SENT
    assert list(network.sent.values()) == ["We are sorry."]
    session.refresh(case)
    assert (case.status, case.waiting_since) == (CaseStatus.PENDING, None)
    with pytest.raises(CaseConflictError):
        replies.send(session, draft.id, ALICE, network)
    assert settling.settle(session, lambda _: network) == 1
    seen = session.get_one(Case, case.id, populate_existing=True)
    assert seen.reply_status == ReplyStatus.SEEN
    assert len(network.sent) == 1


def test_a_draft_of_last_week_is_looked_for_once_it_is_sent(
    session: Session, case: Case, network: ScriptedNetwork
) -> None:
    draft = replies.save_draft(session, case.id, ALICE, "We are sorry.")
    session.execute(sa.update(Reply).values(created_at=now() - timedelta(days=7)))
    session.commit()
    replies.send(session, draft.id, ALICE, network)
    assert settling.settle(session, lambda _: network) == 1


def test_a_draft_survives_and_is_one(session: Session, case: Case) -> None:
    replies.save_draft(session, case.id, ALICE, "We")
    replies.save_draft(session, case.id, ALICE, "We are sorry.")
    assert [reply.text for reply in session.exec(select(Reply))] == ["We are sorry."]
    replies.discard_draft(session, case.id, ALICE)
    session.refresh(case)
    assert case.reply_status == ReplyStatus.UNANSWERED
    assert not session.exec(select(Reply)).all()


@pytest.mark.parametrize("text", ["", "   "])
def test_nothing_is_not_a_reply(session: Session, case: Case, text: str) -> None:
    with pytest.raises(CaseError):
        replies.save_draft(session, case.id, ALICE, text)


def test_only_the_owner_answers_and_only_what_fits(
    session: Session, case: Case, network: ScriptedNetwork
) -> None:
    with pytest.raises(CaseConflictError, match="alice has this case"):
        replies.save_draft(session, case.id, BOB, "hello")
    draft = replies.save_draft(session, case.id, ALICE, "x" * 301)
    with pytest.raises(CaseError, match="301"):
        replies.send(session, draft.id, ALICE, network)
    assert not network.sent


def test_a_refused_reply_has_failed_and_can_be_mended(
    session: Session, case: Case, network: ScriptedNetwork
) -> None:
    network.fail_reply = FatalError("net answered 401")
    draft = replies.save_draft(session, case.id, ALICE, "We are sorry.")
    failed = replies.send(session, draft.id, ALICE, network)
    assert (failed.status, failed.error) == (ReplyStatus.FAILED, "net answered 401")
    network.fail_reply = None
    settling.send_again(session, failed.id, ALICE)
    assert replies.send(session, failed.id, ALICE, network).status == ReplyStatus.SENT
    assert len(network.sent) == 1


def test_an_answer_that_got_lost_is_found_and_not_sent_again(
    session: Session, case: Case, network: ScriptedNetwork
) -> None:
    network.lose_answer = RetryableError("net dropped the connection")
    draft = replies.save_draft(session, case.id, ALICE, "We are sorry.")
    stuck = replies.send(session, draft.id, ALICE, network)
    assert stuck.status == ReplyStatus.SENDING
    with pytest.raises(CaseConflictError):
        settling.send_again(session, stuck.id, ALICE)
    assert settling.settle(session, lambda _: network) == 0
    forget(session)
    assert settling.settle(session, lambda _: network) == 1
    session.refresh(stuck)
    assert (stuck.status, len(network.sent)) == (ReplyStatus.SEEN, 1)


def test_one_that_cannot_be_found_waits_for_a_person(
    session: Session, case: Case, network: ScriptedNetwork
) -> None:
    network.fail_reply = RetryableError("net did not answer in time")
    draft = replies.save_draft(session, case.id, ALICE, "We are sorry.")
    stuck = replies.send(session, draft.id, ALICE, network)
    for _ in range(3):
        forget(session)
        assert settling.settle(session, lambda _: network) == 0
    session.refresh(stuck)
    assert stuck.status == ReplyStatus.SENDING
    assert "Look there yourself" in (stuck.error or "")
    forget(session)
    settling.give_up(session, stuck.id, ALICE)
    session.refresh(case)
    assert case.reply_status == ReplyStatus.FAILED
    assert not network.sent


def test_a_reply_made_elsewhere_is_recorded_with_its_link(session: Session, case: Case) -> None:
    for bad in ("", "javascript:alert(1)", "not a link", "https://"):
        with pytest.raises(CaseError):
            replies.record_elsewhere(session, case.id, ALICE, bad)
    replies.record_elsewhere(session, case.id, ALICE, "https://net.example/9")
    session.refresh(case)
    assert (case.reply_status, case.waiting_since) == (ReplyStatus.SENT, None)
