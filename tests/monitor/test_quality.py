"""Quality is arithmetic on labels: checked by hand, and silent where there is too little."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from monitor.desk import labels
from monitor.store.models import BlindSample, Label, LabelOrigin, Source, now
from monitor.watch import quality
from monitor.watch.quality import Given
from tests.conftest import ALICE
from tests.monitor.test_labels import add


def part(
    flagged: bool, hits: int, n: int, population: int, sample: int = 1, score: float | None = None
) -> list[Given]:
    """`n` labels of a part, of which `hits` say that it is a complaint."""
    at = score if score is not None else (0.8 if flagged else 0.2)
    return [Given(sample, flagged, i < hits, at, population, 0.5) for i in range(n)]


def test_wilson_as_in_the_books() -> None:
    # Newcombe 1998, table I: 81 of 263, and 0 of 20.
    assert quality.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert quality.wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert quality.wilson(0, 0) == (0.0, 1.0)


def test_figures_equal_the_sums_by_hand() -> None:
    # 2 of 40 stand for 400 posts, 15 of 20 for 100: 20 complaints missed, 75 found.
    found = quality.figures(part(False, 2, 40, 400) + part(True, 15, 20, 100), 0.5)
    assert found.precision is not None
    assert found.recall is not None
    assert found.missed is not None
    assert found.precision.value == pytest.approx(0.75)
    low, high = quality.wilson(15, 20)
    assert (found.precision.low, found.precision.high) == pytest.approx((low, high))
    assert found.missed.value == pytest.approx(20)
    assert found.recall.value == pytest.approx(75 / 95)
    # Beta(2.5, 38.5) times 400 has these quantiles.
    assert found.missed.low == pytest.approx(4.3, abs=1.0)
    assert found.missed.high == pytest.approx(60, abs=4)
    assert found.recall.low < found.recall.value < found.recall.high


def test_samples_weigh_by_their_own_populations() -> None:
    said = part(False, 1, 20, 100, sample=1) + part(True, 10, 10, 10, sample=1)
    said += part(False, 0, 40, 800, sample=2) + part(True, 5, 10, 30, sample=2)
    found = quality.figures(said, 0.5)
    assert found.missed is not None
    assert found.precision is not None
    assert found.missed.value == pytest.approx(5 / 2), "a week"
    assert found.precision.value == pytest.approx((10 + 15) / 40)
    assert found.precision.low < found.precision.value < found.precision.high


def test_another_threshold_moves_both() -> None:
    said = part(False, 4, 20, 200, score=0.4) + part(False, 0, 20, 200, score=0.1)[:20]
    said += part(True, 18, 20, 100, score=0.9)
    lower, today, higher = (quality.figures(said, at).missed for at in (0.3, 0.5, 0.95))
    assert lower is not None
    assert today is not None
    assert higher is not None
    # Each of the 40 labels stands for 5 posts.
    assert (lower.value, today.value, higher.value) == pytest.approx((0, 20, 110))
    assert lower.high < today.high < higher.low


def test_nothing_is_told_below_the_minimum() -> None:
    few = quality.figures(part(False, 2, 39, 400) + part(True, 15, 20, 100), 0.5)
    assert (few.precision, few.recall, few.missed, few.lacking) == (None, None, None, (1, 0))
    few = quality.figures(part(False, 2, 40, 400) + part(True, 9, 14, 100), 0.5)
    assert (few.precision, few.lacking) == (None, (0, 1))
    assert quality.figures([], 0.5).lacking == (40, 15)
    none = quality.figures(part(False, 0, 40, 400) + part(True, 0, 15, 100), 0.5)
    assert none.recall is None, "there was no complaint to be found"
    assert none.missed is not None
    assert none.missed.value == 0


def test_the_same_labels_give_the_same_figures() -> None:
    said = part(False, 2, 40, 400) + part(True, 15, 20, 100)
    assert quality.figures(said, 0.5) == quality.figures(said, 0.5)


@pytest.fixture
def sampled(session: Session, source: Source) -> Callable[..., BlindSample]:
    """Stores a sample with labels of its parts: (flagged, score, what was said)."""

    def store(week: date, *said: tuple[bool, float, bool | None], **numbers: Any) -> BlindSample:
        sample = BlindSample(week=week, threshold=0.5, **{"fine": 80, "flagged": 4, **numbers})
        session.add(sample)
        session.commit()
        for flagged, score, complaint in said:
            post = add(session, source, score)
            session.add(
                Label(
                    post_id=post.id,
                    origin=LabelOrigin.SAMPLE,
                    sample_id=sample.id,
                    flagged=flagged,
                    complaint=complaint,
                )
            )
        session.commit()
        return sample

    return store


def test_only_samples_with_both_parts_count(
    session: Session, sampled: Callable[..., BlindSample]
) -> None:
    sampled(date(2026, 11, 2), (False, 0.1, False), (True, 0.9, None))
    assert quality.given(session) == []
    second = sampled(
        date(2026, 11, 9), (False, 0.1, False), (False, 0.2, None), (True, 0.9, True)
    ).id
    assert quality.given(session) == [
        Given(second, False, False, 0.1, 80, 0.5),
        Given(second, True, True, 0.9, 4, 0.5),
    ]
    third = sampled(date(2026, 11, 16), (False, 0.3, True), flagged=0).id
    assert [one.sample for one in quality.given(session)] == [second, second, third]


def test_the_curve_counts_the_posts_of_four_weeks(session: Session, source: Source) -> None:
    add(session, source, 0.9, created_at=now() - timedelta(days=27.999))
    for score in (0.9, 0.5, 0.43, 0.2):
        add(session, source, score)
    add(session, source, 0.9, created_at=now() - timedelta(days=29))
    add(session, source, 0.9, own=True)
    points = {point.threshold: point for point in quality.curve(session, 0.43)}
    assert len(points) == 20
    assert min(points) == 0.05
    assert max(points) == 0.95
    per_week = {at: points[at].workload * 4 for at in (0.05, 0.43, 0.45, 0.5, 0.95)}
    assert per_week == pytest.approx({0.05: 5, 0.43: 4, 0.45: 3, 0.5: 3, 0.95: 0}, rel=1e-3)
    assert points[0.5].missed is None


def test_a_young_desk_is_not_divided_by_four(session: Session, source: Source) -> None:
    assert {point.workload for point in quality.curve(session, 0.5)} == {0}
    add(session, source, 0.9, created_at=now() - timedelta(days=3))
    add(session, source, 0.9)
    by_threshold = {point.threshold: point.workload for point in quality.curve(session, 0.5)}
    assert by_threshold[0.5] == 2


def test_labels_are_counted_by_origin_with_the_corrections(
    session: Session, source: Source
) -> None:
    wrong, right = add(session, source, 0.9).id, add(session, source, 0.1).id
    labels.set_label(session, wrong, ALICE, False, LabelOrigin.DESK)
    labels.set_label(session, wrong, ALICE, False, LabelOrigin.OUTCOME)
    labels.set_label(session, right, ALICE, False, LabelOrigin.CHECK)
    found = quality.counts(session, 0.5)
    assert found.by_origin == {
        LabelOrigin.DESK: 1,
        LabelOrigin.OUTCOME: 1,
        LabelOrigin.CHECK: 1,
        LabelOrigin.SAMPLE: 0,
    }
    assert found.corrections == 1
