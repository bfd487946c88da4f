"""What is new: words and two-word phrases that more people use in complaints than before.

Ranked by the log odds with an informative prior of Monroe, Colaresi and Quinn (2008, "Fightin'
Words", section 3.3.1): a phrase that few people use has to rise more. Theirs are of a word among
all words; these are of the authors who use a phrase among all authors, so one person who repeats
something makes no topic, and long posts weigh no more than short ones.
"""

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import sqlalchemy as sa
from sqlmodel import Session, col

from monitor.store.models import Post
from monitor.watch.trends.conditions import Conditions, Rules
from monitor.watch.trends.measures import Asked
from monitor.watch.trends.stopwords import NEGATIONS, STOP

READ = 4000
"""Complaints of a period that are read, the newest first: texts are dear to read."""

LEAST = 3
"""Authors that a topic needs."""

SHOWN = 12

RISEN = 1.1
"""Standard deviations above what was usual; a phrase of three authors that was never there before
comes to about that."""

RISEN_BY = 1.5
"""Times as many of the authors as before: with many of them the least change is sure."""

PRIOR = 0.1
"""Weight of what both periods say together, as a share of the authors of the larger one."""

ALIKE = 0.7
"""Share of its authors with which a word belongs to a phrase that is shown already."""

_LEFT_OUT = re.compile(r"https?://\S+|www\.\S+|@[\w.@-]+")
_PARTED = re.compile(r"[^\w\s'#-]+|\b\d+\b")
_WORD = re.compile(r"[^\W\d_](?:[\w'-]*\w)?")


@dataclass(frozen=True)
class Topic:
    """A word or phrase that rose."""

    words: str
    posts: int
    """Of this period's complaints that were read."""
    authors: int
    before: int
    """Authors of the period before."""
    rise: float
    """In standard deviations of the log odds."""
    newest: str
    """The text of the newest of these posts."""


@dataclass(frozen=True)
class Topics:
    """What rose, and out of how many complaints of each period; none before: not comparable."""

    topics: list[Topic]
    read: int
    read_before: int


def rising(session: Session, present: Conditions, before: Conditions, rules: Rules) -> Topics:
    """Topics that rose from the complaints of one period to those of another, the highest first.

    `present` and `before` are the conditions of the two on Post.
    """
    said = _said(_texts(session, present), rules.ours)
    earlier = _said(_texts(session, before), rules.ours)
    if not said.read or not earlier.read:
        return Topics([], said.read, earlier.read)
    found = _rank(
        {phrase: len(authors) for phrase, authors in said.by.items()},
        {phrase: len(authors) for phrase, authors in earlier.by.items()},
        said.authors,
        earlier.authors,
    )
    shown: list[Topic] = []
    for phrase, rise in found:
        authors = said.by[phrase]
        if any(_same(phrase, authors, one.words, said.by[one.words]) for one in shown):
            continue
        then = len(earlier.by.get(phrase, ()))
        newest = said.newest[phrase]
        shown.append(Topic(phrase, said.posts[phrase], len(authors), then, rise, newest))
        if len(shown) == SHOWN:
            break
    return Topics(shown, said.read, earlier.read)


def asked_of(topic: Topic, complaints: Asked) -> Asked:
    """The posts of a topic, as a number of them."""
    return complaints.narrowed("topic", topic.words)


def posts_with(session: Session, conditions: Conditions, phrase: str) -> list[tuple[int, int]]:
    """Posts with their authors, out of those that are read, that say a phrase."""
    return [
        (number, author)
        for number, author, text in _texts(session, conditions)
        if phrase in phrases(text)
    ]


def phrases(text: str) -> set[str]:
    """The words of a text that say something, and each two of them that stand together."""
    found: set[str] = set()
    for words in _sentences(text):
        found.update(word for word in words if word not in STOP)
        for first, second in pairwise(words):
            if second not in STOP and (first not in STOP or first in NEGATIONS):
                found.add(f"{first} {second}")
    return found


def _sentences(text: str) -> Iterator[list[str]]:
    """Words that no mark and no number parts."""
    plain = unicodedata.normalize("NFKC", _LEFT_OUT.sub(" . ", text)).casefold()
    for part in _PARTED.split(plain.replace("’", "'")):
        words = [found[0].removesuffix("'s") for found in _WORD.finditer(part)]
        yield [word for word in words if len(word) > 1]


def _texts(session: Session, conditions: Conditions) -> Sequence[tuple[int, int, str]]:
    """Id, author and text of the newest complaints, the newest first."""
    query = (
        sa.select(col(Post.id), col(Post.author_id), col(Post.text))
        .where(*conditions)
        .order_by(col(Post.created_at).desc(), col(Post.id).desc())
        .limit(READ)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


@dataclass(frozen=True)
class Said:
    """What the complaints of a period say."""

    read: int
    authors: int
    """Who wrote them, each once."""
    by: dict[str, set[int]]
    """Each phrase with its authors."""
    posts: dict[str, int]
    """Each phrase with how many posts say it."""
    newest: dict[str, str]
    """Each phrase with the text of the newest post that says it."""


def _said(texts: Iterable[tuple[int, int, str]], ours: frozenset[str]) -> Said:
    by: dict[str, set[int]] = defaultdict(set)
    posts: dict[str, int] = defaultdict(int)
    newest: dict[str, str] = {}
    everybody: set[int] = set()
    read = 0
    for _, author, text in texts:
        read += 1
        everybody.add(author)
        for phrase in phrases(text):
            by[phrase].add(author)
            posts[phrase] += 1
            newest.setdefault(phrase, text)
    mine = {phrase: who for phrase, who in by.items() if ours.isdisjoint(phrase.split())}
    return Said(read, len(everybody), mine, posts, newest)


def _rank(
    present: dict[str, int], before: dict[str, int], n1: int, n2: int
) -> list[tuple[str, float]]:
    """Phrases that rose, with z: the log odds' difference by its standard deviation.

        d = log((y1 + a) / (n1 + a0 - y1 - a)) - log((y2 + a) / (n2 + a0 - y2 - a))
        z = d / sqrt(1 / (y1 + a) + 1 / (y2 + a))

    y: authors who say it, of n; a: what is expected of a0 more authors, as both periods say it.
    """
    a0 = PRIOR * max(n1, n2)
    found = []
    for phrase, y1 in present.items():
        if y1 < LEAST:
            continue
        y2 = before.get(phrase, 0)
        a = a0 * (y1 + y2) / (n1 + n2)
        # Where everybody says it, nobody is left over.
        odds = (y1 + a) / max(0.5, n1 + a0 - y1 - a)
        odds_before = (y2 + a) / max(0.5, n2 + a0 - y2 - a)
        z = math.log(odds / odds_before) / math.sqrt(1 / (y1 + a) + 1 / (y2 + a))
        if z >= RISEN and y1 * n2 >= RISEN_BY * y2 * n1:
            found.append((phrase, z))
    # Of two that rose alike the phrase comes first: it says more than its words.
    return sorted(found, key=lambda one: (-round(one[1], 1), -one[0].count(" "), one[0]))


def _same(phrase: str, authors: set[int], other: str, theirs: set[int]) -> bool:
    """Whether a phrase tells of what another tells already."""
    if set(phrase.split()).isdisjoint(other.split()):
        return False
    return len(authors & theirs) >= ALIKE * min(len(authors), len(theirs))


@lru_cache(maxsize=8)
def own_words(names: tuple[str, ...]) -> frozenset[str]:
    """The words of our names and handles."""
    return frozenset(
        word for name in names for part in _sentences(name.replace("@", " ")) for word in part
    )
