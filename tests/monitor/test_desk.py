"""Triage and what may happen to a case."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from connectors.base import FetchedPost, Page
from monitor.desk import cases
from monitor.desk.arrivals.triage import triage_new
from monitor.desk.cases import CaseConflictError, CaseError
from monitor.desk.page import notes
from monitor.desk.page.case_file import LONGEST_THREAD, case_file
from monitor.desk.queue.work_queue import NOBODY, Filter, count, counts_by_status, networks, queue
from monitor.intake.collect import Watch, collect
from monitor.intake.scoring import score_new
from monitor.store.models import (
    Author,
    Case,
    CaseEvent,
    CaseStatus,
    Dismissal,
    Outcome,
    ReplyStatus,
    Source,
    now,
)
from tests.conftest import ALICE, BOB, FakeScorer, ScriptedNetwork, make_post

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


class Desk:
    """Posts in, cases out."""

    def __init__(
        self, session: Session, watch: Watch, network: ScriptedNetwork, source: Source
    ) -> None:
        self.session, self.watch, self.network, self.source = session, watch, network, source

    def receive(self, *posts: FetchedPost) -> list[Case]:
        """Collect, score and triage these posts; all cases there are, oldest first."""
        self.source.next_fetch_at = now() - HOUR
        self.session.add(self.source)
        self.session.commit()
        self.network.script = [Page(list(posts), "c")]
        assert collect(self.session, self.watch)
        while score_new(self.session, FakeScorer()):
            pass
        while triage_new(self.session, 0.5):
            pass
        self.session.expire_all()
        return list(self.session.exec(select(Case).order_by(sa.text("id"))))

    def history(self, case: Case) -> list[str]:
        """What happened to a case, in words."""
        events = select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(sa.text("id"))
        return [event.what for event in self.session.exec(events)]

    def details(self, case: Case) -> list[tuple[str, str]]:
        """What happened to a case, with what was said of it."""
        events = select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(sa.text("id"))
        return [(event.what, event.detail) for event in self.session.exec(events)]


@pytest.fixture
def desk(session: Session, watch: Watch, network: ScriptedNetwork, source: Source) -> Desk:
    """An empty desk."""
    return Desk(session, watch, network, source)


def test_a_complaint_opens_a_case_and_the_next_one_joins(desk: Desk) -> None:
    first = make_post("1", "acme is down", created_at=now() - 5 * HOUR)
    (case,) = desk.receive(first, make_post("2", "acme is nice", "dave"))
    assert (case.status, case.waiting_since, case.contacts) == ("open", first.created_at, 1)
    (case,) = desk.receive(make_post("3", "acme, still broken"))
    assert (case.contacts, case.waiting_since) == (2, first.created_at)
    file = case_file(desk.session, case.id)
    assert file is not None
    assert [post.external_id for post, _ in file.thread] == ["1", "3"]
    assert file.post.external_id == "3"


def test_own_reposted_private_and_blocked_posts_never_make_a_case(desk: Desk) -> None:
    assert not desk.receive(
        make_post("1", "acme is down", "acmehelp"),
        make_post("2", "acme is down", public=False),
        make_post("3", "acme is down", "dave", repost_of="1"),
    )
    desk.receive(make_post("4", "acme hello", "mallory"))
    desk.session.execute(sa.update(Author).values(blocked=True))
    desk.session.commit()
    assert not desk.receive(make_post("5", "acme is broken", "mallory"))


def test_a_repost_adds_reach(desk: Desk) -> None:
    (case,) = desk.receive(make_post("1", "acme is down"))
    before = case.rank
    desk.receive(make_post("2", "", "star", repost_of="1", followers=50_000))
    assert case.reach == 50_100
    assert case.rank > before


def test_the_queue_shows_the_worst_word_until_the_customer_is_glad(desk: Desk) -> None:
    (case,) = desk.receive(make_post("1", "acme is down"))
    desk.receive(make_post("2", "any news?", reply_to="1", thread="1"))
    rows = queue(desk.session, Filter())
    assert [row.post.external_id for row in rows] == ["1"]
    desk.receive(make_post("3", "thanks, all well again", reply_to="1", thread="1"))
    rows = queue(desk.session, Filter())
    assert [row.post.external_id for row in rows] == ["3"]
    assert case.complaint < 0.5


def test_our_native_answer_stops_the_clock_and_the_customers_next_word_starts_it(
    desk: Desk,
) -> None:
    (case,) = desk.receive(make_post("1", "acme is down", created_at=now() - 3 * HOUR))
    answered_at = now() - 2 * HOUR
    answer = make_post(
        "2", "We are on it", "acmehelp", reply_to="1", thread="1", created_at=answered_at
    )
    desk.receive(answer)
    assert (case.status, case.waiting_since, case.reply_status) == (
        CaseStatus.PENDING,
        None,
        ReplyStatus.SEEN,
    )
    assert case.first_answered_at == answered_at
    thanks = make_post("3", "thank you!", reply_to="2", thread="1", created_at=now() - HOUR)
    desk.receive(thanks)
    assert (case.status, case.waiting_since) == (CaseStatus.OPEN, thanks.created_at)
    assert case.complaint < 0.5


def test_posts_that_arrive_late_and_out_of_order_keep_the_clock_right(desk: Desk) -> None:
    (case,) = desk.receive(make_post("2", "acme, still down", created_at=now() - HOUR))
    early = make_post("1", "acme is down", created_at=now() - 9 * HOUR)
    desk.receive(early)
    assert case.waiting_since == early.created_at
    file = case_file(desk.session, case.id)
    assert file is not None
    assert [post.external_id for post, _ in file.thread] == ["1", "2"]


def test_a_complaint_soon_after_the_end_reopens_and_a_late_one_opens_anew(desk: Desk) -> None:
    (case,) = desk.receive(make_post("1", "acme is down", created_at=now() - 3 * HOUR))
    cases.resolve(desk.session, case.id, ALICE, Outcome.SOLVED)
    desk.receive(make_post("2", "acme down again"))
    desk.session.refresh(case)
    assert (case.status, case.outcome, case.resolved_at) == (CaseStatus.OPEN, None, None)
    cases.resolve(desk.session, case.id, ALICE, Outcome.SOLVED)
    desk.session.execute(sa.update(Case).values(resolved_at=now() - timedelta(days=30)))
    desk.session.commit()
    assert len(desk.receive(make_post("3", "acme refund please"))) == 2


def test_an_edit_that_complains_opens_a_case_and_a_deletion_is_told(desk: Desk) -> None:
    assert not desk.receive(make_post("1", "acme is nice"))
    (case,) = desk.receive(make_post("1", "acme is broken", edited_at=now()))
    desk.receive(make_post("1", "", deleted=True))
    assert desk.history(case) == ["opened", "post deleted by its author"]


def test_a_thread_that_went_round_the_world_keeps_the_case_and_the_newest(desk: Desk) -> None:
    first = make_post("1", "acme is down", created_at=now() - 9 * HOUR)
    others = [
        make_post(f"o{n}", "me too", f"p{n}", thread="1", created_at=now() - HOUR + n * SECOND)
        for n in range(LONGEST_THREAD + 5)
    ]
    (case,) = desk.receive(first, *others)
    file = case_file(desk.session, case.id)
    assert file is not None
    shown = [post.external_id for post, _ in file.thread]
    assert len(shown) == LONGEST_THREAD
    assert (shown[0], shown[-1]) == ("1", f"o{LONGEST_THREAD + 4}")


def test_claiming_is_won_by_one_and_the_other_is_told(desk: Desk) -> None:
    (case,) = desk.receive(make_post("1", "acme is down"))
    cases.claim(desk.session, case.id, ALICE)
    with pytest.raises(CaseConflictError, match="alice has it"):
        cases.claim(desk.session, case.id, BOB)
    with pytest.raises(CaseConflictError):
        cases.release(desk.session, case.id, BOB)
    with pytest.raises(CaseConflictError):
        cases.resolve(desk.session, case.id, BOB, Outcome.SOLVED)
    cases.assign(desk.session, case.id, ALICE, to=BOB, held_by=ALICE)
    cases.release(desk.session, case.id, BOB)
    assert desk.history(case) == ["opened", "claimed", "assigned", "released"]
    with pytest.raises(CaseConflictError, match="no such case"):
        cases.claim(desk.session, 999_999, ALICE)


def test_a_dismissal_says_why(desk: Desk) -> None:
    (case,) = desk.receive(make_post("1", "acme is down"))
    with pytest.raises(CaseError):
        cases.resolve(desk.session, case.id, ALICE, Outcome.DISMISSED)
    with pytest.raises(CaseError):
        cases.resolve(desk.session, case.id, ALICE, Outcome.SOLVED, Dismissal.SPAM)
    cases.resolve(desk.session, case.id, ALICE, Outcome.DISMISSED, Dismissal.SPAM)
    desk.session.refresh(case)
    assert (case.dismissal, case.waiting_since) == (Dismissal.SPAM, None)


def test_a_resolved_case_comes_back_as_it_was(desk: Desk) -> None:
    post = make_post("1", "acme is down")
    (case,) = desk.receive(post)
    before = case.rank
    cases.resolve(desk.session, case.id, ALICE, Outcome.SOLVED)
    cases.reopen(desk.session, case.id, ALICE)
    desk.session.refresh(case)
    assert (case.status, case.waiting_since, case.rank) == (
        CaseStatus.OPEN,
        post.created_at,
        before,
    )


def test_an_old_case_stays_closed_while_its_author_has_a_newer_one(desk: Desk) -> None:
    (old,) = desk.receive(make_post("1", "acme is down"))
    cases.resolve(desk.session, old.id, ALICE, Outcome.SOLVED)
    desk.session.execute(sa.update(Case).values(resolved_at=now() - timedelta(days=30)))
    desk.session.commit()
    desk.receive(make_post("2", "acme is broken"))
    with pytest.raises(CaseConflictError, match="newer case"):
        cases.reopen(desk.session, old.id, ALICE)


def test_a_snoozed_case_sleeps_until_its_time(desk: Desk) -> None:
    (case,) = desk.receive(make_post("1", "acme is down"))
    with pytest.raises(CaseError, match="future"):
        cases.snooze(desk.session, case.id, ALICE, now() - HOUR)
    cases.snooze(desk.session, case.id, ALICE, now() + HOUR)
    assert cases.wake(desk.session) == 0
    assert not queue(desk.session, Filter())
    desk.session.execute(sa.update(Case).values(snoozed_until=now() - HOUR))
    desk.session.commit()
    assert cases.wake(desk.session) == 1
    assert [row.case.id for row in queue(desk.session, Filter())] == [case.id]


def test_notes_stay_inside(desk: Desk) -> None:
    (case,) = desk.receive(make_post("1", "acme is down"))
    with pytest.raises(CaseError):
        notes.note(desk.session, case.id, ALICE, "  ")
    notes.note(desk.session, case.id, ALICE, "called them")
    file = case_file(desk.session, case.id)
    assert file is not None
    assert [note.text for note in file.notes] == ["called them"]


def test_the_queue_pages_without_gaps_or_repeats_and_filters(desk: Desk) -> None:
    made = [make_post(str(n), f"acme is down, n{n} 100%", f"p{n}") for n in range(30)]
    other = make_post("x", "acme refund", "pete", network="elsewhere")
    found = desk.receive(*made, other)
    assert len(found) == 31
    seen: list[int] = []
    after = None
    while rows := queue(desk.session, Filter(), after, limit=7):
        seen += [row.case.id for row in rows]
        after = rows[-1].position
    by_rank = sorted(found, key=lambda case: (case.rank, case.id), reverse=True)
    assert seen == [case.id for case in by_rank]
    assert networks(desk.session) == ["elsewhere", "net"]
    assert [r.author.handle for r in queue(desk.session, Filter(network="elsewhere"))] == ["pete"]
    assert [r.author.handle for r in queue(desk.session, Filter(words="REFUND pete"))] == ["pete"]
    assert count(desk.session, Filter(words="100%")) == 30
    assert count(desk.session, Filter(words="%_")) == 0
    cases.claim(desk.session, found[0].id, ALICE)
    assert count(desk.session, Filter(owner=ALICE)) == 1
    assert count(desk.session, Filter(owner=NOBODY)) == 30
    assert counts_by_status(desk.session)[CaseStatus.OPEN] == 31
    assert count(desk.session, Filter(status=None, reply_status=ReplyStatus.SEEN)) == 0
