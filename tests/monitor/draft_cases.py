"""Cases written for the draft check: answers that a rule should find, and near misses."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from monitor.answer.checking.drafts import Context

FILE = Path(__file__).with_name("drafts.csv")
OWN = ("+44 20 7946 0100", "help@halewick.example", "halewick.example")


@dataclass(frozen=True)
class Case:
    """One answer, and whether the rule should find something in it."""

    rule: str
    found: bool
    tuned: bool
    """The words of the rule were improved on it: it does not count where the rule is measured."""
    text: str
    context: Context


@cache
def written() -> Sequence[Case]:
    """All of them, in the file's order."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return [_case(row) for row in csv.DictReader(file)]


def _case(row: dict[str, str]) -> Case:
    def several(name: str) -> tuple[str, ...]:
        return tuple(part for part in row[name].split(" || ") if part)

    context = Context(
        posts=several("post"),
        earlier=several("earlier"),
        in_thread=several("earlier"),
        canned=several("canned"),
        own_contacts=OWN,
    )
    return Case(row["rule"], row["found"] == "1", row["tuned"] == "1", row["text"], context)
