"""The queue's floor in the page: views, many cases at once, the next case, who is away, keys."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from dashboard import keys_box, resources
from dashboard.markup import plain
from monitor.desk import cases, tags
from monitor.desk.page import authors
from monitor.desk.queue import absence, bulk, views
from monitor.desk.queue.work_queue import PAGE
from monitor.store.models import Case, Label, SavedView, now
from tests.dashboard.conftest import Seat
from tests.dashboard.seed import Desk

HOUR = timedelta(hours=1)


def change(desk: Desk, case_id: int, **values: Any) -> None:
    """Make a case be so."""
    with Session(desk.engine) as session:
        session.execute(sa.update(Case).where(col(Case.id) == case_id).values(**values))
        session.commit()


def three(desk: Desk) -> list[int]:
    """Three cases, the one that waits longest first."""
    return [desk.complaint(name, "It broke", hours=9 - n) for n, name in enumerate("abc")]


def pick(seat: Seat, *case_ids: int) -> Seat:
    """Select rows."""
    for case_id in case_ids:
        seat.app.checkbox(key=f"pick-{case_id}").check().run()
        seat.check()
    return seat


def test_every_view_is_a_filter_with_its_order(desk: Desk) -> None:
    mine, soon, free = three(desk)
    sleeping, pending = desk.complaint("d", "It broke"), desk.complaint("e", "It broke")
    with Session(desk.engine) as session:
        cases.claim(session, mine, "alice")
        cases.claim(session, soon, "bob")
        cases.snooze(session, sleeping, "alice", now() + HOUR)
        cases.wait_for_customer(session, pending, "alice")
    change(desk, soon, due_at=now() + HOUR / 2, waiting_since=now() - 99 * HOUR)
    seat = Seat().open()
    assert seat.rows == [mine, soon, free]
    for view, rows, number in (
        ("mine", [mine], 1),
        ("unassigned", [free], 1),
        ("breaching", [soon], 1),
        ("pending", [pending], 1),
        ("snoozed", [sleeping], 1),
    ):
        assert seat.click(f"tab-{view}").rows == rows, view
        button = seat.app.button(key=f"tab-{view}")
        assert button.label.endswith(f"**{number}**")
        assert button.proto.type == "primary"
    assert seat.click("tab-waiting").rows == [soon, mine, free]
    assert len(seat.click("tab-all").rows) == 5
    assert seat.click("tab-open").rows == [mine, soon, free]


def test_a_link_opens_the_same_list(desk: Desk) -> None:
    first, second, third = three(desk)
    with Session(desk.engine) as session:
        tags.add(session, second, "bob", "outage")
        tags.add(session, first, "bob", "outage")
        authors.set_vip(session, third, "bob", True)
    change(desk, second, opened_at=now())
    seat = Seat().open(tag="outage", sort="Newest")
    assert seat.rows == [second, first]
    assert "#outage" in seat.html
    assert Seat().open(vip="true").rows == [third]
    assert Seat().open(breaching="true").rows == []
    assert Seat().open(tag="never used").rows == []
    assert len(Seat().open(sort="rubbish").rows) == 3


def test_the_order_that_a_person_chose_is_kept_between_views(desk: Desk) -> None:
    first, second, third = three(desk)
    seat = Seat().open(sort="Newest")
    assert seat.rows == [third, second, first]
    assert seat.click("tab-unassigned").rows == [third, second, first]
    assert seat.click("tab-waiting").rows == [first, second, third]
    seat.click("tab-open")
    assert seat.app.selectbox(key="sort").value == "Priority", "the order was the view's own"


def test_a_view_is_saved_shared_renamed_and_deleted_with_undo(desk: Desk) -> None:
    ben = desk.complaint("ben", "It broke", network="bluesky")
    desk.complaint("eva", "It broke")
    alice = Seat("alice").open(network="bluesky", sort="Newest")
    assert "Give the view a name first" in alice.click("view-save").told
    alice.app.text_input(key="view-name").input("Blue *sky*")
    alice.app.checkbox(key="view-shared").check()
    assert "The view is saved" in alice.click("view-save").told
    with Session(desk.engine) as session:
        view = session.exec(select(SavedView)).one()
    assert (view.owner, view.name, view.shared) == ("alice", "Blue *sky*", True)
    assert view.address == "network=bluesky&sort=Newest"
    bob = Seat("bob").open()
    assert bob.app.button(key=f"view-{view.id}").label == r"Blue \*sky\* (alice)"
    assert bob.click(f"view-{view.id}").rows == [ben]
    assert bob.app.selectbox(key="sort").value == "Newest"
    assert not bob.has(f"view-delete-{view.id}")
    alice.app.text_input(key="view-name").input("Blue *sky*")
    assert "already" in alice.click("view-save").told
    alice.app.text_input(key="view-name").input("Sky")
    alice.click(f"view-rename-{view.id}").click(f"view-share-{view.id}")
    assert not Seat("bob").open().has(f"view-{view.id}")
    alice.click("undo")
    assert Seat("bob").open().has(f"view-{view.id}"), "what was undone shows at once"
    alice.click(f"view-share-{view.id}")
    alice.click(f"view-delete-{view.id}")
    assert not alice.has(f"view-{view.id}")
    alice.click("undo")
    with Session(desk.engine) as session:
        (back,) = views.views(session, "alice")
    assert back.name == "Sky"
    assert alice.has(f"view-{back.id}")


def test_many_are_claimed_the_taken_ones_are_told_and_one_undo_takes_it_back(desk: Desk) -> None:
    first, second, third = three(desk)
    seat = pick(Seat().open(), first, second)
    assert "2 selected" in seat.html
    with Session(desk.engine) as session:
        cases.claim(session, second, "bob")
    seat.click("bulk-claim")
    assert "1 case claimed, 1 was taken meanwhile." in seat.told
    assert [desk.case(i).assignee for i in (first, second, third)] == ["alice", "bob", None]
    assert not seat.has("bulk-claim"), "nothing is selected any more"
    assert "Undone for 1 case." in seat.click("undo").told
    assert desk.case(first).assignee is None
    assert "Choose your name first" in pick(Seat(None).open(), third).click("bulk-claim").told


def test_all_that_match_are_selected_and_it_says_how_many(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(PAGE + 3):
        desk.complaint(f"user{number}", "It broke", triage=False)
    desk.triage()
    seat = Seat().open()
    seat.app.checkbox(key="pick-page").check().run()
    assert f"{PAGE} selected" in seat.html
    assert seat.app.button(key="pick-all").label == f"Select all {PAGE + 3} that match"
    seat.click("pick-all")
    assert f"All {PAGE + 3} selected" in seat.html
    seat.app.menu_button(key="bulk-assign").click("bob").run()
    assert f"{PAGE + 3} cases assigned to bob." in seat.told
    seat.app.checkbox(key="pick-page").check().run()
    seat.app.checkbox(key="pick-page").uncheck().run()
    assert not seat.has("pick-none")
    monkeypatch.setattr("dashboard.bulk_bar.MOST", 10)
    seat.app.checkbox(key="pick-page").check().run()
    assert seat.app.button(key="pick-all").label == f"Select the first 10 of {PAGE + 3} that match"


def test_many_are_tagged_snoozed_dismissed_and_labelled(desk: Desk) -> None:
    first, second, third = three(desk)
    seat = pick(Seat().open(), first, second)
    assert "Write a word for the tag first" in seat.click("bulk-tag-add").told
    seat.app.text_input(key="bulk-tag").input("Outage")
    assert "2 cases tagged." in seat.click("bulk-tag-add").told
    assert "#outage" in seat.html
    pick(seat, first, second).app.menu_button(key="bulk-label").click("Not a complaint").run()
    assert "2 cases labelled." in seat.told
    with Session(desk.engine) as session:
        assert [label.complaint for label in session.exec(select(Label))] == [False, False]
    pick(seat, first).app.menu_button(key="snooze-menu").click("1 hour").run()
    assert "1 case snoozed." in seat.told
    pick(seat, second, third).app.menu_button(key="dismiss-menu").click("spam").run()
    assert "2 cases dismissed." in seat.told
    found = [(desk.case(i).status, desk.case(i).dismissal) for i in (first, second, third)]
    assert found == [("snoozed", None), ("resolved", "spam"), ("resolved", "spam")]
    assert "Undone for 2 cases." in seat.click("undo").told
    assert desk.case(third).status == "open"


def test_the_case_under_the_keys_is_snoozed_dismissed_and_selected(desk: Desk) -> None:
    first, second, _ = three(desk)
    seat = Seat().open()
    seat.app.menu_button(key="dismiss-menu").click("not about us").run()
    assert "1 case dismissed." in seat.told
    assert desk.case(first).dismissal == "not about us"
    seat.app.menu_button(key="snooze-menu").click("1 hour").run()
    assert desk.case(second).status == "snoozed"
    seat.click("pick-current")
    assert "1 selected" in seat.html
    assert not seat.click("pick-none").has("bulk-claim")


def test_take_next_opens_the_highest_case_that_nobody_has(desk: Desk) -> None:
    first, second, third = three(desk)
    with Session(desk.engine) as session:
        cases.claim(session, first, "bob")
    alice = Seat().open().click("take-next")
    assert desk.case(second).assignee == "alice"
    assert f"Case {second}" in alice.html
    assert "Choose your name first" in Seat(None).open().click("take-next").told
    Seat("bob").open().click("take-next")
    assert desk.case(third).assignee == "bob"
    assert "no open case here that nobody has" in Seat().open().click("take-next").told


def test_who_is_away_says_so_and_until_when(desk: Desk) -> None:
    seat = Seat().open()
    seat.app.toggle(key="away").set_value(True).run()
    assert "You are away until you say" in seat.told
    with Session(desk.engine) as session:
        assert absence.away(session) == {"alice": None}
    assert not seat.click("undo").app.toggle(key="away").value
    with Session(desk.engine) as session:
        absence.leave(session, "alice", (now() + HOUR).replace(second=0, microsecond=0))
    resources.away.clear()
    again = Seat().open()
    assert again.app.toggle(key="away").value
    again.app.toggle(key="away").set_value(False).run()
    with Session(desk.engine) as session:
        assert absence.away(session) == {}
    assert not [toggle for toggle in Seat(None).open().app.toggle if toggle.key == "away"]


def test_the_sheet_lists_every_key_of_the_queue(desk: Desk) -> None:
    three(desk)
    seat = Seat().open()
    listed = set(keys_box.SHEET["Queue"]) | set(keys_box.SHEET["Everywhere"])
    buttons = [button for button in seat.app.button if button.proto.shortcut]
    assert {button.proto.shortcut.upper() for button in buttons} <= listed
    scripted = {key.upper() for key in {**keys_box.FOCUS, **keys_box.CLICK}}
    assert scripted <= {key for keys in keys_box.SHEET.values() for key in keys}
    assert "no case" not in seat.html
    assert "take the next case that nobody has" in seat.click("keys-help").html
    assert "window.monitorKeys" in "".join(element.value for element in seat.app.html)


def test_a_name_in_a_label_is_only_text() -> None:
    assert plain("a *b* [c](d) :smile: $x$") == r"a \*b\* \[c\]\(d\) \:smile\: \$x\$"


def test_words_for_what_was_done_count_right() -> None:
    from dashboard.bulk_bar import told

    done = bulk.Done(bulk.Kind.CLAIMED, "alice", (), 2)
    assert told(done) == "0 cases claimed, 2 were taken meanwhile."
