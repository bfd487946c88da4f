"""Reads one stream of Mastodon, a hashtag or a search, and knows what of it is new.

How far a stream has been read is kept as its newest few posts, not as one id. A post that comes
late from another server gets an id of the past; a fetch begins at the oldest of the few, so it
finds that one, and finds which of the few were edited meanwhile.

Ids are 18 digits on one server and 42 letters on the next: text, never numbers.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from connectors.base import RetryableError
from connectors.http import Http

LIMIT = 40
"""Posts asked for at once: the most that Mastodon gives."""

WINDOW = 20
"""Posts that a mark keeps. Fewer than any server gives at once (20 where `limit` is ignored), so
a page that begins at the oldest of them always has room for a new one."""

MOST_PAGES = 100
"""Pages of one hashtag in one fetch; the next fetch goes on from there."""

Status = dict[str, Any]
"""A post as the API gives it."""


class Batch(NamedTuple):
    """Some new or newly edited posts, oldest first."""

    statuses: list[Status]
    settled: bool
    """Whether the mark may move: nothing older is still to come."""
    gap: bool = False
    """Whether older new posts are missed."""


class Stream:
    """One stream: `#tag`, or `?words` for a search. `mark` is how far it has been read."""

    def __init__(self, server: Http, name: str, mark: Mapping[str, str] | None, pages: int) -> None:
        self.server = server
        self.name = name
        self.search = name.startswith("?")
        self.pages = pages
        self.began = mark is not None
        self.seen = dict(mark or {})
        # While everything fits into the mark, nothing is too old to be new.
        self.floor = min(self.seen, key=_age) if len(self.seen) >= WINDOW else ""

    @property
    def mark(self) -> dict[str, str]:
        """The newest posts by id, each with when it was edited."""
        return {key: self.seen[key] for key in sorted(self.seen, key=_age)[-WINDOW:]}

    def read(self) -> Iterator[Batch]:
        """Yield what is new since the mark, oldest first; from the newest pages the first time."""
        if self.search or not self.seen:
            yield from self._backwards()
            return
        if not self.floor:
            # min_id leaves out the post that it names; the newest page may show them all.
            page = self._ask()
            if self.seen.keys() & set(_ids(page)):
                yield Batch(self._take(page), settled=True)
                return
        yield from self._forwards()

    def _forwards(self) -> Iterator[Batch]:
        after, last = min(self.seen, key=_age), max(self.seen, key=_age)
        asked = {after}
        for number in range(MOST_PAGES):
            page = self._ask(min_id=after)
            ids = _ids(page)
            if number == 0 and len(self.seen) > 1 and not self.seen.keys() & set(ids):
                # No overlap: the server lost what we know, or does not understand min_id. Then
                # there is no telling what lies between, and only the way down shows it.
                yield from self._backwards()
                return
            fresh = self._take(page)
            if fresh:
                yield Batch(fresh, settled=True)
            # Short is not last and last is not marked: a page with nothing new ends this. Its
            # first is the newest by the server's order; ids of one second need not ascend.
            if not ids or (not _ids(fresh) and (ids[0] == last or ids[0] in asked)):
                return
            after = ids[0]
            asked.add(after)

    def _backwards(self) -> Iterator[Batch]:
        """The newest pages are held until the oldest of them is there: `pages` at most."""
        held: list[list[Status]] = []
        paging: dict[str, str | int] = {}
        more = True
        while more and len(held) < self.pages:
            page = self._ask(**paging)
            fresh = self._take(page)
            held.append(fresh)
            more = bool(_ids(fresh))
            if self.search:
                # Mastodon turns a search's max_id into a time: posts of the same second are lost.
                paging = {"offset": LIMIT * len(held)}
            elif more:
                paging = {"max_id": _ids(page)[-1]}
        while len(held) > 1:
            yield Batch(held.pop(), settled=False)
        yield Batch(held.pop(), settled=True, gap=more and self.began)

    def _ask(self, **paging: str | int) -> list[Status]:
        if self.search:
            asked = {"q": self.name[1:], "type": "statuses", "limit": LIMIT, **paging}
            found = self.server.get("/api/v2/search", params=asked).json()
            found = found.get("statuses") if isinstance(found, dict) else None
        else:
            path = f"/api/v1/timelines/tag/{quote(self.name[1:], safe='')}"
            found = self.server.get(path, params={"limit": LIMIT, **paging}).json()
        if not isinstance(found, list):
            raise RetryableError(f"{self.server.host} sent no list of posts for {self.name}.")
        return found

    def _take(self, page: list[Status]) -> list[Status]:
        """What of `page` is new or newly edited, oldest first; remembered from now on.

        A malformed status without an id is always among it, so that it is counted.
        """
        fresh, taken = [], {}
        for status in page:
            status_id = next(iter(_ids([status])), None)
            if status_id is None:
                fresh.append(status)
                continue
            edited = str(status.get("edited_at") or "")
            known = status_id in self.seen or _age(status_id) < _age(self.floor)
            if not known or self.seen.get(status_id, edited) != edited:
                fresh.append(status)
            taken[status_id] = edited
        self.seen |= taken
        return fresh[::-1]


def _ids(page: list[Status]) -> list[str]:
    found = [status.get("id") for status in page if isinstance(status, dict)]
    return [status_id for status_id in found if status_id and isinstance(status_id, str)]


def _age(status_id: str) -> tuple[int, str]:
    """Sorts ids by age without taking them for numbers."""
    return len(status_id), status_id
