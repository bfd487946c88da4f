"""Promises: kept, broken by time alone, told before they break."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import Session, col, select

from monitor.answer import promises
from monitor.answer.promises import Standing, standing
from monitor.desk.cases import CaseConflictError, CaseError
from monitor.desk.clock.notices import tell
from monitor.desk.merge import merge
from monitor.store.models import Case, CaseEvent, Commitment, Notice, NoticeKind, now
from tests.conftest import ALICE, BOB, make_post
from tests.monitor.plans import plans, statements
from tests.monitor.test_desk import Desk, desk

__all__ = ["desk"]

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


@pytest.fixture
def case(desk: Desk) -> Case:
    """Carol waits for a date."""
    (found,) = desk.receive(make_post("1", "acme is down"))
    return found


def told(session: Session) -> list[tuple[str, str]]:
    rows = session.exec(select(Notice).order_by(col(Notice.agent), col(Notice.id)))
    return [(row.agent, row.kind.value) for row in rows]


@time_machine.travel(NOON, tick=False)
def test_a_promise_has_words_an_owner_and_a_time(session: Session, case: Case) -> None:
    made = promises.promise(session, case.id, ALICE, " We call you ", now() + DAY, BOB)
    assert (made.text, made.owner, made.due_at) == ("We call you", BOB, NOON + DAY)
    assert promises.promise(session, case.id, ALICE, "A voucher", now() + HOUR).owner == ALICE
    assert [p.text for p in promises.of_case(session, case.id)] == ["A voucher", "We call you"]
    with pytest.raises(CaseError, match="what was promised"):
        promises.promise(session, case.id, ALICE, "  ", now() + DAY)
    with pytest.raises(CaseError, match="in the future"):
        promises.promise(session, case.id, ALICE, "x", now())
    with pytest.raises(CaseConflictError, match="no such case"):
        promises.promise(session, 999, ALICE, "x", now() + DAY)
    event = session.exec(select(CaseEvent).order_by(col(CaseEvent.id).desc())).first()
    assert event is not None
    assert (event.what, event.agent) == ("promised", ALICE)


def test_it_is_kept_dropped_or_broken_by_its_time() -> None:
    def at(kept_at: datetime | None = None, dropped_at: datetime | None = None) -> Standing:
        made = Commitment(
            case_id=1, text="x", owner=ALICE, due_at=NOON, kept_at=kept_at, dropped_at=dropped_at
        )
        return standing(made, NOON + MINUTE)

    assert at() == Standing.BROKEN
    assert standing(Commitment(case_id=1, text="", owner="", due_at=NOON), NOON) == Standing.OPEN
    assert at(kept_at=NOON) == Standing.KEPT
    assert at(kept_at=NOON + MINUTE) == Standing.KEPT_LATE
    assert at(dropped_at=NOON - HOUR) == Standing.DROPPED


def test_each_is_settled_once_and_can_be_taken_back(session: Session, case: Case) -> None:
    made = promises.promise(session, case.id, ALICE, "We call you", now() + DAY).id
    promises.keep(session, made, BOB)
    for again in (promises.keep, promises.drop):
        with pytest.raises(CaseConflictError, match="changed meanwhile"):
            again(session, made, ALICE)
    promises.take_back(session, made, BOB)
    with pytest.raises(CaseConflictError):
        promises.take_back(session, made, BOB)
    promises.drop(session, made, ALICE)
    with pytest.raises(CaseConflictError):
        promises.keep(session, 999, ALICE)
    found = session.get_one(Commitment, made, populate_existing=True)
    assert standing(found, now()) == Standing.DROPPED
    whats = session.exec(
        select(CaseEvent.what).where(CaseEvent.case_id == case.id).order_by(col(CaseEvent.id))
    ).all()
    assert list(whats)[1:] == ["promised", "promise kept", "promise open again", "promise dropped"]


def test_what_is_due_comes_back_the_broken_first(session: Session, case: Case) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        for text, wait in (("later", DAY), ("soon", 2 * HOUR), ("late", HOUR), ("kept", HOUR)):
            promises.promise(session, case.id, ALICE, text, now() + wait)
        kept = promises.of_case(session, case.id)[1]
        assert kept.text == "kept"
        promises.keep(session, kept.id, ALICE)
        clock.shift(HOUR + MINUTE)
        due = promises.due_soon(session, now(), 4 * HOUR)
        assert [(one.text, one.customer, one.case_id) for one in due] == [
            ("late", "carol", case.id),
            ("soon", "carol", case.id),
        ]


def test_owners_are_told_before_and_leads_when_it_is_broken_once(
    session: Session, case: Case
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        promises.promise(session, case.id, ALICE, "We call you", now() + 3 * HOUR)
        assert promises.tell_due(session, [BOB]) == 0
        clock.shift(2 * HOUR + MINUTE)
        assert promises.tell_due(session, [BOB]) == 1
        assert promises.tell_due(session, [BOB]) == 0
        assert told(session) == [(ALICE, "promise due")]
        clock.shift(HOUR)
        assert promises.tell_due(session, [BOB, ALICE]) == 2
        assert promises.tell_due(session, [BOB, ALICE]) == 0
        assert told(session) == [
            (ALICE, "promise due"),
            (ALICE, "promise broken"),
            (BOB, "promise broken"),
        ]
        notice = session.exec(select(Notice).where(Notice.agent == BOB)).one()
        assert notice.case_id == case.id
        assert "We call you" in notice.text


def test_a_merged_case_takes_its_promises_along(desk: Desk, session: Session, case: Case) -> None:
    made = promises.promise(session, case.id, ALICE, "We call you", now() + HOUR)
    other = desk.receive(make_post("2", "acme is down", "dave"))[-1].id
    merge(session, case.id, other, ALICE, other_author=True)
    assert [p.id for p in promises.of_case(session, other)] == [made.id]
    assert [one.case_id for one in promises.due_soon(session, now(), DAY)] == [other]
    with pytest.raises(CaseConflictError, match=f"goes on in case {other}"):
        promises.promise(session, case.id, ALICE, "x", now() + DAY)


def test_the_same_thing_is_told_once(session: Session, case: Case) -> None:
    for text in ("first", "second"):
        tell(session, ALICE, "k", NoticeKind.NOTE, text, case.id)
    tell(session, BOB, "k", NoticeKind.NOTE, "first")
    session.commit()
    assert told(session) == [(ALICE, "note"), (BOB, "note")]
    assert session.exec(select(Notice.text).where(Notice.agent == ALICE)).one() == "first"


def test_promises_that_nobody_keeps_hide_no_later_ones(
    session: Session, database: sa.Engine, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promises, "AT_ONCE", 2)
    with time_machine.travel(NOON, tick=False) as clock:
        for number in range(3):
            promises.promise(session, case.id, ALICE, f"{number}", now() + HOUR + number * MINUTE)
        clock.shift(2 * HOUR)
        with statements(database) as seen:
            assert [promises.tell_due(session) for _ in range(3)] == [2, 1, 0]
    known = [plan for sql, plan in plans(session, seen) if "FROM notice" in sql]
    assert known
    assert not [plan for plan in known if "SCAN notice" in plan]
