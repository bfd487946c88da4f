"""Answering: saved, sent at most once, looked for, never sent again by itself."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from connectors.base import FatalError, RetryableError, SentReply
from monitor.answer import approval, replies, settling
from monitor.desk import cases
from monitor.desk.cases import CaseConflictError, CaseError
from monitor.store.db import lock_writes
from monitor.store.models import (
    Case,
    CaseStatus,
    DraftOverride,
    Outcome,
    Reply,
    ReplyStatus,
    now,
)
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


def lost(session: Session, case: Case, network: ScriptedNetwork) -> Reply:
    """An answer that the network took and did not say so, a while ago."""
    network.lose_answer = RetryableError("net dropped the connection")
    draft = replies.save_draft(session, case.id, ALICE, "We are sorry.")
    stuck = replies.send(session, draft.id, ALICE, network)
    network.lose_answer = None
    forget(session)
    return stuck


def test_an_answer_is_looked_for_in_every_word_that_it_was_tried_with(
    session: Session, case: Case, network: ScriptedNetwork
) -> None:
    stuck = lost(session, case, network)
    (sent,) = network.sent.values()
    hidden, network.sent = network.sent, {}
    for words in ("So sorry.", "Very sorry."):
        network.fail_reply = RetryableError("net did not answer in time")
        settling.send_again(session, stuck.id, ALICE)
        replies.save_draft(session, case.id, ALICE, words)
        replies.send(session, stuck.id, ALICE, network)
        forget(session)
    network.fail_reply, network.sent = None, hidden
    assert settling.settle(session, lambda _: network) == 1
    session.refresh(stuck)
    assert (stuck.status, stuck.text, network.sent) == (ReplyStatus.SEEN, sent, hidden)


def test_a_draft_that_was_sent_despite_a_warning_can_be_thrown_away(
    session: Session, case: Case, network: ScriptedNetwork
) -> None:
    stuck = lost(session, case, network)
    session.add(DraftOverride(reply_id=stuck.id, rule="x", phrase="y", reason="z", agent=ALICE))
    session.commit()
    settling.send_again(session, stuck.id, ALICE)
    replies.discard_draft(session, case.id, ALICE)
    assert not session.exec(select(Reply)).all()
    assert not session.exec(select(DraftOverride)).all()


def test_what_is_being_sent_at_this_moment_is_not_given_up(
    session: Session, case: Case, network: ScriptedNetwork
) -> None:
    network.lose_answer = RetryableError("net dropped the connection")
    draft = replies.save_draft(session, case.id, ALICE, "We are sorry.")
    replies.send(session, draft.id, ALICE, network)
    with pytest.raises(CaseConflictError, match="at this moment"):
        settling.give_up(session, draft.id, ALICE)
    assert session.get_one(Reply, draft.id, populate_existing=True).status == ReplyStatus.SENDING


@pytest.mark.parametrize("given_up", [False, True])
def test_a_sender_that_takes_long_does_not_undo_what_was_found_meanwhile(
    session: Session, database: sa.Engine, case: Case, network: ScriptedNetwork, given_up: bool
) -> None:
    draft = replies.save_draft(session, case.id, ALICE, "We are sorry.")
    deliver = network.reply

    def slowly(ref: str, text: str, key: str) -> SentReply:
        sent = deliver(ref, text, key)
        with Session(database) as other:
            forget(other)
            if given_up:
                settling.give_up(other, draft.id, ALICE)
            else:
                assert settling.settle(other, lambda _: network) == 1
        return sent

    network.reply = slowly  # type: ignore[method-assign]  # a fake
    told = replies.send(session, draft.id, ALICE, network)
    assert told.status == (ReplyStatus.SENT if given_up else ReplyStatus.SEEN)
    assert session.get_one(Case, case.id, populate_existing=True).reply_status == told.status


def test_an_error_in_one_look_does_not_hide_the_others(
    session: Session, desk: Desk, case: Case, network: ScriptedNetwork
) -> None:
    replies.send(session, replies.save_draft(session, case.id, ALICE, "One").id, ALICE, network)
    (other,) = (
        made for made in desk.receive(make_post("2", "acme is down", "dave")) if made.id != case.id
    )
    cases.claim(session, other.id, ALICE)
    replies.send(session, replies.save_draft(session, other.id, ALICE, "Two").id, ALICE, network)
    find = network.find_reply

    def strange(ref: str, text: str, since: datetime) -> SentReply | None:
        if text == "One":
            raise KeyError("uri")
        return find(ref, text, since)

    network.find_reply = strange  # type: ignore[method-assign]  # a fake
    with pytest.raises(KeyError):
        settling.settle(session, lambda _: network)
    assert settling.settle(session, lambda _: network) == 1
    assert session.exec(select(Reply.status).order_by(sa.text("id"))).all() == ["sent", "seen"]


def test_two_engines_do_not_look_for_one_reply(
    session: Session, database: sa.Engine, case: Case, network: ScriptedNetwork
) -> None:
    draft = replies.save_draft(session, case.id, ALICE, "We are sorry.")
    replies.send(session, draft.id, ALICE, network)
    looked: list[int] = []

    def second(_: str) -> ScriptedNetwork:
        with Session(database) as other:
            looked.append(settling.settle(other, lambda _: network))
        return network

    assert settling.settle(session, second) == 1
    assert looked == [0]


def test_an_answer_or_a_case_that_is_gone_is_refused_in_words(
    session: Session, database: sa.Engine, case: Case, network: ScriptedNetwork
) -> None:
    leads = (ALICE, BOB)
    refused: list[Callable[[], object]] = [
        lambda: replies.save_draft(session, 99, ALICE, "We are sorry."),
        lambda: replies.discard_draft(session, 99, ALICE),
        lambda: replies.record_elsewhere(session, 99, ALICE, "https://net.example/9"),
        lambda: replies.send(session, 99, ALICE, network),
        lambda: settling.send_again(session, 99, ALICE),
        lambda: settling.give_up(session, 99, ALICE),
        lambda: approval.ask(session, 99, ALICE, leads),
        lambda: approval.approve(session, 99, ALICE, network, leads=leads, text="x"),
        lambda: approval.refuse(session, 99, ALICE, "No.", leads=leads),
        lambda: approval.take_back(session, 99, ALICE),
    ]
    for call in refused:
        with pytest.raises(CaseConflictError, match="no such"):
            call()
        with Session(database) as other:  # Nothing is held that another one waits for.
            lock_writes(other)


def test_a_resolved_case_holds_no_lock(session: Session, database: sa.Engine, case: Case) -> None:
    cases.resolve(session, case.id, ALICE, Outcome.SOLVED)
    with pytest.raises(CaseConflictError, match="resolved"):
        replies.save_draft(session, case.id, ALICE, "We are sorry.")
    assert not session.in_transaction()


def test_a_link_that_is_none_holds_no_lock(session: Session, case: Case) -> None:
    with pytest.raises(CaseError, match="Paste the link"):
        replies.record_elsewhere(session, case.id, ALICE, "https://[x/1")
    assert not session.in_transaction()
