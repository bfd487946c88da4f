"""One case: what is told about it, and what can be done with it."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlmodel import Session, select

from monitor.desk import cases
from monitor.store.models import Case, CaseStatus, Dismissal, Outcome, Post, now
from tests.dashboard.conftest import Seat
from tests.dashboard.seed import Desk


def test_a_case_tells_what_is_known(desk: Desk, case_id: int) -> None:
    page = Seat().open("case", id=str(case_id)).html
    for words in ("Ben B", "@ben", "1.2k followers", "No refund for weeks", "Why it ranks here"):
        assert words in page
    assert "90% sure that it is a complaint" in page
    assert "probability 0.90" in page
    assert "test-1" in page
    assert "claimed it" in page
    assert 'href="https://social.invalid/@ben/' in page


@pytest.mark.parametrize("asked", ["999999", "x", "", "-1", "1e3", "9" * 40, "١"])
def test_a_case_that_does_not_exist(desk: Desk, asked: str) -> None:
    seat = Seat().open("case", id=asked)
    assert "There is no such case" in seat.html or "No case was chosen" in seat.html
    assert "To the queue" in [link.value for link in seat.app.page_link]


def test_edited_and_deleted_posts_say_so(desk: Desk, case_id: int) -> None:
    with Session(desk.engine) as session:
        post = session.exec(select(Post).where(Post.case_id == case_id)).one()
        post.previous_text, post.edited_at = "It said this before", now()
        session.add(post)
        session.commit()
    page = Seat().open("case", id=str(case_id)).html
    assert "Edited" in page
    assert "It said this before" in page
    with Session(desk.engine) as session:
        post = session.exec(select(Post).where(Post.case_id == case_id)).one()
        post.deleted_at = now()
        session.add(post)
        session.commit()
    page = Seat().open("case", id=str(case_id)).html
    assert "The author deleted this post" in page


def test_earlier_cases_of_the_author_are_linked_with_their_end(desk: Desk, case_id: int) -> None:
    with Session(desk.engine) as session:
        cases.resolve(session, case_id, "alice", Outcome.EXPLAINED)
        session.get_one(Case, case_id).resolved_at = now() - timedelta(days=60)
        session.commit()
    newer = desk.complaint("ben", "Again no refund", hours=0)
    assert newer != case_id
    links = [link.value for link in Seat().open("case", id=str(newer)).app.page_link]
    assert any(link.startswith(f"Case {case_id} ") and "explained" in link for link in links)


def test_claim_release_and_assign(desk: Desk) -> None:
    case_id = desk.complaint("ben", "No refund")
    seat = Seat("alice").open("case", id=str(case_id)).click("claim")
    assert desk.case(case_id).assignee == "alice"
    seat.click("release")
    assert desk.case(case_id).assignee is None
    seat.click("claim").app.menu_button(key="assign").click("bob").run()
    assert desk.case(case_id).assignee == "bob"
    assert "bob has the case now" in seat.told
    seat.click("undo")
    assert desk.case(case_id).assignee == "alice"


def test_resolve_with_every_end_and_undo(desk: Desk, case_id: int) -> None:
    seat = Seat().open("case", id=str(case_id))
    seat.click("resolve-now")
    assert desk.case(case_id).outcome == Outcome.SOLVED
    assert "This case is resolved" in seat.html
    seat.click("undo")
    assert desk.case(case_id).status == CaseStatus.OPEN
    assert desk.case(case_id).waiting_since is not None
    seat.app.menu_button(key="dismiss-case").click("No answer needed: spam").run()
    assert desk.case(case_id).dismissal == Dismissal.SPAM
    seat.click("reopen")
    assert desk.case(case_id).status == CaseStatus.OPEN


@time_machine.travel(datetime(2026, 11, 20, 12, 0, tzinfo=UTC), tick=True)
@pytest.mark.parametrize(
    ("key", "until"),
    [
        ("snooze-1 hour", datetime(2026, 11, 20, 13, 0, tzinfo=UTC)),
        ("snooze-Tomorrow 9:00", datetime(2026, 11, 21, 8, 0, tzinfo=UTC)),
        ("snooze-Monday 9:00", datetime(2026, 11, 23, 8, 0, tzinfo=UTC)),
    ],
)
def test_snooze_in_the_team_s_time(desk: Desk, key: str, until: datetime) -> None:
    """Nine in Vienna is eight in UTC in November."""
    case_id = desk.complaint("ben", "No refund")
    seat = Seat().open("case", id=str(case_id)).click(key)
    case = desk.case(case_id)
    assert case.status == CaseStatus.SNOOZED
    assert case.snoozed_until is not None
    assert abs(case.snoozed_until - until) < timedelta(minutes=1)
    assert "Snoozed until" in seat.told
    seat.click("undo")
    assert desk.case(case_id).status == CaseStatus.OPEN


def test_snooze_until_a_chosen_time(desk: Desk, case_id: int) -> None:
    seat = Seat().open("case", id=str(case_id))
    seat.app.datetime_input(key="snooze-at").set_value(datetime(2030, 1, 4, 10, 0))  # noqa: DTZ001 - as typed
    seat.click("snooze-then")
    assert desk.case(case_id).snoozed_until == datetime(2030, 1, 4, 9, 0, tzinfo=UTC)
    seat.click("reopen").app.datetime_input(key="snooze-at").set_value(
        datetime(2020, 1, 4, 10, 0)  # noqa: DTZ001 - as typed
    )
    assert "Choose a time in the future" in seat.click("snooze-then").told


def test_waiting_for_the_customer(desk: Desk, case_id: int) -> None:
    Seat().open("case", id=str(case_id)).click("pending")
    assert desk.case(case_id).status == CaseStatus.PENDING


def test_notes_are_kept_as_text(desk: Desk, case_id: int) -> None:
    seat = Seat().open("case", id=str(case_id))
    seat.app.text_area(key=f"note-{case_id}").set_value("Called **him** <b>today</b>")
    seat.click("add-note")
    assert "Called **him** &lt;b&gt;today&lt;/b&gt;" in seat.html
    assert "Write something first" in seat.click("add-note").told


def test_next_case_follows_the_queue_and_passes_over_colleagues(desk: Desk) -> None:
    first = desk.complaint("a", "It broke", hours=90)
    his = desk.complaint("b", "It broke", hours=60)
    third = desk.complaint("c", "It broke", hours=30)
    with Session(desk.engine) as session:
        cases.claim(session, his, "bob")
    seat = Seat().open("case", id=str(first)).click("next-case")
    assert seat.app.query_params["id"] == str(third)
    seat.click("next-case")
    assert "That was the last case" in seat.told
    assert sorted(seat.rows) == [first, his, third]
