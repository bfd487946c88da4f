"""What people say of posts is learned only where it helps, can be taken back, and is rescored."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest
from sqlmodel import Session, col, select

from monitor.desk.arrivals.refresh import refresh
from monitor.desk.arrivals.triage import triage_new
from monitor.intake import learning
from monitor.intake.learning import Learned, active_layer, go_back, learn
from monitor.intake.scoring import rescore, score_new, to_rescore
from monitor.model import layer as layers
from monitor.model.scorer import Score, Sentiment
from monitor.store.models import (
    Author,
    Case,
    Label,
    LabelOrigin,
    Layer,
    Post,
    Source,
    now,
)

GLAD, CROSS = (np.eye(8)[place] * 127 for place in (0, 1))


class Undecided:
    """A scorer that finds every post as likely as not; what it is about tells them apart."""

    name = "undecided-1"
    languages = frozenset({"en"})

    def __call__(self, texts: Sequence[str]) -> list[Score]:
        return [
            Score(
                0.5,
                Sentiment.NEUTRAL,
                0.5,
                0.3,
                (CROSS if "late" in text else GLAD).astype(np.int8).tobytes(),
            )
            for text in texts
        ]


def fill(session: Session, source: Source, posts: int, *, by_chance: bool = False) -> None:
    """Posts on two subjects, all labelled: one subject is always a complaint, or neither is."""
    for number in range(posts):
        author = Author(network="net", external_id=f"a{number}", handle=f"a{number}")
        session.add(author)
        session.flush()
        late = number % 2 == 0
        post = Post(
            network="net",
            external_id=f"p{number}",
            source_id=source.id,
            author_id=author.id,
            text=f"{'late' if late else 'fine'} {number}",
            created_at=now() - timedelta(hours=1),
        )
        session.add(post)
        session.flush()
        session.add(
            Label(
                post_id=post.id,
                origin=LabelOrigin.DESK,
                complaint=number % 3 == 0 if by_chance else late,
                agent="alice",
                labelled_at=now(),
            )
        )
    session.commit()
    score_new(session, Undecided())


def test_what_is_learned_is_used_for_new_posts_and_can_be_taken_back(
    session: Session, source: Source
) -> None:
    fill(session, source, 60)
    lesson = learn(session, Undecided.name)
    assert lesson.learned is Learned.BETTER
    assert lesson.labels == 60
    assert lesson.after == pytest.approx(1.0)
    assert lesson.before is not None
    assert lesson.before < 0.6

    author = session.exec(select(Author)).first()
    assert author is not None
    for text in ("late again", "fine again"):
        session.add(
            Post(
                network="net",
                external_id=text,
                source_id=source.id,
                author_id=author.id,
                text=text,
                created_at=now(),
            )
        )
    session.commit()
    assert score_new(session, Undecided()) == 2
    found = {
        post.text: post
        for post in session.exec(select(Post).where(col(Post.text).endswith("again")))
    }
    assert (found["late again"].complaint or 0) > 0.7 > 0.3 > (found["fine again"].complaint or 1)
    assert found["late again"].scorer == f"undecided-1+{lesson.version}"
    # What the model alone says is kept: the next lesson starts from it.
    assert found["late again"].odds == pytest.approx(0.0)
    # Those scored before keep their score and their scorer's name.
    first = session.exec(select(Post).where(Post.external_id == "p0")).one()
    assert (first.scorer, first.complaint) == ("undecided-1", 0.5)

    assert go_back(session, Undecided.name) is None
    assert active_layer(session, Undecided.name) is None
    with pytest.raises(LookupError, match="nothing to take back"):
        go_back(session, Undecided.name)


def test_labels_that_teach_nothing_change_nothing(session: Session, source: Source) -> None:
    assert learn(session, Undecided.name).learned is Learned.TOO_FEW
    fill(session, source, 90, by_chance=True)
    lesson = learn(session, Undecided.name)
    assert lesson.learned is Learned.NOT_BETTER
    assert lesson.version is None
    assert session.exec(select(Layer)).all() == []


def test_a_second_version_goes_back_to_the_first(session: Session, source: Source) -> None:
    fill(session, source, 60)
    first = learn(session, Undecided.name)
    assert learn(session, Undecided.name).learned is Learned.NOTHING_NEW
    second = learn(session, Undecided.name, again=True)
    assert second.version != first.version
    back = go_back(session, Undecided.name)
    assert back is not None
    assert back.id == first.version
    active = active_layer(session, Undecided.name)
    assert active is not None
    assert active.id == first.version
    # Another model has learned nothing yet.
    assert active_layer(session, "another-1") is None


def test_rescoring_ranks_the_open_cases_anew(session: Session, source: Source) -> None:
    fill(session, source, 60)
    triage_new(session, 0.4)
    learn(session, Undecided.name)
    assert to_rescore(session) == 60
    done = [(posts, refresh(session, cases)) for posts, cases in rescore(session, Undecided())]
    assert done == [(60, 60)]
    session.expire_all()
    ranked = session.exec(select(Case, Post).where(col(Post.id) == col(Case.post_id))).all()
    late = [case.rank for case, post in ranked if post.text.startswith("late")]
    fine = [case.rank for case, post in ranked if post.text.startswith("fine")]
    assert min(late) > max(fine)
    # What people said of these posts counts for more than any score.
    assert {case.complaint for case, _ in ranked} == {0.0, 1.0}


def test_a_layer_fits_in_float32_bytes() -> None:
    weights = np.asarray([0.5, -1.25, 3.0])
    assert layers.from_bytes(layers.to_bytes(weights)).tolist() == weights.tolist()


def test_what_was_taken_back_stays_so_until_somebody_says_more(
    session: Session, source: Source
) -> None:
    fill(session, source, 60)
    assert learn(session, Undecided.name).learned is Learned.BETTER
    go_back(session, Undecided.name)
    lesson = learn(session, Undecided.name)
    assert (lesson.learned, lesson.version) == (Learned.NOTHING_NEW, None)
    label = session.exec(select(Label)).first()
    assert label is not None
    label.labelled_at = now()
    session.add(label)
    session.commit()
    assert learn(session, Undecided.name).learned is Learned.BETTER, "as many, but a newer word"


def test_learning_goes_on_past_its_limit(
    session: Session, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "MOST_LABELS", 60)
    fill(session, source, 70)
    assert learn(session, Undecided.name).labels == 60
    assert learn(session, Undecided.name).learned is Learned.NOTHING_NEW
    label = session.exec(select(Label)).first()
    assert label is not None
    label.labelled_at = now()
    session.add(label)
    session.commit()
    assert learn(session, Undecided.name).learned is Learned.BETTER
