"""What the case page tells of the author and lets one decide; tags; edited and deleted posts."""

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from dashboard.edits import difference
from monitor.answer import replies
from monitor.desk import tags
from monitor.desk.page import authors
from monitor.store.models import Author, Post, now
from tests.dashboard.conftest import Seat
from tests.dashboard.seed import Desk


def the_author(desk: Desk) -> Author:
    """Ben, as he is now."""
    with Session(desk.engine) as session:
        return session.exec(select(Author).where(Author.handle == "ben")).one()


def switch(seat: Seat, key: str, value: bool) -> Seat:
    """Turn a switch."""
    seat.app.toggle(key=key).set_value(value).run()
    seat.check()
    return seat


def test_a_vip_is_marked_everywhere_and_can_be_undone(desk: Desk, case_id: int) -> None:
    seat = Seat().open("case", id=str(case_id))
    before = desk.case(case_id).rank
    assert "★ VIP" not in seat.html
    switch(seat, f"vip-{case_id}", True)
    assert "They are marked as VIP" in seat.told
    assert "★ VIP" in seat.html
    assert "a colleague marked the author as VIP" in seat.html
    assert "marked the author as VIP" in seat.html
    assert desk.case(case_id).rank == pytest.approx(before + 10)
    assert "★ VIP" in Seat("bob").open().html, "in the queue's row"
    seat.click("undo")
    assert not the_author(desk).vip
    assert not seat.app.toggle(key=f"vip-{case_id}").value


def test_a_switch_that_a_colleague_turned_first(desk: Desk, case_id: int) -> None:
    seat = Seat().open("case", id=str(case_id))
    with Session(desk.engine) as session:
        authors.set_vip(session, case_id, "bob", vip=True)
    switch(seat, f"vip-{case_id}", True)
    assert "A colleague was first" in seat.told
    assert seat.app.toggle(key=f"vip-{case_id}").value


def test_blocking_says_what_it_means(desk: Desk, case_id: int) -> None:
    seat = Seat().open("case", id=str(case_id))
    assert "No new cases" in seat.app.toggle(key=f"blocked-{case_id}").help
    switch(seat, f"blocked-{case_id}", True)
    assert "Their new posts make no case any more" in seat.told
    assert desk.complaint("ben", "Again no refund") == 0
    seat.click("undo")
    assert not the_author(desk).blocked
    assert desk.complaint("ben", "Again and again no refund") == case_id


def test_nobody_decides_without_a_name(desk: Desk, case_id: int) -> None:
    seat = switch(Seat(None).open("case", id=str(case_id)), f"vip-{case_id}", True)
    assert "Choose your name first" in seat.told
    assert not the_author(desk).vip
    assert not seat.app.toggle(key=f"vip-{case_id}").value


def prefer(seat: Seat, text: str) -> Seat:
    """Say how the author wants to be answered."""
    label = "How they want to be answered"
    next(i for i in seat.app.text_input if i.label == label).set_value(text).run()
    seat.check()
    return seat


def test_a_preference_stands_beside_the_answer(desk: Desk, case_id: int) -> None:
    seat = prefer(Seat().open("case", id=str(case_id)), "By phone, <b>never</b> **in public**")
    hint = '<div class="notice hint" role="note">'
    assert hint in seat.html
    assert "By phone, &lt;b&gt;never&lt;/b&gt; **in public**" in seat.html
    other = Seat("bob").open("case", id=str(case_id))
    prefer(seat, "By letter")
    assert "wants: By letter" in prefer(other, "In French").told
    assert the_author(desk).preference == "By letter"
    prefer(seat, "")
    assert hint not in seat.html
    seat.click("undo")
    assert the_author(desk).preference == "By letter"


def test_what_is_known_of_the_author(desk: Desk, case_id: int) -> None:
    desk.complaint("ben", "Lovely weather", probability=0.1)
    page = Seat().open("case", id=str(case_id)).html
    assert '<span class="muted small">Followers</span><b>1,200</b>' in page
    assert '<span class="muted small">Posts</span><b>2</b>' in page
    assert '<span class="muted small">Cases</span><b>1</b>' in page


def choose(seat: Seat, case_id: int, *chosen: str) -> Seat:
    """Let the field of tags say this."""
    seat.app.multiselect(key=f"tags-{case_id}").set_value(list(chosen)).run()
    seat.check()
    return seat


def test_tags_are_added_suggested_and_taken_off(desk: Desk, case_id: int) -> None:
    other = desk.complaint("eva", "It broke")
    with Session(desk.engine) as session:
        tags.add(session, other, "bob", "late refund")
    seat = Seat().open("case", id=str(case_id))
    field = seat.app.multiselect(key=f"tags-{case_id}")
    assert (field.value, field.options) == ([], ["late refund"])
    choose(seat, case_id, "late refund", " New One ")
    assert seat.app.multiselect(key=f"tags-{case_id}").value == ["late refund", "new one"]
    assert "tagged it" in seat.html
    choose(seat, case_id, "new one")
    with Session(desk.engine) as session:
        assert tags.of_cases(session, [case_id])[case_id] == ["new one"]
    seat.click("undo")
    assert seat.app.multiselect(key=f"tags-{case_id}").value == ["late refund", "new one"]
    with Session(desk.engine) as session:
        tags.remove(session, case_id, "bob", "new one")
    assert seat.look().app.multiselect(key=f"tags-{case_id}").value == ["late refund"]


def test_a_tag_that_is_too_long_is_refused_and_not_shown(desk: Desk, case_id: int) -> None:
    seat = choose(Seat().open("case", id=str(case_id)), case_id, "x" * 31)
    assert "at most 30 letters" in seat.told
    assert seat.app.multiselect(key=f"tags-{case_id}").value == []
    nobody = choose(Seat(None).open("case", id=str(case_id)), case_id, "app")
    assert "Choose your name first" in nobody.told


def test_what_was_posted_before_is_counted_and_linked(desk: Desk) -> None:
    first = desk.complaint("ben", "No refund!", hours=50)
    desk.complaint("ben", "no refund", hours=40, probability=0.1)
    desk.complaint("ben", "NO REFUND @halewick", hours=30)
    page = Seat().open("case", id=str(first)).html
    assert page.count("posted this 3 times") == 3, "on both posts of the case, and in the list"
    assert "on the network ↗" in page
    assert "in this case" in page
    assert "posted this" not in Seat().open("case", id=str(desk.complaint("eva", "Gone"))).html


def change(desk: Desk, case_id: int, **values: object) -> None:
    """The author changes the case's post on the network."""
    with Session(desk.engine) as session:
        post = session.exec(select(Post).where(Post.case_id == case_id)).one()
        for name, value in values.items():
            setattr(post, name, value)
        session.add(post)
        session.commit()


def test_an_edit_is_shown_as_a_difference_and_said_to_come_after_our_reply(
    desk: Desk, case_id: int
) -> None:
    change(desk, case_id, previous_text="No money for weeks", edited_at=now() - timedelta(hours=1))
    seat = Seat().open("case", id=str(case_id))
    assert "No <del>money </del><ins>refund </ins>for weeks" in seat.html
    assert "edited after our reply" not in seat.html
    with Session(desk.engine) as session:
        replies.record_elsewhere(session, case_id, "alice", "https://social.invalid/r/1")
    assert "edited after our reply" not in seat.look().html, "it was before"
    change(desk, case_id, edited_at=now() + timedelta(minutes=1))
    assert "edited after our reply" in seat.look().html


def test_the_words_of_a_deleted_post_are_gone(desk: Desk, case_id: int) -> None:
    change(desk, case_id, previous_text="Words of before", deleted_at=now())
    for page, address in (("case", {"id": str(case_id)}), ("work_queue", {})):
        change(desk, case_id, text="", previous_text=None)
        html = Seat().open(page, **address).html
        assert "deleted" in html
        assert "No refund" not in html
        assert "picture or a link" not in html
    assert "its words are gone" in Seat().open("case", id=str(case_id)).html


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("a b c", "a b c", "a b c"),
        ("", "new", "<ins>new</ins>"),
        ("old", "", "<del>old</del>"),
        ("a <b> c", "a <i> c", "a <del>&lt;b&gt; </del><ins>&lt;i&gt; </ins>c"),
        ("", "", ""),
    ],
)
def test_differences_are_drawn_as_text(before: str, after: str, shown: str) -> None:
    assert difference(before, after) == shown


def test_very_long_texts_are_not_compared() -> None:
    assert difference("a " * 2000, "b") == "a " * 2000
    assert "<del>" in difference("a " * 1499, "b " * 1499)
