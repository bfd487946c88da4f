"""What a case page says about the model: why it scores so, how good it is, and corrections."""

import html
from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from dashboard import resources
from monitor.desk import labels
from monitor.model.scorer import ModelError, Score, Sentiment
from monitor.store.models import Label, LabelOrigin, Post
from tests.dashboard.conftest import Seat
from tests.dashboard.seed import Desk
from tests.dashboard.test_hostile import HOSTILE


class Picky:
    """Takes a post for a complaint if it says refund, and counts how often it is asked."""

    name = "test-1"
    languages: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, texts: Sequence[str]) -> list[Score]:
        """A score by one word."""
        self.asked += 1
        found = [0.9 if "refund" in text else 0.2 for text in texts]
        return [Score(number, Sentiment.NEGATIVE, 0.5, 0.5, None) for number in found]


@pytest.fixture
def picky(monkeypatch: pytest.MonkeyPatch) -> Picky:
    """A model for the dashboard to ask."""
    made = Picky()
    monkeypatch.setattr(resources, "scorer", lambda: made)
    return made


def test_the_model_is_asked_when_somebody_wants_to_know(
    desk: Desk, case_id: int, picky: Picky
) -> None:
    seat = Seat().open("case", id=str(case_id))
    assert picky.asked == 0
    page = seat.click("why-show").html
    assert 'class="weight towards" style="--share:100%" title="+3.58">refund</span>' in page
    assert 'class="weight towards" style="--share:0%" title="+0.00">No</span>' in page
    assert "speaks for a complaint" in page
    assert "the score is from" not in page
    seat.look()
    Seat("bob").open("case", id=str(case_id)).click("why-show")
    assert picky.asked == 1


def test_a_part_that_goes_on_in_the_next_paragraph_has_no_ground_between(
    desk: Desk, picky: Picky
) -> None:
    case_id = desk.complaint("ben", "a b c d e f g h i j k l m n o.\n\np " + "s " * 16)
    page = Seat().open("case", id=str(case_id)).click("why-show").html
    assert 'title="+0.00">o.</span>\n\n<span' in page
    assert 'title="+0.00">s s</span> </div>' in page


def test_another_model_than_the_one_that_scored_is_named(
    desk: Desk, case_id: int, picky: Picky
) -> None:
    picky.name = "test-2"
    page = Seat().open("case", id=str(case_id)).click("why-show").html
    assert "This is how test-2 reads it; the score is from test-1." in page
    with Session(desk.engine) as session:
        session.execute(sa.update(Post).values(scorer="test-2+7"))
        session.commit()
    page = Seat().open("case", id=str(case_id)).click("why-show").html
    assert "What the model learned from this team is in the score, but not in this." in page


def test_a_long_post_is_explained_in_part_and_an_empty_one_not_at_all(
    desk: Desk, picky: Picky
) -> None:
    long = desk.complaint("ben", "refund " * 300)
    page = Seat().open("case", id=str(long)).click("why-show").html
    assert "Only the first 1,000 characters" in page
    empty = Seat().open("case", id=str(desk.complaint("eva", "")))
    assert not empty.has("why-show")


def test_a_model_that_cannot_be_loaded_is_told_in_words(
    desk: Desk, case_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ModelError("The file <b> is gone: install the project again.")

    monkeypatch.setattr(resources, "load_scorer", broken)
    page = Seat().open("case", id=str(case_id)).click("why-show").html
    assert "The model cannot be asked. The file &lt;b&gt; is gone" in page


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_post_is_its_text_in_the_explanation(desk: Desk, picky: Picky, text: str) -> None:
    case_id = desk.complaint("ben", text)
    page = Seat().open("case", id=str(case_id)).click("why-show").html
    weighed = page.split('class="foreign text weighed"')[1].split('<p class="legend')[0]
    assert all(html.escape(word) in weighed for word in text.split())
    assert "<script>alert" not in page
    assert "<img" not in page
    assert 'onmouseover="' not in page


def test_a_language_that_was_not_measured_is_told_on_every_row_and_card(
    desk: Desk, case_id: int
) -> None:
    words = ("language not measured", "Nobody has measured how well the model reads")
    for page, address in (("work_queue", {}), ("case", {"id": str(case_id)})):
        assert words[0] not in Seat().open(page, **address).html
    with Session(desk.engine) as session:
        session.execute(sa.update(Post).values(measured=False))
        session.commit()
    for page, address in (("work_queue", {}), ("case", {"id": str(case_id)})):
        shown = Seat().open(page, **address).html
        assert all(word in shown for word in words), page


def said(desk: Desk) -> list[tuple[object, ...]]:
    """Every label: what, how severe, by whom."""
    with Session(desk.engine) as session:
        found = session.exec(select(Label).where(Label.origin == LabelOrigin.DESK)).all()
        return [
            (label.complaint, label.severity, label.agent)
            for label in found
            if label.complaint is not None
        ]


def test_the_model_is_corrected_and_the_correction_undone(desk: Desk, case_id: int) -> None:
    seat = Seat().open("case", id=str(case_id))
    assert "Nobody has said yet" in seat.html
    seat.click("label-no")
    assert said(desk) == [(False, None, "alice")]
    assert "Kept: not a complaint." in seat.told
    assert "<b>Not a complaint</b> · alice · " in seat.html
    seat.click("undo")
    assert said(desk) == []
    assert "Nobody has said yet" in seat.html


def test_a_correction_may_say_how_it_sounds_and_undo_brings_back_the_one_before(
    desk: Desk, case_id: int
) -> None:
    seat = Seat("bob").open("case", id=str(case_id)).click("label-no")
    post_id = desk.case(case_id).post_id
    seat = Seat("alice").open("case", id=str(case_id))
    seat.app.segmented_control(key=f"severity-{post_id}").set_value("Furious")
    seat.click("label-yes")
    assert said(desk) == [(True, 1.0, "alice")]
    assert "<b>A complaint, furious</b> · alice" in seat.html
    seat.click("undo")
    assert said(desk) == [(False, None, "bob")]
    seat.click("label-clear")
    assert said(desk) == []


def test_what_was_said_elsewhere_is_shown_and_stays(desk: Desk, case_id: int) -> None:
    post_id = desk.case(case_id).post_id
    with Session(desk.engine) as session:
        labels.set_label(session, post_id, "bob", True, LabelOrigin.CHECK, None)
    seat = Seat().open("case", id=str(case_id))
    assert "<b>A complaint</b> · bob · " in seat.html
    assert "among the uncertain posts" in seat.html
    assert not seat.has("label-clear")


def test_somebody_without_a_name_corrects_nothing(desk: Desk, case_id: int) -> None:
    seat = Seat(None).open("case", id=str(case_id)).click("label-yes")
    assert "Choose your name first" in seat.told
    assert said(desk) == []
