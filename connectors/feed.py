"""RSS and Atom: forums, reviews, blogs and whatever else publishes a feed, in any state of repair.

A feed is a window on the newest entries. The cursor keeps which of them we had, and the validators
of HTTP, so that an unchanged feed costs one empty answer.
"""

import calendar
import hashlib
import io
import json
import re
import xml.sax
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlsplit

import feedparser
from feedparser.encodings import convert_to_utf8
from pydantic import BaseModel, ConfigDict, Field, field_validator

from connectors.base import (
    Connector,
    FatalError,
    FetchedPost,
    Page,
    RetryableError,
    SkipPostError,
    parse_all,
)
from connectors.http import Answer, Http
from connectors.text import html_to_text

PAGE = 100
ID = 12
"""Characters that tell one entry from another in the cursor."""
MAX_FEED = 8 * 1024 * 1024
"""Bytes of a feed. Real ones have a tenth of it; broken ones of this size take a minute."""

HARMFUL = re.compile(rb"<!ENTITY[^>]*+>?|&#([0-9]++|[xX][0-9a-fA-F]++);?|\0")
"""Entities, which no feed needs: one of 100 kB, named 10,000 times, filled 4 GB of memory. And
characters that are none: one in a stranger's comment made feedparser give up the whole feed."""

MAIL = re.compile(r"[<(]?(?:mailto:)?([^\s@<>()]+)@[^\s@<>()]+\.[^\s@<>()]+[>)]?")
_TAG = r"(?:a|b|blockquote|br|code|div|em|h[1-6]|i|img|li|ol|p|pre|span|strong|table|ul)"
MARKUP = re.compile(rf"</?{_TAG}\b[^<>]*>|&(?:\w{{2,8}}|#\w{{2,7}});", re.IGNORECASE)
ESCAPED_TWICE = re.compile(
    rf"\A<{_TAG}\b[^<>]*>|</{_TAG}>|&(?:amp|lt|gt|quot|nbsp|#\w{{2,7}});", re.IGNORECASE
)

Entry = Mapping[str, Any]


class FeedSettings(BaseModel):
    """Which feed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    network: str = Field(default="feed", pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    """Where the posts come from, as the queue shows it. Authors of one network are one crowd."""

    @field_validator("url")
    @classmethod
    def address(cls, value: str) -> str:
        """An address of the web with nothing in it that would have to be kept secret."""
        parts = urlsplit(value)
        host = re.fullmatch(r"[\w.:-]+", parts.hostname or "")
        if parts.scheme not in ("http", "https") or not host or re.search(r"\s", value):
            raise ValueError("not the address of a feed; it begins with https://")
        if "@" in parts.netloc:
            raise ValueError("must not hold a user name or a password")
        _ = parts.port  # raises ValueError for what is no port
        return value


class Feed(Connector):
    """Reads one feed. It has no way to answer."""

    name: ClassVar[str] = "feed"
    every: ClassVar[timedelta] = timedelta(minutes=10)
    """Feeds name no limit. Small servers write them, and most change a few times a day."""
    Settings: ClassVar[type[BaseModel]] = FeedSettings

    settings: FeedSettings

    def fetch(self, cursor: str | None) -> Iterator[Page]:
        """Yield the entries that the feed did not have when the cursor was written."""
        known = _read_cursor(cursor)
        answer = self._ask(known)
        if answer.status == 304:
            yield Page([], cursor)
            return
        feed = self._read(answer, worked_before=bool(known))
        now = datetime.now(UTC)
        # Plain: a FeedParserDict gives another date for a missing one, and warns.
        entries = {_key(entry): entry for entry in map(dict, feed.entries)}
        seen = set(known.get("seen", ()))
        fresh = [entry for key, entry in entries.items() if key not in seen]
        before = {key[:ID] for key in seen}
        parse = partial(self._post, feed=feed, now=now, before=before)
        posts, skipped = parse_all(fresh, parse)
        posts.sort(key=lambda post: post.created_at)
        last = {
            "etag": answer.headers.get("etag"),
            "modified": answer.headers.get("last-modified"),
            "seen": list(entries),
        }
        lost_touch = bool(before) and before.isdisjoint(key[:ID] for key in entries)
        gap = " ".join(_gaps(feed, fresh, lost_touch=lost_touch))
        pages = [posts[start : start + PAGE] for start in range(0, len(posts), PAGE)] or [[]]
        for page in pages[:-1]:
            yield Page(page, None)
        yield Page(pages[-1], json.dumps(last), skipped, gap or None)

    def _ask(self, known: Mapping[str, Any]) -> Answer:
        if self.http is None:
            parts = urlsplit(self.settings.url)
            # Redirects may be followed: no secret is sent.
            self.http = Http(
                f"{parts.scheme}://{parts.netloc}", transport=self.transport, redirects=True
            )
        asked = {"if-none-match": known.get("etag"), "if-modified-since": known.get("modified")}
        headers = {name: value for name, value in asked.items() if value}
        return self.http.get(self.settings.url, headers=headers)

    def _read(self, answer: Answer, *, worked_before: bool) -> Any:
        """What feedparser makes of the answer. Raises `ConnectorError` where it is no feed."""
        host = urlsplit(answer.url).hostname
        if len(answer.body) > MAX_FEED:
            raise FatalError(f"{host} sent more than {MAX_FEED >> 20} MB: too much for a feed.")
        if not answer.body.strip():
            raise RetryableError(f"{host} sent an empty page instead of a feed.")
        headers = {"content-type": answer.headers.get("content-type", "application/xml")}
        try:
            body = HARMFUL.sub(_harmless, convert_to_utf8(headers, answer.body, {}))
            feed = feedparser.parse(
                # Bytes or text it would take for a file name or an address, and open that.
                io.BytesIO(body),
                response_headers={
                    "content-type": "application/xml; charset=utf-8",
                    "content-location": answer.url,
                },
                resolve_relative_uris=False,
                sanitize_html=False,  # Only its text is kept.
            )
        except Exception as error:
            # A stranger's bytes may break a parser at any place.
            raise RetryableError(f"{host} sent what cannot be read: {error!r:.100}") from error
        if feed.entries or feed.get("version"):
            return feed
        if worked_before:
            raise RetryableError(f"{host} sent a page that is no feed; it was one before.")
        links = [
            link.get("href")
            for link in feed.feed.get("links", ())
            if "+xml" in str(link.get("type"))
        ]
        hint = f" Perhaps this is it: {links[0]}" if links else ""
        raise FatalError(
            f"{host} sent a page that is no feed. Put the address of its RSS or Atom feed into "
            f"config.toml.{hint}"
        )

    def _post(self, entry: Entry, *, feed: Any, now: datetime, before: set[str]) -> FetchedPost:
        text = _text(entry)
        if not text:
            raise SkipPostError("an entry has no title and no content")
        published, updated = _time(entry, "published"), _time(entry, "updated")
        # Much of Atom tells `updated` only: there it is an edit if we had the entry before.
        edited = updated and (updated > published if published else _key(entry)[:ID] in before)
        external_id = self._unique(_name(entry))
        author_id, handle = _author(entry, feed)
        answered = entry.get("thr_in-reply-to") or {}
        return FetchedPost(
            network=self.settings.network,
            external_id=external_id,
            # Two unnamed authors are two people: one case each, and neither a crowd.
            author_id=author_id or f"unknown-{external_id}"[:512],
            author_handle=handle or "unknown",
            author_name=handle,
            text=text,
            url=entry.get("link") or "",
            created_at=published or updated or now,
            language=_language(entry, feed),
            reply_to=self._unique(answered["ref"]) if answered.get("ref") else None,
            edited_at=updated if edited else None,
        )

    def _unique(self, name: str) -> str:
        """An entry's id that no other feed of the network has; a bare number is every feed's."""
        if ":" not in name:
            parts = urlsplit(self.settings.url)
            name = f"{parts.netloc}{parts.path}#{name}"
        return name if len(name) <= 512 else f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def _harmless(found: re.Match[bytes]) -> bytes:
    """A number that stands for a character stays; whatever else is harmful goes."""
    digits = (found[1] or b"").lower()
    number = digits.lstrip(b"x0")
    if not number or len(number) > 7:
        return b" "
    code = int(number, 16 if digits.startswith(b"x") else 10)
    return found[0] if code < 0xD800 or 0xE000 <= code <= 0x10FFFF else b" "


def _name(entry: Entry) -> str:
    """What the feed calls an entry; without id and address, its words."""
    name = str(entry.get("id") or entry.get("link") or "").replace("\0", "").strip()
    return name or hashlib.sha256(_text(entry).encode(errors="replace")).hexdigest()[:32]


def _key(entry: Entry) -> str:
    """Short for an entry in one of its editions: ID characters for the entry, then the rest."""
    words = (_name(entry), str(entry.get("updated")))
    name, edition = (hashlib.sha256(w.encode(errors="replace")).hexdigest() for w in words)
    return name[:ID] + edition[:4]


def _text(entry: Entry) -> str:
    """Title and content as text; a title that only repeats how the content begins is left out."""
    title = _plain(entry.get("title"))
    contents = [part.get("value") for part in entry.get("content", ())]
    body = _plain(next(filter(None, contents), None) or entry.get("summary"))
    if not title or body.startswith(title.rstrip(" .…")):
        return body
    return f"{title}\n\n{body}" if body else title


def _plain(value: str | None) -> str:
    """Text that may be HTML, which may have been escaped once too often."""
    value = value or ""
    if MARKUP.search(value):
        value = html_to_text(value)
        if ESCAPED_TWICE.search(value):
            value = html_to_text(value)
    return value.strip()


def _time(entry: Entry, which: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(calendar.timegm(entry[f"{which}_parsed"]), UTC)
    except (LookupError, TypeError, ValueError, OverflowError, OSError):
        return None


def _author(entry: Entry, feed: Any) -> tuple[str, str]:
    """Id and name of the author; a mail address is nobody's business and is dropped.

    In Atom an entry without an author has its feed's.
    """
    words = entry.get("author")
    if not words and str(feed.get("version")).startswith("atom"):
        words = feed.feed.get("author")
    words = html_to_text(words or "")
    name = MAIL.sub(" ", words).strip(" \t()<>\"',").removeprefix("/u/").removeprefix("@")
    mail = MAIL.search(words)
    if name or not mail:
        return name, name
    return f"mail-{hashlib.sha256(mail[0].encode()).hexdigest()[:16]}", mail[1]


def _language(entry: Entry, feed: Any) -> str | None:
    details = [*entry.get("content", ()), entry.get("title_detail") or {}, feed.feed]
    return next((detail["language"] for detail in details if detail.get("language")), None)


def _gaps(feed: Any, fresh: Sequence[Entry], *, lost_touch: bool) -> Iterator[str]:
    """What is known to be missing or guessed, for a person."""
    if lost_touch:
        yield "None of the earlier entries is left: some may have come and gone. Ask more often."
    if isinstance(feed.get("bozo_exception"), xml.sax.SAXException):
        yield "The feed is broken XML: entries may be missing."
    undated = sum(not (_time(entry, "published") or _time(entry, "updated")) for entry in fresh)
    if undated:
        yield f"Entries without a date, taken as of now: {undated}."


def _read_cursor(cursor: str | None) -> dict[str, Any]:
    try:
        known = json.loads(cursor or "")
    except ValueError:
        return {}
    return known if isinstance(known, dict) and isinstance(known.get("seen"), list) else {}
