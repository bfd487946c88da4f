"""Which posts tell of one fault: pure functions of what was said, by whom and when.

Two posts are alike by three things: what they mean (the angle between the model's vectors), the
rare words that they share (a place, a product, an error number) and a thread of customers, and how
close in time they were written. `Weights` adds these up to one number. A post joins the
group to whose members it is alike on average, so that a chain of neighbours never ties two faults
together. Each post is compared once with those before it.
"""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import numpy as np

from monitor.model.data import WRITTEN_POSTS, read_rows


@dataclass(frozen=True, slots=True)
class Weights:
    """Every constant of the grouping. `python -m tests.bench.incidents --fit` prints the best."""

    meaning: float
    """For a cosine of 1 between two vectors."""
    words: float
    """For a word in common that is e times rarer than a common one; twice for e * e times ..."""
    thread: float
    """For two customers who write in one thread of customers: "same here" says little else."""
    hours: float
    """Taken off where they are e times further apart than `SAME_TIME`, twice for e * e times ..."""
    pair: float
    """From here two posts make a group. One look may mislead, so it has to be a clear one."""
    join: float
    """From here, on average over its posts, a post joins a group. Many looks mislead less."""


WEIGHTS = Weights(meaning=2.5, words=0.2, thread=1.5, hours=1.2, pair=3.36, join=1.21)
"""Fitted to the demo and to real outages, precision before recall: a wrong proposal costs a
person's time and trust, a post that is missed is found by hand. The shipped vectors tell little
about which fault a post is about, so `meaning` is low; fit again when the model changes. A little
looser, real outages reach a recall of 0.6 at 0.92, but a step more and the precision breaks."""

COMMON = 2.0
"""A word that one post in seven uses (e to the power of this) or more tells nothing."""

FEW = 30
"""Posts of other days, below which they do not tell yet which words are common."""

UNHEARD = 200
"""Posts without the word that are taken for granted on the first days: of two posts in all, what
both say is no common word."""

SAME_TIME = 3.0
"""Hours within which it tells nothing that one post came sooner than another."""

COMPARED = 100
"""Posts of one group that a new post is compared with, the newest: more say nothing new."""

LONGEST = 280
"""Characters of a post whose words count: it says first what it is about, and an essay names
everything."""

_LINK = re.compile(r"(?:https?://|www\.)\S+")
_WORD = re.compile(r"[@#]?[^\W_](?:[\w.'’]*[^\W_])?")


@dataclass(frozen=True, slots=True)
class Item:
    """One post, as the grouping sees it."""

    id: int
    case: int
    author: int
    at: datetime
    text: str
    vector: bytes | None = None
    thread: str | None = None
    """The thread of customers in which it stands; None where we or nobody began it."""


@dataclass(slots=True)
class Group:
    """Posts that tell of one fault."""

    items: list[Item] = field(default_factory=list)
    key: int | None = None
    """The incident that it is already; None: a new one."""
    apart: frozenset[int] = frozenset()
    """Cases that a person took out of it."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a post belongs, and how sure that is."""

    item: Item
    group: Group
    likeness: float
    """0 to 1; a half is a toss-up."""


def words(text: str) -> frozenset[str]:
    """The words by which a post tells what it is about; mentions and hashtags are some."""
    return frozenset(word for word in _WORD.findall(_folded(text[:LONGEST])) if len(word) > 2)


def _folded(text: str) -> str:
    return _LINK.sub(" ", unicodedata.normalize("NFKC", text).casefold())


@cache
def _usual() -> tuple[Counter[str], int]:
    """In how many of the posts that were written for this project each word is, and of how many."""
    counts: Counter[str] = Counter()
    posts = 0
    for row in read_rows(WRITTEN_POSTS):
        posts += 1
        counts.update(words(row["text"]))
    return counts, posts


class Rarity:
    """How much a word tells: the fewer posts use it, the more.

    It has to be rare in what people write to companies, and in what is written to this one lately:
    its name tells nothing. A post's own day is not counted, as an outage makes its own words
    common; on the first days, when there is hardly any other, it is.
    """

    def __init__(self, told: Iterable[tuple[datetime, str]]) -> None:
        self._posts: Counter[date] = Counter()
        self._uses: defaultdict[str, Counter[date]] = defaultdict(Counter)
        for at, text in told:
            day = at.astimezone(UTC).date()
            self._posts[day] += 1
            for word in words(text):
                self._uses[word][day] += 1

    def of(self, word: str, at: datetime) -> float:
        """0 for a common word, 1 for one that is e times rarer, 2 for e times e ..."""
        counts, written = _usual()
        day = at.astimezone(UTC).date()
        uses = self._uses.get(word, Counter())
        others = self._posts.total() - self._posts[day]
        if others >= FEW:
            lately = (uses.total() - uses[day]) / others
        else:
            lately = uses.total() / (self._posts.total() + UNHEARD)
        return max(0.0, -math.log(max(lately, (counts[word] + 1) / (written + 2))) - COMMON)


def same_words(text: str) -> str:
    """Equal for copies and near-copies of a text, which count once: marks, links and whom it is
    addressed to make no difference."""
    found = _WORD.findall(_folded(text))
    return " ".join(word for word in found if word[0] != "@" and word != "rt")


def voices(items: Sequence[Item]) -> int:
    """How many people tell of it by themselves: distinct authors, those who copy not counted."""
    told: dict[str, int] = {}
    for item in sorted(items, key=lambda item: (item.at, item.id)):
        told.setdefault(same_words(item.text) or f"#{item.id}", item.author)
    return len(set(told.values()))


class Grouping:
    """Standing groups and lone posts, ready to be compared with one post after the other."""

    def __init__(self, rarity: Rarity, weights: Weights = WEIGHTS) -> None:
        self.groups: list[Group] = []
        self._rarity = rarity
        self._weights = weights
        self._items: list[Item] = []
        self._home: list[int] = []  # the number of the group of each item
        self._vectors = np.zeros((64, 0), dtype=np.float32)
        self._times = np.zeros(64)
        self._using: dict[str, list[int]] = {}
        self._in_thread: dict[str, list[int]] = {}

    def stand(self, group: Group) -> None:
        """Add a group as it stands."""
        self.groups.append(group)
        for item in sorted(group.items, key=lambda item: item.at)[-COMPARED:]:
            self._keep(item, len(self.groups) - 1)

    def place(self, item: Item) -> Placed:
        """Put a post into the group that it is most alike, or into one of its own."""
        number, odds = self._nearest(item)
        if number is None:
            number = len(self.groups)
            self.groups.append(Group())
        self.groups[number].items.append(item)
        self._keep(item, number)
        return Placed(item, self.groups[number], _share(odds))

    def gather(self, group: Group) -> list[Placed]:
        """Look again at the lone posts: what a group tells is clearer once it has members."""
        number = self._number(group)
        inside = [
            item for item, home in zip(self._items, self._home, strict=True) if home == number
        ]
        if len(inside) < 2:
            return []
        odds = np.mean([self.likeness(item) for item in inside], axis=0) - self._weights.join
        sizes = np.bincount(self._home, minlength=len(self.groups))
        found = []
        for place in np.flatnonzero(odds >= 0):
            home = self._home[place]
            lone = sizes[home] == 1 and self.groups[home].key is None
            if home == number or not lone or self._items[place].case in group.apart:
                continue
            self._home[place] = number
            self.groups[home].items.clear()
            group.items.append(self._items[place])
            found.append(Placed(self._items[place], group, _share(float(odds[place]))))
        return found

    def likeness(self, item: Item) -> Any:
        """How much speaks for it that `item` and each post kept so far tell of one fault."""
        count, weights = len(self._items), self._weights
        odds: Any = weights.meaning * self._meaning(item)
        odds += weights.words * self._shared(item)
        odds[self._in_thread.get(item.thread or "", [])] += weights.thread
        hours = np.abs(self._times[:count] - item.at.timestamp()) / 3600
        odds -= weights.hours * np.log(np.maximum(hours / SAME_TIME, 1))
        return odds

    def _nearest(self, item: Item) -> tuple[int | None, float]:
        """The number of the group that an item belongs to, and by how much."""
        if not self._items:
            return None, 0.0
        sizes = np.bincount(self._home, minlength=len(self.groups))
        means = np.bincount(self._home, self.likeness(item), minlength=len(self.groups))
        clear = means / np.maximum(sizes, 1)
        clear -= np.where(sizes > 1, self._weights.join, self._weights.pair)
        for number in np.argsort(-clear):
            if clear[number] < 0:
                break
            if sizes[number] and item.case not in self.groups[number].apart:
                return int(number), float(clear[number])
        return None, 0.0

    def _number(self, group: Group) -> int:
        return next(number for number, one in enumerate(self.groups) if one is group)

    def _meaning(self, item: Item) -> Any:
        count = len(self._items)
        vector = _unit(item.vector)
        if vector is None or vector.size != self._vectors.shape[1]:
            return np.zeros(count)
        return self._vectors[:count] @ vector

    def _shared(self, item: Item) -> Any:
        """How much the words tell that each post has in common with this one."""
        shared = np.zeros(len(self._items))
        for word in words(item.text):
            using = self._using.get(word)
            if using:
                shared[using] += self._rarity.of(word, item.at)
        return shared

    def _keep(self, item: Item, number: int) -> None:
        place = len(self._items)
        vector = _unit(item.vector)
        if vector is not None and not self._vectors.shape[1]:
            self._vectors = np.zeros((len(self._times), vector.size), dtype=np.float32)
        if place == len(self._times):
            self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
            self._times = np.concatenate([self._times, np.zeros_like(self._times)])
        if vector is not None and vector.size == self._vectors.shape[1]:
            self._vectors[place] = vector
        self._times[place] = item.at.timestamp()
        for word in words(item.text):
            self._using.setdefault(word, []).append(place)
        if item.thread:
            self._in_thread.setdefault(item.thread, []).append(place)
        self._items.append(item)
        self._home.append(number)


def _share(odds: float) -> float:
    return 1 / (1 + math.exp(-odds))


def _unit(vector: bytes | None) -> Any:
    """A stored vector, of length 1; None where there is none."""
    if not vector:
        return None
    read = np.frombuffer(vector, dtype=np.int8).astype(np.float32)
    length = float(np.linalg.norm(read))
    return read / length if length else None
