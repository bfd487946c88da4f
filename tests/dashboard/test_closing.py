"""Closing, merging, cases by hand and promises, as people click them."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from dashboard import resources
from monitor.answer import promises
from monitor.desk import cases
from monitor.desk.arrivals import turns
from monitor.desk.merge import merge
from monitor.desk.queue.post_list import PAGE
from monitor.store.models import (
    CannotHelp,
    Case,
    CaseStatus,
    Commitment,
    Dismissal,
    Label,
    Outcome,
    Post,
    now,
)
from tests.dashboard.conftest import Seat
from tests.dashboard.seed import Desk


def seat_at(case_id: int, person: str = "alice") -> Seat:
    return Seat(person).open("case", id=str(case_id))


def choose(seat: Seat, case_id: int, outcome: str) -> None:
    seat.app.selectbox(key=f"end-outcome-{case_id}").select(outcome).run()
    seat.check()


# ---- closing ----


def test_solved_with_what_was_done_and_undo(desk: Desk, case_id: int) -> None:
    seat = seat_at(case_id)
    seat.app.text_input(key=f"end-wanted-{case_id}").set_value("40 euros")
    seat.app.text_input(key=f"end-goodwill-{case_id}").set_value("A voucher").run()
    assert "what put the problem right?" in seat.html, "goodwill alone gets a hint"
    seat.app.text_area(key=f"end-remedy-{case_id}").set_value("Refunded <b>40</b>")
    seat.click("resolve-now")
    assert "Resolved: solved" in seat.told
    case = desk.case(case_id)
    assert (case.outcome, case.wanted, case.remedy, case.goodwill) == (
        Outcome.SOLVED,
        "40 euros",
        "Refunded <b>40</b>",
        "A voucher",
    )
    assert "Refunded &lt;b&gt;40&lt;/b&gt;" in seat.html
    seat.click("undo")
    assert desk.case(case_id).status == CaseStatus.OPEN
    assert seat.app.text_area(key=f"end-remedy-{case_id}").value == "Refunded <b>40</b>"


def test_works_here_is_refused(desk: Desk, case_id: int) -> None:
    seat = seat_at(case_id)
    seat.app.text_area(key=f"end-remedy-{case_id}").set_value("Works here.")
    assert "Say what was done for the customer" in seat.click("resolve-now").told
    assert desk.case(case_id).status == CaseStatus.OPEN


def test_we_cannot_help_asks_for_all_of_it(desk: Desk, case_id: int) -> None:
    seat = seat_at(case_id)
    choose(seat, case_id, "We cannot help")
    assert "Still missing: why we cannot help" in seat.click("resolve-now").told
    seat.app.selectbox(key=f"end-cannot-{case_id}").select("the law")
    seat.app.text_input(key=f"end-partial-{case_id}").set_value("A copy of the papers")
    seat.app.text_input(key=f"end-referred-{case_id}").set_value("The regulator")
    seat.click("resolve-now")
    case = desk.case(case_id)
    assert (case.outcome, case.cannot_help, case.referred_to) == (
        Outcome.CANNOT_HELP,
        CannotHelp.LAW,
        "The regulator",
    )


@pytest.mark.parametrize(
    ("words", "outcome"),
    [("Parted politely", Outcome.PARTED), ("Not our service", Outcome.NOT_OUR_SERVICE)],
)
def test_the_other_ends(desk: Desk, case_id: int, words: str, outcome: Outcome) -> None:
    seat = seat_at(case_id)
    choose(seat, case_id, words)
    seat.click("resolve-now")
    assert desk.case(case_id).outcome == outcome


def test_a_dismissal_is_one_click_and_undo_keeps_the_older_word(desk: Desk, case_id: int) -> None:
    with Session(desk.engine) as session:
        cases.resolve(session, case_id, "alice", Outcome.EXPLAINED)
        case = session.get_one(Case, case_id)
        turns.customer_wrote(session, case, session.get_one(Post, case.post_id))
        session.commit()
    seat = seat_at(case_id)
    seat.app.menu_button(key="dismiss-case").click("No answer needed: spam").run()
    seat.check()
    assert desk.case(case_id).dismissal == Dismissal.SPAM
    seat.click("undo")
    with Session(desk.engine) as session:
        label = session.exec(select(Label)).one()
    assert (label.complaint, label.agent) == (True, "alice")


def test_what_they_want_is_kept_before_the_end(desk: Desk, case_id: int) -> None:
    seat = seat_at(case_id)
    seat.app.text_input(key=f"end-wanted-{case_id}").set_value("A date")
    seat.click("keep-wanted")
    case = desk.case(case_id)
    assert (case.wanted, case.status, case.delivered_at) == ("A date", CaseStatus.OPEN, None)
    assert "A date" in seat.html
    seat.click("undo")
    assert desk.case(case_id).wanted == ""


# ---- merging ----


def test_merge_by_number_asks_before_two_customers(desk: Desk, case_id: int) -> None:
    other = desk.complaint("eva", "Still no refund", hours=5)
    seat = seat_at(case_id)
    box = seat.app.text_input(key=f"merge-number-{case_id}")
    for wrong in ("999", "x", str(case_id)):
        box.set_value(wrong).run()
        assert "no other case of this number" in seat.html
        assert not seat.has("merge-number")
    box.set_value(f"#{other}").run()
    assert "This is another customer" in seat.html
    assert "@eva" in seat.html
    seat.click("merge-number")
    assert desk.case(case_id).merged_into == other
    assert f"It goes on in case {other}: answer there" in seat.html
    assert f"Merged into case {other}" in [link.value for link in seat.app.page_link]
    assert not seat.has("reopen")
    there = seat_at(other)
    assert "No refund for weeks" in there.html
    assert "Merged into this one (1)" in there.html
    there.click(f"unmerge-{case_id}")
    assert desk.case(case_id).status == CaseStatus.OPEN
    assert "No refund for weeks" not in there.look().html


def test_a_new_case_goes_on_in_an_older_one_and_undo_closes_that_again(
    desk: Desk, case_id: int
) -> None:
    with Session(desk.engine) as session:
        cases.resolve(session, case_id, "alice", Outcome.EXPLAINED)
        session.execute(sa.update(Case).values(resolved_at=now() - timedelta(days=60)))
        session.commit()
    newer = desk.complaint("ben", "Again no refund", hours=0.5)
    seat = seat_at(newer).click(f"merge-{case_id}")
    assert f"Merged into case {case_id}" in seat.told
    assert desk.case(case_id).status == CaseStatus.OPEN
    seat.click("undo")
    assert (desk.case(case_id).outcome, desk.case(newer).status) == (
        Outcome.EXPLAINED,
        CaseStatus.OPEN,
    )


def test_the_merged_case_can_be_taken_out_on_its_own_page(desk: Desk, case_id: int) -> None:
    other = desk.complaint("eva", "Still no refund", hours=5)
    with Session(desk.engine) as session:
        merge(session, case_id, other, "alice", other_author=True)
    seat_at(case_id).click("unmerge")
    assert desk.case(case_id).merged_into is None


# ---- by hand ----


@pytest.mark.parametrize("page", ["posts", "work_queue"])
def test_a_new_case_from_a_text_alone(desk: Desk, page: str) -> None:
    seat = Seat().open(page)
    assert "paste a link" in seat.click("new-open").told
    seat.app.text_area(key="new-text").set_value("Called: **the** kettle leaks")
    seat.click("new-open")
    with Session(desk.engine) as session:
        case = session.exec(select(Case)).one()
    assert case.by_hand
    assert f"It is in case {case.id}" in seat.told
    assert "Called: **the** kettle leaks" in seat.html
    assert seat.app.text_area(key="new-text").value == ""
    seat.click("undo")
    with Session(desk.engine) as session:
        assert session.exec(select(Case)).first() is None


def test_a_case_by_hand_is_answered_in_words(desk: Desk) -> None:
    seat = Seat().open("posts")
    seat.app.text_input(key="new-who").set_value("Mrs Gray")
    seat.app.text_input(key="new-link").set_value("https://forum.example/1")
    seat.app.segmented_control(key="new-severity").select("Furious")
    seat.click("new-open")
    with Session(desk.engine) as session:
        case_id = session.exec(select(Case.id)).one()
    assert desk.case(case_id).severity == 1.0
    seat.open("case", id=str(case_id)).click("claim")
    assert "no network carries an answer" in seat.html
    assert "@Mrs Gray" not in seat.html
    seat.app.text_area(key="by-hand-text").set_value("A new one is on its way")
    seat.click("record")
    assert desk.case(case_id).waiting_since is None
    assert "A new one is on its way" in seat.html
    sources = Seat().open("sources").html
    assert "by hand" not in sources
    assert resources.vitals().troubled == 0


def test_any_post_becomes_a_case_and_undo_takes_it_back(desk: Desk) -> None:
    desk.complaint("ben", "It is fine, I guess", probability=0.1)
    case_id = desk.complaint("eva", "It broke")
    seat = Seat().open("posts")
    assert f"Case {case_id}" in [link.value for link in seat.app.page_link]
    with Session(desk.engine) as session:
        post_id = session.exec(select(Post.id).where(col(Post.case_id).is_(None))).one()
    assert "complaint 0.10" in seat.html
    seat.click(f"make-{post_id}")
    with Session(desk.engine) as session:
        assert session.get_one(Post, post_id).case_id is not None
        assert session.exec(select(Label.complaint)).one() is True
    assert not seat.has(f"make-{post_id}")
    seat.click("undo")
    assert seat.has(f"make-{post_id}")
    with Session(desk.engine) as session:
        assert session.exec(select(Label)).first() is None
        assert len(session.exec(select(Case)).all()) == 1


def test_posts_are_searched_and_paged(desk: Desk) -> None:
    assert "No post has come in yet" in Seat().open("posts").html
    for number in range(PAGE + 2):
        desk.complaint(f"user{number}", f"word{number} here", hours=number + 1, triage=False)
    seat = Seat().open("posts")
    assert "word0 here" in seat.html
    assert f"word{PAGE} here" not in seat.html
    seat.click("older")
    assert f"word{PAGE} here" in seat.html
    assert "word0 here" not in seat.html
    assert "word0 here" in seat.click("newer").html
    found = Seat().open("posts", find="word3 user3").html
    assert "word3 here" in found
    assert "word4 here" not in found
    assert "No post matches" in Seat().open("posts", find="zebra").html


# ---- promises ----


def test_a_promise_is_made_kept_and_opened_again(desk: Desk, case_id: int) -> None:
    seat = seat_at(case_id)
    assert "Nothing was promised" in seat.html
    assert "Write what was promised" in seat.click(f"promise-it-{case_id}").told
    seat.app.text_area(key=f"promise-text-{case_id}").set_value("We call *tomorrow*")
    seat.app.selectbox(key=f"promise-owner-{case_id}").select("bob")
    seat.click(f"promise-it-{case_id}")
    with Session(desk.engine) as session:
        made = session.exec(select(Commitment)).one()
    assert (made.text, made.owner, made.kept_at) == ("We call *tomorrow*", "bob", None)
    assert "We call *tomorrow*" in seat.html
    seat.click(f"kept-{made.id}")
    assert ">kept<" in seat.html
    seat.click("undo").click(f"drop-{made.id}")
    assert ">dropped<" in seat.html
    seat.click(f"again-{made.id}")
    assert seat.has(f"kept-{made.id}")


def test_what_is_due_stands_above_the_queue_the_broken_first(desk: Desk, case_id: int) -> None:
    assert "Promises due" not in Seat().open().html
    with Session(desk.engine) as session:
        for text, hours in (("soon", 1), ("late", 2), ("far", 90)):
            promises.promise(session, case_id, "alice", text, now() + timedelta(hours=hours))
        late = session.exec(select(Commitment).where(Commitment.text == "late")).one()
        late.due_at = now() - timedelta(hours=1)
        session.add(late)
        session.commit()
    resources.promises_due.clear()
    seat = Seat().open()
    assert "Promises due: 2" in seat.html
    strip = seat.html[seat.html.index("Promises due") :]
    assert strip.index("late") < strip.index("soon") < strip.index("No refund for weeks")
    assert "far" not in strip[: strip.index("No refund for weeks")]
    assert f"Case {case_id}" in [link.value for link in seat.app.page_link]
