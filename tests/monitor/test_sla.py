"""Promises: which policy, until when, what came of it, and who is told."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import Session, col, select

from connectors.base import FetchedPost, Page
from monitor.desk import cases
from monitor.desk.arrivals import turns
from monitor.desk.arrivals.triage import close_by_hand, open_by_hand, triage_new
from monitor.desk.clock import notices, sla, sla_clock
from monitor.hours import Hours, shift
from monitor.intake.collect import Watch, collect
from monitor.intake.scoring import score_new
from monitor.sla_settings import Policy
from monitor.store.models import (
    Author,
    Case,
    CaseStatus,
    Dismissal,
    Notice,
    NoticeKind,
    Outcome,
    Post,
    ReplyStatus,
    SlaResult,
    Source,
    now,
)
from tests.conftest import ALICE, BOB, FakeScorer, ScriptedNetwork, make_post
from tests.monitor.plans import plans, statements

VIENNA = ZoneInfo("Europe/Vienna")
OFFICE = Hours(VIENNA, ((shift("09:00-17:00"),),) * 5 + ((),) * 2)
ALWAYS = Hours(VIENNA)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WARN = 30 * MINUTE

EVERYBODY = Policy(name="Everybody", first="1 h", next="2 h", resolution="8 h")


def policy(name: str, **values: object) -> Policy:
    return Policy.model_validate({"name": name, "first": "1 h", **values})


def clock(text: str) -> datetime:
    """A time in Vienna in the week of Friday, 20 November 2026."""
    days = {"mon": 16, "tue": 17, "wed": 18, "thu": 19, "fri": 20, "sat": 21, "sun": 22, "mon2": 23}
    day, at = text.split()
    hour, minute = at.split(":")
    return datetime(2026, 11, days[day], int(hour), int(minute), tzinfo=VIENNA).astimezone(UTC)


# ---- which policy ----

CALM = {"complaint": 0.5, "severity": 0.0, "reach": 0, "contacts": 1}
LOUD = {"complaint": 1.0, "severity": 1.0, "reach": 10**6, "contacts": 1}


@pytest.mark.parametrize(
    ("case", "vip", "fits"),
    [
        ({**CALM, "network": "mastodon"}, False, "rest"),
        ({**CALM, "network": "mastodon"}, True, "vip"),
        ({**CALM, "network": "bluesky"}, False, "bluesky"),
        ({**CALM, "network": "bluesky"}, True, "vip"),
        ({**LOUD, "network": "mastodon"}, False, "loud"),
        ({**LOUD, "network": "bluesky"}, False, "loud"),
        ({**LOUD, "network": "bluesky"}, True, "vip"),
    ],
)
@pytest.mark.parametrize("waiting", [None, clock("mon 09:00")])
def test_the_first_policy_that_fits(
    case: dict[str, Any], vip: bool, fits: str, waiting: datetime | None
) -> None:
    policies = [
        policy("vip", vip=True),
        policy("loud", min_priority=70, vip=False),
        policy("bluesky", networks=["bluesky", "feed"]),
        policy("rest"),
    ]
    made = Case(author_id=1, post_id=1, waiting_since=waiting, **case)
    author = Author(network="x", external_id="1", handle="carol", vip=vip)
    found = sla.policy_for(made, author, policies)
    assert found is not None
    assert found.name == fits
    assert sla.policy_for(made, author, []) is None


# ---- what runs, as the clock goes ----


@dataclass
class Desk:
    """Posts in, promises out, at a time that the test sets."""

    session: Session
    watch: Watch
    network: ScriptedNetwork
    source: Source
    time: time_machine.Traveller
    hours: Hours = OFFICE
    policies: tuple[Policy, ...] = (EVERYBODY,)

    def at(self, text: str) -> None:
        self.time.move_to(clock(text), tick=False)

    def receive(self, *posts: FetchedPost, reckon: bool = True) -> Case:
        """Collect, score and triage these posts; the newest case."""
        self.source.next_fetch_at = now() - HOUR
        self.session.add(self.source)
        self.session.commit()
        self.network.script = [Page(list(posts), "c")]
        assert collect(self.session, self.watch)
        while score_new(self.session, FakeScorer()):
            pass
        while triage_new(self.session, 0.5):
            pass
        if reckon:
            self.reckon()
        self.session.expire_all()
        return self.session.exec(select(Case).order_by(sa.text("id DESC"))).all()[0]

    def says(self, number: str, text: str = "acme is down", author: str = "carol") -> Case:
        """A customer writes now."""
        return self.receive(make_post(number, text, author, created_at=now(), thread="1"))

    def answer(self, case: Case, at: datetime | None = None) -> None:
        """We answer in public."""
        held = self.session.get_one(Case, case.id, populate_existing=True)
        turns.we_answered(self.session, held, ReplyStatus.SENT, at or now())
        self.session.add(held)
        self.session.commit()

    def reckon(self) -> None:
        while sla_clock.refresh(self.session, self.policies, self.hours):
            pass

    def look(self, leads: tuple[str, ...] = (BOB,)) -> tuple[int, int]:
        self.reckon()
        return sla_clock.watch(self.session, leads, WARN, VIENNA)

    def dues(self, case: Case) -> dict[str, str]:
        """What runs, by the clock in Vienna."""
        self.reckon()
        self.session.refresh(case)
        found = {
            kind.split()[0]: f"{at.astimezone(VIENNA):%a %H:%M}" for at, kind in sla.running(case)
        }
        assert case.due_at == sla.earliest(case), "the column says the same"
        return found

    def results(self) -> list[tuple[str, bool]]:
        """What came of the promises, in the order of their due times."""
        self.session.expire_all()
        rows = self.session.exec(select(SlaResult).order_by(col(SlaResult.due_at)))
        return [(row.kind.split()[0], row.met) for row in rows]

    def told(self, agent: str) -> list[str]:
        self.session.expire_all()
        return [notice.kind for notice in reversed(notices.unseen(self.session, agent))]


@pytest.fixture
def desk(
    session: Session, watch: Watch, network: ScriptedNetwork, source: Source
) -> Iterator[Desk]:
    """An office in which nobody waits, at nine on Monday."""
    with time_machine.travel(clock("mon 09:00"), tick=False) as time:
        yield Desk(session, watch, network, source, time)


def test_from_the_first_word_to_the_end(desk: Desk) -> None:
    desk.at("fri 16:30")
    case = desk.says("1")
    assert desk.dues(case) == {"first": "Mon 09:30", "resolution": "Mon 16:30"}
    assert (case.sla, case.promised_at) == ("Everybody", clock("fri 16:30"))
    desk.at("mon2 09:20")
    desk.answer(case)
    assert desk.dues(case) == {"resolution": "Mon 16:30"}
    assert desk.results() == [("first", True)]
    desk.at("mon2 10:00")
    desk.says("2", "any news?")
    desk.at("mon2 10:30")
    desk.says("3", "hello?")
    assert desk.dues(case) == {"next": "Mon 12:00", "resolution": "Mon 16:30"}, "not moved"
    desk.at("mon2 12:01")
    desk.answer(case)
    assert desk.dues(case) == {"resolution": "Mon 16:30"}
    cases.resolve(desk.session, case.id, ALICE, Outcome.SOLVED)
    assert desk.dues(case) == {}
    assert case.due_at is None
    assert desk.results() == [("first", True), ("next", False), ("resolution", True)]


def test_pending_stops_the_next_response_and_a_snooze_does_not(desk: Desk) -> None:
    case = desk.says("1")
    desk.answer(case)
    desk.at("mon 10:00")
    desk.says("2", "still down")
    running = {"next": "Mon 12:00", "resolution": "Mon 17:00"}
    assert desk.dues(case) == running
    cases.snooze(desk.session, case.id, ALICE, clock("tue 09:00"))
    assert desk.dues(case) == running
    cases.reopen(desk.session, case.id, ALICE)
    cases.wait_for_customer(desk.session, case.id, ALICE)
    desk.session.refresh(case)
    assert (case.next_due_at, case.due_at) == (None, clock("mon 17:00")), "in the same commit"
    assert desk.dues(case) == {"resolution": "Mon 17:00"}
    desk.at("mon 13:00")
    assert desk.look() == (0, 0)
    cases.reopen(desk.session, case.id, ALICE)
    assert desk.dues(case) == running, "the customer has waited all along"


def test_a_case_that_was_never_answered_owes_its_first_response_even_if_pending(
    desk: Desk,
) -> None:
    case = desk.says("1")
    cases.wait_for_customer(desk.session, case.id, ALICE)
    assert desk.dues(case) == {"first": "Mon 10:00", "resolution": "Mon 17:00"}


def test_a_customer_who_comes_back_is_promised_anew(desk: Desk) -> None:
    case = desk.says("1")
    desk.answer(case)
    cases.resolve(desk.session, case.id, ALICE, Outcome.SOLVED)
    desk.at("wed 10:00")
    desk.says("2", "it is broken again")
    assert case.status == CaseStatus.OPEN
    assert desk.dues(case) == {"next": "Wed 12:00", "resolution": "Thu 10:00"}
    assert desk.look() == (0, 0)
    cases.resolve(desk.session, case.id, ALICE, Outcome.SOLVED)
    assert desk.results() == [("first", True), ("resolution", True), ("resolution", True)]


def test_one_who_was_never_answered_and_comes_back_gets_a_first_response(desk: Desk) -> None:
    case = desk.says("1")
    cases.resolve(desk.session, case.id, ALICE, Outcome.DISMISSED, Dismissal.NOT_A_COMPLAINT)
    desk.at("wed 10:00")
    desk.says("2", "it is down, I say")
    assert desk.dues(case) == {"first": "Wed 11:00", "resolution": "Thu 10:00"}
    assert desk.results() == [], "a case that needed no answer says nothing"


def test_resolved_by_mistake_the_old_promise_runs_on(desk: Desk) -> None:
    case = desk.says("1")
    desk.answer(case)
    cases.resolve(desk.session, case.id, ALICE, Outcome.SOLVED)
    cases.reopen(desk.session, case.id, ALICE)
    assert desk.dues(case) == {"resolution": "Mon 17:00"}
    assert desk.results() == [("first", True)]
    desk.at("tue 09:00")
    assert desk.look() == (0, 1)
    assert desk.results() == [("first", True), ("resolution", False)]


def test_a_breach_is_kept_once_and_the_late_answer_changes_nothing(desk: Desk) -> None:
    case = desk.says("1")
    desk.reckon()
    desk.at("mon 10:05")
    assert [desk.look(), desk.look()] == [(0, 1), (0, 0)]
    desk.answer(case)
    assert desk.results() == [("first", False)]


def test_an_answer_that_is_found_late_takes_the_breach_back(desk: Desk) -> None:
    case = desk.says("1")
    desk.at("mon 10:05")
    desk.look()
    answer = make_post(
        "2", "On it", "acmehelp", reply_to="1", thread="1", created_at=clock("mon 09:55")
    )
    desk.receive(answer)
    assert desk.results() == [("first", True)]
    assert desk.dues(case) == {"resolution": "Mon 17:00"}


def test_what_was_answered_before_we_looked_counts_too(desk: Desk) -> None:
    complaint = make_post("1", "acme is down", created_at=clock("mon 09:00"), thread="1")
    answer = make_post(
        "2", "On it", "acmehelp", reply_to="1", thread="1", created_at=clock("mon 10:30")
    )
    desk.at("mon 10:40")
    case = desk.receive(complaint, answer)
    assert desk.results() == [("first", False)]
    assert desk.dues(case) == {"resolution": "Mon 17:00"}


def test_new_settings_move_what_is_open_and_leave_what_is_told(desk: Desk) -> None:
    case = desk.says("1")
    desk.at("mon 10:30")
    assert desk.look() == (0, 1)
    desk.policies = (policy("Slow", first="3 h", resolution="4 h"),)
    assert desk.dues(case) == {"first": "Mon 10:00", "resolution": "Mon 17:00"}
    assert sla_clock.forget(desk.session) == 1
    assert desk.dues(case) == {"first": "Mon 10:00", "resolution": "Mon 13:00"}
    assert case.sla == "Slow"
    desk.policies = ()
    sla_clock.forget(desk.session)
    assert desk.dues(case) == {"first": "Mon 10:00"}
    assert case.sla is None


def test_a_case_that_no_policy_fits_is_looked_at_once(desk: Desk) -> None:
    desk.policies = (policy("VIP", vip=True),)
    case = desk.says("1")
    assert (case.sla, case.due_at) == (None, None)
    assert sla_clock.refresh(desk.session, desk.policies, desk.hours) == 0


def test_many_cases_are_reckoned_in_steps(desk: Desk) -> None:
    posts = [make_post(str(n), "acme is down", f"c{n}", created_at=now()) for n in range(5)]
    desk.receive(*posts, reckon=False)
    steps = [sla_clock.refresh(desk.session, desk.policies, desk.hours, limit=2) for _ in range(4)]
    assert steps == [2, 2, 1, 0]


def test_what_breaks_soon_or_is_broken_can_be_asked_for(desk: Desk) -> None:
    first = desk.says("1")
    desk.at("mon 09:20")
    second = desk.says("2", author="dave")
    ids = select(Case.id).order_by(col(Case.id))

    def found(minutes: int) -> list[int]:
        within = timedelta(minutes=minutes)
        return list(desk.session.exec(ids.where(sla.breaching(now(), within))))

    assert (found(39), found(40), found(60)) == ([], [first.id], [first.id, second.id])
    desk.at("mon 11:00")
    assert found(0) == [first.id, second.id]
    cases.resolve(desk.session, first.id, ALICE, Outcome.SOLVED)
    assert found(0) == [second.id]


# ---- who is told ----


def test_the_owner_is_told_before_and_the_lead_at_the_breach(desk: Desk) -> None:
    case = desk.says("1")
    cases.claim(desk.session, case.id, ALICE)
    desk.at("mon 09:29")
    assert desk.look() == (0, 0)
    desk.at("mon 09:30")
    assert desk.look() == (1, 0)
    assert (desk.told(ALICE), desk.told(BOB)) == (["sla soon"], [])
    (notice,) = notices.unseen(desk.session, ALICE)
    words = f"Case {case.id}: the first response is due on Mon 16 Nov at 10:00; alice has it."
    assert (notice.text, notice.case_id) == (words, case.id)
    desk.at("mon 10:00")
    assert desk.look() == (0, 1)
    assert (desk.told(ALICE), desk.told(BOB)) == (["sla soon"], ["sla broken"])
    desk.at("mon 10:30")
    assert desk.look() == (0, 0)
    assert (desk.told(ALICE), desk.told(BOB)) == (["sla soon"], ["sla broken"])


def test_a_new_owner_is_told_too_and_nobody_without_one(desk: Desk) -> None:
    case = desk.says("1")
    desk.at("mon 09:40")
    assert desk.look() == (0, 0)
    cases.claim(desk.session, case.id, ALICE)
    assert desk.look() == (1, 0)
    cases.assign(desk.session, case.id, ALICE, BOB, ALICE)
    assert desk.look() == (1, 0)
    assert (desk.told(ALICE), desk.told(BOB)) == (["sla soon"], ["assigned", "sla soon"])
    desk.answer(case)
    desk.at("mon 10:10")
    assert desk.look() == (0, 0), "it was kept"


def test_each_promise_of_a_case_is_told(desk: Desk) -> None:
    case = desk.says("1")
    cases.claim(desk.session, case.id, ALICE)
    desk.at("mon 10:00")
    assert desk.look((ALICE, BOB)) == (0, 1)
    desk.at("mon 16:40")
    assert desk.look((ALICE, BOB)) == (1, 0), "the resolution, though the first is late"
    desk.at("mon 17:00")
    assert desk.look((ALICE, BOB)) == (0, 1)
    assert desk.told(ALICE) == ["sla broken", "sla soon", "sla broken"]
    assert desk.told(BOB) == ["sla broken"] * 2


def test_a_breach_of_long_ago_is_kept_and_not_told(desk: Desk) -> None:
    old = make_post("1", "acme is down", created_at=clock("mon 09:00") - timedelta(days=14))
    desk.receive(old)
    assert desk.look() == (0, 2)
    assert desk.results() == [("first", False), ("resolution", False)]
    assert desk.told(BOB) == []


def test_without_leads_a_breach_is_kept_all_the_same(desk: Desk) -> None:
    desk.says("1")
    desk.at("mon 10:30")
    assert desk.look(()) == (0, 1)
    assert desk.session.exec(select(Notice)).all() == []


def test_two_engines_tell_each_thing_once(desk: Desk, database: sa.Engine) -> None:
    for number in range(20):
        case = desk.says(str(number), author=f"c{number}")
        cases.claim(desk.session, case.id, ALICE)
    desk.at("mon 09:45")
    sla_clock.forget(desk.session)
    desk.session.rollback()

    def run() -> None:
        with Session(database) as session:
            for _ in range(5):
                while sla_clock.refresh(session, desk.policies, desk.hours, limit=3):
                    pass
                found = sla_clock.watch(session, (BOB,), WARN, VIENNA)
                warned.append(found[0])
                broken.append(found[1])

    def both() -> None:
        engines = [threading.Thread(target=run) for _ in range(2)]
        for engine in engines:
            engine.start()
        for engine in engines:
            engine.join(60)

    warned: list[int] = []
    broken: list[int] = []
    both()
    assert (sum(warned), sum(broken)) == (20, 0)
    desk.at("mon 10:00")
    both()
    assert (sum(warned), sum(broken)) == (20, 20)
    assert len(desk.told(ALICE)) == len(desk.told(BOB)) == 20
    assert desk.results() == [("first", False)] * 20


def test_a_notice_is_seen_once_and_by_its_reader_only(session: Session) -> None:
    kind = NoticeKind.ASSIGNED
    assert notices.tell(session, ALICE, "k1", kind, "You have it.")
    assert not notices.tell(session, ALICE, "k1", kind, "You have it.")
    assert notices.tell(session, BOB, "k1", kind, "He has it.")
    session.commit()
    (notice,) = notices.unseen(session, ALICE)
    assert notices.mark_seen(session, BOB, [notice.id]) == 0
    assert notices.mark_seen(session, ALICE, [notice.id]) == 1
    assert notices.mark_seen(session, ALICE, [notice.id]) == 0
    assert not notices.unseen(session, ALICE)
    assert len(notices.unseen(session, BOB)) == 1


def test_a_case_opened_by_hand_can_be_taken_back_after_its_breach(desk: Desk) -> None:
    desk.receive(
        make_post("0", "acme is down", "zoe"), make_post("1", "acme is meh", "dave"), reckon=False
    )
    post = desk.session.exec(select(Post).where(Post.external_id == "1")).one()
    case_id = open_by_hand(desk.session, post.id, ALICE)
    desk.at("mon 10:30")
    desk.look()
    assert close_by_hand(desk.session, post.id, ALICE)
    assert desk.session.get(Case, case_id) is None


def test_who_was_told_is_looked_up_by_its_key(desk: Desk, database: sa.Engine) -> None:
    case = desk.says("1")
    cases.claim(desk.session, case.id, ALICE)
    desk.at("mon 09:40")
    with statements(database) as seen:
        assert desk.look() == (1, 0)
        assert desk.look() == (0, 0)
    known = [plan for sql, plan in plans(desk.session, seen) if "FROM notice" in sql]
    assert known
    assert not [plan for plan in known if "SCAN notice" in plan]
