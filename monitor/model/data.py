"""The labelled posts that the shipped model is taught and tuned on, and how they are split.

Splits are made by a hash of the letters of a post, so that they are the same on every machine
and a post that is in two sets falls on the same side in both. Posts written for this project are
split by industry: those kept for tuning are about companies of a kind that was never taught.
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

HERE = Path(__file__).parent
# Posts to invented companies, with the labels of who wrote them and of a second reader.
WRITTEN_POSTS = HERE / "posts.csv"
# What two readers say of the tone and the subject of real posts to companies, by their ids.
READINGS = HERE / "readings.csv"
# Groups of invented posts in which several customers tell of one fault.
FAULTS = HERE / "faults.csv"
HELD_OUT_DOMAINS = ("food", "other", "transport", "cars")
# Real companies that settings are chosen on: probabilities must fit companies never taught.
DEV_DOMAINS = ("apparel",)
DEV_COMPANIES = ("hulu_support", "AskeBay", "Ask_WellsFargo", "DropboxSupport", "GoDaddyHelp")
HELD_OUT_INDUSTRIES = ("parcels", "hotels", "housing", "console")
# Airlines measure how the model does on companies never seen, so none may be taught.
HELD_OUT_COMPANIES = ("SouthwestAir", "Delta")
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
    written: bool = False  # written for this project, not by a stranger
    fault: str = ""  # posts with the same one tell of one fault


@dataclass(frozen=True, slots=True)
class Splits:
    """What the model learns from, what settings are chosen on, and the unseen domains."""

    general: list[Example]  # tweets on everything, with their tone
    companies: list[Example]  # posts to companies, and some that are not, with their subject
    faults: list[Example]  # posts in groups that tell of one fault
    dev: list[Example]
    test: list[Example]


def key(text: str) -> str:
    """Return the letters of `text` alone: equal for a post with and without its links."""
    return _NOT_LETTERS.sub("", text.lower())


def bucket(text: str, buckets: int) -> int:
    """Return which of `buckets` hash classes a post falls into."""
    return int(hashlib.sha256(key(text).encode()).hexdigest(), 16) % buckets


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a tab or comma separated file with a header line."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ",")


def unescape(text: str) -> str:
    r"""Return `text` with literal \uXXXX escapes, which some sets hold, as characters."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


def load(data: Path) -> Splits:
    """Return the splits made from the shared `data` folder and the posts kept beside this file."""
    readings = {row["id"]: row for row in read_rows(READINGS)}
    kept_out = {key(row["text"]) for row in read_rows(data / "tweeteval" / "sentiment_val.tsv")}
    complaints = [(row["domain"], _complaint(row, readings)) for row in _complaint_rows(data)]
    test = _unique((c for domain, c in complaints if domain in HELD_OUT_DOMAINS), kept_out)
    kept_out = kept_out | {key(example.text) for example in test}
    real = [row for row in complaints if row[0] not in HELD_OUT_DOMAINS]
    real += _conversations(data, readings)
    unseen = _unique((e for name, e in real if name in (*DEV_DOMAINS, *DEV_COMPANIES)), kept_out)
    kept_out = kept_out | {key(example.text) for example in unseen}
    seen = _unique((example for _, example in real), kept_out)
    general = _unique(_general(data, readings), kept_out | {key(e.text) for e in seen})
    dev = [example for example in general if bucket(example.text, 10) == 0]
    taught = [example for example in general if bucket(example.text, 10) > 0]
    written = {True: [e for i, e in written_posts() if i in HELD_OUT_INDUSTRIES]}
    written[False] = [e for i, e in written_posts() if i not in HELD_OUT_INDUSTRIES]
    return Splits(
        general=[example for example in taught if example.complaint is None],
        companies=[*seen, *(e for e in taught if e.complaint is not None), *written[False]],
        faults=list(fault_posts(dev=False)),
        dev=[*dev, *unseen, *written[True]],
        test=test,
    )


def fault_posts(dev: bool) -> Iterator[Example]:
    """Yield the posts that tell of one fault in groups; of one company in five with `dev`."""
    for row in read_rows(FAULTS):
        if (bucket(row["company"], 5) == 0) is dev:
            yield Example(
                clean(row["text"]), written=True, fault=f"{row['company']} {row['fault']}"
            )


def written_posts() -> Iterator[tuple[str, Example]]:
    """Yield the posts written for this project with their industries.

    Where the writer and the second reader differ, a post says nothing on that question.
    """
    for row in read_rows(WRITTEN_POSTS):
        sentiment, complaint, severity = (
            int(row[name]) if row[name] == row[f"second_{name}"] else None
            for name in ("sentiment", "complaint", "severity")
        )
        yield (
            row["industry"],
            Example(
                clean(row["text"]),
                sentiment=sentiment,
                complaint=complaint,
                severity=None if severity is None else severity / 3,
                addressed=True,
                written=True,
            ),
        )


def reading_of_tweet(text: str) -> str:
    """Return the id under which readings keep what is said of a general tweet: it has no other."""
    return "s" + hashlib.sha256(key(clean(text)).encode()).hexdigest()[:16]


def _general(data: Path, readings: dict[str, dict[str, str]]) -> Iterator[Example]:
    """Yield the tweets with their tone, and their severity where people rated it.

    Those that name a company were read by two readers: is it a complaint?
    """
    levels = {
        key(unescape(row["text"])): SEVERITY[int(row["intensity"])]
        for row in read_rows(data / "tweeteval" / "intensity_train.tsv")
    }
    for row in read_rows(data / "tweeteval" / "sentiment_train.tsv"):
        text = unescape(row["text"])
        tweet = Example(clean(text), sentiment=int(row["label"]), severity=levels.get(key(text)))
        reading = readings.get(reading_of_tweet(text))
        if reading and reading["complaint"]:
            tweet = replace(tweet, complaint=int(reading["complaint"]))
        yield tweet


def _complaint_rows(data: Path) -> Iterator[dict[str, str]]:
    return read_rows(data / "complaints" / "complaints.csv")


def _complaint(row: dict[str, str], readings: dict[str, dict[str, str]]) -> Example:
    example = Example(
        clean(row["text"]),
        complaint=int(row["complaint"]),
        addressed=not row["domain"].startswith("random"),
    )
    return _with_tone(example, readings.get("c" + row["id"]))


def _conversations(
    data: Path, readings: dict[str, dict[str, str]]
) -> Iterator[tuple[str, Example]]:
    path = data / "conversations" / "conversations.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines():
        session = json.loads(line)
        if session["company"] in HELD_OUT_COMPANIES:
            continue
        for turn in session["turns"]:
            reading = readings.get("t" + turn["id"])
            if turn["from"] == "customer" and reading:
                complaint = int(reading["complaint"]) if reading["complaint"] else None
                example = Example(clean(turn["text"]), complaint=complaint, addressed=True)
                yield session["company"], _with_tone(example, reading)


def _with_tone(example: Example, reading: dict[str, str] | None) -> Example:
    if reading is None:
        return example
    return replace(
        example,
        sentiment=int(reading["sentiment"]) if reading["sentiment"] else None,
        severity=int(reading["severity"]) / 3 if reading["severity"] else None,
    )


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
