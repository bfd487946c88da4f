"""Bluesky: its search, newest posts first, and replies with an app password.

The search closes to visitors when there is too much traffic (403), and never shows them more than
its first page. With an app password it is asked through the account's own server.

No time tells what is new: `createdAt` is the author's word, and the search stands in its order.
What tells it is the set of posts read last, and `indexedAt` below which nothing is looked at again.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from connectors.base import (
    Connector,
    FatalError,
    FetchedPost,
    Page,
    Quota,
    RequestError,
    RetryableError,
    SentReply,
    ServerAddress,
    parse_all,
)
from connectors.bluesky_records import link_facets, post_url, record_key, time_of, with_links
from connectors.bluesky_session import Session, error_name
from connectors.bluesky_threads import is_gone, whole_thread
from connectors.bluesky_window import Window, uri_of
from connectors.graphemes import graphemes
from connectors.http import Http

LIMIT = 100
"""Posts asked for at once. One more is an error, not a shorter answer."""

CLOCKS = timedelta(minutes=5)
"""How far the server's clock may be from ours."""

FEED_PAGES = 5
"""Pages of our own posts in which a reply is looked for."""

COLLECTION = "app.bsky.feed.post"

Item = dict[str, Any]
"""A post as the API gives it."""


class BlueskySettings(BaseModel):
    """What to read, from which servers, and whose account answers."""

    model_config = ConfigDict(extra="forbid")

    search: str = Field(min_length=1)
    appview: ServerAddress = "https://public.api.bsky.app"
    pds: ServerAddress = "https://bsky.social"
    handle: str = ""
    """The account of the app password."""
    pages: int = Field(default=10, ge=1, le=50)
    """Pages of 100 posts at most in one fetch. More new ones than that are told as a gap."""


class Bluesky(Connector):
    """Public posts that the search finds; replies with an app password."""

    name = "bluesky"
    # Bluesky asks to use its search as people do, and closes it to those who do not.
    every = timedelta(minutes=3)
    Settings = BlueskySettings
    secrets = ("app_password",)
    max_length = 300
    settings: BlueskySettings

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.visitor = self.http = Http(self.settings.appview, transport=self.transport)
        self.pds = Http(self.settings.pds, transport=self.transport)
        password = self.secret.get("app_password", "").strip()
        handle = self.settings.handle.strip().lstrip("@")
        self.session = Session(self.pds, handle, password) if password and handle else None
        self.no_handle = bool(password and not handle)

    def close(self) -> None:
        """Let the connections to both servers go."""
        super().close()
        self.pds.close()

    def fetch(self, cursor: str | None) -> Iterator[Page]:
        """Yield the new posts, newest first; only the last page has a cursor.

        Raises `ConnectorError`.
        """
        if self.no_handle:
            raise FatalError("There is an app password but no `handle` of its account: add it.")
        window = Window(cursor)
        further: str | None = None
        for number in range(1, self.settings.pages + 1):
            try:
                items, further = self._search(further)
            except RequestError as error:
                if self.session or error.status not in (401, 403):
                    raise
                if number == 1:
                    raise FatalError(
                        f"{self.visitor.host} answered {error.status}: Bluesky's search is closed "
                        "to visitors. Give the `handle` of an account and its app password."
                    ) from error
                why = "Bluesky shows a visitor only one page"
                yield Page([], window.cursor(whole=False), gap=window.gap(why), quota=self.quota)
                return
            fresh = window.take(items)
            posts, skipped = parse_all(fresh, self.parse)
            more = bool(further) and any(map(uri_of, fresh))
            if more and number < self.settings.pages:
                yield Page(posts, None, skipped, quota=self.quota)
                continue
            gap = window.gap(f"more than {number} pages are new") if more else None
            yield Page(posts, window.cursor(whole=not more), skipped, gap, self.quota)
            return

    @property
    def quota(self) -> Quota | None:
        """What the server that is asked says is left."""
        return self.pds.quota if self.session else self.visitor.quota

    def _search(self, further: str | None) -> tuple[list[Item], str | None]:
        params: dict[str, str | int] = {"q": self.settings.search, "sort": "latest", "limit": LIMIT}
        if further:
            params["cursor"] = further
        asked = self.session or self.visitor
        found = asked.get("/xrpc/app.bsky.feed.searchPosts", params=params).json()
        items = found.get("posts") if isinstance(found, dict) else None
        if not isinstance(items, list):
            raise RetryableError("Bluesky's search sent no list of posts.")
        # The end is the absence of a cursor; one that repeats would never end.
        return items, None if found.get("cursor") == further else found.get("cursor")

    def parse(self, item: Item) -> FetchedPost:
        """One post view as a post. Raises what `parse_all` takes for a malformed one."""
        uri, author, record = item["uri"], item["author"], item["record"]
        above = record.get("reply") or {}
        labels = [*(author.get("labels") or []), *(item.get("labels") or [])]
        me = {"uri": uri, "cid": item["cid"]}
        langs = record.get("langs") or [None]
        return FetchedPost(
            network=self.name,
            external_id=uri,
            author_id=author["did"],
            author_handle=author["handle"],
            author_name=author.get("displayName") or "",
            text=with_links(record.get("text") or "", record.get("facets") or []),
            url=post_url(author["handle"], uri),
            # The author's word, and if that is no time at all, ours.
            created_at=time_of(record.get("createdAt")) or time_of(item["indexedAt"]),
            language=langs[0],
            reply_to=above["parent"]["uri"] if above else None,
            thread=above["root"]["uri"] if above else None,
            # The author asks that only people with an account see it.
            public=all(label.get("val") != "!no-unauthenticated" for label in labels),
            ref=json.dumps({**me, "root": above["root"] if above else me}),
        )

    @property
    def can_reply(self) -> bool:
        """With an app password and its handle."""
        return self.session is not None

    def reply(self, ref: str, text: str, key: str) -> SentReply:
        """Answer in public, once for each `key`. Raises `ConnectorError`.

        The record's name comes from `key`, and the server may write it only where none is: a
        second try finds the first one's record. (createRecord would answer it with a 500.)
        """
        if self.session is None:
            raise FatalError("A reply needs the `handle` of an account and its app password.")
        target = _target(ref)
        login = self.session.login
        now = datetime.now(UTC)
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)  # as the record keeps it
        record = {
            "$type": COLLECTION,
            "text": text,
            "createdAt": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "reply": {
                "root": target["root"],
                "parent": {"uri": target["uri"], "cid": target["cid"]},
            },
            "facets": link_facets(text),
        }
        place = {"repo": login.did, "collection": COLLECTION, "rkey": record_key(key)}
        uri = f"at://{login.did}/{COLLECTION}/{place['rkey']}"
        url = post_url(login.handle, uri)
        write = {**place, "record": record, "swapRecord": None}
        try:
            self.session.post("/xrpc/com.atproto.repo.putRecord", json=write)
        except RequestError as error:
            if error_name(error) != "InvalidSwap":
                raise
            path = "/xrpc/com.atproto.repo.getRecord"
            found = self.session.get(path, params=place).json()
            first = found.get("value") if isinstance(found, dict) else None
            if not isinstance(first, dict) or first.get("text") != text:
                earlier = f"An earlier try of this reply had arrived, with other words: {url}"
                raise FatalError(earlier) from error
            now = time_of(first.get("createdAt")) or now
        return SentReply(uri, url, now)

    def find_reply(self, ref: str, text: str, since: datetime) -> SentReply | None:
        """Our own answer with this text, as a visitor sees our posts; not what only we see."""
        actor = self.session.login.did if self.session else self.settings.handle
        if not actor:
            return None
        parent, earliest = _target(ref)["uri"], since - CLOCKS
        params: dict[str, str | int] = {
            "actor": actor,
            "filter": "posts_with_replies",
            "limit": LIMIT,
        }
        try:
            for _ in range(FEED_PAGES):
                path = "/xrpc/app.bsky.feed.getAuthorFeed"
                feed = self.visitor.get(path, params=params).json()
                own = [entry["post"] for entry in feed["feed"] if not entry.get("reason")]
                for post in own:
                    above = post["record"].get("reply") or {"parent": {"uri": None}}
                    at = time_of(post["indexedAt"])
                    if at is None or at < earliest:
                        return None  # the feed goes back in time
                    if above["parent"]["uri"] == parent and post["record"]["text"] == text:
                        url = post_url(post["author"]["handle"], post["uri"])
                        return SentReply(post["uri"], url, at)
                if not feed.get("cursor"):
                    return None
                params["cursor"] = feed["cursor"]
        except (LookupError, TypeError, AttributeError) as error:
            raise RetryableError("Bluesky shows our posts in an unknown form.") from error
        return None

    @property
    def can_thread(self) -> bool:
        """For everybody."""
        return True

    def thread(self, ref: str) -> list[FetchedPost]:
        """The thread as visitors see it. Raises `ConnectorError`."""
        target = _target(ref)
        views = whole_thread(self.visitor, target["uri"], target["root"]["uri"])
        posts, _ = parse_all(views, self.parse)
        return [post for post in posts if post.public]

    def is_gone(self, ref: str) -> bool:
        """Whether visitors are shown this post no longer. Raises `ConnectorError`."""
        return is_gone(self.visitor, _target(ref)["uri"])

    def length(self, text: str) -> int:
        """Graphemes, as Bluesky counts."""
        return graphemes(text)


def _target(ref: str) -> dict[str, Any]:
    try:
        target = json.loads(ref)
        return {"uri": target["uri"], "cid": target["cid"], "root": target["root"]}
    except (LookupError, TypeError, ValueError) as error:
        raise FatalError("This post was not read from Bluesky: answer on its network.") from error
