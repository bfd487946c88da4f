"""Incidents on the pages: proposed, confirmed, proved, told to the customers."""

import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl

import pytest
from sqlmodel import Session, col, select

from monitor.desk import cases
from monitor.store.models import Incident, IncidentCase, IncidentStatus, Post, Reply, Reproduced
from monitor.watch.incident import grouping, incident_cases, incidents
from monitor.watch.incident.proposing import propose
from tests.dashboard.conftest import Seat
from tests.dashboard.seed import Desk

TOLD = (
    ("ann", "Quenby lines are dead, the vexbox shows red <b>now</b>"),
    ("ben", "Is it me or has the vexbox gone red in Quenby?"),
    ("cid", "vexbox red here, Quenby too"),
)


@pytest.fixture(autouse=True)
def _weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights of these tests, whatever is fitted to the next model."""
    weights = grouping.Weights(meaning=2.0, words=0.4, thread=1.5, hours=1.0, pair=1.5, join=1.0)
    monkeypatch.setattr(grouping, "WEIGHTS", weights)


@pytest.fixture
def told(desk: Desk) -> list[int]:
    """Three customers told of one fault, and the engine has compared them."""
    made = [
        desk.complaint(who, text, hours=3 - number, name=who.capitalize())
        for number, (who, text) in enumerate(TOLD)
    ]
    run(desk)
    return made


@pytest.fixture
def number(desk: Desk, told: list[int]) -> int:
    """The incident of these three, confirmed by alice."""
    (found,) = found_in(desk)
    with Session(desk.engine) as session:
        incidents.confirm(session, found.id, "alice")
    return found.id


def run(desk: Desk) -> None:
    with Session(desk.engine) as session:
        while propose(session, 0.5, timedelta(hours=72)):
            pass


def found_in(desk: Desk) -> list[Incident]:
    with Session(desk.engine) as session:
        return list(session.exec(select(Incident).order_by(col(Incident.id))))


def cases_in(desk: Desk, number: int) -> set[int]:
    with Session(desk.engine) as session:
        query = select(IncidentCase.case_id).where(IncidentCase.incident_id == number)
        return set(session.exec(query))


def card(number: int, person: str = "alice") -> Seat:
    return Seat(person).open("incident", id=str(number))


def test_without_one_the_page_says_what_suffices(desk: Desk) -> None:
    desk.complaint("ann", TOLD[0][1])
    run(desk)
    html = Seat().open("incidents").html
    assert "No incident yet" in html
    assert "Two customers who tell of the same fault suffice for a proposal." in html


def test_a_proposal_is_confirmed_and_that_can_be_undone(desk: Desk, told: list[int]) -> None:
    seat = Seat().open("incidents")
    (incident,) = found_in(desk)
    assert "Do these tell of one fault?" in seat.html
    assert "3 authors" in seat.html
    assert "&lt;b&gt;now&lt;/b&gt;" in seat.html, "strangers' text is text"
    seat.click(f"confirm-{incident.id}")
    assert "you reported it" in seat.told
    assert found_in(desk)[0].status == IncidentStatus.OPEN
    assert "Do these tell of one fault?" not in seat.html
    seat.click("undo")
    assert found_in(desk)[0].status == IncidentStatus.PROPOSED


def test_no_is_kept_and_nobody_without_a_name_decides(desk: Desk, told: list[int]) -> None:
    (incident,) = found_in(desk)
    nobody = Seat(None).open("incidents").click(f"reject-{incident.id}")
    assert "Choose your name first" in nobody.told
    seat = Seat().open("incidents").click(f"reject-{incident.id}")
    assert "No incident yet" in seat.html
    seat.click("undo")
    assert seat.has(f"confirm-{incident.id}")


def test_the_second_to_confirm_is_told_so(desk: Desk, told: list[int]) -> None:
    (incident,) = found_in(desk)
    alice, bob = Seat("alice").open("incidents"), Seat("bob").open("incidents")
    alice.click(f"confirm-{incident.id}")
    bob.click(f"confirm-{incident.id}")
    assert "it is open" in bob.told


def test_the_card_tells_what_is_known(desk: Desk, number: int) -> None:
    html = card(number).html
    assert "In the customers’ own words" in html
    assert "Is it me or has the vexbox gone red" in html
    assert "Distinct authors</small><b>3</b>" in html
    assert "Silent ones</small><b>75 to 150</b>" in html
    assert "a rule of thumb, not measured" in html
    assert ">3</a> of 3</b>" in html
    (address,) = re.findall(r'href="rows\?([^"]*)"[^>]*>3</a> of 3', html)
    rows = Seat().open("rows", **dict(parse_qsl(unescape(address))))
    assert "<h1>3 cases</h1>" in rows.html
    assert "None yet: a link, and a number that can prove it." in html
    assert "not tried" in html
    assert html.index("own words") < html.index("Distinct authors") < html.index("Evidence")


def test_there_is_no_such_incident(desk: Desk) -> None:
    for asked in ("", "x", "7", "9" * 30):
        assert "There is no such incident" in Seat().open("incident", id=asked).html


def test_it_is_not_closed_by_its_reporter_nor_without_evidence(desk: Desk, number: int) -> None:
    alice, bob = card(number), card(number, "bob")
    alice.click("no-fault")
    assert "You reported it" in alice.told
    bob.click("no-fault")
    assert "Add the evidence first" in bob.told
    bob.app.text_input(key="evidence-url").input("https://graphs.example/42")
    bob.app.text_input(key="evidence-value").input("0 errors in 5,000 calls")
    bob.click("evidence-keep")
    assert "0 errors in 5,000 calls" in bob.html
    assert "read by bob" in bob.html
    bob.click("no-fault")
    assert found_in(desk)[0].status == IncidentStatus.NO_FAULT
    bob.click("undo")
    assert found_in(desk)[0].status == IncidentStatus.OPEN


def test_the_fault_is_described(desk: Desk, number: int) -> None:
    seat = card(number)
    seat.app.text_area(key=f"fault-{number}").input("The exchange is without power")
    seat.app.radio(key=f"reproduced-{number}").set_value(Reproduced.YES)
    seat.click("facts-keep")
    kept = found_in(desk)[0]
    assert (kept.fault, kept.reproduced) == ("The exchange is without power", Reproduced.YES)
    assert "The exchange is without power" in seat.html


def test_an_update_is_offered_in_each_case_and_a_person_sends_it(
    desk: Desk, number: int, told: list[int]
) -> None:
    seat = card(number)
    seat.app.text_area(key=f"update-{number}").input("the lines are back since noon.")
    seat.click("update-keep")
    with Session(desk.engine) as session:
        cases.claim(session, told[1], "alice")
        assert session.exec(select(Reply)).all() == []
    case = Seat().open("case", id=str(told[1]))
    assert "Part of incident" in case.html
    assert "3 authors." in case.html
    case.click("use-update")
    assert case.app.text_area(key=f"reply-{told[1]}-0").value == (
        "Hello Ben, the lines are back since noon."
    )
    with Session(desk.engine) as session:
        assert session.exec(select(Reply.text)).all() == [
            "Hello Ben, the lines are back since noon."
        ]
    other = Seat("bob").open("case", id=str(told[0]))
    assert "Update: " in other.html
    assert not other.has("use-update"), "who does not own the case does not answer it"
    seat.click("undo")
    assert "Update: " not in other.look().html


def test_the_follow_up_list_gets_shorter(desk: Desk, number: int, told: list[int]) -> None:
    seat = card(number).click("fix")
    assert "0 of 3 were told that it is fixed" in seat.html
    assert "Hello Ann, what you told us about is fixed now" in seat.html
    seat.click(f"told-{told[0]}")
    assert "1 of 3 were told that it is fixed" in seat.html
    assert not seat.has(f"told-{told[0]}")
    seat.click("undo")
    assert seat.has(f"told-{told[0]}")
    seat.click("reopen")
    assert "were told that it is fixed" not in seat.html


def test_cases_are_taken_out_and_put_in(desk: Desk, number: int, told: list[int]) -> None:
    seat = card(number)
    seat.click("split")
    assert "Choose the cases" in seat.told
    seat.app.multiselect(key=f"out-{number}").set_value([told[2]])
    seat.click("split")
    assert cases_in(desk, number) == set(told[:2])
    case = Seat().open("case", id=str(told[2]))
    assert "Part of incident" not in case.html
    case.app.selectbox(key="incident-which").set_value(number)
    case.click("incident-put")
    assert "Part of incident" in case.html
    assert cases_in(desk, number) == set(told)


def test_an_incident_by_hand_and_merged(desk: Desk, number: int) -> None:
    lone = desk.complaint("dee", "My invoice is not mine")
    case = Seat().open("case", id=str(lone))
    case.click("incident-put")
    assert "Write a title first" in case.told
    case.app.text_input(key="incident-title").input("Wrong invoices")
    case.click("incident-put")
    made = found_in(desk)[1]
    assert (made.title, made.reporter) == ("Wrong invoices", "alice")
    seat = card(made.id)
    seat.click("merge")
    assert "Choose the other incident first" in seat.told
    seat.app.selectbox(key=f"into-{made.id}").set_value(number)
    seat.click("merge")
    assert f"goes on in incident {number}" in seat.html
    assert lone in cases_in(desk, number)


def test_renamed_and_watched(desk: Desk, number: int) -> None:
    seat = card(number)
    seat.app.text_input(key=f"title-{number}").input("*Quenby* exchange")
    seat.click("rename")
    assert "*Quenby* exchange" in seat.html
    seat.click("watch")
    listed = Seat().open("incidents").html
    assert "*Quenby* exchange" in listed
    assert ">Watching<" in listed


def test_deleted_words_are_not_shown(desk: Desk, number: int) -> None:
    with Session(desk.engine) as session:
        for post in session.exec(select(Post)):
            post.deleted_at = post.created_at
            session.add(post)
        session.commit()
    html = card(number).html
    assert "vexbox gone red" not in html
    assert "(deleted by its author)" in html


def test_the_queue_of_another_case_is_not_touched(desk: Desk, number: int, told: list[int]) -> None:
    with Session(desk.engine) as session:
        cases.claim(session, told[0], "bob")
        incident_cases.split(session, number, told[:1], "alice")
        incidents.fix(session, number, "alice")
    assert desk.case(told[0]).assignee == "bob"
    assert desk.case(told[1]).assignee is None
    assert desk.case(told[1]).waiting_since is not None
