"""The draft check: what in an answer does not put the customer first, while it is written.

The rules are data: `draft_rules.toml`. The check names the phrase, says why in a line and offers a
better way to say it. It never rewrites and never sends. It reads English.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from monitor.answer.checking import personal, repeats
from monitor.answer.checking.plain import plain, sentences

RULES_FILE = Path(__file__).with_name("draft_rules.toml")

PRECISE_ENOUGH = 0.8
"""A rule of which a smaller share of the hits was right ships off."""


def _compile(pattern: str) -> str:
    re.compile(pattern)
    return pattern


Words = Annotated[str, AfterValidator(_compile)]
"""A regular expression; the case of letters does not matter unless it says so."""


class Level(StrEnum):
    """What a finding means for sending."""

    BLOCK = "block"
    """It cannot be sent like this."""
    WARN = "warn"
    """It can be sent with a reason."""


class Where(StrEnum):
    """The part of the text in which a rule looks for its words."""

    OPENING = "opening"
    """The first sentence, greetings, thanks and stock phrases left out."""
    SENTENCE = "sentence"
    ANYWHERE = "anywhere"


class Rule(BaseModel):
    """One rule of the check, as it stands in the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    name: str
    """What it finds, in a few words."""
    reason: str
    better: str
    level: Level
    on: bool
    precision: float
    """The share of its hits that a person found right."""
    n: int
    """How many hits that is of."""
    recall: float | None = None
    """The share that it found of what was written to be found; left out: not measured."""
    measured: Literal["real", "written"]
    """On real answers; on cases written for it where too few real ones were found."""
    by: Literal["words", "customer data", "repeat", "canned"] = "words"
    where: Where = Where.SENTENCE
    patterns: list[Words] = []
    pairs: list[tuple[Words, Words]] = []
    """Two expressions that are found in the same sentence."""
    unless: list[Words] = []
    """Not where the same sentence has this."""
    unless_anywhere: list[Words] = []
    private: Literal["spared", "the same"] = "the same"
    """Spared: a text that goes on to a private channel is not looked at."""
    public_only: bool = False
    offer: str | None = None
    """What the page may offer to do with the phrase."""


@dataclass(frozen=True)
class Context:
    """What is known beside the text."""

    is_public: bool = True
    posts: Sequence[str] = ()
    """What the customer wrote: numbers and addresses in it are theirs."""
    earlier: Sequence[str] = ()
    """Our answers so far, in this thread or to this author."""
    in_thread: Sequence[str] = ()
    """Those of them in this thread."""
    canned: Sequence[str] = ()
    own_contacts: Sequence[str] = ()
    """Our own telephone numbers, mail addresses and domains."""
    private_contact: str = ""
    """A link or words of ours that lead to a private channel."""


@dataclass(frozen=True)
class Finding:
    """A phrase of the draft, and what is wrong with it."""

    rule: str
    phrase: str
    start: int
    end: int
    reason: str
    better: str
    level: Level
    offer: str | None = None

    @property
    def blocks(self) -> bool:
        """Whether the draft cannot be sent with it."""
        return self.level is Level.BLOCK


@lru_cache(maxsize=1)
def all_rules() -> tuple[Rule, ...]:
    """Every rule of the file, on or off, in its order."""
    data = tomllib.loads(RULES_FILE.read_text(encoding="utf-8"))
    return tuple(Rule.model_validate(rule) for rule in data["rule"])


def check(text: str, context: Context, rules: Sequence[Rule] | None = None) -> list[Finding]:
    """What the rules find in a draft, what blocks first; without `rules`, those that are on."""
    found = []
    flat = plain(text)
    private = _leads_away(text, flat, context)
    for rule in all_rules() if rules is None else rules:
        if rules is None and not rule.on:
            continue
        if rule.public_only and not context.is_public:
            continue
        if rule.private == "spared" and private:
            continue
        for start, end in _FINDERS[rule.by](rule, text, flat, context):
            found.append(_finding(rule, text, start, end))
    return sorted(found, key=lambda finding: (not finding.blocks, finding.start, finding.end))


def _finding(rule: Rule, text: str, start: int, end: int) -> Finding:
    return Finding(
        rule.id, text[start:end], start, end, rule.reason, rule.better, rule.level, rule.offer
    )


Spans = Iterator[tuple[int, int]]

PRIVATE = re.compile(
    r"\b(?:(?:private|direct|personal) (?:message|chat|request)|privately|in private|by (?:e-?mail|"
    r"phone|post|dm|pm)|(?:e-?mail|dm|pm|phone|call|ring) (?:it |them |this |that )?(?:to )?us|"
    r"(?:in|via|by|through|over|a|your|send) (?:an? |us an? )?(?:dm|pm)s?|dms?|inbox|"
    r"without (?:revealing|posting|sharing)|(?:do not|don't|please don't|never) (?:post|share|"
    r"send|give|write|put|tell)|secure (?:form|link|page|chat))\b",
    re.IGNORECASE,
)


def _leads_away(text: str, flat: str, context: Context) -> bool:
    """Whether the text asks the customer to go on in private."""
    contact = context.private_contact.strip().lower()
    return bool(PRIVATE.search(flat)) or (bool(contact) and contact in text.lower())


def _by_words(rule: Rule, text: str, flat: str, context: Context) -> Spans:
    if any(_regex(words).search(flat) for words in rule.unless_anywhere):
        return
    for start, end in _places(rule.where, flat):
        part = flat[start:end]
        if any(_regex(words).search(part) for words in rule.unless):
            continue
        for words in rule.patterns:
            for hit in _regex(words).finditer(part):
                yield start + hit.start(), start + hit.end()
        for one, other in rule.pairs:
            first, second = _regex(one).search(part), _regex(other).search(part)
            if first and second:
                yield (
                    start + min(first.start(), second.start()),
                    start + max(first.end(), second.end()),
                )


def _merged(find: "Callable[[Rule, str, str, Context], Spans]") -> "Finder":
    """The spans of a finder, in order, overlapping ones as one."""

    def found(rule: Rule, text: str, flat: str, context: Context) -> Spans:
        last: tuple[int, int] | None = None
        for start, end in sorted(find(rule, text, flat, context)):
            if last and start <= last[1]:
                last = (last[0], max(last[1], end))
                continue
            if last:
                yield last
            last = (start, end)
        if last:
            yield last

    return found


Finder = Callable[[Rule, str, str, Context], Spans]


def _places(where: Where, flat: str) -> list[tuple[int, int]]:
    if where is Where.ANYWHERE:
        return [(0, len(flat))]
    if where is Where.SENTENCE:
        return list(sentences(flat))
    start = _after_courtesies(flat)
    return list(sentences(flat, start))[:1]


COURTESIES = re.compile(
    r"\s*(?:"
    r"(?:hi|hello|hey|hiya|dear|good (?:morning|afternoon|evening|day))\b"
    r"[^.,!?:;\n–—-]{0,30}[.,!:;–—-]*"
    r"|(?:many |so |)(?:thanks|thank you|thx|cheers)\b[^.!?;\n–—]{0,120}[.!;–—]+"
    r"|(?:we(?:'re| are) |i'm |i am |)(?:so |very |really |truly |terribly |)sorry"
    r"(?: to (?:hear|see|read) (?:that|this|it)| about (?:that|this|it)| for (?:that|this|"
    r"(?:the|any|your) (?:trouble|inconvenience|bother|hassle|frustration|experience)))?[.!,;–—-]+"
    r"|(?:apologies|we apologi[sz]e)(?: for (?:that|this|(?:the|any|your) (?:trouble|"
    r"inconvenience|delay|experience)))?[.!,;–—-]+"
    r"|(?:we(?:'d| would|'ll| will| can|'re| are)? ?|i(?:'d| would|'ll| can)? ?|)(?:be |)(?:here |)"
    r"(?:happy |glad |love |here |want |able |)(?:to |)(?:help|assist|look into)(?: you|)"
    r"(?: with | out|)(?:this|that|it|)(?: today|)[.!,;–—-]+"
    r"|(?:oh no|uh oh|yikes|oops|ouch)[.!,;–—-]+"
    r")\s*",
    re.IGNORECASE,
)


def _after_courtesies(flat: str) -> int:
    """Where the answer begins to say something."""
    at = 0
    while (hit := COURTESIES.match(flat, at)) and hit.end() > at:
        at = hit.end()
    return at


@lru_cache(maxsize=512)
def _regex(words: str) -> re.Pattern[str]:
    return re.compile(words, re.IGNORECASE)


def _by_data(rule: Rule, text: str, flat: str, context: Context) -> Spans:
    yield from personal.of_customer(flat, context.posts, context.own_contacts)


def _by_repeat(rule: Rule, text: str, flat: str, context: Context) -> Spans:
    if repeats.said_before(text, context.earlier):
        yield 0, len(text)


def _by_canned(rule: Rule, text: str, flat: str, context: Context) -> Spans:
    if repeats.second_canned(text, context.in_thread, context.canned):
        yield 0, len(text)


_FINDERS: dict[str, Finder] = {
    "words": _merged(_by_words),
    "customer data": _merged(_by_data),
    "repeat": _by_repeat,
    "canned": _by_canned,
}
