"""Cases made from a text or a link alone, and the list of posts."""

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from monitor.answer import replies
from monitor.desk import cases
from monitor.desk.arrivals import triage
from monitor.desk.arrivals.by_hand import open_from_text
from monitor.desk.arrivals.refresh import refresh
from monitor.desk.cases import CaseError
from monitor.desk.page.case_file import case_file
from monitor.desk.queue import post_list
from monitor.desk.queue.post_list import Place
from monitor.intake.scoring import score_new
from monitor.store.models import (
    BY_HAND,
    Author,
    Case,
    CaseEvent,
    CaseStatus,
    Post,
    ReplyStatus,
    Source,
    SourceState,
    now,
)
from monitor.watch.alerting import health
from tests.conftest import ALICE, BOB, FakeScorer, make_post
from tests.monitor.test_desk import Desk, desk

__all__ = ["desk"]


def case_of(session: Session, post: Post) -> Case:
    return session.get_one(Case, post.case_id, populate_existing=True)


def test_a_text_alone_makes_a_case(session: Session) -> None:
    post = open_from_text(session, ALICE, " The kettle leaks \n")
    case = case_of(session, post)
    assert (post.text, post.url, post.scorer, post.network) == (
        "The kettle leaks",
        "",
        None,
        BY_HAND,
    )
    assert (case.by_hand, case.complaint, case.status, case.severity) == (
        True,
        1.0,
        CaseStatus.OPEN,
        0.0,
    )
    assert case.waiting_since == post.created_at
    source = session.exec(select(Source)).one()
    assert (source.name, source.configured, source.state) == (BY_HAND, False, SourceState.OFF)
    event = session.exec(select(CaseEvent)).one()
    assert (event.what, event.agent) == ("opened by hand", ALICE)
    open_from_text(session, BOB, "Another one")
    assert len(session.exec(select(Source)).all()) == 1
    assert len(session.exec(select(Author)).all()) == 2, "nobody knows that it is the same one"
    assert health.sources(session) == [], "it is no source that could fail"


def test_a_link_alone_makes_a_case_with_all_that_is_known(session: Session) -> None:
    link = "https://forum.example/t/1"
    post = open_from_text(session, ALICE, "", link, "  Mrs  Gray ", severity=1.0)
    case = case_of(session, post)
    author = session.get_one(Author, post.author_id)
    assert (post.text, post.url, author.handle, author.name) == ("", link, "Mrs Gray", "Mrs Gray")
    assert case.severity == 1.0


def test_neither_text_nor_link_is_refused(session: Session) -> None:
    with pytest.raises(CaseError, match="paste a link"):
        open_from_text(session, ALICE, "  ", "", "Mrs Gray")
    for link in ("forum.example", "javascript:alert(1)", "https://", "https://[x"):
        with pytest.raises(CaseError, match="no link"):
            open_from_text(session, ALICE, "text", link)
    assert session.exec(select(Case)).first() is None


def test_the_same_customer_joins_their_standing_case(session: Session) -> None:
    first = open_from_text(session, ALICE, "The kettle leaks", who="Mrs Gray")
    second = open_from_text(session, BOB, "It leaks still", who="mrs gray", severity=0.7)
    assert second.case_id == first.case_id
    case = case_of(session, second)
    assert (case.contacts, case.complaint, case.severity) == (2, 1.0, 0.7)
    assert triage.close_by_hand(session, second.id, BOB)
    case = case_of(session, first)
    assert (case.contacts, case.post_id) == (1, first.id)
    assert triage.close_by_hand(session, first.id, ALICE)
    assert session.exec(select(Case)).first() is None
    assert triage.open_by_hand(session, first.id, ALICE)
    assert case_of(session, session.get_one(Post, first.id)).by_hand


def test_the_engine_reads_the_text_and_the_persons_word_stays(session: Session) -> None:
    post = open_from_text(session, ALICE, "hello there", severity=0.9)
    assert score_new(session, FakeScorer()) == 1
    assert triage.triage_new(session, 0.5) == 0
    refresh(session, [case_of(session, post).id])
    case = case_of(session, post)
    assert session.get_one(Post, post.id, populate_existing=True).complaint == 0.05
    assert (case.complaint, case.measured, case.severity) == (1.0, True, 0.9)


def test_it_is_answered_elsewhere_in_words_or_with_a_link(session: Session) -> None:
    post = open_from_text(session, ALICE, "The kettle leaks")
    case_id = case_of(session, post).id
    with pytest.raises(CaseError, match="Claim the case first"):
        replies.record_elsewhere(session, case_id, ALICE, "", "A new one is on its way")
    cases.claim(session, case_id, ALICE)
    with pytest.raises(CaseError, match="Or write what you told them"):
        replies.record_elsewhere(session, case_id, ALICE, "", " ")
    with pytest.raises(CaseError, match="begins with https"):
        replies.record_elsewhere(session, case_id, ALICE, "by phone", "A new one")
    replies.record_elsewhere(session, case_id, ALICE, "", "A new one is on its way")
    case = case_of(session, post)
    assert (case.waiting_since, case.reply_status, case.status) == (
        None,
        ReplyStatus.SENT,
        CaseStatus.PENDING,
    )
    file = case_file(session, case_id)
    assert file is not None
    assert (file.source, file.replies[0].text) == (BY_HAND, "A new one is on its way")
    assert file.events[-1].what == "answered elsewhere"


def test_a_case_from_a_network_needs_the_link_of_its_answer(desk: Desk, session: Session) -> None:
    (case,) = desk.receive(make_post("1", "acme is down"))
    cases.claim(session, case.id, ALICE)
    with pytest.raises(CaseError, match=r"begins with https://$"):
        replies.record_elsewhere(session, case.id, ALICE, "", "I wrote to them")


def test_the_newest_posts_come_first_and_page_by_key(desk: Desk, session: Session) -> None:
    at = now() - timedelta(hours=1)
    desk.receive(
        *[
            make_post(str(n), f"acme n{n} 100%", created_at=at + timedelta(seconds=n // 2))
            for n in range(9)
        ],
        make_post("r", "acme", "dave", repost_of="1"),
        make_post("x", "acme is fine", "erin", network="elsewhere", created_at=at),
    )
    seen: list[str] = []
    after = None
    while found := post_list.newest(session, after=after, network="net", limit=4):
        seen += [post.external_id for post, _ in found]
        last = found[-1][0]
        after = Place(last.created_at, last.id)
    assert seen == [str(n) for n in reversed(range(9))]
    assert [post.external_id for post, _ in post_list.newest(session, "FINE erin")] == ["x"]
    assert len(post_list.newest(session, "100%")) == 9
    assert post_list.newest(session, "%_") == []
