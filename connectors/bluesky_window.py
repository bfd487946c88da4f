"""What of Bluesky's search is new: no time tells it, the set of posts read last does."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from connectors.bluesky_records import time_of

Item = dict[str, Any]
"""A post as the API gives it."""

WINDOW = 200
"""Posts that the cursor remembers: two pages, so that a late one among them is noticed."""


class Window:
    """The posts read last, and what is newer than they are."""

    def __init__(self, cursor: str | None) -> None:
        kept: dict[str, Any] = json.loads(cursor) if cursor else {"seen": {}, "floor": ""}
        self.began = cursor is not None
        self.seen: dict[str, str] = kept["seen"]
        self.floor: str = kept["floor"]
        self.since = max(self.seen.values(), default="")
        self.now = datetime.now(UTC)

    def take(self, items: list[Item]) -> list[Item]:
        """What of `items` is new; remembered from now on. Malformed ones are always among it."""
        fresh = []
        for item in items:
            uri = uri_of(item)
            # A short digest: 200 whole addresses would be 14 kB in every ledger row.
            mark = hashlib.blake2b(uri.encode("utf-8", "replace"), digest_size=6).hexdigest()
            at = min(time_of(item.get("indexedAt") if uri else None) or self.now, self.now)
            indexed = at.isoformat(timespec="microseconds")
            if not uri or (mark not in self.seen and indexed > self.floor):
                fresh.append(item)
            if uri:
                self.seen.setdefault(mark, indexed)
        return fresh

    def cursor(self, whole: bool) -> str:
        """The newest posts; `whole` says whether all there is has been read or was known."""
        newest = sorted(self.seen, key=self.seen.__getitem__)[-WINDOW:]
        kept = {mark: self.seen[mark] for mark in newest}
        # While everything fits, a post may turn up at any depth and still be new.
        cut = len(kept) < len(self.seen) or not whole
        floor = min(kept.values(), default="") if cut else self.floor
        return json.dumps({"seen": kept, "floor": floor})

    def gap(self, why: str) -> str | None:
        """What is known to be missed; nothing at the first fetch, which begins where it begins."""
        return f"{why}: posts since {self.since} may be missed." if self.began else None


def uri_of(item: object) -> str:
    """The name of a post; empty where it has none that can be used."""
    found = item.get("uri") if isinstance(item, dict) else None
    return found if isinstance(found, str) else ""
