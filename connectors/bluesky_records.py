"""What a post of Bluesky is made of: its name, its address, its time and its links."""

import hashlib
import re
from datetime import UTC, datetime
from typing import Any

from connectors.base import MAX_TEXT

LINK = re.compile(r"https?://\S*[^\s.,;:!?)\"']")
LINK_FACET = "app.bsky.richtext.facet#link"


def post_url(handle: str, uri: str) -> str:
    """Where people see the post. A handle that no longer belongs to its account names nobody."""
    did, rkey = uri.split("/")[2], uri.rpartition("/")[2]
    return f"https://bsky.app/profile/{did if handle == 'handle.invalid' else handle}/post/{rkey}"


def time_of(value: object) -> datetime | None:
    """A time as UTC; None for what is none, or has no zone."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        return at.astimezone(UTC) if at and at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def record_key(key: str) -> str:
    """A record key for `key`: the server takes only a TID, a time in 13 letters.

    The time is made from the key, somewhere in 2023, so that it is never in the future.
    """
    made = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
    micros = 1_672_531_200_000_000 + (made >> 10) % (365 * 86_400_000_000)
    tid = micros << 10 | made & 1023
    letters = "234567abcdefghijklmnopqrstuvwxyz"
    return "".join(letters[tid >> shift & 31] for shift in range(60, -1, -5))


def link_facets(text: str) -> list[dict[str, Any]]:
    """What makes links in `text` clickable. Places are counted in bytes of UTF-8."""
    return [
        {
            "index": {
                "byteStart": len(text[: link.start()].encode()),
                "byteEnd": len(text[: link.end()].encode()),
            },
            "features": [{"$type": LINK_FACET, "uri": link[0]}],
        }
        for link in LINK.finditer(text)
    ]


def with_links(text: str, facets: list[Any]) -> str:
    """`text` with its links in full: apps show `example.com/so…` and keep the rest in a facet.

    A facet that is malformed, or would cut a character or another facet in two, is left out.
    """
    # One more than is kept, so that the cut is noticed where it is counted.
    whole = text[: MAX_TEXT + 1].encode("utf-8", "surrogatepass")
    limit = len(whole)
    for start, end, uri in sorted(_links(facets), reverse=True):
        inside = 0 <= start < end <= limit
        if inside and not any(at < len(whole) and whole[at] & 0xC0 == 0x80 for at in (start, end)):
            whole, limit = whole[:start] + uri + whole[end:], start
    return whole.decode("utf-8", "surrogatepass")


def _links(facets: list[Any]) -> list[tuple[int, int, bytes]]:
    links = []
    for facet in facets[:100]:
        try:
            start, end = facet["index"]["byteStart"], facet["index"]["byteEnd"]
            uris = [f["uri"] for f in facet["features"] if f["$type"] == LINK_FACET]
            links += [(int(start), int(end), str(uri).encode("utf-8", "replace")) for uri in uris]
        except (LookupError, TypeError, ValueError):
            continue
    return links
