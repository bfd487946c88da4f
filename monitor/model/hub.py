"""Runs a Hugging Face text classifier in the shipped model's place, where one is configured.

It needs the extra `[hub]` (torch) and reads the model from a local folder or, given a name, from
the hub. A sentiment model can serve: what it calls negative counts as a complaint.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from monitor.model.scorer import BATCH, NOTHING, ModelError, Score, Sentiment, probabilities
from monitor.model.text import MAX_TOKENS, clean


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one label of a classifier says about a post."""

    sentiment: Sentiment
    complaint: bool
    severity: float  # 0..1, on the steps that the shipped model was taught


_AWFUL = Meaning(Sentiment.NEGATIVE, True, 1.0)
_BAD = Meaning(Sentiment.NEGATIVE, True, 2 / 3)
_NEUTRAL = Meaning(Sentiment.NEUTRAL, False, 1 / 3)
_GOOD = Meaning(Sentiment.POSITIVE, False, 0.0)
_NO_COMPLAINT = Meaning(Sentiment.NEUTRAL, False, 0.0)

_MEANINGS = {
    "very negative": _AWFUL,
    "negative": _BAD,
    "neg": _BAD,
    "neutral": _NEUTRAL,
    "neu": _NEUTRAL,
    "positive": _GOOD,
    "pos": _GOOD,
    "very positive": _GOOD,
    "1 star": _AWFUL,
    "2 stars": _BAD,
    "3 stars": _NEUTRAL,
    "4 stars": _GOOD,
    "5 stars": _GOOD,
    "complaint": _BAD,
    "not complaint": _NO_COMPLAINT,
    "no complaint": _NO_COMPLAINT,
    "non complaint": _NO_COMPLAINT,
}
# Numbered labels say nothing by themselves; of this family it is published what they mean.
_NUMBERED = {"cardiffnlp/twitter-roberta-base-sentiment": (_BAD, _NEUTRAL, _GOOD)}


def read_labels(model: str, labels: Mapping[int, str]) -> list[Meaning]:
    """Return what each of a classifier's labels means, in the order of its outputs.

    Raises ModelError, with the labels found, unless every one is known and they tell complaints
    (or negative posts) from the rest.
    """
    names = [labels[number] for number in sorted(labels)]
    if model in _NUMBERED and names == ["LABEL_0", "LABEL_1", "LABEL_2"]:
        return list(_NUMBERED[model])
    plain = [re.sub(r"[\W_]+", " ", name).strip().lower() for name in names]
    meanings = [_MEANINGS[name] for name in plain if name in _MEANINGS]
    if len(meanings) < len(names) or len({meaning.complaint for meaning in meanings}) < 2:
        raise ModelError(
            f"The labels of the model {model} are {', '.join(names)}: it cannot be told which of "
            "them mean a complaint. Use a model with the labels negative, neutral and positive, "
            "'1 star' to '5 stars', or complaint and not_complaint."
        )
    return meanings


class HubScorer:
    """A sequence classifier of the transformers library, run by torch."""

    def __init__(self, model: str, *, threads: int | None = None) -> None:
        try:
            import torch
        except ImportError as error:
            raise ModelError(
                f"The model {model} needs torch: run pip install '.[hub]', or use \"shipped\"."
            ) from error
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        if threads is not None:
            torch.set_num_threads(threads)
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(model)
            self._net: Any = AutoModelForSequenceClassification.from_pretrained(model).eval()
        except (OSError, ValueError) as error:
            raise ModelError(
                f"The model {model} cannot be loaded ({error}): give the name of a text "
                "classifier on the Hugging Face hub, or a folder that holds one."
            ) from error
        self._meanings = read_labels(model, self._net.config.id2label)
        self._name = model

    @property
    def name(self) -> str:
        """The name or folder that was asked for."""
        return self._name

    @property
    def languages(self) -> frozenset[str]:
        """Empty: nobody has told what it was measured on."""
        return frozenset()

    def __call__(self, texts: Sequence[str]) -> list[Score]:
        """Return one score per text, in their order; a text without words is no complaint."""
        cleaned = [clean(text) for text in texts]
        scores = [NOTHING] * len(cleaned)
        worded = [place for place, text in enumerate(cleaned) if text]
        worded.sort(key=lambda place: len(cleaned[place]))
        for start in range(0, len(worded), BATCH):
            places = worded[start : start + BATCH]
            found = self._probabilities([cleaned[place] for place in places])
            for place, row in zip(places, found, strict=True):
                scores[place] = self._score(row)
        return scores

    def _probabilities(self, cleaned: list[str]) -> Any:
        import torch

        tokens = self._tokenizer(
            cleaned, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        )
        with torch.inference_mode():
            logits = self._net(**tokens).logits
        return probabilities(logits.float().numpy(), temperature=1.0)

    def _score(self, row: Any) -> Score:
        shares = dict.fromkeys(Sentiment, 0.0)
        for share, meaning in zip(row, self._meanings, strict=True):
            shares[meaning.sentiment] += float(share)
        return Score(
            complaint=float(np.dot(row, [meaning.complaint for meaning in self._meanings])),
            sentiment=max(shares, key=lambda sentiment: shares[sentiment]),
            negative=shares[Sentiment.NEGATIVE],
            severity=float(np.dot(row, [meaning.severity for meaning in self._meanings])),
            vector=None,
        )
