"""What a team's labels teach: a small layer that corrects the shipped model's verdict.

It is a logistic regression on what the model already says of a post: its log odds, its tone and
its vector. It starts as "no change" and is drawn towards that, so a few labels change little.
Fitting takes seconds on a CPU; the network itself stays as it was shipped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

FOLDS = 5
LEAST = 40  # labels of which there must be some of both kinds; fewer tell nothing by themselves
PULLS = (1.0, 3.0, 10.0, 30.0)  # how strongly the vector's weights are drawn to nothing
STEPS = 25  # Newton's method is at its end long before
SEED = 20


@dataclass(frozen=True, slots=True)
class Said:
    """What the model says of some posts, as the layer reads it; a row for each post."""

    features: Any  # (posts, 3 + vector) float64: log odds, log odds of the tone, one, the vector

    @property
    def odds(self) -> Any:
        """The model's own log odds of a complaint."""
        return self.features[:, 0]

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, places: Any) -> "Said":
        return Said(self.features[places])


@dataclass(frozen=True, slots=True)
class Fit:
    """A layer and how well it does on labels that it was not fitted to, beside doing nothing."""

    weights: Any  # (features,) float32: what is added to the log odds, times the features
    labels: int
    before: float  # average precision without the layer
    after: float  # average precision with it
    surprise_before: float  # mean negative log probability of the labels, in nats
    surprise_after: float

    @property
    def better(self) -> bool:
        """Whether it ranks better and is less surprised, on labels it has not seen."""
        return self.after > self.before and self.surprise_after < self.surprise_before


def said(odds: Sequence[float], negative: Sequence[float], vectors: Sequence[bytes]) -> Said:
    """Return what a layer reads of posts: log odds, probability of a negative tone, vector."""
    tone = np.clip(np.asarray(negative, dtype=float), 1e-4, 1 - 1e-4)
    directions = np.frombuffer(b"".join(vectors), dtype=np.int8).reshape(len(vectors), -1) / 127
    columns = [np.asarray(odds, dtype=float), np.log(tone / (1 - tone)), np.ones(len(tone))]
    return Said(np.column_stack([*columns, directions]))


def corrected(weights: Any, of: Said) -> Any:
    """Return the log odds of `of` with the layer on top."""
    return of.odds + of.features @ np.asarray(weights, dtype=float)


def fit(of: Said, labels: Sequence[bool]) -> Fit | None:
    """Return the layer that these labels teach, with its measures by cross-validation.

    None where there are fewer than LEAST labels or all of them say the same.
    """
    wanted = np.asarray(labels, dtype=float)
    if len(wanted) < LEAST or min(wanted.sum(), (1 - wanted).sum()) < FOLDS:
        return None
    trials = [(_unseen(of, wanted, pull), pull) for pull in PULLS]
    unseen, pull = min(trials, key=lambda trial: _surprise(trial[0], wanted))
    return Fit(
        weights=_weights(of, wanted, pull).astype(np.float32),
        labels=len(wanted),
        before=_precision(of.odds, wanted),
        after=_precision(unseen, wanted),
        surprise_before=_surprise(of.odds, wanted),
        surprise_after=_surprise(unseen, wanted),
    )


def _unseen(of: Said, wanted: Any, pull: float) -> Any:
    """Return the log odds of every post by a layer that was fitted to the other folds."""
    order = np.random.default_rng(SEED).permutation(len(wanted))
    odds = np.empty(len(wanted))
    for fold in range(FOLDS):
        held = order[fold::FOLDS]
        rest = np.setdiff1d(order, held)
        odds[held] = corrected(_weights(of[rest], wanted[rest], pull), of[held])
    return odds


def _weights(of: Said, wanted: Any, pull: float) -> Any:
    """Return the weights of the least penalised surprise, by Newton's method."""
    features = of.features
    penalty = np.full(features.shape[1], pull)
    penalty[:3] = pull / 10  # The three plain numbers may move more freely than 384 directions.
    weights = np.zeros(features.shape[1])
    for _ in range(STEPS):
        shares = 1 / (1 + np.exp(-np.clip(of.odds + features @ weights, -30, 30)))
        slope = features.T @ (shares - wanted) + penalty * weights
        bend = (features * (shares * (1 - shares))[:, None]).T @ features + np.diag(penalty)
        step = np.linalg.solve(bend, slope)
        weights -= step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def _surprise(odds: Any, wanted: Any) -> float:
    return float(np.logaddexp(0, np.where(wanted > 0, -odds, odds)).mean())


def _precision(odds: Any, wanted: Any) -> float:
    from monitor.model.evaluate import average_precision

    found = average_precision(list(odds), [bool(label) for label in wanted])
    return found if found is not None else 0.0


def to_bytes(weights: Any) -> bytes:
    """Return weights as they are kept: float32, little endian."""
    return np.asarray(weights, dtype="<f4").tobytes()


def from_bytes(kept: bytes) -> Any:
    """Return weights as `to_bytes` wrote them."""
    return np.frombuffer(kept, dtype="<f4")
