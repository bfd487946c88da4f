"""What the shipped model has to beat: a word list, counted words, and its own base untaught.

They are taught on what it was taught on. They need the extra `[train]`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from monitor.model import data
from monitor.model.scorer import Score, Scorer, Sentiment, sigmoid
from monitor.model.text import clean

FROZEN_TWEETS = 12_000  # Reading all of them with the base takes minutes and changes little.


class WordList:
    """VADER: a list of words with their tone (Hutto and Gilbert, 2014)."""

    name = "VADER"
    languages = frozenset({"en"})

    def __init__(self) -> None:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

        self._vader: Any = SentimentIntensityAnalyzer()

    def __call__(self, texts: Sequence[str]) -> list[Score]:
        """Return one score per text; the tones part at 0.05, as its authors say."""
        return [self._score(self._vader.polarity_scores(text)["compound"]) for text in texts]

    def _score(self, compound: float) -> Score:
        tone = Sentiment.NEUTRAL
        if abs(compound) >= 0.05:
            tone = Sentiment.POSITIVE if compound > 0 else Sentiment.NEGATIVE
        share = (1 - compound) / 2
        return Score(share, tone, share, share, None)


class Regression:
    """Logistic regression on features of the texts: one for the tone, one for the complaint."""

    languages = frozenset({"en"})

    def __init__(
        self, name: str, features: Callable[[list[str]], Any], splits: data.Splits, most: int
    ) -> None:
        from sklearn.linear_model import LogisticRegression

        self.name = name
        self._features = features
        toned = [e for e in [*splits.companies, *splits.general[:most]] if e.sentiment is not None]
        known = [e for e in splits.companies if e.complaint is not None]
        # Balanced, as the measure counts all classes alike.
        self._tone: Any = LogisticRegression(class_weight="balanced", max_iter=300)
        self._tone.fit(features([e.text for e in toned]), [e.sentiment for e in toned])
        self._complaint: Any = LogisticRegression(max_iter=300)
        self._complaint.fit(features([e.text for e in known]), [e.complaint for e in known])

    def __call__(self, texts: Sequence[str]) -> list[Score]:
        """Return one score per text."""
        read = self._features([clean(text) for text in texts])
        tones = self._tone.predict_proba(read)
        complaints = sigmoid(self._complaint.decision_function(read))
        return [
            Score(float(share), list(Sentiment)[int(tone.argmax())], float(tone[0]), 0.0, None)
            for share, tone in zip(complaints, tones, strict=True)
        ]


def _counted_words(shared: Path) -> Scorer:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import FeatureUnion

    splits = data.load(shared)
    counts: Any = FeatureUnion(
        [
            ("words", TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)),
            ("letters", TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=5)),
        ]
    )
    counts.fit([example.text for example in [*splits.general, *splits.companies]])
    return Regression("TF-IDF + LR", counts.transform, splits, len(splits.general))


def _untaught(shared: Path) -> Scorer:
    import torch
    from transformers import PreTrainedTokenizerFast

    from monitor.model.net import load_encoder, pool, tokenize
    from monitor.model.train import find_base

    base = find_base()
    tokenizer = PreTrainedTokenizerFast.from_pretrained(base, local_files_only=True)
    encoder = load_encoder(base).eval()

    def features(texts: list[str]) -> Any:
        found = np.zeros((len(texts), encoder.config.hidden_size), np.float32)
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
            for start in range(0, len(order), 32):
                places = order[start : start + 32]
                tokens = tokenize(tokenizer, [texts[place] or "." for place in places])
                found[places] = pool(encoder, **tokens).float().numpy()
        return found

    return Regression("frozen MiniLM + LR", features, data.load(shared), FROZEN_TWEETS)


BASELINES: dict[str, Callable[[Path], Scorer]] = {
    "VADER": lambda _: WordList(),
    "TF-IDF + LR": _counted_words,
    "frozen MiniLM + LR": _untaught,
}
