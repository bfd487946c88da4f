"""An undo gives back what was, and leaves alone what somebody made of it since."""

from datetime import timedelta

import pytest
import time_machine
from sqlmodel import Session, col, select

from monitor.desk import cases, labels
from monitor.desk.arrivals.ended import Ended
from monitor.desk.arrivals.triage import close_by_hand, open_by_hand, would_open_again
from monitor.desk.cases import CaseConflictError
from monitor.desk.clock import notices
from monitor.desk.merge import merge, unmerge
from monitor.desk.page import presence
from monitor.desk.page.case_file import case_file
from monitor.desk.page.changes import refuse_if_changed
from monitor.desk.queue import bulk
from monitor.desk.verdicts import Said, of_posts
from monitor.store.models import (
    Case,
    CaseEvent,
    CaseStatus,
    Dismissal,
    LabelOrigin,
    NoticeKind,
    Outcome,
    now,
)
from tests.conftest import ALICE, BOB
from tests.monitor.people import history, open_case, post_of

HOUR = timedelta(hours=1)


def fresh(session: Session, case_id: int) -> Case:
    return session.get_one(Case, case_id, populate_existing=True)


def snapshot(session: Session, case_id: int) -> Case:
    """A case as it stands, which no later change touches."""
    case = fresh(session, case_id)
    session.expunge(case)
    return case


def end_of(case: Case) -> tuple[object, ...]:
    return case.status, case.outcome, case.dismissal, case.resolved_at, case.waiting_since


# ---- many at once ----


def test_a_later_dismissal_is_a_colleagues_own(session: Session) -> None:
    case_id = open_case(session, "carol")
    done = bulk.dismiss(session, [case_id], ALICE, Dismissal.SPAM)
    cases.reopen(session, case_id, BOB)
    cases.resolve(session, case_id, BOB, Outcome.DISMISSED, Dismissal.DUPLICATE)
    assert bulk.undo(session, ALICE, done) == (0, 1)
    assert fresh(session, case_id).dismissal == Dismissal.DUPLICATE


def test_what_was_resolved_since_keeps_its_owner(session: Session) -> None:
    case_id = open_case(session, "carol")
    done = bulk.claim(session, [case_id], ALICE)
    cases.resolve(session, case_id, ALICE, Outcome.SOLVED)
    assert bulk.undo(session, ALICE, done) == (0, 1)
    assert fresh(session, case_id).assignee == ALICE
    with pytest.raises(CaseConflictError, match="it is resolved and alice has it"):
        cases.release(session, case_id, ALICE)


def test_an_undone_dismissal_gives_back_what_an_earlier_end_had_said(session: Session) -> None:
    case_id = open_case(session, "carol")
    post_id = fresh(session, case_id).post_id
    labels.set_label(session, post_id, BOB, True, LabelOrigin.OUTCOME)
    done = bulk.dismiss(session, [case_id], ALICE, Dismissal.SPAM)
    assert of_posts(session, [post_id], LabelOrigin.OUTCOME)[post_id].complaint is False
    assert bulk.undo(session, ALICE, done) == (1, 0)
    said = of_posts(session, [post_id], LabelOrigin.OUTCOME)
    assert said == {post_id: Said(True, None, BOB)}


def test_the_history_names_who_clicked(session: Session) -> None:
    case_id = open_case(session, "carol")
    post_id = fresh(session, case_id).post_id
    labels.set_label(session, post_id, BOB, True, LabelOrigin.DESK)
    done = bulk.label(session, [case_id], ALICE, complaint=False)
    assert bulk.undo(session, ALICE, done) == (1, 0)
    event = session.exec(select(CaseEvent).order_by(col(CaseEvent.id).desc())).first()
    assert event is not None
    assert (event.agent, event.detail) == (ALICE, "a complaint, as bob had said")
    labels.put_back(session, post_id, ALICE, LabelOrigin.DESK, None)
    assert history(session, case_id)[-1][0] == "label taken back"
    assert of_posts(session, [post_id], LabelOrigin.DESK) == {}


# ---- merged and taken apart ----


def test_a_resolved_case_that_a_merge_opened_is_as_it_was(session: Session) -> None:
    source, target = open_case(session, "carol"), open_case(session, "dave")
    cases.resolve(session, target, BOB, Outcome.SOLVED)
    was, end = snapshot(session, target), end_of(fresh(session, target))
    merge(session, source, target, ALICE, other_author=True)
    assert fresh(session, target).status == CaseStatus.OPEN
    unmerge(session, source, ALICE, was)
    assert end_of(fresh(session, target)) == end
    assert fresh(session, source).status == CaseStatus.OPEN
    assert ("resolved", "solved, as before") in history(session, target)


def test_an_older_case_of_the_same_customer_is_as_it_was(session: Session) -> None:
    older = open_case(session, "carol")
    cases.resolve(session, older, BOB, Outcome.SOLVED)
    end = end_of(fresh(session, older))
    with time_machine.travel(now() + timedelta(days=60)):
        source = open_case(session, "carol")
        was = snapshot(session, older)
        merge(session, source, older, ALICE)
        unmerge(session, source, ALICE, was)
        assert end_of(fresh(session, older)) == end
        assert fresh(session, source).status == CaseStatus.OPEN


def test_one_that_lives_on_since_the_merge_stays_open(session: Session) -> None:
    source, target = open_case(session, "carol"), open_case(session, "dave")
    cases.resolve(session, target, BOB, Outcome.SOLVED)
    was = snapshot(session, target)
    merge(session, source, target, ALICE, other_author=True)
    post_of(session, "dave", "It is broken again")
    unmerge(session, source, ALICE, was)
    assert fresh(session, target).status == CaseStatus.OPEN
    assert fresh(session, target).outcome is None


def test_the_sleeping_sleep_on(session: Session) -> None:
    source, target = open_case(session, "carol"), open_case(session, "dave")
    until = now() + HOUR
    for case_id in (source, target):
        cases.snooze(session, case_id, ALICE, until)
    was = snapshot(session, target)
    merge(session, source, target, ALICE, other_author=True)
    assert fresh(session, target).status == CaseStatus.OPEN
    unmerge(session, source, ALICE, was)
    for case_id in (source, target):
        case = fresh(session, case_id)
        assert (case.status, case.snoozed_until) == (CaseStatus.SNOOZED, until)


def test_one_whose_snooze_is_over_comes_back_open(session: Session) -> None:
    source, target = open_case(session, "carol"), open_case(session, "dave")
    cases.snooze(session, source, ALICE, now() + HOUR)
    merge(session, source, target, ALICE, other_author=True)
    merged = fresh(session, source)
    merged.snoozed_until = now() - HOUR
    session.add(merged)
    session.commit()
    unmerge(session, source, ALICE)
    case = fresh(session, source)
    assert (case.status, case.snoozed_until) == (CaseStatus.OPEN, None)


# ---- opened and closed by hand ----


def test_a_case_that_had_ended_ends_again(session: Session) -> None:
    case_id = open_case(session, "carol")
    cases.resolve(session, case_id, BOB, Outcome.SOLVED)
    end = end_of(fresh(session, case_id))
    post = post_of(session, "carol", "By the way", complaint=0.1, at=now())
    was = would_open_again(session, post.id)
    assert was is not None
    assert open_by_hand(session, post.id, ALICE) == case_id
    labels.set_label(session, post.id, ALICE, True, LabelOrigin.DESK)
    labels.clear_label(session, post.id, LabelOrigin.DESK, ALICE)
    assert close_by_hand(session, post.id, ALICE, was)
    assert end_of(fresh(session, case_id)) == end


def test_one_that_somebody_took_meanwhile_stays_open(session: Session) -> None:
    case_id = open_case(session, "carol")
    cases.resolve(session, case_id, BOB, Outcome.SOLVED)
    post = post_of(session, "carol", "By the way", complaint=0.1, at=now())
    was = Ended.of(fresh(session, case_id))
    open_by_hand(session, post.id, ALICE)
    cases.claim(session, case_id, BOB)
    assert close_by_hand(session, post.id, ALICE, was)
    assert fresh(session, case_id).status != CaseStatus.RESOLVED
    assert would_open_again(session, post.id) is None, "it stands"


def test_a_case_made_by_hand_goes_although_somebody_looks_at_it(session: Session) -> None:
    post = post_of(session, "carol", "By the way", complaint=0.1)
    case_id = open_by_hand(session, post.id, ALICE)
    presence.here(session, case_id, BOB, writing=False)
    assert close_by_hand(session, post.id, ALICE)
    assert session.get(Case, case_id) is None


# ---- what is told ----


def test_a_case_with_a_long_history_can_be_worked_on(session: Session) -> None:
    case_id = open_case(session, "carol")
    for number in range(510):
        cases.record(session, case_id, "claimed", agent=BOB, detail=str(number))
    session.commit()
    file = case_file(session, case_id)
    assert file is not None
    assert [event.detail for event in file.events][-2:] == ["508", "509"]
    assert len(file.events) == 500
    refuse_if_changed(session, case_id, ALICE, file.events[-1].id)


@pytest.mark.parametrize(
    "what", ["merged in", "unmerged", "reply gone", "answered elsewhere", "reply approved"]
)
def test_what_weighs_is_told_before_a_click(session: Session, what: str) -> None:
    case_id = open_case(session, "carol")
    file = case_file(session, case_id)
    assert file is not None
    cases.record(session, case_id, what, agent=BOB)
    session.commit()
    with pytest.raises(CaseConflictError, match=what):
        refuse_if_changed(session, case_id, ALICE, file.events[-1].id)


def test_whoever_is_handed_a_case_hears_it(session: Session) -> None:
    one, two, three = (open_case(session, name) for name in ("carol", "dave", "erin"))
    cases.assign(session, one, ALICE, BOB, None)
    cases.assign(session, two, BOB, BOB, None)
    cases.assign(session, one, ALICE, None, BOB)
    (notice,) = notices.unseen(session, BOB)
    assert (notice.kind, notice.case_id) == (NoticeKind.ASSIGNED, one)
    assert notice.text == f"alice handed you case {one}."
    bulk.assign(session, [one, three], ALICE, BOB)
    assert [told.text for told in notices.unseen(session, BOB)] == [
        "alice handed you 2 cases.",
        f"alice handed you case {one}.",
    ]
    assert notices.unseen(session, ALICE) == []
