"""What is new: words and two-word phrases that more people use in complaints than before.

Ranked by the log odds with an informative prior of Monroe, Colaresi and Quinn (2008, "Fightin'
Words", section 3.3.1): a phrase that few people use has to rise more. Counted in distinct authors,
so one person who repeats something makes no topic.
"""

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa
from sqlmodel import Session, col

from monitor.store.models import Post
from monitor.watch.trends.measures import Asked, Conditions, Rules
from monitor.watch.trends.stopwords import NEGATIONS, STOP

READ = 4000
"""Complaints of a period that are read, the newest first: texts are dear to read."""

LEAST = 3
"""Authors that a topic needs."""

SHOWN = 12

RISEN = 1.2
"""Standard deviations above what was usual; a phrase of three authors that was never there before
comes to about that."""

PRIOR = 0.1
"""Weight of what both periods say together, as a share of the larger period."""

ALIKE = 0.7
"""Share of its authors with which a word belongs to a phrase that is shown already."""

_LEFT_OUT = re.compile(r"https?://\S+|www\.\S+|@[\w.@-]+")
_WORD = re.compile(r"[^\W\d_](?:[\w'’-]*\w)?")


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


@dataclass(frozen=True)
class Topics:
    """What rose, and out of how many complaints of each period; none before: not comparable."""

    topics: list[Topic]
    read: int
    read_before: int


def rising(
    session: Session, present: Conditions, before: Conditions, rules: Rules
) -> Topics:
    """Topics that rose from the complaints of one period to those of another, the highest first.

    `present` and `before` are the conditions of the two on Post.
    """
    now_said, now_read = _said(_texts(session, present), rules.ours)
    then_said, then_read = _said(_texts(session, before), rules.ours)
    if not now_read or not then_read:
        return Topics([], now_read, then_read)
    found = _rank(
        {phrase: len(authors) for phrase, (authors, _) in now_said.items()},
        {phrase: len(authors) for phrase, (authors, _) in then_said.items()},
    )
    shown: list[Topic] = []
    taken: list[tuple[str, set[int]]] = []
    for phrase, rise in found:
        authors, posts = now_said[phrase]
        if any(_same(phrase, authors, other, theirs) for other, theirs in taken):
            continue
        taken.append((phrase, authors))
        then = len(then_said[phrase][0]) if phrase in then_said else 0
        shown.append(Topic(phrase, posts, len(authors), then, rise))
        if len(shown) == SHOWN:
            break
    return Topics(shown, now_read, then_read)


def asked_of(topic: Topic, complaints: Asked) -> Asked:
    """The posts of a topic, as a number of them."""
    return complaints.narrowed("topic", topic.words)


def posts_with(session: Session, conditions: Conditions, phrase: str) -> list[int]:
    """The posts, out of those that are read, that say a phrase: as many as its topic counts."""
    return [
        number
        for number, _, text in _texts(session, conditions)
        if phrase in phrases(text)
    ]


def phrases(text: str) -> set[str]:
    """The words of a text that say something, and each two of them that stand together."""
    words = list(_words(text))
    found = {word for word in words if word not in STOP}
    for first, second in zip(words, words[1:], strict=False):
        if second not in STOP and (first not in STOP or first in NEGATIONS):
            found.add(f"{first} {second}")
    return found


def _words(text: str) -> Iterator[str]:
    plain = unicodedata.normalize("NFKC", _LEFT_OUT.sub(" ", text)).casefold()
    for found in _WORD.finditer(plain):
        word = found[0].replace("’", "'").removesuffix("'s")
        if len(word) > 1:
            yield word


def _texts(session: Session, conditions: Conditions) -> Sequence[tuple[int, int, str]]:
    """Id, author and text of the newest complaints."""
    query = (
        sa.select(col(Post.id), col(Post.author_id), col(Post.text))
        .where(*conditions)
        .order_by(col(Post.created_at).desc(), col(Post.id).desc())
        .limit(READ)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


Said = dict[str, tuple[set[int], int]]


def _said(texts: Iterable[tuple[int, int, str]], ours: frozenset[str]) -> tuple[Said, int]:
    """Each phrase with its authors and how many posts say it; and how many posts there were."""
    authors: dict[str, set[int]] = defaultdict(set)
    posts: dict[str, int] = defaultdict(int)
    read = 0
    for _, author, text in texts:
        read += 1
        for phrase in phrases(text):
            if ours.isdisjoint(phrase.split()):
                authors[phrase].add(author)
                posts[phrase] += 1
    return {phrase: (who, posts[phrase]) for phrase, who in authors.items()}, read


def _rank(present: dict[str, int], before: dict[str, int]) -> list[tuple[str, float]]:
    """Phrases that rose, with z: the log odds' difference by its standard deviation.

        d = log((y1 + a) / (n1 + a0 - y1 - a)) - log((y2 + a) / (n2 + a0 - y2 - a))
        z = d / sqrt(1 / (y1 + a) + 1 / (y2 + a))

    y: authors who say it; n: the sum of these; a: the prior, in all a0, as both periods say it.
    """
    n1, n2 = sum(present.values()), sum(before.values())
    a0 = PRIOR * max(n1, n2)
    found = []
    for phrase, y1 in present.items():
        if y1 < LEAST:
            continue
        y2 = before.get(phrase, 0)
        a = a0 * (y1 + y2) / (n1 + n2)
        # Where one phrase is all that is said, nothing is left over.
        odds = (y1 + a) / max(0.5, n1 + a0 - y1 - a)
        odds_before = (y2 + a) / max(0.5, n2 + a0 - y2 - a)
        z = math.log(odds / odds_before) / math.sqrt(1 / (y1 + a) + 1 / (y2 + a))
        if z >= RISEN:
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
    return frozenset(word for name in names for word in _words(name.replace("@", " ")))
