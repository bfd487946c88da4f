"""The labelled posts that the shipped model is taught and tuned on, and how they are split.

Splits are made by a hash of the letters of a post, so that they are the same on every machine
and a post that is in two sets falls on the same side in both.
The sets under non-commercial terms (airline, music service) are never read here: they measure.
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from monitor.model.text import clean

# Which customers' turns of the shared conversations are complaints, labelled one by one.
CONVERSATION_LABELS = Path(__file__).parent / "conversation_labels.csv"
HELD_OUT_DOMAINS = ("food", "other", "transport", "cars")
COMPLAINT_COPIES = 4  # There are few complaints: each is shown this often in an epoch.
MOST_SEVERE_COPIES = 3
SEVERITY_ROWS_A_LEVEL = 4_000
PRAISE_ROWS = 2_500
# Intensity runs from -2 to 2; praise has no severity, so both its levels are 0.
SEVERITY = {-2: 1.0, -1: 2 / 3, 0: 1 / 3, 1: 0.0, 2: 0.0}

_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_NOT_LETTERS = re.compile(r"@\w+|(?:https?://|www\.)\S+|\bhttp\b|[^a-z]")


@dataclass(frozen=True, slots=True)
class Example:
    """One cleaned text and what is known about it; None where a head has nothing to learn."""

    text: str
    sentiment: int | None = None  # 0 negative, 1 neutral, 2 positive
    complaint: int | None = None  # 1 complaint
    severity: float | None = None  # 0..1
    addressed: bool = False  # written to a company, as what the monitor collects mostly is


@dataclass(frozen=True, slots=True)
class Splits:
    """What the model learns from, what settings are chosen on, and the unseen domains."""

    train: list[Example]
    dev: list[Example]
    test: list[Example]


def key(text: str) -> str:
    """Return the letters of `text` alone: equal for a post with and without its links."""
    return _NOT_LETTERS.sub("", text.lower())


def bucket(text: str, buckets: int) -> int:
    """Return which of `buckets` hash classes a post falls into."""
    return int(hashlib.sha256(key(text).encode()).hexdigest(), 16) % buckets


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a tab or comma separated file with a header line."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")


def unescape(text: str) -> str:
    r"""Return `text` with literal \uXXXX escapes, which some sets hold, as characters."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


def load(data: Path) -> Splits:
    """Return the splits made from the shared `data` folder."""
    val = data / "tweeteval" / "sentiment_val.tsv"
    kept_out = {key(row["text"]) for row in read_rows(val)}
    sentiment = _unique(_sentiment(data), kept_out)
    complaints = [(row["domain"], _complaint(row)) for row in _complaint_rows(data)]
    test = _unique((c for domain, c in complaints if domain in HELD_OUT_DOMAINS), kept_out)
    kept_out = kept_out | {key(example.text) for example in test}
    seen = [c for domain, c in complaints if domain not in HELD_OUT_DOMAINS]
    seen = _unique((*seen, *_conversations(data)), kept_out)
    severity = _unique(_severity(data), kept_out)

    train: list[Example] = []
    dev: list[Example] = []
    for example in (*_praise_is_no_complaint(sentiment), *seen, *severity):
        (dev if bucket(example.text, 10) == 0 else train).append(example)
    return Splits(list(_repeated(_levelled(train))), dev, test)


def _sentiment(data: Path) -> Iterator[Example]:
    for row in read_rows(data / "tweeteval" / "sentiment_train.tsv"):
        yield Example(clean(unescape(row["text"])), sentiment=int(row["label"]))


def _complaint_rows(data: Path) -> Iterator[dict[str, str]]:
    return read_rows(data / "complaints" / "complaints.csv")


def _complaint(row: dict[str, str]) -> Example:
    addressed = not row["domain"].startswith("random")
    return Example(clean(row["text"]), complaint=int(row["complaint"]), addressed=addressed)


def _conversations(data: Path) -> Iterator[Example]:
    labels = {row["id"]: int(row["complaint"]) for row in read_rows(CONVERSATION_LABELS)}
    path = data / "conversations" / "conversations.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines():
        for turn in json.loads(line)["turns"]:
            if turn["from"] == "customer" and turn["id"] in labels:
                yield Example(clean(turn["text"]), complaint=labels[turn["id"]], addressed=True)


def _severity(data: Path) -> Iterator[Example]:
    for row in read_rows(data / "tweeteval" / "intensity_train.tsv"):
        yield Example(clean(unescape(row["text"])), severity=SEVERITY[int(row["intensity"])])


def _unique(examples: Iterable[Example], kept_out: set[str]) -> list[Example]:
    """Return the first of each group of equal posts, without those `kept_out` and the empty."""
    seen = {""} | kept_out
    kept = []
    for example in examples:
        letters = key(example.text)
        if letters not in seen:
            seen.add(letters)
            kept.append(example)
    return kept


def _praise_is_no_complaint(examples: list[Example]) -> Iterator[Example]:
    """Yield the sentiment posts, some of the positive ones marked as no complaint.

    The complaint set holds questions and chatter but little praise, which customers do write.
    """
    left = PRAISE_ROWS
    for example in examples:
        if example.sentiment == 2 and left and bucket(example.text, 7) == 0:
            left -= 1
            example = replace(example, complaint=0)
        yield example


def _levelled(examples: list[Example]) -> Iterator[Example]:
    """Yield the examples with at most SEVERITY_ROWS_A_LEVEL of each severity, to save time."""
    counts: dict[float, int] = {}
    for example in sorted(examples, key=lambda e: bucket(e.text, 1 << 64)):
        if example.severity is not None:
            counts[example.severity] = counts.get(example.severity, 0) + 1
            if counts[example.severity] > SEVERITY_ROWS_A_LEVEL:
                continue
        yield example


def _repeated(examples: Iterable[Example]) -> Iterator[Example]:
    for example in examples:
        if example.sentiment is None and example.complaint is not None:
            copies = COMPLAINT_COPIES
        else:
            copies = MOST_SEVERE_COPIES if example.severity == 1.0 else 1
        yield from [example] * copies
