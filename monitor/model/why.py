"""Why a post scores as it does: how much each part of its text weighs, by leaving it out.

Nothing is asked of the model but its scores, so that this holds for every scorer.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from monitor.model.scorer import Scorer, log_odds

LONGEST = 1_000
"""Characters that are explained; the shipped model reads fewer."""

SPANS = 16
"""Spans of a text at most: each one is one more text to score."""

# Words with the white space that follows them; Chinese and Japanese put none between theirs.
_WORD = re.compile(
    r"\s*(?:[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]"
    r"|[^\s\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]+)\s*"
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text and what it does to the score."""

    text: str
    weight: float
    """How far the log odds of a complaint fall without it; negative where they rise."""


def why(scorer: Scorer, text: str) -> list[Piece]:
    """What each span of the text weighs, all of them scored in one call.

    The pieces joined are the text's first LONGEST characters; a text without words has none.
    """
    spans = cut(text[:LONGEST])
    if not spans:
        return []
    without = ["".join(spans[:place] + spans[place + 1 :]) for place in range(len(spans))]
    whole, *others = (log_odds(score.complaint) for score in scorer(["".join(spans), *without]))
    return [Piece(span, whole - other) for span, other in zip(spans, others, strict=True)]


def cut(text: str, spans: int = SPANS) -> list[str]:
    """The text as its words, or as `spans` groups of about as many words where it has more."""
    words = _WORD.findall(text)
    groups = min(spans, len(words))
    borders = [len(words) * place // groups for place in range(groups + 1)] if groups else []
    return ["".join(words[start:end]) for start, end in pairwise(borders)]
