"""The measures are checked against sums done by hand."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from monitor.model.evaluate import (
    Labelled,
    average_precision,
    calibration_error,
    chance_error,
    class_scores,
    evaluate,
    load,
    measure,
)
from monitor.model.report import Row, learning_curve, report
from monitor.model.scorer import Score, Sentiment


class Shouting:
    """A scorer that hears a complaint in capital letters."""

    name = "shouting"
    languages = frozenset({"en"})

    def __call__(self, texts: Sequence[str]) -> list[Score]:
        """Return a score per text."""
        return [self._score(text.isupper()) for text in texts]

    def _score(self, loud: bool) -> Score:
        share = 0.9 if loud else 0.1
        sentiment = Sentiment.NEGATIVE if loud else Sentiment.POSITIVE
        return Score(share, sentiment, share, share, None)


def test_measure_counts_from_the_threshold() -> None:
    metrics = measure([0.9, 0.5, 0.4, 0.1, 0.8], [True, True, True, False, False])
    assert (metrics.posts, metrics.complaints, metrics.missed) == (5, 3, 1)
    assert metrics.precision == pytest.approx(2 / 3)
    assert metrics.recall == pytest.approx(2 / 3)
    assert metrics.f1 == pytest.approx(2 / 3)
    strict = measure([0.9, 0.5, 0.4, 0.1, 0.8], [True, True, True, False, False], threshold=0.85)
    assert strict.precision == 1
    assert strict.recall == pytest.approx(1 / 3)
    assert strict.f1 == pytest.approx(0.5)


def test_what_cannot_be_measured_is_none() -> None:
    quiet = measure([0.1, 0.2], [False, False])
    assert (quiet.precision, quiet.recall, quiet.f1, quiet.average_precision) == (None,) * 4
    assert measure([], []).calibration_error is None


def test_average_precision() -> None:
    # Found at the ranks 1, 3 and 4: (1/1 + 2/3 + 3/4) / 3.
    labels = [True, False, True, True, False]
    assert average_precision([0.9, 0.8, 0.7, 0.6, 0.5], labels) == pytest.approx(29 / 36)
    assert average_precision([0.5, 0.6, 0.7, 0.8, 0.9], labels[::-1]) == pytest.approx(29 / 36)


def test_average_precision_cannot_be_won_by_ties() -> None:
    assert average_precision([0.5] * 4, [True, False, False, False]) == pytest.approx(0.25)


def test_average_precision_at_another_share() -> None:
    # One in four: each complaint weighs 1/3 of a post, as there are as many as others.
    # Found at the ranks 1 and 3: (1/1 + (2/3) / (2/3 + 1)) / 2.
    labels = [True, False, True, False]
    found = average_precision([0.9, 0.8, 0.7, 0.6], labels, share=0.25)
    assert found == pytest.approx((1 + 2 / 5) / 2)
    assert average_precision([0.9, 0.8, 0.7, 0.6], labels, share=0.5) == pytest.approx(5 / 6)


def test_calibration_error() -> None:
    # Two at 0.95 of whom one is right: off by 0.45. Two at 0.05 of whom none: off by 0.05.
    found = calibration_error([0.95, 0.95, 0.05, 0.05], [True, False, False, False])
    assert found == pytest.approx(0.25)
    assert calibration_error([1.0, 0.0], [True, False]) == 0


def test_what_chance_shows_of_a_calibration_error() -> None:
    # The mean of 100 fair coins is off by sqrt(2 / pi) * 0.5 / 10 on average.
    assert chance_error([0.5] * 100) == pytest.approx(0.040, abs=0.005)
    assert chance_error([1.0, 0.0]) == 0
    assert chance_error([]) is None


def test_class_scores_weigh_every_class_alike() -> None:
    # Recall: a 2/3, b 1/1. F1: a 4/5, b 2/3.
    recall, f1 = class_scores(["a", "a", "b", "b"], ["a", "a", "a", "b"])
    assert recall == pytest.approx(5 / 6)
    assert f1 == pytest.approx((4 / 5 + 2 / 3) / 2)


def test_evaluate_runs_the_scorer() -> None:
    rows = [Labelled("WHERE IS IT", True), Labelled("still broken", True), Labelled("nice", False)]
    metrics = evaluate(Shouting(), rows)
    assert (metrics.precision, metrics.recall, metrics.missed) == (1.0, 0.5, 1)


@pytest.mark.parametrize(("name", "gap"), [("posts.csv", ","), ("posts.tsv", "\t")])
def test_load_reads_both_kinds_of_file(tmp_path: Path, name: str, gap: str) -> None:
    path = tmp_path / name
    rows = [["id", "text", "label"], ["1", "broken", "Complaint"], ["2", "hello", "0"]]
    path.write_text("\ufeff" + "\n".join(gap.join(row) for row in rows), encoding="utf-8")
    assert load(path) == [Labelled("broken", True), Labelled("hello", False)]


def test_load_names_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    path.write_text("text,complaint\nbroken,1\nhello,maybe\n")
    with pytest.raises(ValueError, match=r"line 3: 'maybe' is no label"):
        load(path)
    path.write_text("text,topic\nbroken,1\n")
    with pytest.raises(ValueError, match="columns text and complaint"):
        load(path)


def test_report_measures_on_the_sets_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "tweeteval").mkdir()
    (tmp_path / "tweeteval" / "sentiment_val.tsv").write_text(
        "label\ttext\n0\tBAD\n2\tgood\n2\tA\n"
    )
    (tmp_path / "complaints").mkdir()
    (tmp_path / "complaints" / "complaints.csv").write_text(
        "id,text,complaint,domain\n1,BAD FOOD,1,food\n2,tasty,0,food\n3,left out,1,retail\n"
    )
    rows = report(Shouting(), tmp_path)
    assert rows[0] == Row("sentiment of tweets", "macro recall", 3, 0.75)
    assert rows[1] == Row("complaints, unseen domains", "macro F1 at 0.5", 2, 1.0)
    assert Row("negative tweets to airlines", "average precision", 0, None) in rows
    assert rows[-1] == Row("sentiment, hindi", "macro recall", 0, None)
    written = {row.measure: row for row in rows if row.data == "written posts"}
    assert written["average precision"].posts > 500
    assert learning_curve(Shouting(), tmp_path) == []
