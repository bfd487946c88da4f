"""The shipped file on posts that it was not taught on: figures and agreement, not exact values."""

import csv
from pathlib import Path

import pytest

from monitor.model.data import HELD_OUT_INDUSTRIES, WRITTEN_POSTS, read_rows
from monitor.model.evaluate import average_precision, class_scores
from monitor.model.report import learning_curve, report
from monitor.model.scorer import Scorer, Sentiment, load_scorer

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def shipped() -> Scorer:
    """The shipped model."""
    return load_scorer(threads=2)


def test_it_ranks_posts_to_companies_of_a_kind_never_taught(shipped: Scorer) -> None:
    rows = [row for row in read_rows(WRITTEN_POSTS) if row["industry"] in HELD_OUT_INDUSTRIES]
    agreed = [row for row in rows if row["complaint"] == row["second_complaint"]]
    assert len(agreed) > 600
    scores = shipped([row["text"] for row in agreed])
    said = [score.complaint for score in scores]
    wanted = [row["complaint"] == "1" for row in agreed]
    precision = average_precision(said, wanted)
    assert precision is not None
    assert precision > 0.92
    assert class_scores([share >= 0.5 for share in said], wanted)[1] > 0.81
    toned = [row["sentiment"] == row["second_sentiment"] for row in agreed]
    found = [score.sentiment for score, keep in zip(scores, toned, strict=True) if keep]
    tones = [
        list(Sentiment)[int(row["sentiment"])]
        for row, keep in zip(agreed, toned, strict=True)
        if keep
    ]
    assert class_scores(found, tones)[0] > 0.79


def test_every_written_post_was_read_twice_by_its_rules() -> None:
    rows = list(read_rows(WRITTEN_POSTS))
    assert len({row["text"].casefold() for row in rows}) == len(rows) > 5_000
    assert len({row["industry"] for row in rows}) >= 30
    for column, allowed in (("sentiment", "012"), ("complaint", "01"), ("severity", "0123")):
        for name in (column, f"second_{column}"):
            assert {row[name] for row in rows} <= set(allowed), name


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared data, which is not here")
def test_its_figures_on_public_sets_are_those_of_its_card(
    shipped: Scorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A third of the airlines' posts, and no other languages: `make evaluate` reads everything.
    for name in ("tweeteval", "complaints"):
        (tmp_path / name).symlink_to(SHARED / name)
    (tmp_path / "airline").mkdir()
    rows = list(read_rows(SHARED / "airline" / "airline.csv"))[::3]
    with (tmp_path / "airline" / "airline.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    found = {(row.data, row.measure): row.value or 0.0 for row in report(shipped, tmp_path)}
    assert found["sentiment of tweets", "macro recall"] > 0.715
    assert found["complaints, unseen domains", "average precision"] > 0.965
    assert found["complaints, unseen domains", "macro F1 at 0.5"] > 0.83
    assert found["negative tweets to airlines", "the same at 10% negative"] > 0.63

    monkeypatch.setattr("monitor.model.report.CORRECTIONS", (0, 400))
    monkeypatch.setattr("monitor.model.report.DRAWS", 1)
    before, after = learning_curve(shipped, tmp_path)
    assert (before.corrections, after.corrections) == (0, 400)
    assert after.live > before.live
