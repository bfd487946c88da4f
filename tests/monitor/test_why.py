"""The explanation of a score: complete, in one call, and true to the model."""

import random
from collections.abc import Sequence
from statistics import mean

import pytest

from monitor.model.scorer import Score, Scorer, Sentiment, load_scorer
from monitor.model.why import LONGEST, SPANS, Piece, why
from tests.monitor.test_scorer import COMPLAINTS

TEXTS = [
    "one",
    "  spaces before,\n\nlines   between\tand after \n",
    " ".join(str(number) for number in range(100)),
    "お客様サポートに電話しても誰も出ません。最悪です",
    "waiting 😡😡 for @acme https://acme.example/a?b=c&d e\u0301",
    "x" * 5_000,
    "word " * 900,
]


class Picky:
    """Takes a text for a complaint if it says broken, and less so if it says thanks."""

    name = "picky"
    languages: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def __call__(self, texts: Sequence[str]) -> list[Score]:
        """Keep what was asked; score by two words."""
        self.calls.append(list(texts))
        found = [0.5 + 0.4 * ("broken" in t) - 0.2 * ("thanks" in t) for t in texts]
        return [Score(number, Sentiment.NEUTRAL, 0.0, 0.0, None) for number in found]


@pytest.mark.parametrize("text", TEXTS)
def test_joined_pieces_are_the_text_and_one_call_scores_them(text: str) -> None:
    scorer = Picky()
    pieces = why(scorer, text)
    assert "".join(piece.text for piece in pieces) == text[:LONGEST]
    assert 1 <= len(pieces) <= SPANS
    (asked,) = scorer.calls
    assert len(asked) == len(pieces) + 1


def test_text_without_words_has_no_pieces() -> None:
    scorer = Picky()
    assert why(scorer, "") == why(scorer, " \n ") == []
    assert not scorer.calls


def test_the_word_that_alone_drives_the_score_has_the_weight() -> None:
    pieces = why(Picky(), "the phone is broken and nobody answers, thanks a lot")
    weights = {piece.text.strip(): piece.weight for piece in pieces}
    assert weights.pop("broken") > 0.5
    assert weights.pop("thanks") < -0.5
    assert set(weights.values()) == {0.0}


def test_groups_of_a_long_text_are_of_one_size() -> None:
    sizes = {len(piece.text.split()) for piece in why(Picky(), "word " * 100)}
    assert sizes == {6, 7}


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return load_scorer(threads=1)


@pytest.mark.slow
def test_the_shipped_model_needs_the_heaviest_spans_more_than_others(scorer: Scorer) -> None:
    chance = random.Random(7)
    falls: list[tuple[float, float]] = []
    for text in COMPLAINTS:
        pieces = why(scorer, text)
        heaviest = sorted(range(len(pieces)), key=lambda place: -pieces[place].weight)[:3]
        others = [chance.sample(range(len(pieces)), 3) for _ in range(5)]
        whole, *left = (
            score.complaint
            for score in scorer(
                [text, _without(pieces, heaviest), *(_without(pieces, o) for o in others)]
            )
        )
        falls.append((whole - left[0], mean(whole - other for other in left[1:])))
    assert mean(heavy for heavy, _ in falls) > mean(other for _, other in falls) + 0.05


def _without(pieces: list[Piece], places: list[int]) -> str:
    return "".join(piece.text for place, piece in enumerate(pieces) if place not in places)
