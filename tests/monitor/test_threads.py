"""Threads looked at on the network: native answers, the customer's next word, what is gone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from connectors.base import Connector, FatalError, FetchedPost, RetryableError
from monitor.answer import replies, settling
from monitor.answer.threads import AT_ONCE, LONGEST_WAIT, follow
from monitor.desk import cases
from monitor.desk.arrivals.by_hand import open_from_text
from monitor.desk.arrivals.triage import triage_new
from monitor.desk.merge import merge, unmerge
from monitor.intake.scoring import score_new
from monitor.store.models import (
    Case,
    CaseStatus,
    Notice,
    NoticeKind,
    Outcome,
    Post,
    Reply,
    ReplyStatus,
    Source,
    SourceState,
    now,
)
from tests.conftest import ALICE, BOB, FakeScorer, ScriptedNetwork, make_post
from tests.monitor.test_desk import Desk, desk

__all__ = ["desk"]

ACCOUNTS = frozenset({"acmehelp"})
MINUTE = timedelta(minutes=1)
COMPLAINT = make_post("1", "acme is down", created_at=now() - 60 * MINUTE)


def answer(minutes_ago: int, key: str = "a", reply_to: str = "1", **changes: Any) -> FetchedPost:
    """A native answer of ours."""
    at = now() - minutes_ago * MINUTE
    values = {"reply_to": reply_to, "thread": "1", "created_at": at, **changes}
    return make_post(key, "We are on it", "acmehelp", **values)


def customer(minutes_ago: int, key: str = "c", text: str = "PS4", **changes: Any) -> FetchedPost:
    """What the customer says next."""
    at = now() - minutes_ago * MINUTE
    return make_post(key, text, reply_to="1", thread="1", created_at=at, **changes)


class Watcher:
    """A desk with a case, whose thread is looked at."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.session, self.network = desk, desk.session, desk.network
        (self.case,) = desk.receive(COMPLAINT)

    def look(self, *below: FetchedPost, connector: Connector | None = None) -> int:
        """The thread has these posts below the complaint: look, score and triage."""
        self.network.threads = {
            ref: [COMPLAINT, *below] for ref in ("1", *(post.ref for post in below))
        }
        return self.look_as_it_is(connector or self.network)

    def look_as_it_is(self, connector: Connector | None) -> int:
        """Look at what the test has scripted."""
        self.session.execute(sa.update(Case).values(thread_due_at=now() - MINUTE))
        self.session.commit()
        looked = follow(self.session, lambda _: connector, ACCOUNTS)
        while score_new(self.session, FakeScorer()) or triage_new(self.session, 0.5):
            pass
        self.session.expire_all()
        return looked

    def due_in(self) -> timedelta:
        """How long until the next look."""
        due: datetime = self.session.exec(select(Case.thread_due_at)).one() or now()
        return due - now()

    def stands(self) -> tuple[str, str, bool]:
        """The case's status, its reply's, and whether the customer waits."""
        return self.case.status, self.case.reply_status, self.case.waiting_since is not None


@pytest.fixture
def watcher(desk: Desk) -> Watcher:
    """One case."""
    return Watcher(desk)


def test_a_native_answer_is_found_in_the_thread_with_its_time_and_author(watcher: Watcher) -> None:
    made = answer(30)
    assert watcher.look(made, make_post("x", "me too", "dave", reply_to="1", thread="1")) == 1
    assert watcher.stands() == ("pending", "seen", False)
    (reply,) = watcher.session.exec(select(Reply)).all()
    assert (reply.agent, reply.sent_at, reply.url) == ("acmehelp", made.created_at, made.url)
    stored = watcher.session.exec(select(Post.external_id, Post.matched)).all()
    assert set(stored) == {("1", "acme"), ("a", "thread of a case"), ("x", "thread of a case")}
    watcher.look(made)
    assert len(watcher.session.exec(select(Reply)).all()) == 1


def test_the_customers_next_post_brings_the_case_back_to_its_owner(watcher: Watcher) -> None:
    cases.claim(watcher.session, watcher.case.id, ALICE)
    watcher.look(answer(30))
    spoken = customer(20)
    watcher.look(answer(30), spoken)
    assert watcher.stands() == ("open", "customer answered", True)
    assert (watcher.case.waiting_since, watcher.case.assignee) == (spoken.created_at, ALICE)
    (notice,) = watcher.session.exec(select(Notice)).all()
    assert (notice.agent, notice.kind, notice.case_id) == (
        ALICE,
        NoticeKind.CUSTOMER,
        watcher.case.id,
    )
    watcher.look(answer(30), spoken, answer(10, "b", "c"))
    assert watcher.stands() == ("pending", "seen", False)
    assert len(watcher.session.exec(select(Notice)).all()) == 1


def test_an_answer_that_comes_to_our_knowledge_late_does_not_hide_what_came_after(
    watcher: Watcher,
) -> None:
    spoken = customer(20)
    watcher.look(spoken)
    assert watcher.stands() == ("open", "unanswered", True)
    watcher.look(spoken, answer(30))
    assert watcher.stands() == ("open", "customer answered", True)
    assert watcher.case.waiting_since == spoken.created_at


def test_the_next_word_after_the_end_reopens_the_case_and_it_keeps_its_owner(
    watcher: Watcher,
) -> None:
    cases.claim(watcher.session, watcher.case.id, ALICE)
    watcher.look(answer(30))
    cases.resolve(watcher.session, watcher.case.id, ALICE, Outcome.SOLVED)
    watcher.look(answer(30), customer(20, "late"))
    assert watcher.stands()[0] == CaseStatus.RESOLVED
    watcher.look(answer(30), customer(0))
    assert watcher.stands() == ("open", "customer answered", True)
    assert (watcher.case.assignee, watcher.case.outcome) == (ALICE, None)


def test_a_snoozed_case_wakes_when_the_customer_writes(watcher: Watcher) -> None:
    cases.snooze(watcher.session, watcher.case.id, ALICE, now() + 60 * MINUTE)
    watcher.look(customer(1))
    assert watcher.stands() == ("open", "unanswered", True)
    assert watcher.case.snoozed_until is None


def test_what_is_being_written_stays_in_sight_when_the_customer_writes(watcher: Watcher) -> None:
    cases.claim(watcher.session, watcher.case.id, ALICE)
    watcher.look(answer(30))
    replies.save_draft(watcher.session, watcher.case.id, ALICE, "Which model?")
    watcher.look(answer(30), customer(20))
    assert watcher.stands() == ("open", "draft", True)
    replies.discard_draft(watcher.session, watcher.case.id, ALICE)
    watcher.session.expire_all()
    assert watcher.stands() == ("open", "customer answered", True)


def test_an_answer_in_two_posts_is_one_case_answered(watcher: Watcher) -> None:
    watcher.look(answer(30), answer(29, "b", "a"))
    texts = watcher.session.exec(select(Reply.external_id).order_by(sa.text("id"))).all()
    assert texts == ["a", "b"]
    assert watcher.stands() == ("pending", "seen", False)


def test_an_answer_older_than_its_case_is_found_when_the_case_opens(desk: Desk) -> None:
    assert not desk.receive(answer(30), answer(29, "b", "a"))
    (case,) = desk.receive(COMPLAINT)
    assert (case.status, case.reply_status) == ("pending", "seen")
    last = desk.session.exec(select(Post.created_at).where(Post.external_id == "b")).one()
    assert case.answered_at == last


class TestGone:
    """A reply deleted on the network."""

    def test_the_case_is_unanswered_again(self, watcher: Watcher) -> None:
        watcher.look(answer(30))
        watcher.look()
        assert watcher.stands() == ("pending", "seen", False), "a thread may be cut"
        watcher.network.deleted = {"a"}
        watcher.look()
        assert watcher.stands() == ("open", "gone", True)
        assert watcher.case.waiting_since == COMPLAINT.created_at
        assert (watcher.case.answered_at, watcher.case.first_answered_at) == (None, None)
        assert watcher.desk.history(watcher.case)[-1] == "reply gone"
        (reply,) = watcher.session.exec(select(Reply)).all()
        assert (reply.status, reply.text) == (ReplyStatus.GONE, "We are on it")
        watcher.look(answer(5, "b"))
        assert watcher.stands() == ("pending", "seen", False)

    def test_what_we_sent_ourselves(self, watcher: Watcher) -> None:
        cases.claim(watcher.session, watcher.case.id, ALICE)
        draft = replies.save_draft(watcher.session, watcher.case.id, ALICE, "We are on it")
        sent = replies.send(watcher.session, draft.id, ALICE, watcher.network)
        ours = answer(0, sent.external_id or "", url=sent.url)
        watcher.look(ours)
        assert watcher.stands() == ("pending", "seen", False)
        assert len(watcher.session.exec(select(Reply)).all()) == 1
        watcher.network.deleted = {ours.ref}
        watcher.look()
        assert watcher.stands() == ("open", "gone", True)
        assert watcher.case.assignee == ALICE

    def test_another_answer_stands(self, watcher: Watcher) -> None:
        watcher.look(answer(30), answer(29, "b", "a"))
        watcher.network.deleted = {"a"}
        watcher.look(answer(29, "b", "a"))
        assert watcher.stands() == ("pending", "seen", False)
        watcher.network.deleted = {"a", "b"}
        watcher.look()
        assert watcher.stands() == ("open", "gone", True)

    def test_only_the_later_one_goes(self, watcher: Watcher) -> None:
        watcher.look(answer(30), customer(20), answer(10, "b", "c"))
        watcher.network.deleted = {"b"}
        watcher.look(answer(30), customer(20))
        assert watcher.stands() == ("open", "gone", True)
        assert (
            watcher.case.waiting_since
            == watcher.session.exec(select(Post.created_at).where(Post.external_id == "c")).one()
        )

    @pytest.mark.parametrize(("days", "status"), [(1, "open"), (30, "resolved")])
    def test_after_the_end(self, watcher: Watcher, days: int, status: str) -> None:
        watcher.look(answer(30))
        cases.resolve(watcher.session, watcher.case.id, ALICE, Outcome.SOLVED)
        ended = now() - timedelta(days=days)
        watcher.session.execute(sa.update(Case).values(resolved_at=ended))
        watcher.session.commit()
        watcher.network.deleted = {"a"}
        watcher.look()
        assert watcher.stands() == (status, "gone", status == "open")

    def test_the_customer_has_another_case_by_now(self, watcher: Watcher) -> None:
        watcher.look(answer(30))
        cases.resolve(watcher.session, watcher.case.id, ALICE, Outcome.SOLVED)
        watcher.session.execute(sa.update(Case).values(resolved_at=now() - timedelta(days=30)))
        watcher.session.commit()
        watcher.desk.receive(make_post("9", "acme refund please"))
        watcher.session.execute(
            sa.update(Case)
            .where(col(Case.id) == watcher.case.id)
            .values(resolved_at=now() - timedelta(days=1))
        )
        watcher.session.commit()
        watcher.network.deleted = {"a"}
        watcher.look()
        assert watcher.stands() == ("resolved", "gone", False)

    def test_the_customer_took_the_complaint_back(self, watcher: Watcher) -> None:
        watcher.network.deleted = {"1"}
        watcher.network.threads = {}
        watcher.look_as_it_is(watcher.network)
        assert watcher.desk.history(watcher.case)[-1] == "post deleted by its author"
        watcher.look_as_it_is(watcher.network)
        assert watcher.desk.history(watcher.case).count("post deleted by its author") == 1


class TestTold:
    """Who hears that an answer is gone."""

    def gone(self, watcher: Watcher, *, owner: str | None = None) -> None:
        """One answer was seen, and is deleted on the network and known to be so, not triaged."""
        watcher.look(answer(30))
        if owner:
            cases.claim(watcher.session, watcher.case.id, owner)
        watcher.session.execute(
            sa.update(Post)
            .where(col(Post.external_id) == "a")
            .values(deleted_at=now(), triaged_at=None)
        )
        watcher.session.commit()

    def told(self, session: Session) -> list[tuple[str, str, int | None]]:
        rows = session.exec(select(Notice)).all()
        return sorted((row.agent, row.kind.value, row.case_id) for row in rows)

    def test_the_owner_is_told_once(self, watcher: Watcher) -> None:
        session = watcher.session
        self.gone(watcher, owner=ALICE)
        triage_new(session, 0.5, leads=[BOB])
        assert self.told(session) == [(ALICE, "answer gone", watcher.case.id)]
        (notice,) = session.exec(select(Notice)).all()
        assert "waits again. It said: We are on it" in notice.text
        session.execute(sa.update(Post).values(triaged_at=None))
        session.commit()
        triage_new(session, 0.5, leads=[BOB])
        assert len(self.told(session)) == 1

    def test_the_leads_are_told_where_nobody_has_it(self, watcher: Watcher) -> None:
        self.gone(watcher)
        triage_new(watcher.session, 0.5, leads=[BOB, ALICE])
        case_id = watcher.case.id
        assert self.told(watcher.session) == [
            (ALICE, "answer gone", case_id),
            (BOB, "answer gone", case_id),
        ]

    def test_the_owner_of_the_case_that_it_was_merged_into_is_told(self, watcher: Watcher) -> None:
        watcher.look(answer(30))
        other = watcher.desk.receive(make_post("7", "acme is down", "dave"))[-1]
        cases.claim(watcher.session, other.id, BOB)
        merge(watcher.session, watcher.case.id, other.id, BOB, other_author=True)
        self.gone(watcher)
        triage_new(watcher.session, 0.5, leads=[ALICE])
        assert self.told(watcher.session) == [(BOB, "answer gone", other.id)]

    def test_two_engines_tell_it_once(self, watcher: Watcher, database: sa.Engine) -> None:
        self.gone(watcher)
        start = Barrier(2)

        def engine(_: int) -> int:
            with Session(database) as own:
                start.wait()
                return triage_new(own, 0.5, leads=[BOB])

        with ThreadPoolExecutor(2) as pool:
            looked = list(pool.map(engine, range(2)))
        assert sorted(looked) == [0, 1]
        assert self.told(watcher.session) == [(BOB, "answer gone", watcher.case.id)]
        watcher.session.expire_all()
        assert watcher.desk.history(watcher.case).count("reply gone") == 1


def test_a_reply_recorded_by_its_link_is_seen_in_the_thread(watcher: Watcher) -> None:
    cases.claim(watcher.session, watcher.case.id, ALICE)
    made = answer(1)
    replies.record_elsewhere(watcher.session, watcher.case.id, ALICE, made.url)
    watcher.look(made)
    (reply,) = watcher.session.exec(select(Reply)).all()
    assert (reply.status, reply.agent, reply.external_id) == ("seen", ALICE, "a")
    assert watcher.stands() == ("pending", "seen", False)


def test_a_reply_that_came_back_before_we_knew_it_arrived_is_one(watcher: Watcher) -> None:
    cases.claim(watcher.session, watcher.case.id, ALICE)
    watcher.network.lose_answer = RetryableError("net dropped the connection")
    draft = replies.save_draft(watcher.session, watcher.case.id, ALICE, "We are on it")
    stuck = replies.send(watcher.session, draft.id, ALICE, watcher.network)
    watcher.look(answer(0, f"reply-{stuck.key}"))
    assert len(watcher.session.exec(select(Reply)).all()) == 2
    watcher.session.execute(sa.update(Reply).values(updated_at=now() - 5 * MINUTE))
    watcher.session.commit()
    assert settling.settle(watcher.session, lambda _: watcher.network) == 1
    (reply,) = watcher.session.exec(select(Reply)).all()
    assert (reply.id, reply.status) == (stuck.id, "seen")
    watcher.session.expire_all()
    assert watcher.stands() == ("pending", "seen", False)


def test_a_post_whose_thread_the_network_told_late_joins(watcher: Watcher) -> None:
    lost = make_post("c", "acme: PS4", created_at=now() - 5 * MINUTE)
    watcher.desk.receive(lost)
    assert watcher.session.exec(select(Post.case_id).where(Post.external_id == "c")).one() is None
    watcher.look(customer(5, text="acme: PS4"))
    assert (
        watcher.session.exec(select(Post.case_id).where(Post.external_id == "c")).one()
        == watcher.case.id
    )


def test_private_posts_are_not_stored(watcher: Watcher) -> None:
    watcher.look(customer(5, public=False))
    assert watcher.session.exec(select(Post.external_id)).all() == ["1"]


class TestWhen:
    """When a thread is looked at."""

    def test_often_while_fresh_then_more_rarely_then_no_more(self, watcher: Watcher) -> None:
        watcher.look()
        assert 4 * MINUTE < watcher.due_in() <= 6 * MINUTE
        watcher.session.execute(
            sa.update(Case).values(
                opened_at=now() - timedelta(days=1), waiting_since=now() - timedelta(days=1)
            )
        )
        watcher.look()
        assert 110 * MINUTE < watcher.due_in() <= 121 * MINUTE
        cases.resolve(watcher.session, watcher.case.id, ALICE, Outcome.SOLVED)
        watcher.look()
        assert watcher.due_in() <= 5 * MINUTE
        watcher.session.execute(sa.update(Case).values(resolved_at=now() - timedelta(days=8)))
        watcher.look()
        assert watcher.session.exec(select(Case.thread_due_at)).one() is None
        cases.reopen(watcher.session, watcher.case.id, ALICE)
        assert follow(watcher.session, lambda _: watcher.network, ACCOUNTS) == 1

    def test_what_is_not_due_is_not_asked(self, watcher: Watcher) -> None:
        watcher.look()
        asked = len(watcher.network.asked)
        assert follow(watcher.session, lambda _: watcher.network, ACCOUNTS) == 0
        assert len(watcher.network.asked) == asked

    def test_a_limit_leaves_the_whole_source_alone(self, watcher: Watcher) -> None:
        watcher.desk.receive(make_post("2", "acme down", "dave"))
        error = RetryableError("too many", retry_after=7200)
        watcher.network.threads = {"1": error, "2": error}
        assert watcher.look_as_it_is(watcher.network) == 0
        assert len(watcher.network.asked) == 1
        due = watcher.session.exec(select(Case.thread_due_at)).all()
        assert all(at and 110 * MINUTE < at - now() <= 120 * MINUTE for at in due)

    def test_another_error_leaves_the_case_alone(self, watcher: Watcher) -> None:
        watcher.desk.receive(make_post("2", "acme down", "dave"))
        watcher.network.threads = {"1": FatalError("strange")}
        assert watcher.look_as_it_is(watcher.network) == 1
        due = watcher.session.exec(select(Case.thread_due_at).where(Case.id == watcher.case.id))
        at = due.one()
        assert at
        assert at - now() > LONGEST_WAIT - MINUTE

    def test_few_at_once_and_the_longest_due_first(self, watcher: Watcher) -> None:
        posts = [make_post(f"n{n}", "acme down", f"p{n}") for n in range(AT_ONCE + 3)]
        watcher.desk.receive(*posts)
        watcher.session.execute(
            sa.update(Case)
            .where(col(Case.id) == watcher.case.id)
            .values(thread_due_at=now() - timedelta(days=1))
        )
        watcher.session.commit()
        assert follow(watcher.session, lambda _: watcher.network, ACCOUNTS) == AT_ONCE
        assert watcher.network.asked[0] == "1"
        assert follow(watcher.session, lambda _: watcher.network, ACCOUNTS) == 4

    def test_a_network_without_threads_is_not_asked_again(
        self, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ScriptedNetwork, "can_thread", False)
        assert watcher.look_as_it_is(watcher.network) == 0
        assert watcher.session.exec(select(Case.thread_due_at)).one() is None

    def test_a_source_that_is_gone_off_or_waits(self, watcher: Watcher) -> None:
        assert watcher.look_as_it_is(None) == 0
        assert watcher.due_in() > 300 * MINUTE
        until = now() + 40 * MINUTE
        watcher.session.execute(sa.update(Source).values(failures=1, next_fetch_at=until))
        assert watcher.look() == 0
        assert 30 * MINUTE < watcher.due_in() <= 40 * MINUTE
        watcher.session.execute(sa.update(Source).values(failures=0, state=SourceState.OFF))
        assert watcher.look() == 0
        assert not watcher.network.asked


def test_two_engines_do_not_look_at_one_case(watcher: Watcher, session: Session) -> None:
    def other_engine_first(_: str) -> Connector:
        session.execute(sa.update(Case).values(thread_due_at=now() + MINUTE))
        session.commit()
        return watcher.network

    session.execute(sa.update(Case).values(thread_due_at=now() - MINUTE))
    session.commit()
    assert follow(session, other_engine_first, ACCOUNTS) == 0
    assert not watcher.network.asked


class TestMerged:
    """The threads of a case that goes on in another one."""

    def test_are_asked_with_those_of_the_other(self, watcher: Watcher) -> None:
        session = watcher.session
        other = watcher.desk.receive(make_post("7", "acme is down", "dave", thread="7"))[-1]
        session.execute(sa.update(Case).values(thread_due_at=None))
        session.commit()
        merge(session, watcher.case.id, other.id, BOB, other_author=True)
        assert follow(session, lambda _: watcher.network, ACCOUNTS) == 1
        assert set(watcher.network.asked) == {"1", "7"}
        watcher.look(customer(0))
        assert session.exec(select(Post.case_id).where(Post.external_id == "c")).one() == other.id
        due = select(Case.thread_due_at).where(Case.id == watcher.case.id)
        assert session.exec(due).one() is None, "the other looks for both"
        unmerge(session, watcher.case.id, BOB)
        session.expire_all()
        assert session.exec(due).one() is not None

    def test_are_asked_as_long_as_a_case_of_elsewhere_stands(self, watcher: Watcher) -> None:
        session = watcher.session
        call = open_from_text(session, ALICE, "It is down", who="Carol").case_id or 0
        merge(session, watcher.case.id, call, ALICE, other_author=True)
        long_ago = now() - timedelta(days=30)
        session.execute(
            sa.update(Case).where(col(Case.id) == watcher.case.id).values(resolved_at=long_ago)
        )
        assert watcher.look() >= 1
        due = select(Case.thread_due_at).where(Case.id == watcher.case.id)
        assert session.exec(due).one() is not None
        watcher.network.asked.clear()
        watcher.look(customer(0))
        assert session.exec(select(Post.case_id).where(Post.external_id == "c")).one() == call
