"""Approval: a draft waits for a lead, who lets it go out once or sends it back with a note."""

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from connectors.base import FatalError, RetryableError
from monitor.answer import approval, replies, settling
from monitor.desk import cases
from monitor.desk.cases import CaseConflictError, CaseError
from monitor.store.models import Case, CaseStatus, Notice, Outcome, Reply, ReplyStatus
from tests.conftest import ALICE, BOB, ScriptedNetwork
from tests.monitor.test_desk import Desk, desk
from tests.monitor.test_replies import case, forget

__all__ = ["case", "desk"]

CAROL = "carol"
LEADS = (BOB, CAROL)
TEXT = "We are sorry."


@pytest.fixture
def waiting(session: Session, case: Case) -> Reply:
    """An answer of alice that waits for bob or carol."""
    draft = replies.save_draft(session, case.id, ALICE, TEXT)
    approval.ask(session, draft.id, ALICE, LEADS)
    session.refresh(draft)
    return draft


def unseen(session: Session) -> list[tuple[str, str]]:
    """Who is told what, and has not looked yet."""
    found = select(Notice).where(sa.text("seen_at IS NULL")).order_by(sa.text("agent"))
    return [(notice.agent, notice.text) for notice in session.exec(found)]


def test_a_lead_lets_it_go_out_once(
    session: Session, case: Case, waiting: Reply, network: ScriptedNetwork, desk: Desk
) -> None:
    session.refresh(case)
    assert (waiting.status, case.reply_status) == (ReplyStatus.WAITING, ReplyStatus.WAITING)
    told = f"An answer of alice in case {case.id} waits for you."
    assert unseen(session) == [(BOB, told), (CAROL, told)]
    sent = approval.approve(session, waiting.id, BOB, network, leads=LEADS, text=TEXT)
    assert (sent.status, sent.approver, sent.agent) == (ReplyStatus.SENT, BOB, ALICE)
    assert network.sent == {waiting.key: TEXT}
    assert unseen(session) == []
    session.refresh(case)
    assert (case.status, case.waiting_since) == (CaseStatus.PENDING, None)
    assert desk.history(case)[-3:] == ["approval asked", "reply approved", "reply sent"]
    with pytest.raises(CaseConflictError):
        approval.approve(session, waiting.id, CAROL, network, leads=LEADS, text=TEXT)
    assert len(network.sent) == 1


def test_only_another_lead_decides(
    session: Session, waiting: Reply, network: ScriptedNetwork
) -> None:
    with pytest.raises(CaseError, match="Only a lead"):
        approval.approve(session, waiting.id, "dave", network, leads=LEADS, text=TEXT)
    with pytest.raises(CaseError, match="Only a lead"):
        approval.refuse(session, waiting.id, "dave", "No.", leads=LEADS)
    with pytest.raises(CaseError, match="yourself"):
        approval.approve(session, waiting.id, ALICE, network, leads=(ALICE, BOB), text=TEXT)
    with pytest.raises(CaseError, match="yourself"):
        approval.refuse(session, waiting.id, ALICE, "No.", leads=(ALICE, BOB))
    session.refresh(waiting)
    assert (waiting.status, network.sent) == (ReplyStatus.WAITING, {})


def test_sent_back_with_the_reason_and_asked_again(
    session: Session, case: Case, waiting: Reply, network: ScriptedNetwork, desk: Desk
) -> None:
    with pytest.raises(CaseError, match="Say what"):
        approval.refuse(session, waiting.id, BOB, "  ", leads=LEADS)
    approval.refuse(session, waiting.id, BOB, "Say when.", leads=LEADS)
    session.refresh(case)
    session.refresh(waiting)
    assert (waiting.status, waiting.refusal, waiting.approver) == (
        ReplyStatus.DRAFT,
        "Say when.",
        BOB,
    )
    assert case.reply_status == ReplyStatus.DRAFT
    assert unseen(session) == [(ALICE, f"bob sent your answer in case {case.id} back: Say when.")]
    assert ("reply sent back", "Say when.") in desk.details(case)
    with pytest.raises(CaseError, match="approve"):
        replies.send(session, waiting.id, ALICE, network, needs_approval=True)
    better = "We are sorry. Today at five."
    replies.save_draft(session, case.id, ALICE, better)
    approval.ask(session, waiting.id, ALICE, LEADS)
    session.refresh(waiting)
    assert (waiting.refusal, waiting.approver) == (None, None)
    assert [agent for agent, _ in unseen(session)] == [ALICE, BOB, CAROL]
    approval.approve(session, waiting.id, BOB, network, leads=LEADS, text=better)
    assert list(network.sent.values()) == [better]


def test_while_it_waits_it_is_neither_changed_nor_sent_nor_doubled(
    session: Session, case: Case, waiting: Reply, network: ScriptedNetwork
) -> None:
    with pytest.raises(CaseConflictError, match="waits for a lead"):
        replies.save_draft(session, case.id, ALICE, "Other words")
    with pytest.raises(CaseConflictError, match="waits for a lead"):
        replies.record_elsewhere(session, case.id, ALICE, "https://net.example/9")
    with pytest.raises(CaseConflictError):
        replies.send(session, waiting.id, ALICE, network)
    with pytest.raises(CaseConflictError):
        approval.ask(session, waiting.id, ALICE, LEADS)
    replies.discard_draft(session, case.id, ALICE)
    (left,) = session.exec(select(Reply)).all()
    assert (left.text, left.status, network.sent) == (TEXT, ReplyStatus.WAITING, {})
    session.add(Reply(case_id=case.id, post_id=case.post_id, agent=BOB, text="x", key="other"))
    with pytest.raises(sa.exc.IntegrityError):
        session.commit()
    session.rollback()


def test_words_that_the_lead_has_not_read_are_not_sent(
    session: Session, case: Case, waiting: Reply, network: ScriptedNetwork
) -> None:
    approval.take_back(session, waiting.id, ALICE)
    assert unseen(session) == []
    replies.save_draft(session, case.id, ALICE, "Other words")
    approval.ask(session, waiting.id, ALICE, LEADS)
    with pytest.raises(CaseConflictError, match="changed"):
        approval.approve(session, waiting.id, BOB, network, leads=LEADS, text=TEXT)
    session.refresh(waiting)
    assert (waiting.status, network.sent) == (ReplyStatus.WAITING, {})


def test_taken_back_by_its_author_or_who_has_the_case(
    session: Session, case: Case, waiting: Reply, network: ScriptedNetwork
) -> None:
    with pytest.raises(CaseConflictError, match="an answer of alice"):
        approval.take_back(session, waiting.id, BOB)
    cases.assign(session, case.id, ALICE, BOB, ALICE)
    approval.take_back(session, waiting.id, BOB)
    session.refresh(case)
    assert case.reply_status == ReplyStatus.DRAFT
    with pytest.raises(CaseConflictError):
        approval.take_back(session, waiting.id, ALICE)
    with pytest.raises(CaseConflictError):
        approval.refuse(session, waiting.id, CAROL, "No.", leads=LEADS)
    with pytest.raises(CaseConflictError):
        approval.approve(session, waiting.id, CAROL, network, leads=LEADS, text=TEXT)
    assert not network.sent


def test_what_cannot_be_asked_for(session: Session, case: Case, network: ScriptedNetwork) -> None:
    draft = replies.save_draft(session, case.id, ALICE, "By [date]")
    with pytest.raises(CaseError, match=r"\[date\]"):
        approval.ask(session, draft.id, ALICE, LEADS)
    with pytest.raises(CaseConflictError, match="alice has this case"):
        approval.ask(session, draft.id, BOB, LEADS)
    with pytest.raises(CaseError, match="Nobody else is a lead"):
        approval.ask(session, draft.id, ALICE, (ALICE,))
    with pytest.raises(CaseError, match="ask for it"):
        replies.send(session, draft.id, ALICE, network, needs_approval=True)
    session.refresh(draft)
    assert (draft.status, unseen(session)) == (ReplyStatus.DRAFT, [])


def test_a_resolved_case_is_not_answered(
    session: Session, case: Case, waiting: Reply, network: ScriptedNetwork
) -> None:
    cases.resolve(session, case.id, ALICE, Outcome.SOLVED)
    with pytest.raises(CaseConflictError, match="resolved"):
        approval.approve(session, waiting.id, BOB, network, leads=LEADS, text=TEXT)
    approval.refuse(session, waiting.id, BOB, "It is over.", leads=LEADS)
    assert not network.sent


def test_the_approved_words_are_sent_again_but_no_others(
    session: Session, case: Case, waiting: Reply, network: ScriptedNetwork
) -> None:
    network.fail_reply = FatalError("net answered 401")
    failed = approval.approve(session, waiting.id, BOB, network, leads=LEADS, text=TEXT)
    assert failed.status == ReplyStatus.FAILED
    network.fail_reply = None
    settling.send_again(session, waiting.id, ALICE)
    replies.save_draft(session, case.id, ALICE, TEXT)
    kept = session.get_one(Reply, waiting.id, populate_existing=True)
    assert kept.approver == BOB
    replies.save_draft(session, case.id, ALICE, "Other words")
    with pytest.raises(CaseError, match="approve"):
        replies.send(session, waiting.id, ALICE, network, needs_approval=True)
    assert not network.sent
    approval.ask(session, waiting.id, ALICE, LEADS)
    approval.approve(session, waiting.id, BOB, network, leads=LEADS, text="Other words")
    assert network.sent == {waiting.key: "Other words"}


def test_approved_words_go_out_again_without_asking(
    session: Session, waiting: Reply, network: ScriptedNetwork
) -> None:
    network.fail_reply = FatalError("net answered 401")
    approval.approve(session, waiting.id, BOB, network, leads=LEADS, text=TEXT)
    network.fail_reply = None
    settling.send_again(session, waiting.id, ALICE)
    sent = replies.send(session, waiting.id, ALICE, network, needs_approval=True)
    assert sent.status == ReplyStatus.SENT
    assert network.sent == {waiting.key: TEXT}


def test_too_long_an_answer_is_not_approved(
    session: Session, case: Case, network: ScriptedNetwork
) -> None:
    draft = replies.save_draft(session, case.id, ALICE, "x" * 301)
    approval.ask(session, draft.id, ALICE, LEADS)
    with pytest.raises(CaseError, match="301"):
        approval.approve(session, draft.id, BOB, network, leads=LEADS, text="x" * 301)
    assert not network.sent


def test_an_answer_that_was_on_its_way_before_is_looked_for_and_not_approved_twice(
    session: Session, case: Case, waiting: Reply, network: ScriptedNetwork
) -> None:
    approval.take_back(session, waiting.id, ALICE)
    network.lose_answer = RetryableError("net dropped the connection")
    replies.send(session, waiting.id, ALICE, network)
    network.lose_answer = None
    forget(session)
    settling.send_again(session, waiting.id, ALICE)
    approval.ask(session, waiting.id, ALICE, LEADS)
    network.reply = lambda *_: pytest.fail("it was sent twice")  # type: ignore[method-assign]  # a fake
    seen = approval.approve(session, waiting.id, BOB, network, leads=LEADS, text=TEXT)
    assert (seen.status, network.sent) == (ReplyStatus.SEEN, {waiting.key: TEXT})
    assert unseen(session) == []
    session.refresh(case)
    assert (case.reply_status, case.waiting_since) == (ReplyStatus.SEEN, None)
