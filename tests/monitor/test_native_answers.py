"""Our own posts on the network, where the case that they answer goes on in one of elsewhere."""

import pytest
from sqlmodel import Session, select

from monitor.answer import replies
from monitor.desk import cases
from monitor.desk.arrivals import answers
from monitor.desk.arrivals.by_hand import open_from_text
from monitor.desk.merge import merge
from monitor.store.models import Case, CaseStatus, Post, Reply, ReplyStatus, now
from tests.conftest import ALICE, make_post
from tests.monitor.test_desk import HOUR, Desk, desk

__all__ = ["desk"]

OURS = {"reply_to": "1", "thread": "1"}


def fresh(session: Session, case_id: int) -> Case:
    return session.get_one(Case, case_id, populate_existing=True)


def merged_into_a_call(desk: Desk, session: Session) -> int:
    """Carol called, and wrote too: what she wrote goes on in the case of her call."""
    call = open_from_text(session, ALICE, "It is broken", who="Carol").case_id or 0
    (case,) = [
        case
        for case in desk.receive(make_post("1", "acme is broken", created_at=now() - 3 * HOUR))
        if case.id != call
    ]
    merge(session, case.id, call, ALICE, other_author=True)
    return call


def test_an_edited_answer_of_a_merged_case_stops_nobody(desk: Desk, session: Session) -> None:
    call = merged_into_a_call(desk, session)
    desk.receive(make_post("a", "We are sorry", "acmehelp", **OURS))
    (reply,) = session.exec(select(Reply)).all()
    assert (reply.case_id, reply.status) == (call, ReplyStatus.SEEN)
    found = desk.receive(
        make_post("a", "We are so sorry", "acmehelp", edited_at=now(), **OURS),
        make_post("2", "acme is down", "dave"),
    )
    assert len(found) == 3, "dave has a case of his own"
    assert len(session.exec(select(Reply)).all()) == 1


def test_a_deleted_answer_of_a_merged_case_is_missed(desk: Desk, session: Session) -> None:
    call = merged_into_a_call(desk, session)
    desk.receive(make_post("a", "We are sorry", "acmehelp", created_at=now(), **OURS))
    assert fresh(session, call).status == CaseStatus.PENDING
    desk.receive(make_post("a", "", "acmehelp", deleted=True, **OURS))
    case = fresh(session, call)
    assert (case.status, case.reply_status) == (CaseStatus.OPEN, ReplyStatus.GONE)
    assert case.waiting_since is not None


def test_a_link_recorded_where_it_goes_on_is_the_answer(desk: Desk, session: Session) -> None:
    call = merged_into_a_call(desk, session)
    cases.claim(session, call, ALICE)
    replies.record_elsewhere(session, call, ALICE, "https://net.example/a")
    for text in ("We are sorry", "We are so sorry"):
        desk.receive(make_post("a", text, "acmehelp", edited_at=now(), **OURS))
    (reply,) = session.exec(select(Reply)).all()
    assert (reply.status, reply.external_id) == (ReplyStatus.SEEN, "a")


def test_a_post_that_cannot_be_kept_is_told_and_left_aside(
    desk: Desk,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk.receive(make_post("1", "acme is broken"), make_post("a", "Sorry", "acmehelp", **OURS))
    monkeypatch.setattr(answers, "_known", lambda *_: None)  # It is inserted a second time.
    found = desk.receive(
        make_post("a", "So sorry", "acmehelp", edited_at=now(), **OURS),
        make_post("2", "acme is down", "dave"),
    )
    assert len(found) == 2
    culprit = session.exec(select(Post).where(Post.external_id == "a")).one()
    assert culprit.triaged_at is not None
    assert f"post {culprit.id} makes no case" in caplog.text
