"""What the desk decides about an author, what they repeat, and writes on a case that changed."""

from datetime import timedelta

import numpy as np
import pytest
from sqlmodel import Session

from monitor.answer import replies
from monitor.desk import cases
from monitor.desk.cases import CaseConflictError, CaseError
from monitor.desk.page import authors
from monitor.desk.page.case_file import case_file
from monitor.desk.page.changes import refuse_if_changed
from monitor.desk.page.repeats import plain, repeats
from monitor.desk.priority import parts, priority, rank
from monitor.store.models import Author, Case, Outcome, ReplyStatus, now
from tests.conftest import ALICE, BOB
from tests.monitor.people import history, open_case, post_of

DAY = timedelta(days=1)


@pytest.fixture
def case_id(session: Session) -> int:
    """Carol's case."""
    return open_case(session, "carol")


def the(session: Session, case_id: int) -> tuple[Case, Author]:
    """A case and its author as they are now."""
    session.expire_all()
    case = session.get_one(Case, case_id)
    return case, session.get_one(Author, case.author_id)


def test_a_vip_ranks_ten_points_higher_and_back(session: Session, case_id: int) -> None:
    case, _ = the(session, case_id)
    before = case.rank
    authors.set_vip(session, case_id, ALICE, vip=True)
    case, author = the(session, case_id)
    assert author.vip
    assert case.vip
    assert case.rank == pytest.approx(before + 10)
    assert case.rank == pytest.approx(rank(case)), "the stored rank is what the formula says"
    assert [part.points for part in parts(case, now()) if part.name == "vip"] == [10.0]
    authors.set_vip(session, case_id, ALICE, vip=False)
    case, author = the(session, case_id)
    assert not author.vip
    assert case.rank == pytest.approx(before)
    assert [what for what, _ in history(session, case_id)] == [
        "author marked as VIP",
        "author no longer VIP",
    ]


def test_a_vip_s_other_cases_and_new_ones_rank_so_too(session: Session, case_id: int) -> None:
    cases.resolve(session, case_id, ALICE, Outcome.SOLVED)
    case, _ = the(session, case_id)
    case.resolved_at = now() - 60 * DAY
    session.add(case)
    session.commit()
    authors.set_vip(session, case_id, ALICE, vip=True)
    newer = open_case(session, "carol")
    assert newer != case_id
    case, _ = the(session, newer)
    assert case.vip
    assert case.rank == pytest.approx(rank(case))
    stranger, _ = the(session, open_case(session, "dave"))
    assert not stranger.vip
    assert priority(case, now()) > priority(stranger, now()) + 9
    authors.set_vip(session, newer, BOB, vip=False)
    assert not the(session, case_id)[0].vip, "the old one as well"


def test_a_reopened_case_of_a_vip_keeps_its_points(session: Session, case_id: int) -> None:
    cases.resolve(session, case_id, ALICE, Outcome.SOLVED)
    authors.set_vip(session, case_id, ALICE, vip=True)
    cases.reopen(session, case_id, ALICE)
    case, _ = the(session, case_id)
    assert case.vip
    assert case.rank == pytest.approx(rank(case))


def test_a_blocked_author_makes_no_new_case_until_unblocked(session: Session) -> None:
    first = post_of(session, "mallory")
    case_id = first.case_id or 0
    authors.set_blocked(session, case_id, ALICE, blocked=True)
    assert the(session, case_id)[0].status == "open"
    assert post_of(session, "mallory").case_id is None
    authors.set_blocked(session, case_id, ALICE, blocked=False)
    assert post_of(session, "mallory").case_id == case_id
    whats = [what for what, _ in history(session, case_id)]
    assert whats == ["author blocked", "author unblocked", "another post"]


def test_a_preference_is_kept_and_never_written_over_unseen(session: Session, case_id: int) -> None:
    authors.set_preference(session, case_id, ALICE, " by  phone ", before="")
    assert the(session, case_id)[1].preference == "by phone"
    with pytest.raises(CaseConflictError, match="wants: by phone"):
        authors.set_preference(session, case_id, BOB, "in French", before="")
    authors.set_preference(session, case_id, BOB, "in French", before="by phone")
    authors.set_preference(session, case_id, BOB, "in French", before="in French")
    with pytest.raises(CaseError, match="at most 500"):
        authors.set_preference(session, case_id, BOB, "x" * 501, before="in French")
    assert the(session, case_id)[1].preference == "in French"
    assert history(session, case_id) == [
        ("preference noted", "by phone"),
        ("preference noted", "in French"),
    ]


def test_the_second_one_is_told_and_an_unknown_case_is_refused(
    session: Session, case_id: int
) -> None:
    authors.set_vip(session, case_id, ALICE, vip=True)
    with pytest.raises(CaseConflictError, match="is a VIP and not blocked"):
        authors.set_vip(session, case_id, BOB, vip=True)
    with pytest.raises(CaseConflictError, match="A colleague was first"):
        authors.set_blocked(session, case_id, BOB, blocked=False)
    with pytest.raises(CaseError, match="no such case"):
        authors.set_vip(session, 999_999, BOB, vip=True)
    case, _ = the(session, case_id)
    assert case.rank == pytest.approx(rank(case)), "no points twice"
    assert len(history(session, case_id)) == 1


def test_what_is_known_of_an_author(session: Session, case_id: int) -> None:
    post = post_of(session, "carol", "nice", complaint=0.1)
    known = authors.known(session, post.author_id)
    assert (known.posts, known.cases) == (2, 1)
    assert known.first_seen is not None
    assert known.first_seen <= post.fetched_at
    nobody = authors.known(session, 999_999)
    assert (nobody.first_seen, nobody.posts, nobody.cases) == (None, 0, 0)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("No refund!", "no   REFUND", True),
        ("@acme no refund https://x.invalid/1", "no refund @acmehelp https://x.invalid/2", True),
        ("no refund #acme", "no refund", True),
        ("Нет возврата.", "нет возврата", True),
        ("no refund", "no refunds", False),
        ("order 123", "order 124", False),
    ],
)
def test_letters_decide_whether_two_texts_are_the_same(one: str, other: str, same: bool) -> None:
    assert (plain(one) == plain(other)) is same


def test_repeats_of_the_same_author_within_a_month(session: Session) -> None:
    at = now() - DAY
    posts = [
        post_of(session, "carol", "No refund!", at=at),
        post_of(session, "carol", "no refund @acme", at=at - 5 * DAY),
        post_of(session, "carol", "NO REFUND", at=at - 29 * DAY),
    ]
    post_of(session, "carol", "no refund", at=at - 40 * DAY)
    post_of(session, "carol", "something else", at=at)
    post_of(session, "dave", "no refund", at=at)
    gone = post_of(session, "carol", "no refund", at=at)
    gone.deleted_at, gone.text = now(), ""
    session.add(gone)
    session.commit()
    found = repeats(session, posts[0].author_id, [posts[0]])
    assert [post.id for post in found[posts[0].id]] == [posts[1].id, posts[2].id]
    file = case_file(session, posts[0].case_id or 0)
    assert file is not None
    assert posts[0].id in file.repeats


def test_vectors_find_what_is_nearly_the_same(session: Session) -> None:
    def turned(cosine: float) -> bytes:
        direction = np.zeros(8)
        direction[0], direction[1] = cosine, (1 - cosine**2) ** 0.5
        return np.rint(direction * 127).astype(np.int8).tobytes()

    one = post_of(session, "carol", "parcel 123 is lost", vector=turned(1.0))
    near = post_of(session, "carol", "parcel 124 is lost", vector=turned(0.97))
    post_of(session, "carol", "where is the parcel", vector=turned(0.9))
    post_of(session, "carol", "a shorter vector", vector=b"\x7f")
    post_of(session, "carol", "an empty vector", vector=b"\0" * 8)
    found = repeats(session, one.author_id, [one])
    assert [post.id for post in found[one.id]] == [near.id]


def test_texts_without_letters_are_no_repeats(session: Session) -> None:
    one = post_of(session, "carol", "!!!")
    post_of(session, "carol", "https://x.invalid")
    assert repeats(session, one.author_id, [one]) == {}
    assert repeats(session, one.author_id, []) == {}


def last_event(session: Session, case_id: int) -> int:
    """The newest line of a case's history, as a page knows it."""
    file = case_file(session, case_id)
    assert file is not None
    return file.events[-1].id


def test_what_others_did_meanwhile_refuses_and_is_told(session: Session, case_id: int) -> None:
    seen = last_event(session, case_id)
    refuse_if_changed(session, case_id, ALICE, seen)
    cases.snooze(session, case_id, BOB, now() + DAY)
    post_of(session, "carol", "still broken")
    with pytest.raises(CaseConflictError, match=r"snoozed by bob \(until .*\); opened again"):
        refuse_if_changed(session, case_id, ALICE, seen)
    refuse_if_changed(session, case_id, ALICE, last_event(session, case_id))


def test_what_one_did_oneself_or_changes_nothing_refuses_nothing(
    session: Session, case_id: int
) -> None:
    seen = last_event(session, case_id)
    cases.claim(session, case_id, ALICE)
    authors.set_vip(session, case_id, BOB, vip=True)
    refuse_if_changed(session, case_id, ALICE, seen)
    with pytest.raises(CaseConflictError, match="claimed by alice"):
        refuse_if_changed(session, case_id, BOB, seen)


def test_a_refused_transition_names_who_was_last(session: Session, case_id: int) -> None:
    cases.resolve(session, case_id, BOB, Outcome.SOLVED)
    with pytest.raises(CaseConflictError, match=r"it is resolved .* Last: resolved by bob\."):
        cases.resolve(session, case_id, ALICE, Outcome.EXPLAINED)


def test_a_draft_goes_with_the_case(session: Session, case_id: int) -> None:
    cases.claim(session, case_id, ALICE)
    replies.save_draft(session, case_id, ALICE, "We are sorry", before="")
    cases.assign(session, case_id, ALICE, BOB, ALICE)
    draft = replies.save_draft(session, case_id, BOB, "We are sorry, carol", "We are sorry")
    assert (draft.agent, draft.text, draft.status) == (
        BOB,
        "We are sorry, carol",
        ReplyStatus.DRAFT,
    )
    assert now() - draft.updated_at < timedelta(seconds=30)


def test_a_draft_is_never_written_over_or_thrown_away_unseen(
    session: Session, case_id: int
) -> None:
    cases.claim(session, case_id, ALICE)
    replies.save_draft(session, case_id, ALICE, "first", before="")
    replies.save_draft(session, case_id, ALICE, "first", before="")
    with pytest.raises(CaseConflictError, match="it says now: “first”"):
        replies.save_draft(session, case_id, ALICE, "second", before="")
    with pytest.raises(CaseConflictError, match="it says now: “first”"):
        replies.discard_draft(session, case_id, ALICE, before="")
    replies.discard_draft(session, case_id, ALICE, before="first")
    with pytest.raises(CaseConflictError, match="it was thrown away"):
        replies.save_draft(session, case_id, ALICE, "second", before="first")
    assert session.get_one(Case, case_id).reply_status == ReplyStatus.UNANSWERED


def test_posts_are_only_compared_with_their_author_s(session: Session) -> None:
    one, other = post_of(session, "carol", "no refund"), post_of(session, "dave", "no refund")
    assert repeats(session, one.author_id, [one, other]) == {}
    again = post_of(session, "dave", "no refund")
    assert set(repeats(session, other.author_id, [one, other])) == {other.id}
    assert set(repeats(session, other.author_id, [one, again])) == {again.id}
