"""The priority: parts that add up, and a rank that sorts the same at any time."""

from datetime import timedelta

import pytest

from monitor.desk.priority import parts, priority, rank
from monitor.store.models import Case
from tests.conftest import NOON


def case(**values: object) -> Case:
    return Case.model_validate(
        {"author_id": 1, "network": "net", "post_id": 1, "opened_at": NOON, **values}
    )


@pytest.mark.parametrize(
    ("values", "points"),
    [
        ({"complaint": 1.0, "waiting_since": NOON}, 40.0),
        ({"complaint": 1.0, "measured": False, "waiting_since": NOON}, 20.0),
        ({"severity": 0.5, "waiting_since": NOON}, 10.0),
        ({"reach": 999_999, "waiting_since": NOON}, 15.0),
        ({"contacts": 3, "waiting_since": NOON}, 10.0),
        ({"contacts": 99, "waiting_since": NOON}, 15.0),
        ({"waiting_since": NOON - timedelta(days=1)}, 3.0),
        ({"answered_at": NOON - timedelta(hours=4)}, -29.5),
    ],
)
def test_points(values: dict[str, object], points: float) -> None:
    found = case(**values)
    assert priority(found, NOON) == pytest.approx(points)
    assert sum(part.points for part in parts(found, NOON)) == pytest.approx(points)


def test_a_language_that_was_not_measured_is_said_in_words() -> None:
    (sure, *_) = parts(case(complaint=0.9, measured=False), NOON)
    assert sure.because == (
        "90% sure that it is a complaint, in a language that the model was not measured on: "
        "counted half"
    )
    (sure, *_) = parts(case(complaint=0.9), NOON)
    assert sure.because == "90% sure that it is a complaint"


def test_rank_sorts_as_the_priority_does_now_and_later() -> None:
    cases = [
        case(complaint=0.9, waiting_since=NOON),
        case(complaint=0.3, waiting_since=NOON - timedelta(days=9)),
        case(complaint=0.8, severity=1.0, reach=50_000, waiting_since=NOON - timedelta(hours=3)),
        case(complaint=1.0, answered_at=NOON - timedelta(days=2)),
        case(complaint=1.0, measured=False, waiting_since=NOON),
    ]
    by_rank = sorted(range(5), key=lambda index: rank(cases[index]))
    for later in (timedelta(0), timedelta(hours=5), timedelta(days=40)):
        assert by_rank == sorted(range(5), key=lambda index: priority(cases[index], NOON + later))


def test_a_case_that_ended_unanswered_is_not_said_to_be_answered() -> None:
    ended = parts(case(answered_at=None, waiting_since=None), NOON + timedelta(hours=3))
    words = {part.name: part.because for part in ended}
    assert words["answered"] == "the customer is not waiting"
    assert words["waiting"] == "3 h since the case was opened"
    answered = parts(case(answered_at=NOON), NOON + timedelta(hours=3))
    words = {part.name: part.because for part in answered}
    assert words["answered"] == "we answered; the customer is not waiting"
    assert words["waiting"] == "3 h since our answer"
