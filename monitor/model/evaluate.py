"""How good is a scorer? Precision, recall and the rest, on posts that people have labelled."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from monitor.model.scorer import Scorer

_YES = frozenset({"1", "true", "yes", "complaint"})
_NO = frozenset({"0", "false", "no", "not_complaint", "not complaint", "other"})


@dataclass(frozen=True, slots=True)
class Labelled:
    """A post and what a person says of it."""

    text: str
    complaint: bool


@dataclass(frozen=True, slots=True)
class Metrics:
    """How well probabilities agree with labels; None where the posts give nothing to measure."""

    posts: int
    complaints: int
    missed: int  # complaints under the threshold
    precision: float | None  # share of the posts from the threshold on that are complaints
    recall: float | None  # share of the complaints that are found
    f1: float | None
    average_precision: float | None  # the ranking alone, without a threshold
    calibration_error: float | None  # expected calibration error, 10 bins, 0 is best


def evaluate(scorer: Scorer, rows: Sequence[Labelled], threshold: float = 0.5) -> Metrics:
    """Return how well `scorer` finds the complaints in `rows`, counting from `threshold`."""
    scores = scorer([row.text for row in rows])
    return measure([s.complaint for s in scores], [row.complaint for row in rows], threshold)


def measure(
    probabilities: Sequence[float], labels: Sequence[bool], threshold: float = 0.5
) -> Metrics:
    """Return how well `probabilities` agree with `labels`."""
    wanted = np.asarray(labels, dtype=bool)
    flagged = np.asarray(probabilities, dtype=float) >= threshold
    hits = int((flagged & wanted).sum())
    precision = _share(hits, int(flagged.sum()))
    recall = _share(hits, int(wanted.sum()))
    return Metrics(
        posts=len(wanted),
        complaints=int(wanted.sum()),
        missed=int(wanted.sum()) - hits,
        precision=precision,
        recall=recall,
        f1=_share(2 * hits, int(flagged.sum()) + int(wanted.sum())),
        average_precision=average_precision(probabilities, labels),
        calibration_error=calibration_error(probabilities, labels),
    )


def average_precision(
    scores: Sequence[float], labels: Sequence[bool], share: float | None = None
) -> float | None:
    """Return the mean precision over the ranks at which a labelled post is found.

    Equal scores count as one rank. With `share`, the labelled posts are weighted as if they were
    that share of all: precision on a set full of complaints says little about a quiet day.
    """
    wanted = np.asarray(labels, dtype=bool)
    if not wanted.any() or wanted.all():
        return None
    weight = 1.0
    if share is not None:
        weight = share / (1 - share) * float((~wanted).sum()) / float(wanted.sum())
    ranks = np.asarray(scores, dtype=float)
    order = np.argsort(-ranks, kind="stable")
    found = np.cumsum(wanted[order]) * weight
    others = np.cumsum(~wanted[order])
    last = np.append(np.diff(ranks[order]) != 0, True)  # the last post of each group of equals
    found, others = found[last], others[last]
    gained = np.diff(found, prepend=0.0) / found[-1]
    return float((gained * found / (found + others)).sum())


def calibration_error(
    probabilities: Sequence[float], labels: Sequence[bool], bins: int = 10
) -> float | None:
    """Return the mean gap between the probability said and the share found, in equal bins."""
    if not len(labels):
        return None
    said = np.asarray(probabilities, dtype=float)
    wanted = np.asarray(labels, dtype=float)
    places = np.minimum((said * bins).astype(int), bins - 1)
    gaps = np.bincount(places, said - wanted, minlength=bins)
    return float(np.abs(gaps).sum() / len(said))


def chance_error(probabilities: Sequence[float], draws: int = 200) -> float | None:
    """Return the calibration error that exactly right probabilities would show on so few posts.

    The mean over labels that are drawn by the probabilities themselves, always the same draws.
    """
    if not len(probabilities):
        return None
    said = np.asarray(probabilities, dtype=float)
    chance = np.random.default_rng(1).random((draws, len(said)))
    drawn = (chance < said).tolist()
    errors = [calibration_error(probabilities, labels) or 0.0 for labels in drawn]
    return float(np.mean(errors))


def class_scores(found: Sequence[Any], wanted: Sequence[Any]) -> tuple[float, float]:
    """Return the recall and the F1, each a plain mean over the classes that are in `wanted`."""
    recalls, f1s = [], []
    for label in sorted(set(wanted)):
        hits = sum(f == w == label for f, w in zip(found, wanted, strict=True))
        times_found = sum(f == label for f in found)
        times_wanted = sum(w == label for w in wanted)
        recalls.append(hits / times_wanted)
        f1s.append(2 * hits / (times_found + times_wanted))
    return sum(recalls) / len(recalls), sum(f1s) / len(f1s)


def load(path: Path) -> list[Labelled]:
    """Return the labelled posts of a comma (.csv) or tab (.tsv) separated file.

    It has a header line with the columns `text` and `complaint` (or `label`): 1, true, yes or
    complaint, and 0, false, no, not_complaint or other. Raises ValueError naming the line.
    """
    labelled = []
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        columns = reader.fieldnames or []
        column = next((name for name in ("complaint", "label") if name in columns), None)
        if column is None or "text" not in columns:
            raise ValueError(f"{path}: the columns text and complaint (or label) are needed")
        for row in reader:
            label = (row[column] or "").strip().lower()
            if label not in _YES | _NO:
                raise ValueError(f"{path}, line {reader.line_num}: {label!r} is no label")
            labelled.append(Labelled(row["text"], label in _YES))
    return labelled


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
