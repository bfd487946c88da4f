"""Cases that go on in another, and come out of it again."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from monitor.answer import replies
from monitor.desk import cases, closing, group
from monitor.desk.cases import CaseConflictError
from monitor.desk.closing import Ending
from monitor.desk.merge import merge, unmerge
from monitor.desk.page import notes
from monitor.desk.page.case_file import case_file
from monitor.hours import Hours
from monitor.store.models import Case, CaseStatus, Outcome, now
from monitor.watch.trends.conditions import Rules
from monitor.watch.trends.counting import count
from monitor.watch.trends.measures import Asked
from tests.conftest import ALICE, BOB, make_post
from tests.monitor.test_desk import HOUR, Desk, desk

__all__ = ["desk"]


def fresh(session: Session, case_id: int) -> Case:
    return session.get_one(Case, case_id, populate_existing=True)


def ids(desk: Desk) -> list[int]:
    """Carol and dave wrote about one outage: dave first, and worse."""
    found = desk.receive(
        make_post("c1", "acme is broken", "carol", created_at=now() - HOUR),
        make_post("d1", "acme is down", "dave", created_at=now() - 3 * HOUR),
    )
    by_time = sorted(found, key=lambda case: case.opened_at, reverse=True)
    return [case.id for case in by_time]


def waited(session: Session, case_id: int) -> datetime | None:
    return fresh(session, case_id).waiting_since


def test_two_customers_are_merged_when_a_person_means_it(desk: Desk, session: Session) -> None:
    carol, dave = ids(desk)
    since = waited(session, dave)
    with pytest.raises(CaseConflictError, match="another customer"):
        merge(session, dave, carol, ALICE)
    notes.note(session, dave, BOB, "the same outage")
    assert merge(session, dave, carol, ALICE, other_author=True) == carol
    source, target = fresh(session, dave), fresh(session, carol)
    assert (source.status, source.outcome, source.merged_into, source.waiting_since) == (
        CaseStatus.RESOLVED,
        Outcome.MERGED,
        carol,
        None,
    )
    assert (target.status, target.waiting_since, target.contacts) == (CaseStatus.OPEN, since, 2)
    file = case_file(session, carol)
    assert file is not None
    assert file.post.external_id == "c1", "the answer goes to the case's own customer"
    assert [post.external_id for post, _ in file.thread] == ["d1", "c1"]
    assert [note.text for note in file.notes] == ["the same outage"]
    assert [case.id for case in file.merged] == [dave]
    assert desk.history(target)[-1] == "merged in"
    assert desk.history(source)[-1] == "merged"


def test_a_merge_can_be_undone_in_full(desk: Desk, session: Session) -> None:
    carol, dave = ids(desk)
    before = [
        (case.waiting_since, case.complaint, case.severity, case.contacts, case.post_id, case.rank)
        for case in (fresh(session, carol), fresh(session, dave))
    ]
    merge(session, dave, carol, ALICE, other_author=True)
    desk.receive(make_post("d2", "acme, still down", "dave"))
    assert len(session.exec(select(Case)).all()) == 2, "what dave writes joins the target"
    file = case_file(session, carol)
    assert file is not None
    assert [post.external_id for post, _ in file.thread] == ["d1", "c1", "d2"]
    assert (file.case.post_id, file.case.contacts) == (before[0][4], 3)
    unmerge(session, dave, ALICE)
    after = [
        (case.waiting_since, case.complaint, case.severity, case.contacts, case.post_id, case.rank)
        for case in (fresh(session, carol), fresh(session, dave))
    ]
    assert after[0] == before[0]
    assert after[1][0] == before[1][0]
    assert after[1][3] == 2, "his newer post went with him"
    assert fresh(session, dave).status == CaseStatus.OPEN
    with pytest.raises(CaseConflictError, match="not merged"):
        unmerge(session, dave, ALICE)


def test_refusals(desk: Desk, session: Session) -> None:
    carol, dave = ids(desk)

    def refused(source: int, target: int, words: str) -> None:
        with pytest.raises(CaseConflictError, match=words):
            merge(session, source, target, ALICE, other_author=True)
        assert fresh(session, carol).merged_into is None

    refused(carol, carol, "into itself")
    refused(carol, 999, "no case 999")
    refused(999, carol, "no case 999")
    cases.claim(session, carol, BOB)
    refused(carol, dave, "bob has case")
    replies.save_draft(session, carol, BOB, "We are sorry")
    with pytest.raises(CaseConflictError, match="not finished"):
        merge(session, carol, dave, BOB, other_author=True)
    cases.resolve(session, carol, BOB, Outcome.SOLVED)
    refused(carol, dave, "is resolved")
    merge(session, dave, carol, ALICE, other_author=True)
    assert fresh(session, carol).status == CaseStatus.OPEN, "the target opens again"
    refused(dave, carol, "goes on in case")
    erin = desk.receive(make_post("e1", "acme down", "erin"))[-1].id
    cases.release(session, carol, BOB)
    refused(carol, erin, "Others go on")
    with pytest.raises(CaseConflictError, match=f"goes on in case {carol}"):
        cases.reopen(session, dave, ALICE)
    with pytest.raises(CaseConflictError, match=f"goes on in case {carol}"):
        closing.set_wanted(session, dave, ALICE, "x")


def test_no_chains(desk: Desk, session: Session) -> None:
    carol, dave = ids(desk)
    merge(session, dave, carol, ALICE, other_author=True)
    erin = desk.receive(make_post("e1", "acme down", "erin"))[-1].id
    assert merge(session, erin, dave, ALICE, other_author=True) == carol
    assert group.ids(session, carol) == [carol, dave, erin]
    with pytest.raises(CaseConflictError, match="into itself"):
        merge(session, carol, dave, ALICE, other_author=True)


def test_a_new_case_of_the_same_customer_goes_on_in_the_old_one(
    desk: Desk, session: Session
) -> None:
    old = desk.receive(make_post("1", "acme is down", "carol", created_at=now() - 9 * HOUR))[0].id
    closing.resolve_with(session, old, ALICE, Ending(Outcome.SOLVED, remedy="Repaired"))
    session.execute(sa.update(Case).values(resolved_at=now() - timedelta(days=30)))
    session.commit()
    second = make_post("2", "acme is broken", "carol")
    new = desk.receive(second)[-1].id
    assert new != old
    assert merge(session, new, old, ALICE) == old
    target = fresh(session, old)
    assert (target.status, target.outcome, target.waiting_since) == (
        CaseStatus.OPEN,
        None,
        second.created_at,
    )
    assert len(desk.receive(make_post("3", "acme refund!", "carol"))) == 2, "it joins the old one"
    with pytest.raises(CaseConflictError, match="one open case at a time"):
        unmerge(session, new, ALICE)
    cases.resolve(session, old, ALICE, Outcome.SOLVED)
    unmerge(session, new, ALICE)
    assert waited(session, new) == second.created_at


def test_an_answer_to_a_merged_post_answers_where_it_goes_on(desk: Desk, session: Session) -> None:
    carol, dave = ids(desk)
    merge(session, dave, carol, ALICE, other_author=True)
    desk.receive(make_post("a1", "We are on it", "acmehelp", reply_to="d1", thread="d1"))
    target = fresh(session, carol)
    assert target.answered_at is not None
    file = case_file(session, carol)
    assert file is not None
    assert [reply.case_id for reply in file.replies] == [carol]


def test_a_post_of_somebody_whose_case_ended_in_another_opens_one_of_its_own(
    desk: Desk, session: Session
) -> None:
    carol, dave = ids(desk)
    merge(session, dave, carol, ALICE, other_author=True)
    cases.resolve(session, carol, ALICE, Outcome.SOLVED)
    found = desk.receive(make_post("d2", "acme refund", "dave"))
    assert len(found) == 3
    assert fresh(session, carol).status == CaseStatus.RESOLVED


def test_an_older_case_that_stands_gets_the_next_post(desk: Desk, session: Session) -> None:
    """The latest one is closed: bringing that back would make two standing cases."""
    old = desk.receive(make_post("1", "acme is down", "carol"))[0].id
    cases.resolve(session, old, ALICE, Outcome.SOLVED)
    session.execute(sa.update(Case).values(resolved_at=now() - timedelta(days=30)))
    session.commit()
    new = desk.receive(make_post("2", "acme is broken", "carol"))[-1].id
    cases.resolve(session, new, ALICE, Outcome.SOLVED)
    cases.reopen(session, old, ALICE)
    desk.receive(make_post("3", "acme refund", "carol"))
    file = case_file(session, old)
    assert file is not None
    assert [post.external_id for post, _ in file.thread] == ["1", "3"]


def test_a_merged_case_is_no_case_of_its_own_in_trends(desk: Desk, session: Session) -> None:
    carol, dave = ids(desk)
    for case_id in (carol, dave):
        cases.claim(session, case_id, ALICE)
        replies.record_elsewhere(session, case_id, ALICE, "https://net.example/r")
    rules = Rules(0.5, Hours(ZoneInfo("UTC")))

    def counted(measure: str) -> int:
        return count(session, Asked(measure), rules)

    assert (counted("cases"), counted("answered")) == (2, 2)
    merge(session, dave, carol, ALICE, other_author=True)
    assert (counted("cases"), counted("answered"), counted("dismissed")) == (1, 1, 0)


def test_the_case_of_an_edited_post_stands_as_it_says_now(desk: Desk, session: Session) -> None:
    (case,) = desk.receive(make_post("1", "acme is broken"))
    session.execute(sa.update(Case).values(measured=False))
    session.commit()
    desk.receive(make_post("1", "acme is nice", edited_at=now()))
    case = fresh(session, case.id)
    assert (case.complaint, case.measured) == (0.05, True)
