"""The figures of a scorer on the sets that it was not taught on: one row a figure.

Every set is read where it lies; one that is absent gives "not measured".
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monitor.model import layer
from monitor.model.data import (
    HELD_OUT_DOMAINS,
    HELD_OUT_INDUSTRIES,
    WRITTEN_POSTS,
    fault_posts,
    read_rows,
)
from monitor.model.evaluate import (
    average_precision,
    calibration_error,
    chance_error,
    class_scores,
)
from monitor.model.scorer import Score, Scorer, Sentiment, log_odds

LIVE_SHARE = 0.1  # About the share of complaints among the posts that name a company.
LANGUAGES = ("english", "french", "german", "italian", "portuguese", "spanish", "arabic", "hindi")
# Corrections of one brand after which the ranking of its other posts is measured.
CORRECTIONS = (0, 50, 200, 1_000)
DRAWS = 3
NEAREST = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of a report."""

    data: str
    measure: str
    posts: int
    value: float | None  # None: not measured, as the set is absent or has one class only


def report(scorer: Scorer, data: Path) -> list[Row]:
    """Return the figures of `scorer` on the sets in `data`, and on the posts kept beside it."""
    return [
        *_tweets(scorer, data),
        *_complaints(scorer, data),
        *_airline(scorer, data),
        *_faults(scorer, data),
        *_written(scorer),
        *_kinds(scorer),
        *_languages(scorer, data),
    ]


def _tweets(scorer: Scorer, data: Path) -> Iterator[Row]:
    path = data / "tweeteval" / "sentiment_val.tsv"
    yield from _tone(scorer, "sentiment of tweets", path)


def _tone(scorer: Scorer, name: str, path: Path) -> Iterator[Row]:
    if not path.exists():
        yield Row(name, "macro recall", 0, None)
        return
    rows = list(read_rows(path))
    wanted = [list(Sentiment)[int(row["label"])] for row in rows]
    found = [score.sentiment for score in scorer([row["text"] for row in rows])]
    yield Row(name, "macro recall", len(rows), class_scores(found, wanted)[0])


def _complaints(scorer: Scorer, data: Path) -> Iterator[Row]:
    name, path = "complaints, unseen domains", data / "complaints" / "complaints.csv"
    if not path.exists():
        yield Row(name, "average precision", 0, None)
        return
    rows = [row for row in read_rows(path) if row["domain"] in HELD_OUT_DOMAINS]
    scores = scorer([row["text"] for row in rows])
    yield from _subject(name, scores, [row["complaint"] == "1" for row in rows])


def _subject(name: str, scores: Sequence[Score], wanted: list[bool]) -> Iterator[Row]:
    said = [score.complaint for score in scores]
    found = [probability >= 0.5 for probability in said]
    yield Row(name, "macro F1 at 0.5", len(said), class_scores(found, wanted)[1])
    yield Row(name, "average precision", len(said), average_precision(said, wanted))
    yield Row(name, "calibration error", len(said), calibration_error(said, wanted))
    yield Row(name, "what chance alone would show of it", len(said), chance_error(said))


def _airline(scorer: Scorer, data: Path) -> Iterator[Row]:
    name, path = "negative tweets to airlines", data / "airline" / "airline.csv"
    if not path.exists():
        yield Row(name, "average precision", 0, None)
        return
    rows = list(read_rows(path))
    wanted = [row["airline_sentiment"] == "negative" for row in rows]
    scores = scorer([row["text"] for row in rows])
    for column, said in (
        ("complaint", [score.complaint for score in scores]),
        ("negative", [score.negative for score in scores]),
    ):
        plain = average_precision(said, wanted)
        live = average_precision(said, wanted, LIVE_SHARE)
        yield Row(name, f"average precision by {column}", len(rows), plain)
        yield Row(name, f"the same at {LIVE_SHARE:.0%} negative", len(rows), live)


def _faults(scorer: Scorer, data: Path) -> Iterator[Row]:
    """Yield how often the posts nearest to a complaint by vector tell of the same fault.

    All of these posts are complaints: a vector that knows moods only would do no better than
    chance. Those written for the project tell of the faults of companies that were never taught.
    """
    path = data / "airline" / "airline.csv"
    rows = [row for row in read_rows(path) if row["negativereason"]] if path.exists() else []
    reasons = [row["negativereason"] for row in rows]
    yield _near("airline complaints on one reason", scorer, [row["text"] for row in rows], reasons)
    told = list(fault_posts(dev=True))
    faults = [example.fault for example in told]
    yield _near("written posts on one fault", scorer, [example.text for example in told], faults)


def _near(name: str, scorer: Scorer, texts: list[str], reasons: list[str]) -> Row:
    measure = f"share of the {NEAREST} nearest with the same one"
    scores = scorer(texts)
    kept = [place for place, score in enumerate(scores) if score.vector]
    if not kept:
        return Row(name, measure, len(texts), None)
    vectors = np.frombuffer(b"".join(scores[place].vector or b"" for place in kept), np.int8)
    directions = vectors.reshape(len(kept), -1).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    numbers = np.unique([reasons[place] for place in kept], return_inverse=True)[1]
    shares = []
    for start in range(0, len(kept), 512):
        near = directions[start : start + 512] @ directions.T
        near[np.arange(len(near)), start + np.arange(len(near))] = -2  # not a post's own neighbour
        best = np.argpartition(-near, NEAREST, axis=1)[:, :NEAREST]
        shares.append((numbers[best] == numbers[start : start + 512, None]).mean(axis=1))
    return Row(name, measure, len(kept), float(np.concatenate(shares).mean()))


def _held_out_posts() -> list[dict[str, str]]:
    """Return the posts written for this project about companies of a kind never taught."""
    return [row for row in read_rows(WRITTEN_POSTS) if row["industry"] in HELD_OUT_INDUSTRIES]


def _written(scorer: Scorer) -> Iterator[Row]:
    rows = [row for row in _held_out_posts() if row["complaint"] == row["second_complaint"]]
    scores = scorer([row["text"] for row in rows])
    yield from _subject("written posts", scores, [row["complaint"] == "1" for row in rows])


def _kinds(scorer: Scorer) -> Iterator[Row]:
    """Yield the share of right decisions at 0.5 on slices of the written posts."""
    rows = [row for row in _held_out_posts() if row["complaint"] == row["second_complaint"]]
    scores = scorer([row["text"] for row in rows])
    right = [
        (score.complaint >= 0.5) == (row["complaint"] == "1")
        for score, row in zip(scores, rows, strict=True)
    ]
    slices: dict[str, Callable[[dict[str, str]], bool]] = {
        "sarcasm": lambda row: row["kind"] == "sarcasm",
        "praise with a complaint inside": lambda row: row["kind"] == "sting",
        "questions and requests": lambda row: row["kind"] in ("question", "request"),
        "thanks and praise": lambda row: row["kind"] in ("thanks", "praise"),
        "middle of a thread": lambda row: row["kind"] in ("followup", "answer"),
        "news, jobs, spam, chatter": lambda row: (
            row["kind"] in ("news", "job", "spam", "chatter", "joke", "rival", "wish", "other")
        ),
        "with an emoji": lambda row: any(ord(letter) > 0x2600 for letter in row["text"]),
        "up to 6 words": lambda row: len(row["text"].split()) <= 6,
        "over 20 words": lambda row: len(row["text"].split()) > 20,
    }
    for name, fits in slices.items():
        chosen = [good for good, row in zip(right, rows, strict=True) if fits(row)]
        share = sum(chosen) / len(chosen) if chosen else None
        yield Row(f"written posts: {name}", "share decided rightly", len(chosen), share)


def _languages(scorer: Scorer, data: Path) -> Iterator[Row]:
    for language in LANGUAGES:
        path = data / "multilingual" / f"{language}_val.tsv"
        yield from _tone(scorer, f"sentiment, {language}", path)


@dataclass(frozen=True, slots=True)
class Learning:
    """How the ranking of one brand's posts does after some of them were corrected."""

    corrections: int
    average_precision: float
    live: float  # the same, weighted to LIVE_SHARE


def learning_curve(scorer: Scorer, data: Path) -> list[Learning]:
    """Return what corrections of one airline bring on the rest of its posts.

    Each of the four airlines in turn, DRAWS draws of corrections each; plain means. A layer that
    is not better by cross-validation is not used, as in the product. Empty without the set.
    """
    path = data / "airline" / "airline.csv"
    if not path.exists():
        return []
    rows = list(read_rows(path))
    scores = scorer([row["text"] for row in rows])
    kept = [place for place, score in enumerate(scores) if score.vector]
    said = layer.said(
        [log_odds(scores[place].complaint) for place in kept],
        [scores[place].negative for place in kept],
        [scores[place].vector or b"" for place in kept],
    )
    wanted = np.asarray([rows[place]["airline_sentiment"] == "negative" for place in kept])
    brands = np.asarray([rows[place]["airline"] for place in kept])
    found = []
    for corrections in CORRECTIONS:
        figures = []
        for brand in np.unique(brands):
            for draw in range(DRAWS):
                order = np.random.default_rng(draw).permutation(np.flatnonzero(brands == brand))
                taught, rest = order[:corrections], order[corrections:]
                fit = layer.fit(said[taught], list(wanted[taught]))
                odds = said[rest].odds
                if fit and fit.better:
                    odds = layer.corrected(fit.weights, said[rest])
                labels = [bool(label) for label in wanted[rest]]
                figures.append(
                    (
                        average_precision(list(odds), labels) or 0.0,
                        average_precision(list(odds), labels, LIVE_SHARE) or 0.0,
                    )
                )
        plain, live = (float(mean) for mean in np.mean(figures, axis=0))
        found.append(Learning(corrections, plain, live))
    return found
