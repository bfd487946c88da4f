"""The queue's floor: orders, tags, saved views, many cases at once, and who gets the next one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.desk import cases, labels, tags
from monitor.desk.arrivals.triage import triage_new
from monitor.desk.cases import CaseConflictError, CaseError
from monitor.desk.page import authors
from monitor.desk.queue import absence, assign, bulk, views, work_queue
from monitor.desk.queue.bulk import Done
from monitor.desk.queue.work_queue import NOBODY, Filter, Sort
from monitor.settings import Person
from monitor.store.models import (
    Absence,
    Author,
    Case,
    CaseEvent,
    CaseStatus,
    Dismissal,
    Label,
    LabelOrigin,
    Outcome,
    Post,
    ReplyStatus,
    Source,
    now,
)
from tests.conftest import ALICE, BOB

HOUR = timedelta(hours=1)


class Floor:
    """Cases to work on."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.source = Source(name="s", connector="demo")
        session.add(self.source)
        session.commit()
        self.made = 0

    def cases(self, number: int, language: str | None = "en") -> list[int]:
        """Open cases, the highest priority first."""
        posts = []
        for _ in range(number):
            self.made += 1
            name = f"p{self.made}"
            author = Author(network="net", external_id=name, handle=name)
            self.session.add(author)
            self.session.flush()
            posts.append(
                Post(
                    network="net",
                    external_id=name,
                    source_id=self.source.id,
                    author_id=author.id,
                    text="It broke",
                    language=language,
                    created_at=now() - 900 * HOUR + self.made * HOUR,
                    thread=name,
                    scorer="m",
                    complaint=0.9,
                    severity=0.5,
                )
            )
        self.session.add_all(posts)
        self.session.commit()
        while triage_new(self.session, 0.5):
            pass
        self.session.expire_all()
        return [post.case_id or 0 for post in posts]

    def case(self, case_id: int) -> Case:
        """A case as it is now."""
        self.session.rollback()
        return self.session.get_one(Case, case_id, populate_existing=True)

    def set(self, case_id: int, **values: Any) -> None:
        """Make a case be so."""
        self.session.execute(sa.update(Case).where(col(Case.id) == case_id).values(**values))
        self.session.commit()
        self.session.expire_all()

    def owners(self, case_ids: list[int]) -> list[str | None]:
        """Who has these cases."""
        return [self.case(case_id).assignee for case_id in case_ids]

    def history(self, case_id: int) -> list[tuple[str, str | None, str]]:
        """What happened to a case since it was opened."""
        events = select(CaseEvent).where(col(CaseEvent.case_id) == case_id)
        found = self.session.exec(events.order_by(col(CaseEvent.id))).all()
        return [(event.what, event.agent, event.detail) for event in found[1:]]


@pytest.fixture
def floor(session: Session) -> Floor:
    """A desk without cases."""
    return Floor(session)


def pages(session: Session, chosen: Filter, size: int = 2) -> list[int]:
    """Every case of a queue, read page by page."""
    seen: list[int] = []
    after = None
    while rows := work_queue.queue(session, chosen, after, size):
        seen += [row.case.id for row in rows]
        after = rows[-1].position
    return seen


def test_every_order_is_paged_without_gaps_and_what_has_no_time_comes_last(floor: Floor) -> None:
    a, b, c, d, e = floor.cases(5)
    at = now()
    floor.set(a, waiting_since=None, due_at=at + 3 * HOUR, opened_at=at - HOUR)
    floor.set(b, waiting_since=at - HOUR, due_at=at - HOUR, opened_at=at - 2 * HOUR)
    floor.set(c, waiting_since=None, due_at=None, opened_at=at - 2 * HOUR)
    floor.set(d, waiting_since=at - 2 * HOUR, due_at=at - HOUR, opened_at=at - 5 * HOUR)
    floor.set(e, waiting_since=at - HOUR, due_at=None, opened_at=at)
    for status in (CaseStatus.OPEN, None):
        assert pages(floor.session, Filter(status, sort=Sort.PRIORITY)) == [a, b, c, d, e]
        assert pages(floor.session, Filter(status, sort=Sort.WAITING)) == [d, b, e, a, c]
        assert pages(floor.session, Filter(status, sort=Sort.DUE)) == [b, d, a, c, e]
        assert pages(floor.session, Filter(status, sort=Sort.NEWEST)) == [e, a, c, b, d]


def test_what_breaks_soon_or_is_broken(floor: Floor) -> None:
    soon, broken, later, never = floor.cases(4)
    floor.set(soon, due_at=now() + timedelta(minutes=50))
    floor.set(broken, due_at=now() - HOUR)
    floor.set(later, due_at=now() + 2 * HOUR)
    chosen = Filter(breaching=True, sort=Sort.DUE)
    assert pages(floor.session, chosen) == [broken, soon]
    assert work_queue.count(floor.session, chosen) == 2
    fits = [chosen.fits(floor.case(case_id)) for case_id in (soon, broken, later, never)]
    assert fits == [True, True, False, False]


def test_tags_are_one_word_however_they_are_written(floor: Floor) -> None:
    first, second = floor.cases(2)
    assert tags.add(floor.session, first, ALICE, "  #Billing   Error ")
    assert not tags.add(floor.session, first, BOB, "billing error")
    assert tags.add(floor.session, second, ALICE, "billing error")
    assert tags.add(floor.session, second, ALICE, "vip")
    assert tags.all_tags(floor.session) == {"billing error": 2, "vip": 1}
    assert tags.of_cases(floor.session, [first, second]) == {
        first: ["billing error"],
        second: ["billing error", "vip"],
    }
    assert pages(floor.session, Filter(tag="vip")) == [second]
    rows = work_queue.queue(floor.session, Filter())
    assert [row.tags for row in rows] == [("billing error",), ("billing error", "vip")]
    assert tags.remove(floor.session, first, BOB, "Billing error")
    assert not tags.remove(floor.session, first, BOB, "Billing error")
    assert floor.history(first) == [
        ("tagged", ALICE, "billing error"),
        ("tag removed", BOB, "billing error"),
    ]
    for wrong in ("", " # ", "x" * 31, "a\x00b"):
        with pytest.raises(CaseError):
            tags.add(floor.session, first, ALICE, wrong)
    with pytest.raises(CaseError, match="no such case"):
        tags.add(floor.session, 999, ALICE, "lost")


def test_vips(floor: Floor) -> None:
    _, second = floor.cases(2)
    authors.set_vip(floor.session, second, ALICE, vip=True)
    assert pages(floor.session, Filter(vip=True)) == [second]
    authors.set_vip(floor.session, second, ALICE, vip=False)
    assert pages(floor.session, Filter(vip=True)) == []


def test_a_common_tag_shows_the_same_cases_as_a_rare_one(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = floor.cases(6)
    for case_id in made[::2]:
        tags.add(floor.session, case_id, ALICE, "outage")
    floor.set(made[2], waiting_since=None, assignee=ALICE)
    chosen = [Filter(tag="outage", sort=sort, owner=owner) for sort in Sort for owner in
              (None, NOBODY, ALICE)]  # fmt: skip
    rare = [pages(floor.session, one) for one in chosen]
    assert rare[0] == made[::2]
    monkeypatch.setattr(work_queue, "COMMON", 2)
    assert [pages(floor.session, one) for one in chosen] == rare
    assert assign.take_next(floor.session, BOB, Filter(tag="outage")) == made[0]


@pytest.mark.parametrize(
    ("chosen", "index"),
    [
        (Filter(vip=True), "ix_case_queue_vip"),
        (Filter(sort=Sort.NEWEST), "ix_case_queue_newest"),
        (Filter(sort=Sort.DUE, breaching=True), "ix_case_queue_due"),
        (Filter(reply_status=ReplyStatus.DRAFT), "ix_case_queue_reply"),
    ],
)
def test_a_first_page_is_read_from_an_index_in_its_order(
    session: Session, chosen: Filter, index: str
) -> None:
    read = work_queue._parts(session, chosen, None)[0].limit(25)
    dialect = session.get_bind().dialect
    words = str(read.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    if dialect.name == "sqlite":
        plan = session.execute(sa.text(f"EXPLAIN QUERY PLAN {words}")).all()
    else:  # of an empty table it would read everything
        session.execute(sa.text("SET enable_seqscan = off"))
        session.execute(sa.text("SET enable_bitmapscan = off"))
        session.execute(sa.text("SET enable_sort = off"))
        plan = session.execute(sa.text(f"EXPLAIN {words}")).all()
    assert index in str(plan)
    assert "TEMP B-TREE" not in str(plan)
    assert "Sort" not in str(plan)


def test_saved_views_are_private_or_shared_and_changed_by_their_owner(session: Session) -> None:
    mine = views.save(session, ALICE, " My  bluesky ", "network=bluesky")
    views.save(session, BOB, "Angry", "sort=Newest", shared=True)
    assert [v.name for v in views.views(session, ALICE)] == ["My bluesky", "Angry"]
    assert [v.name for v in views.views(session, BOB)] == ["Angry"]
    assert [v.name for v in views.views(session, None)] == ["Angry"]
    with pytest.raises(CaseError, match="already"):
        views.save(session, ALICE, "My bluesky", "")
    other = views.save(session, ALICE, "Other", "")
    with pytest.raises(CaseError, match="already"):
        views.rename(session, other.id, ALICE, "My bluesky")
    views.rename(session, other.id, ALICE, "Another")
    for wrong in ("", "x" * 41):
        with pytest.raises(CaseError):
            views.rename(session, other.id, ALICE, wrong)
    views.share(session, mine.id, ALICE, shared=True)
    assert [v.name for v in views.views(session, BOB)] == ["Angry", "My bluesky"]
    for refused in (
        lambda: views.delete(session, mine.id, BOB),
        lambda: views.rename(session, mine.id, BOB, "Bob's"),
        lambda: views.share(session, mine.id, BOB, shared=False),
        lambda: views.delete(session, 999, ALICE),
    ):
        with pytest.raises(CaseError, match="no such view of yours"):
            refused()
    gone = views.delete(session, mine.id, ALICE)
    assert (gone.name, gone.address, gone.shared) == ("My bluesky", "network=bluesky", True)
    assert [v.name for v in views.views(session, ALICE)] == ["Another", "Angry"]


def test_many_are_claimed_in_chunks_and_what_was_taken_is_left(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 2)
    made = floor.cases(5)
    cases.claim(floor.session, made[1], BOB)
    done = bulk.claim(floor.session, [*made, 999], ALICE)
    assert (len(done.cases), done.skipped) == (4, 2)
    assert floor.owners(made) == [ALICE, BOB, ALICE, ALICE, ALICE]
    cases.assign(floor.session, made[4], ALICE, BOB, ALICE)
    assert bulk.undo(floor.session, ALICE, done) == (3, 1)
    assert floor.owners(made) == [None, BOB, None, None, BOB]
    assert floor.history(made[0]) == [("claimed", ALICE, ""), ("released", ALICE, "")]


def test_many_are_assigned_and_go_back_to_whoever_had_them(floor: Floor) -> None:
    free, alices, bobs, closed = floor.cases(4)
    cases.claim(floor.session, alices, ALICE)
    cases.claim(floor.session, bobs, BOB)
    cases.resolve(floor.session, closed, ALICE, Outcome.SOLVED)
    done = bulk.assign(floor.session, [free, alices, bobs, closed], ALICE, BOB)
    assert (len(done.cases), done.skipped) == (2, 2)
    assert floor.owners([free, alices, bobs]) == [BOB, BOB, BOB]
    assert bulk.undo(floor.session, ALICE, done) == (2, 0)
    assert floor.owners([free, alices, bobs]) == [None, ALICE, BOB]
    assert floor.history(free)[-1] == ("assigned", ALICE, "to nobody")


def test_many_are_snoozed_and_wake_as_they_were(floor: Floor) -> None:
    opened, pending, bobs, changed = floor.cases(4)
    cases.wait_for_customer(floor.session, pending, ALICE)
    cases.claim(floor.session, bobs, BOB)
    until = now() + HOUR
    with pytest.raises(CaseError, match="future"):
        bulk.snooze(floor.session, [opened, pending], ALICE, now() - HOUR)
    assert floor.case(opened).status == CaseStatus.OPEN
    done = bulk.snooze(floor.session, [opened, pending, bobs, changed], ALICE, until)
    assert (len(done.cases), done.skipped) == (3, 1)
    cases.resolve(floor.session, changed, BOB, Outcome.SOLVED)
    assert bulk.undo(floor.session, ALICE, done) == (2, 1)
    statuses = [floor.case(case_id).status for case_id in (opened, pending, bobs, changed)]
    assert statuses == ["open", "pending", "open", "resolved"]


def test_many_are_dismissed_with_the_reason_and_come_back(floor: Floor) -> None:
    opened, snoozed, bobs = floor.cases(3)
    until = now() + HOUR
    cases.snooze(floor.session, snoozed, ALICE, until)
    cases.claim(floor.session, bobs, BOB)
    waiting = floor.case(opened).waiting_since
    done = bulk.dismiss(floor.session, [opened, snoozed, bobs], ALICE, Dismissal.SPAM)
    assert (len(done.cases), done.skipped) == (2, 1)
    case = floor.case(opened)
    assert (case.status, case.outcome, case.dismissal) == ("resolved", "dismissed", "spam")
    assert len(floor.session.exec(select(Label)).all()) == 2
    assert bulk.undo(floor.session, ALICE, done) == (2, 0)
    assert floor.case(opened).waiting_since == waiting
    assert (floor.case(snoozed).status, floor.case(snoozed).snoozed_until) == ("snoozed", until)
    assert not floor.session.exec(select(Label)).all()
    assert bulk.undo(floor.session, ALICE, done) == (0, 2), "what stands again is left alone"


def test_many_are_tagged_and_only_the_new_tags_go_again(floor: Floor) -> None:
    had, new = floor.cases(2)
    tags.add(floor.session, had, BOB, "outage")
    with pytest.raises(CaseError):
        bulk.tag(floor.session, [had, new], ALICE, " ")
    done = bulk.tag(floor.session, [had, new], ALICE, "Outage")
    assert (len(done.cases), done.skipped, done.to) == (1, 1, "outage")
    assert bulk.undo(floor.session, ALICE, done) == (1, 0)
    assert tags.of_cases(floor.session, [had, new]) == {had: ["outage"]}


def test_the_label_of_many_is_corrected_and_taken_back_to_what_was_said(floor: Floor) -> None:
    new, said, same, again = floor.cases(4)
    post = {case_id: floor.case(case_id).post_id for case_id in (new, said, same, again)}

    def say(case_id: int, agent: str, complaint: bool, severity: float | None = None) -> None:
        labels.set_label(floor.session, post[case_id], agent, complaint, LabelOrigin.DESK, severity)

    say(said, BOB, True, 1.0)
    say(same, BOB, False)
    done = bulk.label(floor.session, [new, said, same, again], ALICE, complaint=False)
    assert (len(done.cases), done.skipped) == (3, 1)
    say(again, BOB, True)
    assert bulk.undo(floor.session, ALICE, done) == (2, 1)
    kept = {
        label.post_id: (label.complaint, label.severity, label.agent)
        for label in floor.session.exec(select(Label).where(col(Label.complaint).is_not(None)))
    }
    assert kept == {
        post[said]: (True, 1.0, BOB),
        post[same]: (False, None, BOB),
        post[again]: (True, None, BOB),
    }


def test_a_selection_ends_at_its_limit(floor: Floor) -> None:
    made = floor.cases(4)
    assert bulk.select(floor.session, Filter()) == made
    assert bulk.select(floor.session, Filter(), limit=3) == made[:3]
    assert bulk.select(floor.session, Filter(owner=BOB)) == []


@pytest.mark.parametrize(
    "act",
    [
        lambda session, ids: bulk.claim(session, ids, BOB),
        lambda session, ids: bulk.assign(session, ids, BOB, ALICE),
        lambda session, ids: bulk.dismiss(session, ids, BOB, Dismissal.SPAM),
    ],
)
def test_a_failure_in_the_middle_keeps_whole_chunks(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, act: Callable[[Session, list[int]], Done]
) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 2)
    made = floor.cases(4)
    record, calls = cases.record, []

    def failing(*args: Any, **kwargs: Any) -> None:
        calls.append(1)
        if len(calls) == 4:
            raise ZeroDivisionError
        record(*args, **kwargs)

    monkeypatch.setattr(cases, "record", failing)
    with pytest.raises(ZeroDivisionError):
        act(floor.session, made)
    changed = [bool(floor.history(case_id)) for case_id in made]
    assert changed == [True, True, False, False]


def test_the_next_case_is_the_highest_that_nobody_has(floor: Floor) -> None:
    first, second, third = floor.cases(3)
    cases.claim(floor.session, first, BOB)
    newest = Filter(sort=Sort.NEWEST)
    assert assign.take_next(floor.session, ALICE, newest) == second
    assert floor.history(second) == [("claimed", ALICE, "")]
    assert assign.take_next(floor.session, ALICE, Filter(network="elsewhere")) is None
    assert assign.take_next(floor.session, ALICE, Filter(owner=BOB, status=None)) == third
    assert assign.take_next(floor.session, ALICE, Filter()) is None


def test_two_never_get_the_same_case(floor: Floor, database: sa.Engine) -> None:
    made = floor.cases(24)
    floor.session.rollback()

    def work(number: int) -> list[tuple[str, int]]:
        taken = []
        with Session(database) as session:
            while (case_id := assign.take_next(session, f"agent{number}", Filter())) is not None:
                taken.append((f"agent{number}", case_id))
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [pair for pairs in pool.map(work, range(4)) for pair in pairs]
    assert sorted(case_id for _, case_id in taken) == sorted(made)
    for agent, case_id in taken:
        assert floor.case(case_id).assignee == agent
        assert floor.history(case_id) == [("claimed", agent, "")]


def test_cases_are_handed_out_by_room_and_language(floor: Floor) -> None:
    made = floor.cases(3) + floor.cases(2, "de-AT") + floor.cases(1, None) + floor.cases(1, "fr")
    held = floor.cases(1)
    cases.claim(floor.session, held[0], ALICE)
    people = {
        ALICE: Person(name=ALICE, capacity=3, languages=["en"]),
        BOB: Person(name=BOB, capacity=10, languages=["de", "en"]),
    }
    assert assign.auto_assign(floor.session, people) == 6
    # Bob has the fewest, then they take turns until Alice is full.
    assert floor.owners(made) == [BOB, ALICE, BOB, BOB, BOB, ALICE, None]
    assert floor.history(made[0]) == [("assigned", None, f"to {BOB}")]
    assert assign.auto_assign(floor.session, people) == 0
    people["carol"] = Person(name="carol")
    assert assign.auto_assign(floor.session, people) == 1
    assert floor.owners(made)[-1] == "carol"


def test_nobody_who_is_away_or_full_gets_a_case(floor: Floor) -> None:
    made = floor.cases(2)
    people = {ALICE: Person(name=ALICE, capacity=0), BOB: Person(name=BOB)}
    absence.leave(floor.session, BOB)
    assert assign.auto_assign(floor.session, people) == 0
    assert assign.auto_assign(floor.session, {}) == 0
    absence.leave(floor.session, BOB, until=now() + HOUR)
    assert assign.auto_assign(floor.session, people) == 0
    floor.session.execute(sa.update(Absence).values(until=now() - HOUR))
    floor.session.commit()
    assert assign.auto_assign(floor.session, people) == 2
    assert floor.owners(made) == [BOB, BOB]


def test_absence(session: Session) -> None:
    until = now() + HOUR
    absence.leave(session, ALICE)
    absence.leave(session, BOB, until)
    assert absence.away(session) == {ALICE: None, BOB: until}
    with pytest.raises(CaseError, match="future"):
        absence.leave(session, ALICE, now() - HOUR)
    absence.come_back(session, ALICE)
    absence.come_back(session, ALICE)
    assert absence.away(session) == {BOB: until}


def test_two_engines_that_hand_out_at_once_fill_no_room_twice(
    floor: Floor, database: sa.Engine
) -> None:
    made = floor.cases(12)
    floor.session.rollback()
    people = {ALICE: Person(name=ALICE, capacity=3), BOB: Person(name=BOB, capacity=3)}

    def engine(_: int) -> int:
        with Session(database) as session:
            return sum(assign.auto_assign(session, people) for _ in range(3))

    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(engine, range(3))) == 6
    owners = floor.owners(made)
    assert (owners.count(ALICE), owners.count(BOB)) == (3, 3)


def test_a_claim_within_a_bulk_is_refused_as_alone(floor: Floor) -> None:
    (case_id,) = floor.cases(1)
    bulk.claim(floor.session, [case_id], ALICE)
    with pytest.raises(CaseConflictError, match="alice has it"):
        cases.claim(floor.session, case_id, BOB)
