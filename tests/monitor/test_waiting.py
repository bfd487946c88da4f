"""When a customer waits and when not: what is promised of it follows, however things come about."""

from typing import Any

import pytest
from sqlmodel import select

from connectors.base import FetchedPost
from monitor.answer import replies
from monitor.desk import cases
from monitor.desk.arrivals.triage import close_by_hand, open_by_hand
from monitor.desk.merge import merge, unmerge
from monitor.desk.priority import rank
from monitor.store.models import CaseStatus, Outcome, Post, ReplyStatus, now
from tests.conftest import ALICE, make_post
from tests.monitor.test_sla import HOUR, MINUTE, Desk, clock, desk

__all__ = ["desk"]


def in_thread(
    number: str, text: str, at: str, author: str = "carol", **changes: Any
) -> FetchedPost:
    return make_post(number, text, author, created_at=clock(at), thread="1", **changes)


@pytest.fixture
def waited(desk: Desk) -> Desk:
    """Carol was answered at half past nine."""
    case = desk.says("1")
    desk.at("mon 09:30")
    desk.answer(case)
    desk.reckon()
    return desk


def test_an_answer_found_late_leaves_the_later_question_promised(waited: Desk) -> None:
    waited.at("mon 10:00")
    waited.says("2", "any news?")
    waited.at("mon 11:00")
    case = waited.says("3", "hello?")
    assert waited.dues(case)["next"] == "Mon 12:00"
    waited.at("mon 11:10")
    waited.answer(case, clock("mon 10:30"))
    assert waited.dues(case)["next"] == "Mon 13:00", "of the question at eleven"


def test_a_waiting_case_makes_a_pending_and_a_sleeping_one_wait(waited: Desk) -> None:
    target = waited.says("2", "thank you")
    for asleep, author in ((False, "dave"), (True, "erin")):
        if asleep:
            cases.snooze(waited.session, target.id, ALICE, clock("wed 09:00"))
        waited.at("mon 11:00" if asleep else "mon 10:00")
        source = waited.receive(make_post(author, "acme is down", author, created_at=now()))
        merge(waited.session, source.id, target.id, ALICE, other_author=True)
        waited.session.refresh(target)
        assert (target.status, target.snoozed_until) == (CaseStatus.OPEN, None)
        assert target.reply_status == ReplyStatus.CUSTOMER_ANSWERED
        assert waited.dues(target)["next"] == ("Mon 13:00" if asleep else "Mon 12:00")
        unmerge(waited.session, source.id, ALICE)
        waited.session.refresh(target)
        assert (target.status, target.waiting_since) == (CaseStatus.PENDING, None)
        assert (target.next_due_at, target.promised_at) == (None, None)
        assert "next" not in waited.dues(target)


def test_a_post_taken_out_takes_its_promise_along(waited: Desk) -> None:
    case = waited.says("1b", "thank you")
    waited.at("mon 10:00")
    waited.receive(make_post("9", "acme, by the way", created_at=now()))
    post = waited.session.exec(select(Post).where(Post.external_id == "9")).one()
    assert open_by_hand(waited.session, post.id, ALICE) == case.id
    assert waited.dues(case)["next"] == "Mon 12:00"
    assert close_by_hand(waited.session, post.id, ALICE)
    waited.session.refresh(case)
    assert (case.status, case.next_due_at) == (CaseStatus.PENDING, None)
    assert case.due_at == clock("mon 17:00"), "the resolution alone"
    assert case.reply_status != ReplyStatus.CUSTOMER_ANSWERED


def test_pending_by_hand_nobody_waits_and_the_next_word_begins_anew(waited: Desk) -> None:
    waited.at("mon 10:00")
    case = waited.says("2", "still down")
    before = case.rank
    cases.wait_for_customer(waited.session, case.id, ALICE)
    waited.session.refresh(case)
    assert (case.status, case.waiting_since) == (CaseStatus.PENDING, None)
    assert case.rank == rank(case) < before
    waited.at("wed 10:00")
    waited.says("3", "it is down again")
    assert waited.dues(case)["next"] == "Wed 12:00"


def test_pending_without_an_answer_waits_anew_too(desk: Desk) -> None:
    case = desk.says("1")
    cases.wait_for_customer(desk.session, case.id, ALICE)
    desk.at("wed 10:00")
    desk.says("2", "it is down again")
    desk.session.refresh(case)
    assert case.waiting_since == clock("wed 10:00")


def test_what_was_written_before_our_answer_reopens_nothing(waited: Desk) -> None:
    case = waited.says("1b", "thank you")
    cases.resolve(waited.session, case.id, ALICE, Outcome.SOLVED)
    waited.at("mon 11:00")
    waited.receive(make_post("0", "acme is broken", created_at=clock("mon 09:10")))
    waited.session.refresh(case)
    assert (case.status, case.outcome) == (CaseStatus.RESOLVED, Outcome.SOLVED)
    late = waited.session.exec(select(Post).where(Post.external_id == "0")).one()
    assert late.case_id == case.id


def test_a_deleted_answer_takes_what_it_kept_along(desk: Desk) -> None:
    case = desk.says("1")
    ours: dict[str, Any] = {"reply_to": "1", "author": "acmehelp"}
    desk.at("mon 09:30")
    desk.receive(in_thread("a", "Sorry", "mon 09:30", **ours))
    desk.at("mon 10:00")
    desk.says("2", "still down")
    desk.at("mon 10:30")
    desk.receive(in_thread("b", "Sorry again", "mon 10:30", **ours))
    cases.resolve(desk.session, case.id, ALICE, Outcome.SOLVED)
    assert sorted(desk.results()) == [("first", True), ("next", True), ("resolution", True)]
    desk.at("mon 11:00")
    desk.receive(in_thread("b", "", "mon 10:30", deleted=True, **ours))
    assert desk.results() == [("first", True)]
    assert desk.dues(case) == {"next": "Mon 12:00", "resolution": "Mon 17:00"}
    desk.receive(in_thread("a", "", "mon 09:30", deleted=True, **ours))
    assert desk.results() == []
    assert desk.dues(case)["first"] == "Mon 10:00"


def test_a_resolved_case_that_a_merge_opens_is_promised_from_then(desk: Desk) -> None:
    target = desk.says("1")
    desk.answer(target)
    cases.resolve(desk.session, target.id, ALICE, Outcome.SOLVED)
    desk.at("fri 09:00")
    source = desk.receive(make_post("d", "acme is down", "dave", created_at=now()))
    merge(desk.session, source.id, target.id, ALICE, other_author=True)
    assert desk.dues(target)["resolution"] == "Fri 17:00"
    assert desk.look() == (0, 0)


@pytest.mark.parametrize(("answered", "met"), [("mon 11:00", True), ("mon 13:00", False)])
def test_question_and_answer_that_come_together_count(desk: Desk, answered: str, met: bool) -> None:
    desk.says("1")
    desk.receive(in_thread("a", "Sorry", "mon 09:00", author="acmehelp", reply_to="1"))
    desk.at("mon 13:10")
    desk.receive(
        in_thread("2", "any news?", "mon 10:00"),
        in_thread("b", "Yes", answered, author="acmehelp", reply_to="2"),
    )
    assert sorted(desk.results()) == [("first", True), ("next", met)]
    desk.says("3", "thank you")
    assert sorted(desk.results()) == [("first", True), ("next", met)], "once"


def test_an_answer_by_hand_counts_once(waited: Desk) -> None:
    waited.at("mon 10:00")
    case = waited.says("2", "any news?")
    cases.claim(waited.session, case.id, ALICE)
    waited.time.shift(2 * HOUR + MINUTE)
    replies.record_elsewhere(waited.session, case.id, ALICE, "https://net.example/b")
    waited.reckon()
    assert waited.results() == [("first", True), ("next", False)]
