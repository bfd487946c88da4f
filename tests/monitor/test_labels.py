"""What people say of posts: kept once, taken back, drawn fairly, and a case where it needs one."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import Session, col, select

from monitor.desk import cases, labels
from monitor.desk.arrivals import triage, turns
from monitor.desk.cases import CaseConflictError, CaseError
from monitor.desk.page import notes
from monitor.store.models import (
    Author,
    BlindSample,
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

VIENNA = ZoneInfo("Europe/Vienna")
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
"""A Wednesday: the last full week began on Monday the 16th."""
IN_WEEK = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
NUMBERS = count(1)


def add(session: Session, source: Source, complaint: float, **changes: Any) -> Post:
    """A post that the model has read and triage has seen, by an author of its own."""
    number = f"label-{next(NUMBERS)}"
    who = {key: changes.pop(key) for key in ("own", "blocked") if key in changes}
    author_id = changes.pop("author_id", None)
    if author_id is None:
        author = Author(network="net", external_id=number, handle=number, **who)
        session.add(author)
        session.flush()
        author_id = author.id
    values: dict[str, Any] = {
        "network": "net",
        "external_id": number,
        "source_id": source.id,
        "author_id": author_id,
        "text": "hm",
        "thread": number,
        "created_at": now() - timedelta(hours=1),
        "scorer": "fake",
        "complaint": complaint,
        "severity": 0.3,
        "triaged_at": now(),
    }
    post = Post(**{**values, **changes})
    session.add(post)
    session.commit()
    return post


def said(session: Session) -> list[tuple[int, str, bool | None, str | None]]:
    """All labels."""
    session.expire_all()
    rows = session.exec(select(Label).order_by(col(Label.id)))
    return [(row.post_id, row.origin, row.complaint, row.agent) for row in rows]


def history(session: Session, case_id: int) -> list[str]:
    events = select(CaseEvent).where(CaseEvent.case_id == case_id).order_by(col(CaseEvent.id))
    return [event.what for event in session.exec(events)]


def scores(pairs: Sequence[tuple[Post, Author]]) -> list[float | None]:
    return [post.complaint for post, _ in pairs]


def test_a_label_is_kept_once_per_origin_and_taken_back(session: Session, source: Source) -> None:
    post_id = add(session, source, 0.2).id
    labels.set_label(session, post_id, ALICE, True, LabelOrigin.CHECK)
    labels.set_label(session, post_id, BOB, False, LabelOrigin.CHECK)
    labels.set_label(session, post_id, BOB, True, LabelOrigin.DESK, 0.8)
    assert said(session) == [
        (post_id, LabelOrigin.CHECK, False, BOB),
        (post_id, LabelOrigin.DESK, True, BOB),
    ]
    desk = session.exec(select(Label).where(Label.origin == LabelOrigin.DESK)).one()
    assert desk.severity == 0.8
    assert desk.labelled_at is not None
    labels.clear_label(session, post_id, LabelOrigin.CHECK)
    labels.clear_label(session, post_id, LabelOrigin.CHECK)
    assert [row[1] for row in said(session)] == [LabelOrigin.DESK]
    with pytest.raises(CaseError, match="no such post"):
        labels.set_label(session, 999, ALICE, True, LabelOrigin.DESK)


def test_a_case_remembers_what_was_said(session: Session, source: Source) -> None:
    post_id = add(session, source, 0.9, triaged_at=None).id
    assert triage.triage_new(session, 0.5) == 1
    case = session.exec(select(Case)).one()
    labels.set_label(session, post_id, ALICE, False, LabelOrigin.DESK)
    labels.clear_label(session, post_id, LabelOrigin.DESK)
    assert history(session, case.id) == ["opened", "labelled", "label taken back"]


@time_machine.travel(NOW, tick=False)
def test_a_sample_holds_both_parts_of_the_week_and_nothing_else(
    session: Session, source: Source
) -> None:
    for _ in range(45):
        add(session, source, 0.1, created_at=IN_WEEK)
    for _ in range(23):
        add(session, source, 0.8, created_at=IN_WEEK)
    edges = [
        # Midnight in Vienna is 23:00 UTC of the day before.
        add(session, source, 0.8, created_at=datetime(2026, 11, 15, 22, 59, tzinfo=UTC)),
        add(session, source, 0.8, created_at=datetime(2026, 11, 22, 23, 0, tzinfo=UTC)),
        add(session, source, 0.8, created_at=IN_WEEK, own=True),
        add(session, source, 0.8, created_at=IN_WEEK, blocked=True),
        add(session, source, 0.8, created_at=IN_WEEK, repost_of="x"),
        add(session, source, 0.8, created_at=IN_WEEK, deleted_at=NOW),
        add(session, source, 0.8, created_at=IN_WEEK, scorer=None),
    ]
    left_out = {post.id for post in edges}
    sample = labels.draw_sample(session, VIENNA, 0.5)
    assert sample is not None
    assert (sample.week, sample.fine, sample.flagged) == (date(2026, 11, 16), 45, 23)
    waiting = labels.to_label(session, 100)
    assert len(waiting) == labels.count_to_label(session) == 60
    assert sum(bool(label.flagged) for label, _, _ in waiting) == 20
    assert not left_out & {post.id for _, post, _ in waiting}
    parts = [bool(label.flagged) for label, _, _ in waiting]
    assert parts not in (sorted(parts), sorted(parts, reverse=True)), "the order tells the part"
    assert labels.draw_sample(session, VIENNA, 0.5) is None


@time_machine.travel(NOW, tick=False)
def test_a_week_without_posts_and_a_small_one(session: Session, source: Source) -> None:
    assert labels.draw_sample(session, VIENNA, 0.5) is None
    assert session.exec(select(BlindSample)).first() is None
    add(session, source, 0.1, created_at=IN_WEEK)
    sample = labels.draw_sample(session, VIENNA, 0.5)
    assert sample is not None
    assert (sample.fine, sample.flagged, labels.count_to_label(session)) == (1, 0, 1)


@time_machine.travel(NOW, tick=False)
def test_two_engines_draw_one_sample(
    session: Session, source: Source, database: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(session, source, 0.1, created_at=IN_WEEK)
    session.rollback()
    draw, drawn = labels._random, []

    def meanwhile(*args: object) -> list[int]:
        """Another engine is faster."""
        monkeypatch.setattr(labels, "_random", draw)
        with Session(database) as other:
            drawn.append(labels.draw_sample(other, VIENNA, 0.5))
        return [1]

    monkeypatch.setattr(labels, "_random", meanwhile)
    assert labels.draw_sample(session, VIENNA, 0.5) is None
    assert [sample is not None for sample in drawn] == [True]
    assert labels.count_to_label(session) == 1
    assert len(session.exec(select(BlindSample)).all()) == 1


@time_machine.travel(NOW, tick=False)
def test_who_comes_second_with_a_sample_post_is_told(session: Session, source: Source) -> None:
    post_id = add(session, source, 0.1, created_at=IN_WEEK).id
    sample = labels.draw_sample(session, VIENNA, 0.5)
    assert sample is not None
    sample_id = sample.id
    ((label, _, _),) = labels.to_label(session, 9)
    label_id = label.id
    assert labels.progress(session, sample_id) == (0, 1)
    labels.give(session, label_id, ALICE, True)
    with pytest.raises(CaseConflictError, match="alice was first"):
        labels.give(session, label_id, BOB, False)
    with pytest.raises(CaseConflictError):
        labels.give(session, 999, BOB, False)
    assert said(session) == [(post_id, LabelOrigin.SAMPLE, True, ALICE)]
    assert labels.progress(session, sample_id) == (1, 1)
    labels.clear_label(session, post_id, LabelOrigin.SAMPLE)
    assert labels.count_to_label(session) == 1, "it waits again"


def test_doubtful_posts_come_most_probable_first(session: Session, source: Source) -> None:
    for complaint in (0.24, 0.25, 0.49, 0.5):
        add(session, source, complaint)
    add(session, source, 0.06, measured=False)
    add(session, source, 0.04, measured=False)
    add(session, source, 0.4, own=True)
    add(session, source, 0.4, created_at=now() - timedelta(days=31))
    add(session, source, 0.4, triaged_at=None)
    assert scores(labels.to_check(session, 0.5, 9)) == [0.49, 0.25, 0.06]
    assert scores(labels.to_check(session, 0.5, 1)) == [0.49]
    assert labels.count_to_check(session, 0.5) == 3
    assert labels.count_to_check(session, 0.5, limit=2) == 2
    first, second, _ = (post.id for post, _ in labels.to_check(session, 0.5, 9))
    labels.set_label(session, first, ALICE, False, LabelOrigin.CHECK)
    triage.open_by_hand(session, second, ALICE)
    assert scores(labels.to_check(session, 0.5, 9)) == [0.06]


def test_a_case_opened_by_hand_ranks_as_a_sure_one(session: Session, source: Source) -> None:
    post = add(session, source, 0.1)
    post_id, author_id = post.id, post.author_id
    case_id = triage.open_by_hand(session, post_id, ALICE)
    case = session.get_one(Case, case_id)
    assert (case.status, case.complaint, case.severity) == (CaseStatus.OPEN, 1.0, 0.3)
    assert (case.waiting_since, case.post_id) == (
        session.get_one(Post, post_id).created_at,
        post_id,
    )
    event = session.exec(select(CaseEvent)).one()
    assert (event.what, event.agent) == ("opened by hand", ALICE)
    assert triage.open_by_hand(session, post_id, BOB) == case_id, "again changes nothing"
    second = add(session, source, 0.1, author_id=author_id).id
    assert triage.open_by_hand(session, second, BOB) == case_id, "it joins the standing one"
    assert history(session, case_id) == ["opened by hand", "another post", "added by hand"]
    assert not triage.close_by_hand(session, post_id, ALICE), "there is more in it by now"


def test_a_post_that_joined_by_hand_is_taken_out_again(session: Session, source: Source) -> None:
    """Also of a case that we have answered: then the customer has the word again."""
    first = add(session, source, 0.9, triaged_at=None, created_at=now() - timedelta(hours=3))
    first_id, author_id = first.id, first.author_id
    triage.triage_new(session, 0.5)
    case = session.exec(select(Case)).one()
    turns.we_answered(session, case, ReplyStatus.SENT, now() - timedelta(hours=2))
    session.commit()
    before = (case.post_id, case.complaint, case.waiting_since, case.contacts, case.status)
    assert case.status == CaseStatus.PENDING
    second = add(session, source, 0.1, author_id=author_id).id
    assert triage.open_by_hand(session, second, BOB) == case.id
    session.refresh(case)
    assert (case.post_id, case.contacts, case.status) == (second, 2, CaseStatus.OPEN)
    assert triage.close_by_hand(session, second, BOB)
    session.refresh(case)
    after = (case.post_id, case.complaint, case.waiting_since, case.contacts, case.status)
    assert after[0] == first_id == before[0]
    assert after[2:] == before[2:]
    assert session.get_one(Post, second, populate_existing=True).case_id is None
    assert history(session, case.id)[-2:] == ["added by hand", "taken out by hand"]
    assert not triage.close_by_hand(session, second, BOB), "it is out"
    assert not triage.close_by_hand(session, first_id, BOB), "it came by itself"


def test_the_older_word_of_an_outcome_outlives_a_later_one(
    session: Session, source: Source
) -> None:
    post_id = add(session, source, 0.9, triaged_at=None).id
    triage.triage_new(session, 0.5)
    case = session.exec(select(Case)).one()
    cases.resolve(session, case.id, ALICE, Outcome.SOLVED)
    word = (post_id, LabelOrigin.OUTCOME, True, ALICE)
    case = session.get_one(Case, case.id)
    turns.customer_wrote(session, case, session.get_one(Post, post_id))
    session.commit()
    cases.resolve(session, case.id, BOB, Outcome.NOT_OUR_SERVICE)
    cases.reopen(session, case.id, BOB)
    assert said(session) == [word], "the second outcome said nothing, so nothing is taken back"
    cases.resolve(session, case.id, BOB, Outcome.EXPLAINED)
    cases.reopen(session, case.id, BOB)
    assert said(session) == [word], "the second one said the same"
    cases.resolve(session, case.id, BOB, Outcome.DISMISSED, Dismissal.SPAM)
    assert said(session) == [(post_id, LabelOrigin.OUTCOME, False, BOB)]
    cases.reopen(session, case.id, BOB)
    assert said(session) == []


def test_no_case_by_hand_for_what_is_never_one(session: Session, source: Source) -> None:
    for changes in ({"own": True}, {"repost_of": "x"}, {"deleted_at": now()}):
        post_id = add(session, source, 0.1, **changes).id
        with pytest.raises(CaseError, match="make no case"):
            triage.open_by_hand(session, post_id, ALICE)
    with pytest.raises(CaseError, match="no such post"):
        triage.open_by_hand(session, 999, ALICE)
    assert session.exec(select(Case)).first() is None


def test_a_case_opened_by_mistake_goes_unless_somebody_has_it(
    session: Session, source: Source
) -> None:
    post_id = add(session, source, 0.1).id
    case_id = triage.open_by_hand(session, post_id, ALICE)
    cases.claim(session, case_id, BOB)
    assert not triage.close_by_hand(session, post_id, ALICE)
    cases.release(session, case_id, BOB)
    notes.note(session, case_id, BOB, "called them")
    assert not triage.close_by_hand(session, post_id, ALICE)
    other_id = add(session, source, 0.1).id
    other = triage.open_by_hand(session, other_id, ALICE)
    assert triage.close_by_hand(session, other_id, ALICE)
    assert not triage.close_by_hand(session, other_id, ALICE)
    session.expire_all()
    assert session.get_one(Post, other_id).case_id is None
    assert history(session, other) == []
    found = add(session, source, 0.9, triaged_at=None)
    triage.triage_new(session, 0.5)
    session.refresh(found)
    assert not triage.close_by_hand(session, found.id, ALICE), "the model opened it"


@pytest.mark.parametrize(
    ("outcome", "dismissal", "complaint"),
    [
        (Outcome.SOLVED, None, True),
        (Outcome.EXPLAINED, None, True),
        (Outcome.CANNOT_HELP, None, True),
        (Outcome.NOT_OUR_SERVICE, None, None),
        (Outcome.DISMISSED, Dismissal.NOT_A_COMPLAINT, False),
        (Outcome.DISMISSED, Dismissal.SPAM, False),
        (Outcome.DISMISSED, Dismissal.NOT_ABOUT_US, None),
        (Outcome.DISMISSED, Dismissal.DUPLICATE, None),
        (Outcome.DISMISSED, Dismissal.POST_DELETED, None),
    ],
)
def test_an_outcome_labels_the_post_until_the_case_is_reopened(
    session: Session,
    source: Source,
    outcome: Outcome,
    dismissal: Dismissal | None,
    complaint: bool | None,
) -> None:
    post_id = add(session, source, 0.9, triaged_at=None).id
    triage.triage_new(session, 0.5)
    case_id = session.exec(select(Case.id)).one()
    labels.set_label(session, post_id, BOB, True, LabelOrigin.DESK)
    cases.resolve(session, case_id, ALICE, outcome, dismissal)
    own = [(post_id, LabelOrigin.DESK, True, BOB)]
    given = [] if complaint is None else [(post_id, LabelOrigin.OUTCOME, complaint, ALICE)]
    assert said(session) == own + given
    cases.reopen(session, case_id, ALICE)
    assert said(session) == own
