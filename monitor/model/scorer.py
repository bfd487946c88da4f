"""Reads posts with the shipped transformer: how much is each one a complaint, and how bad is it?

A scorer is a callable with a name: `scorer(texts)` returns one `Score` per text, in their order.
The shipped one needs no torch, no network and no graphics card.
"""

import hashlib
import json
import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from monitor.model.text import MAX_TOKENS, clean, gist

WEIGHTS = Path(__file__).parent / "weights"
BATCH = 32  # Larger batches take more memory and are no faster on a CPU.
DESCRIBED = frozenset(
    ("name", "version", "languages", "temperatures", "lean", "tone", "shift", "threshold", "sha256")
)
KNOWN = 8_192  # Verdicts that are kept, so that a text that goes round is read once.


class ModelError(Exception):
    """A model cannot be used; the text says what a person can do about it."""


class Sentiment(StrEnum):
    """The tone of a post; the order is that of the shipped model's outputs."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


@dataclass(frozen=True, slots=True)
class Score:
    """A model's verdict on one post."""

    complaint: float  # calibrated probability 0..1 that the post is a complaint
    sentiment: Sentiment
    negative: float  # probability 0..1 of a negative sentiment
    severity: float  # 0 neutral-or-glad to 1 furious; a rank, not a probability
    vector: bytes | None  # 384 int8, about 127 long; None from a model or for a text that has none


class Scorer(Protocol):
    """What every model is to the rest of the project."""

    @property
    def name(self) -> str:
        """The model and its version, stored with every score."""

    @property
    def languages(self) -> frozenset[str]:
        """The languages that it was measured on, such as "en"; empty where that is not known."""

    def __call__(self, texts: Sequence[str]) -> list[Score]:
        """Return one score per text, in their order."""


# What there is to say about a post without words.
NOTHING = Score(0.0, Sentiment.NEUTRAL, 0.0, 0.0, None)


def load_scorer(model: str = "shipped", *, threads: int | None = None) -> Scorer:
    """Return the shipped scorer, or one made of a Hugging Face model's name or local folder.

    `threads` bounds the processor cores used; None leaves it to the engine.
    Raises ModelError when the model is missing, altered, or not one that can rate complaints.
    """
    if model == "shipped":
        return ShippedScorer(WEIGHTS, threads=threads)
    from monitor.model.hub import HubScorer

    return HubScorer(model, threads=threads)


def suggested_threshold() -> float:
    """Return the complaint probability from which the shipped model's makers open a case."""
    return float(_read_description(WEIGHTS)["threshold"])


class ShippedScorer:
    """The model in `folder`, run by ONNX Runtime."""

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        description = _read_description(folder)
        for file, digest in description["sha256"].items():
            _verify(folder / file, digest)
        self._name = f"{description['name']}-{description['version']}"
        self._languages = frozenset(description["languages"])
        self._temperatures: dict[str, float] = description["temperatures"]
        self._lean = np.asarray(description["lean"])
        self._tone: float = description["tone"]
        self._shift: float = description["shift"]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._known: dict[str, Score] = {}
        # Each worker runs whole batches on one core: two threads on one batch wait for each other.
        self._workers = threads or os.cpu_count() or 1
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        # A waiting thread that spins takes the core from the other programs of the machine.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    @property
    def name(self) -> str:
        """The model and its version."""
        return self._name

    @property
    def languages(self) -> frozenset[str]:
        """The languages that it was measured on."""
        return self._languages

    def __call__(self, texts: Sequence[str]) -> list[Score]:
        """Return one score per text, in their order; a text without words is no complaint.

        Texts that differ in nothing that matters are read once and get one score.
        """
        cleaned = [clean(text) for text in texts]
        gists = [gist(text) for text in cleaned]
        fresh = {
            short: text
            for short, text in zip(reversed(gists), reversed(cleaned), strict=True)
            if text and short not in self._known
        }
        # This call's own verdicts are kept apart: they are needed whatever the store forgets.
        found = {short: self._known[short] for short in set(gists) if short in self._known}
        if fresh:
            scores = self._read(list(fresh.values()))
            found |= dict(zip(fresh, scores, strict=True))
            if len(self._known) + len(fresh) > KNOWN:
                self._known = {}
            self._known |= dict(list(found.items())[-KNOWN:])
        return [
            found[short] if text else NOTHING for short, text in zip(gists, cleaned, strict=True)
        ]

    def _read(self, cleaned: Sequence[str]) -> list[Score]:
        """Return one score per cleaned text; none of them is empty, and there is one at least."""
        outputs = self.outputs(cleaned)
        sentiment = probabilities(outputs["sentiment"], self._temperatures["sentiment"])
        tone = (outputs["sentiment"] + self._lean).argmax(axis=1)
        odds = complaint_odds(outputs, self._tone) / self._temperatures["complaint"]
        complaint, severity = sigmoid(odds + self._shift), sigmoid(outputs["severity"])
        vectors = np.rint(outputs["vector"] * 127).astype(np.int8)
        return [
            Score(
                complaint=float(complaint[row]),
                sentiment=list(Sentiment)[int(tone[row])],
                negative=float(sentiment[row, 0]),
                severity=float(severity[row]),
                vector=vectors[row].tobytes(),
            )
            for row in range(len(cleaned))
        ]

    def tokens(self, cleaned: str) -> int:
        """Return how many tokens the network reads for a cleaned text."""
        return len(self._tokenizer.encode(cleaned).ids)

    def outputs(self, cleaned: Sequence[str]) -> dict[str, Any]:
        """Return the network's raw outputs by head: a row for each cleaned text, one at least."""
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch(list(cleaned))]
        names = [output.name for output in self._session.get_outputs()]
        # Posts of one length are read together: no time goes into padding. The longest come first,
        # so that the workers end at about the same time.
        order = sorted(range(len(tokens)), key=lambda place: -len(tokens[place]))
        size = min(BATCH, math.ceil(len(order) / self._workers))
        batches = [order[start : start + size] for start in range(0, len(order), size)]

        def run(places: list[int]) -> list[Any]:
            ids, mask = _padded([tokens[place] for place in places])
            answers: list[Any] = self._session.run(
                names, {"input_ids": ids, "attention_mask": mask}
            )
            return answers

        if len(batches) == 1:
            answered = [run(batches[0])]
        else:
            with ThreadPoolExecutor(self._workers) as pool:
                answered = list(pool.map(run, batches))
        found: dict[str, Any] = {}
        for places, answers in zip(batches, answered, strict=True):
            for name, rows in zip(names, answers, strict=True):
                shape = (len(tokens), *rows.shape[1:])
                found.setdefault(name, np.empty(shape, rows.dtype))[places] = rows
        return found


def complaint_odds(outputs: dict[str, Any], tone: float) -> Any:
    """Return the log odds of a complaint: its own head, and `tone` times those of a negative tone.

    The tone was taught on far more posts, so it holds up better for companies never seen.
    """
    complaint, sentiment = outputs["complaint"], outputs["sentiment"]
    negative = sentiment[:, 0] - np.logaddexp(sentiment[:, 1], sentiment[:, 2])
    return complaint[:, 1] - complaint[:, 0] + tone * negative


def log_odds(probability: float) -> float:
    """Return a probability as log odds; sureness beyond what a score can mean is cut."""
    kept = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(kept / (1 - kept))


def sigmoid(odds: Any) -> Any:
    """Return log odds as probabilities."""
    return 1 / (1 + np.exp(-odds))


def probabilities(logits: Any, temperature: float) -> Any:
    """Return the rows of `logits` as probabilities; a high temperature makes them less sure."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _padded(rows: list[list[int]]) -> tuple[Any, Any]:
    """Return token numbers as one array and its mask; the padding token is number 0."""
    width = max(len(row) for row in rows)
    ids = np.zeros((len(rows), width), dtype=np.int64)
    mask = np.zeros_like(ids)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = row
        mask[place, : len(row)] = 1
    return ids, mask


def _read_description(folder: Path) -> dict[str, Any]:
    try:
        description: dict[str, Any] = json.loads((folder / "model.json").read_text("utf-8"))
        missing = DESCRIBED - description.keys()
        if missing:
            raise ValueError(f"it lacks {', '.join(sorted(missing))}")
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The model's description cannot be read ({error}): install the project again."
        ) from error
    return description


def _verify(path: Path, digest: str) -> None:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(
            f"The model file {path.name} cannot be read ({error}): install the project again."
        ) from error
    if found != digest:
        raise ModelError(
            f"The model file {path.name} is not the one that was shipped (its SHA-256 is {found}, "
            f"not {digest}): install the project again, or rebuild it with monitor.model.train."
        )
