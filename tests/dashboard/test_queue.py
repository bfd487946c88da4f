"""The queue: who sees what, who gets it, and that it holds still."""

import pytest
from sqlmodel import Session

from dashboard import resources
from monitor.answer import replies
from monitor.desk import cases
from monitor.desk.queue.work_queue import PAGE
from monitor.store.models import CaseStatus, Heartbeat
from tests.dashboard.conftest import Seat
from tests.dashboard.seed import Desk


def test_the_worst_case_stands_first_with_its_reasons(desk: Desk) -> None:
    mild = desk.complaint("mia", "The app is a bit slow", probability=0.6, severity=0.1)
    bad = desk.complaint("ben", "Third day without power", severity=0.9, followers=40_000)
    seat = Seat().open()
    assert seat.rows == [bad, mild]
    assert "40,000 followers may see it" in seat.html
    assert "Third day without power" in seat.html
    assert "1 h" in seat.html


def test_who_comes_second_is_told_who_was_first(desk: Desk) -> None:
    case_id = desk.complaint("ben", "No refund for weeks")
    alice, bob = Seat("alice").open(), Seat("bob").open()
    alice.click(f"claim-{case_id}")
    assert "You have the case of @ben" in alice.told
    bob.click(f"claim-{case_id}")
    assert "alice has it" in bob.told
    assert not bob.has(f"claim-{case_id}"), "the row shows alice now"
    assert desk.case(case_id).assignee == "alice"


def test_a_claim_can_be_undone(desk: Desk) -> None:
    case_id = desk.complaint("ben", "No refund for weeks")
    alice = Seat().open().click(f"claim-{case_id}").click("undo")
    assert desk.case(case_id).assignee is None
    assert alice.has(f"claim-{case_id}")


def test_without_a_name_one_reads_only(desk: Desk) -> None:
    case_id = desk.complaint("ben", "No refund for weeks")
    nobody = Seat(None).open().click(f"claim-{case_id}")
    assert "Choose your name first" in nobody.told
    assert desk.case(case_id).assignee is None


def test_a_desk_without_people_says_how_to_add_them(desk: Desk) -> None:
    text = desk.config.read_text().replace("[[people]]", "[[nobody]]")
    desk.config.write_text(text.split("[[nobody]]")[0] + text[text.index("[sources") :])
    case_id = desk.complaint("ben", "No refund for weeks")
    seat = Seat("alice").open()
    assert "Nobody works here yet" in seat.html
    assert "[[people]]" in seat.html
    assert "Choose your name first" in seat.click(f"claim-{case_id}").told


def test_filters_come_from_the_address_and_can_be_cleared(desk: Desk) -> None:
    ben = desk.complaint("ben", "No refund for weeks", network="mastodon")
    eva = desk.complaint("eva", "The bill is wrong", network="bluesky")
    seat = Seat().open(network="bluesky")
    assert seat.rows == [eva]
    seat.click("clear")
    assert sorted(seat.rows) == [ben, eva]
    assert Seat().open(words="refund").rows == [ben]
    assert Seat().open(words="REFUND eva").rows == []
    assert Seat().open(status="resolved").rows == []
    assert Seat().open(status="rubbish", network="nowhere").rows == seat.rows


def test_owners(desk: Desk) -> None:
    mine, his, free = (desk.complaint(name, "It broke") for name in ("a", "b", "c"))
    with Session(desk.engine) as session:
        cases.claim(session, mine, "alice")
        cases.claim(session, his, "bob")
    assert Seat("alice").open(owner="Mine").rows == [mine]
    assert Seat("bob").open(owner="Mine").rows == [his]
    assert Seat(None).open(owner="Mine").rows == []
    assert Seat().open(owner="Nobody's").rows == [free]
    assert Seat().open(owner="bob").rows == [his]


def test_reply_status_filters(desk: Desk) -> None:
    drafted, _ = desk.complaint("a", "It broke"), desk.complaint("b", "It broke")
    with Session(desk.engine) as session:
        cases.claim(session, drafted, "alice")
        replies.save_draft(session, drafted, "alice", "We are on it")
    assert Seat().open(reply="Draft").rows == [drafted]


def test_tabs_count_and_lead_to_every_status(desk: Desk) -> None:
    closed, left = desk.complaint("a", "It broke"), desk.complaint("b", "It broke")
    with Session(desk.engine) as session:
        cases.wait_for_customer(session, closed, "alice")
    seat = Seat().open()
    assert seat.app.button(key="tab-open").label == "Open **1**"
    assert seat.app.button(key="tab-pending").label == "Pending **1**"
    assert seat.click("tab-pending").rows == [closed]
    assert seat.app.query_params["status"] == "pending"
    assert sorted(seat.click("tab-all").rows) == [closed, left]
    assert seat.click("tab-open").rows == [left]
    assert "status" not in seat.app.query_params


def test_pages_go_on_where_they_stopped_and_back(desk: Desk) -> None:
    for number in range(2 * PAGE + 3):
        desk.complaint(f"user{number}", "It broke", hours=number + 1, triage=False)
    desk.triage()
    seat = Seat().open()
    first = seat.rows
    assert len(first) == PAGE
    assert f"1 to {PAGE} of {2 * PAGE + 3}" in seat.html
    # A new case at the very top moves nobody's second page.
    desk.complaint("urgent", "Fire in the meter box", hours=500, severity=1.0)
    second = seat.click("next").rows
    third = seat.click("next").rows
    assert len(second) == PAGE
    assert len(third) == 3
    assert not set(first) & set(second)
    assert len(set(first + second + third)) == 2 * PAGE + 3
    assert seat.app.button(key="next").disabled
    assert seat.click("back").rows == second


def test_the_list_holds_still_until_asked(desk: Desk) -> None:
    """What AppTest runs is the whole page, so the fragment's own refresh is called here."""
    first = desk.complaint("ben", "No refund for weeks")
    seat = Seat().open()
    place = seat.app.session_state["queue"]
    assert place.ids == [first]
    new = desk.complaint("eva", "Everything burns", severity=1.0, hours=30)
    place.look_again = lambda: None  # as in a refresh of the fragment alone
    seat.look()
    assert seat.rows == [first]
    assert seat.app.button(key="show-news").label.startswith("1 case moved up here")
    del place.look_again
    assert seat.click("show-news").rows == [new, first]


def test_a_case_that_left_the_list_stays_in_sight_and_says_so(desk: Desk) -> None:
    gone, kept = desk.complaint("ben", "No refund", hours=9), desk.complaint("eva", "Wrong bill")
    seat = Seat().open()
    with Session(desk.engine) as session:
        cases.wait_for_customer(session, gone, "bob")
    seat.app.session_state["queue"].look_again = lambda: None
    seat.look()
    assert seat.rows == [gone, kept]
    assert "now waiting for customer" in seat.html


def test_the_keys_move_claim_and_open(desk: Desk) -> None:
    first, second = desk.complaint("ben", "No refund", hours=9), desk.complaint("eva", "Wrong bill")
    seat = Seat().open()
    seat.app.session_state["queue"].look_again = lambda: None
    seat.click("down").click("claim-current")
    assert desk.case(second).assignee == "alice"
    assert desk.case(first).assignee is None
    keys = {b.key: b.proto.shortcut.lower() for b in seat.app.button if b.proto.shortcut}
    assert keys["down"] == "j"
    assert keys["claim-current"] == "m"


@pytest.mark.parametrize(
    ("alive", "words"),
    [(True, "No complaint has been found yet"), (False, "The engine has never run")],
)
def test_an_empty_queue_says_why(desk: Desk, *, alive: bool, words: str) -> None:
    if not alive:
        with Session(desk.engine) as session:
            session.delete(session.get_one(Heartbeat, "engine"))
            session.commit()
    assert words in Seat().open().html


def test_a_queue_that_is_done_says_so(desk: Desk) -> None:
    case_id = desk.complaint("ben", "No refund")
    with Session(desk.engine) as session:
        cases.wait_for_customer(session, case_id, "alice")
    assert "No open case: everybody has been served" in Seat().open().html
    filtered = Seat().open(words="zebra", status="all")
    assert "No case matches these filters" in filtered.html
    assert filtered.click("clear-empty").rows == [case_id]


def test_trouble_shows_in_the_header(desk: Desk) -> None:
    desk.complaint("ben", "No refund")
    seat = Seat().open()
    assert "Engine running" in seat.html
    assert not [link for link in seat.app.page_link if link.value == "See sources"]
    desk.fail_source("mastodon.example answered 503.")
    resources.vitals.clear()
    seat.look()
    assert "1 source in trouble" in seat.html
    assert [link for link in seat.app.page_link if link.value == "See sources"]


def test_a_rerun_asks_few_questions(desk: Desk) -> None:
    """No query per row: a full page costs as many as an empty one, or nearly."""
    for number in range(PAGE):
        desk.complaint(f"user{number}", "It broke", triage=False)
    desk.triage()
    seat = Seat().open()
    assert desk.case(seat.rows[0]).status == CaseStatus.OPEN
    with desk.counting() as statements:
        seat.look()
    assert len(statements) <= 4, statements
