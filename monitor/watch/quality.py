"""How good the model is on this team's own posts, from what people said of the blind samples.

A sample has two parts, posts under the threshold and posts from it on, each drawn at random. So a
labelled post stands for as many as its part has posts for each labelled one, and sums of these
weights estimate sums over all posts (Horvitz and Thompson 1952, "A generalization of sampling
without replacement from a finite universe").
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlmodel import Session, col, select

from monitor.desk.labels import countable
from monitor.store.models import Author, BlindSample, Label, LabelOrigin, Post, now

ENOUGH_FINE, ENOUGH_FLAGGED = 40, 15
"""Labels of each part from which figures are told."""

SAMPLES = 13
"""How many of the newest samples count: what is older speaks of other products and models."""

WORKLOAD_DAYS = 28

THRESHOLDS = tuple(step / 20 for step in range(1, 20))

Z = 1.959964
"""Standard deviations on each side that hold 95 %."""

DRAWS, SEED = 4000, 20261123


@dataclass(frozen=True)
class Given:
    """What a person said of one post of a sample."""

    sample: int
    flagged: bool
    """Its part: it ranked from the threshold on when it was drawn."""
    complaint: bool
    score: float
    """The model's, as it is now."""
    population: int
    """Posts that its part was drawn from."""
    threshold: float
    """That of its sample."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Figures:
    """How the model does at a threshold; None: not measured."""

    fine: int
    """Labels that were given of the part under the threshold."""
    flagged: int
    weeks: int
    precision: Estimate | None
    """Of the posts from the threshold on, the share that are complaints."""
    recall: Estimate | None
    """Of all complaints, the share that rank from the threshold on."""
    missed: Estimate | None
    """Complaints under the threshold, a week."""

    @property
    def lacking(self) -> tuple[int, int]:
        """Labels that each part still needs: under the threshold, and from it on."""
        return max(0, ENOUGH_FINE - self.fine), max(0, ENOUGH_FLAGGED - self.flagged)


@dataclass(frozen=True)
class Point:
    """What a threshold would mean for a week."""

    threshold: float
    workload: float
    """Posts from the threshold on."""
    missed: Estimate | None
    """Complaints under it."""


@dataclass(frozen=True)
class Counts:
    """How many labels people gave."""

    by_origin: dict[LabelOrigin, int]
    corrections: int
    """Posts of which a person says something else than the model at today's threshold."""


def wilson(hits: float, n: float) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927, "Probable inference").

    (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n), with p = hits / n.
    """
    if n <= 0:
        return 0.0, 1.0
    share = hits / n
    middle = share + Z * Z / (2 * n)
    half = Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    scale = 1 + Z * Z / n
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def given(session: Session) -> list[Given]:
    """What was said of the newest samples. A sample counts once each of its parts has a label."""
    newest = select(BlindSample.id).order_by(col(BlindSample.week).desc()).limit(SAMPLES)
    rows = session.exec(
        select(BlindSample, Label.flagged, Label.complaint, Post.complaint)
        .where(
            col(BlindSample.id).in_(newest.subquery().select()),
            col(Label.sample_id) == col(BlindSample.id),
            col(Label.complaint).is_not(None),
            col(Post.id) == col(Label.post_id),
            col(Post.complaint).is_not(None),
        )
        .order_by(col(Label.id))
    ).all()
    parts = {(sample.id, bool(part)) for sample, part, _, _ in rows}
    return [
        Given(
            sample=sample.id,
            flagged=bool(part),
            complaint=bool(said),
            score=score or 0.0,
            population=sample.flagged if part else sample.fine,
            threshold=sample.threshold,
        )
        for sample, part, said, score in rows
        if (not sample.fine or (sample.id, False) in parts)
        and (not sample.flagged or (sample.id, True) in parts)
    ]


def figures(said: Sequence[Given], threshold: float) -> Figures:
    """Precision, recall and missed complaints at a threshold.

    Precision has Wilson's interval over as many labels as the weights leave (Kish's effective
    size; at today's threshold, of one sample, all labels of the flagged part).
    """
    fine = sum(not one.flagged for one in said)
    flagged = len(said) - fine
    weeks = len({one.sample for one in said})
    if fine < ENOUGH_FINE or flagged < ENOUGH_FLAGGED:
        return Figures(fine, flagged, weeks, None, None, None)
    weights = _weights(said)
    shown = [(w, one) for w, one in zip(weights, said, strict=True) if one.score >= threshold]
    found = sum(w for w, one in shown if one.complaint)
    complaints = sum(w for w, one in zip(weights, said, strict=True) if one.complaint)
    precision = recall = None
    if shown:
        n = _effective([w for w, _ in shown])
        share = found / sum(w for w, _ in shown)
        precision = Estimate(share, *wilson(share * n, n))
    missed, recalled = _simulate(said, weights, threshold)
    if complaints:
        recall = Estimate(found / complaints, *_interval(recalled))
    under = (complaints - found) / weeks
    return Figures(
        fine, flagged, weeks, precision, recall, Estimate(under, *_interval(missed / weeks))
    )


def curve(session: Session, today: float) -> list[Point]:
    """What each threshold would mean, today's among them: posts a week and missed complaints.

    Posts are counted over the last 28 days, or as many as there have been.
    """
    thresholds = sorted({*THRESHOLDS, today})
    since = now() - timedelta(days=WORKLOAD_DAYS)
    sums = [sa.func.sum(sa.case((col(Post.complaint) >= at, 1), else_=0)) for at in thresholds]
    first, *numbers = session.execute(
        sa.select(sa.func.min(col(Post.created_at)), *sums)
        .select_from(Post)
        .join(Author, col(Author.id) == col(Post.author_id))
        .where(*countable(), col(Post.created_at) >= since)
    ).one()
    weeks = max(1.0, (now() - first) / timedelta(days=7)) if first else 1.0
    said = given(session)
    return [
        Point(at, (number or 0) / weeks, figures(said, at).missed)
        for at, number in zip(thresholds, numbers, strict=True)
    ]


def counts(session: Session, threshold: float) -> Counts:
    """How many labels there are by origin, and of how many posts a person corrects the model."""
    found = session.exec(
        select(Label.origin, sa.func.count())
        .where(col(Label.complaint).is_not(None))
        .group_by(col(Label.origin))
    ).all()
    flagged = col(Post.complaint) >= threshold
    corrections = session.exec(
        select(sa.func.count(sa.distinct(col(Label.post_id)))).where(
            col(Post.id) == col(Label.post_id),
            sa.or_(
                sa.and_(col(Label.complaint).is_(True), ~flagged),
                sa.and_(col(Label.complaint).is_(False), flagged),
            ),
        )
    ).one()
    numbers = dict.fromkeys(LabelOrigin, 0) | {LabelOrigin(origin): n for origin, n in found}
    return Counts(numbers, corrections)


def _weights(said: Sequence[Given]) -> list[float]:
    """How many posts each label stands for: its part's population over its part's labels."""
    sizes = Counter((one.sample, one.flagged) for one in said)
    return [one.population / sizes[one.sample, one.flagged] for one in said]


def _effective(weights: Sequence[float]) -> float:
    """How many labels of equal weight would tell as much (Kish 1965): (Σw)² / Σw²."""
    squares = sum(w * w for w in weights)
    return sum(weights) ** 2 / squares if squares else 0.0


def _interval(drawn: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(low), float(high)


def _simulate(
    said: Sequence[Given], weights: Sequence[float], threshold: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Missed complaints of all weeks and the recall, as they may be, drawn with a fixed seed.

    In each part the share of complaints, and of these the share under the threshold, follow their
    Beta posterior with Jeffreys' prior, Beta(hits + 1/2, others + 1/2). Where the threshold lies
    beyond the part, all of its complaints are on one side of it.
    """
    random = np.random.default_rng(SEED)
    missed, found = np.zeros(DRAWS), np.zeros(DRAWS)
    for flagged in (False, True):
        part = [(w, one) for w, one in zip(weights, said, strict=True) if one.flagged is flagged]
        total = sum(w for w, _ in part)
        if not total:
            continue
        n = _effective([w for w, _ in part])
        above = sum(w for w, o in part if o.complaint and o.score >= threshold) * n / total
        below = sum(w for w, o in part if o.complaint and o.score < threshold) * n / total
        complaints = total * random.beta(
            above + below + 0.5, max(0.0, n - above - below) + 0.5, DRAWS
        )
        share = random.beta(below + 0.5, above + 0.5, DRAWS)
        if flagged and not below and threshold <= min(o.threshold for _, o in part):
            share = np.zeros(DRAWS)
        elif not flagged and not above and threshold >= max(o.threshold for _, o in part):
            share = np.ones(DRAWS)
        missed += complaints * share
        found += complaints * (1 - share)
    return missed, found / (missed + found)
