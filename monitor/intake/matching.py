"""What counts as being about us: a small boolean query language that says why a post matched.

    "acme power" OR @acmepower OR #acmefail     any of these
    acme AND (refund OR outage)                 AND may be left out between two terms
    acme NOT climbing                           exclusions; -climbing is the same
    acme*                                       words that begin so

Case and width of letters do not matter. A term matches whole words only, except in scripts that
write no spaces or glue particles to a word (Chinese, Japanese, Arabic, Hindi ...).
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

Found = list[str] | None
"""The terms that matched, or None where the post is not ours."""


class QueryError(Exception):
    """A query cannot be read. The text says where and why."""


@dataclass(frozen=True)
class Query:
    """A compiled query."""

    text: str
    _match: Callable[[str], Found]

    def match(self, text: str) -> Found:
        """The terms that make `text` ours, in the query's order; None if it is not ours."""
        return self._match(_fold(text))


def compile_query(text: str) -> Query:
    """A query ready to match. An empty one matches everything. Raises QueryError."""
    if not text.strip():
        return Query(text, lambda _: [])
    parser = _Parser(text)
    match = parser.parse()
    if match("") is not None:
        raise QueryError("the query only excludes: name at least one word that makes a post yours")
    return Query(text, match)


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


_TOKEN = re.compile(
    r'\s*(?:(?P<open>\()|(?P<close>\))|(?P<minus>-)?(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s()"]+)))'
)


class _Parser:
    """Recursive descent over or, and, not, term; NOT binds before AND, AND before OR."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None:
                raise QueryError(f"the query has an unclosed quotation mark at character {at + 1}")
            at = token.end()
            if token["open"] or token["close"]:
                self.tokens.append((token[0].strip(), ""))
                continue
            if token["minus"]:
                self.tokens.append(("NOT", ""))
            if token["word"] in ("AND", "OR", "NOT"):
                self.tokens.append((token["word"], ""))
            else:
                self.tokens.append(("term", token["phrase"] or token["word"] or ""))

    def parse(self) -> Callable[[str], Found]:
        match = self._or()
        if self.tokens:
            raise QueryError(f"the query has a {self.tokens[0][0]} too many")
        return match

    def _next(self) -> str:
        return self.tokens[0][0] if self.tokens else ""

    def _or(self) -> Callable[[str], Found]:
        parts = [self._and()]
        while self._next() == "OR":
            self.tokens.pop(0)
            parts.append(self._and())
        return parts[0] if len(parts) == 1 else _any(parts)

    def _and(self) -> Callable[[str], Found]:
        parts = [self._not()]
        while self._next() in ("AND", "NOT", "term", "("):
            if self._next() == "AND":
                self.tokens.pop(0)
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else _all(parts)

    def _not(self) -> Callable[[str], Found]:
        if self._next() == "NOT":
            self.tokens.pop(0)
            inner = self._not()
            return lambda text: [] if inner(text) is None else None
        return self._atom()

    def _atom(self) -> Callable[[str], Found]:
        kind, term = self.tokens.pop(0) if self.tokens else ("end", "")
        if kind == "(":
            inner = self._or()
            if self._next() != ")":
                raise QueryError("the query has a ( without its )")
            self.tokens.pop(0)
            return inner
        if kind != "term":
            raise QueryError(f"the query has no word before its {kind}")
        return _term(term)


def _any(parts: list[Callable[[str], Found]]) -> Callable[[str], Found]:
    def match(text: str) -> Found:
        found = [result for part in parts if (result := part(text)) is not None]
        return list(dict.fromkeys(term for result in found for term in result)) if found else None

    return match


def _all(parts: list[Callable[[str], Found]]) -> Callable[[str], Found]:
    def match(text: str) -> Found:
        terms: list[str] = []
        for part in parts:
            result = part(text)
            if result is None:
                return None
            terms += result
        return list(dict.fromkeys(terms))

    return match


def _term(term: str) -> Callable[[str], Found]:
    words = _fold(term).rstrip("*").split()
    if not words:
        raise QueryError("the query has an empty term")
    pattern = r"[\s\W]+".join(re.escape(word) for word in words)
    if _needs_edge(words[0][0]):
        pattern = r"(?<!\w)" + pattern
    if _needs_edge(words[-1][-1]) and not term.endswith("*"):
        pattern += r"(?!\w)"
    search = re.compile(pattern).search
    return lambda text: [term] if search(text) else None


def _needs_edge(letter: str) -> bool:
    """Whether a word may not go on beyond this letter: true but for scripts without case."""
    return unicodedata.category(letter) not in ("Lo", "Mn", "Mc", "Lm")
