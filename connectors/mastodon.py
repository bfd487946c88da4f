"""Mastodon, and every server that has its API: hashtags, and a search for those with a token.

What a post is called everywhere is its `uri`, so one that two servers show is one post. Its id is
the server's own: it goes into `ref` and nowhere else.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from connectors.base import (
    Connector,
    ConnectorError,
    FatalError,
    FetchedPost,
    Page,
    RequestError,
    RetryableError,
    SentReply,
    ServerAddress,
    parse_all,
)
from connectors.graphemes import graphemes
from connectors.http import Http
from connectors.mastodon_streams import Status, Stream
from connectors.mastodon_text import without_quote, words
from connectors.mastodon_threads import status_of, ways_up, whole_thread
from connectors.text import html_to_text

LOOKUPS = 20
"""Threads asked for in one fetch: a busy hashtag must not eat the limit that reading needs."""

CLOCKS = timedelta(minutes=5)
"""How far the server's clock may be from ours."""

LINK = re.compile(r"https?://\S*[^\s.,;:!?)\"']")
REMOTE_MENTION = re.compile(r"(?<![=/\w])(@\w+(?:[.-]+\w+)*)@\w+(?:[.-]+\w+)*")


class MastodonSettings(BaseModel):
    """What to read, and on which server."""

    model_config = ConfigDict(extra="forbid")

    instance: ServerAddress
    hashtags: list[str] = []
    search: str = ""
    """Needs the token: a visitor's search finds nothing on Mastodon, without saying so."""
    pages: int = Field(default=5, ge=1, le=25)
    """Pages of 40 posts at most, where a stream is read from its newest post backwards: a
    hashtag the first time, the search every time."""

    @model_validator(mode="after")
    def _something(self) -> "MastodonSettings":
        self.search = self.search.strip()
        self.hashtags = list(dict.fromkeys(tag.strip().lstrip("#") for tag in self.hashtags))
        if not all(self.hashtags) or not (self.hashtags or self.search):
            raise ValueError("name at least one hashtag, or a search")
        return self


class Mastodon(Connector):
    """Public posts of hashtags and of a search; replies with a token."""

    name = "mastodon"
    # A server allows 300 requests in 5 minutes; a quiet fetch is one request a hashtag.
    every = timedelta(minutes=2)
    Settings = MastodonSettings
    secrets = ("token",)
    max_length = 500
    settings: MastodonSettings

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.token = self.secret.get("token", "").strip()
        bearer = {"authorization": f"Bearer {self.token}"} if self.token else {}
        self.server = self.http = Http(
            self.settings.instance, headers=bearer, transport=self.transport, secrets=[self.token]
        )
        self.lookups = LOOKUPS
        self.threads: dict[str, tuple[str, str | None]] = {}
        self.given: set[tuple[str, datetime | None]] = set()

    def fetch(self, cursor: str | None) -> Iterator[Page]:
        """Yield each stream's new and edited posts, oldest first. Raises `ConnectorError`.

        A stream that the server does not know is told as a gap and does not stop the others,
        unless none can be read.
        """
        if self.settings.search and not self.token:
            raise FatalError(
                "The search needs a token: without one Mastodon finds nothing and does not say so. "
                "Give the token, or take `search` out."
            )
        marks: dict[str, dict[str, str]] = json.loads(cursor) if cursor else {}
        self.threads, self.lookups, self.given = {}, LOOKUPS, set()
        streams = [f"#{tag}" for tag in self.settings.hashtags]
        streams += [f"?{self.settings.search}"] if self.settings.search else []
        unknown: list[str] = []
        for name in streams:
            try:
                yield from self._read(name, marks)
            except RequestError as error:
                if error.status not in (404, 410):
                    raise
                unknown.append(f"{name} cannot be read: {error}")
                if len(unknown) == len(streams):
                    raise
        yield Page([], json.dumps(marks), gap="\n".join(unknown) or None, quota=self.server.quota)

    def _read(self, name: str, marks: dict[str, dict[str, str]]) -> Iterator[Page]:
        """Yield one stream's pages and keep in `marks` how far it has been read."""
        stream = Stream(self.server, name, marks.get(name), self.settings.pages)
        for batch in stream.read():
            if batch.settled:
                marks[name] = stream.mark
            posts, skipped = parse_all(_with_boosted(batch.statuses), self.parse)
            posts = [post for post in posts if not self._given(post)]
            gap = f"{name} has more new posts than we read at once; the older of them are missed."
            yield Page(
                posts,
                json.dumps(marks) if batch.settled else None,
                skipped,
                gap if batch.gap else None,
                self.server.quota,
            )

    def _given(self, post: FetchedPost) -> bool:
        """Whether this fetch gave the post before: it may have several of the hashtags."""
        version = post.external_id, post.edited_at
        given = version in self.given
        self.given.add(version)
        return given

    def parse(self, status: Status) -> FetchedPost:
        """One status as a post. Raises what `parse_all` takes for a malformed one."""
        account, boosted = status["account"], status.get("reblog")
        author, uri = account.get("uri") or account["url"], status["uri"]
        if boosted and uri == boosted["uri"]:
            uri = f"{uri}#boost-by-{author}"
        public = status.get("visibility") in ("public", "unlisted")
        reply_to, thread = self._thread(status) if public else (None, None)
        answer = boosted or status
        text = html_to_text(without_quote(status.get("content") or ""))
        warning = status.get("spoiler_text") or ""
        return FetchedPost(
            network=self.name,
            external_id=uri,
            author_id=author,
            author_handle=self._handle(account["acct"]),
            author_name=account.get("display_name") or account["acct"],
            followers=account.get("followers_count"),
            text=f"{warning}\n\n{text}".strip(),
            url=status.get("url") or uri,
            created_at=_time(status["created_at"]),
            language=status.get("language"),
            reply_to=reply_to,
            thread=thread,
            repost_of=boosted["uri"] if boosted else None,
            public=public,
            edited_at=_time(status["edited_at"]) if status.get("edited_at") else None,
            ref=json.dumps({"id": answer["id"], "acct": answer["account"]["acct"]}),
        )

    def _handle(self, acct: str) -> str:
        return acct if "@" in acct else f"{acct}@{urlsplit(self.settings.instance).netloc}"

    def _thread(self, status: Status) -> tuple[str | None, str | None]:
        """The uris of the answered post and of the thread's first, as far as they can be known.

        A status names only the local id of what it answers. The uri is known if that post came in
        this fetch; else the server is asked for the thread, `LOOKUPS` times a fetch. A server does
        not have every post of a thread: what it lacks stays unknown.
        """
        status_id, parent_id = status["id"], status.get("in_reply_to_id")
        if not parent_id:
            self.threads[status_id] = (status["uri"], status["uri"])
            return None, None
        if parent_id not in self.threads and self.lookups > 0:
            self._look_up(status_id)
        reply_to, root = self.threads.get(parent_id, (None, None))
        known = self.threads.get(status_id, (None, None))[1]
        self.threads[status_id] = (status["uri"], root or known)
        return reply_to, root

    def _look_up(self, status_id: str) -> None:
        self.lookups -= 1
        path = f"/api/v1/statuses/{quote(status_id, safe='')}/context"
        try:
            for above in self.server.get(path).json()["ancestors"]:
                uri, parent_id = above["uri"], above["in_reply_to_id"]
                _, root = self.threads.get(parent_id, (None, None)) if parent_id else (None, uri)
                self.threads[above["id"]] = (uri, root)
        except RequestError:
            return  # not for us to see, or gone: the next thread may be
        except (ConnectorError, LookupError, TypeError):
            self.lookups = 0  # the posts matter more than their threads

    @property
    def can_reply(self) -> bool:
        """With a token; whether it may write shows at the first reply."""
        return bool(self.token)

    def reply(self, ref: str, text: str, key: str) -> SentReply:
        """Answer in public, naming the author, who is told only then. Raises `ConnectorError`."""
        target = _target(ref)
        if not re.search(rf"(?<![=/\w])@{re.escape(target['acct'])}(?![\w@])", text, re.IGNORECASE):
            text = f"@{target['acct']} {text}"
        answer = self.server.post(
            "/api/v1/statuses",
            headers={"idempotency-key": key},
            json={"status": text, "in_reply_to_id": target["id"], "visibility": "public"},
        ).json()
        try:
            return _sent(answer)
        except (LookupError, TypeError, ValueError):
            self._strange("the reply that it took")

    def find_reply(self, ref: str, text: str, since: datetime) -> SentReply | None:
        """Our own answer with these words below the post behind `ref`, in the server's thread.

        A server shows a text in its own way, so letters, digits and emoji are compared, no more.
        """
        target = _target(ref)
        wanted = {words(text), words(html_to_text(text))}  # snac lets what looks like HTML through
        try:
            me = self.server.get("/api/v1/accounts/verify_credentials").json()["id"]
            path = f"/api/v1/statuses/{quote(target['id'], safe='')}/context"
            for below in self.server.get(path).json()["descendants"]:
                ours = below["in_reply_to_id"] == target["id"] and below["account"]["id"] == me
                if (
                    ours
                    and _time(below["created_at"]) >= since - CLOCKS
                    and below["visibility"] in ("public", "unlisted")
                    and words(html_to_text(below["content"])) in wanted
                ):
                    return _sent(below)
        except RequestError as error:
            if error.status not in (404, 410):
                raise
        except (LookupError, TypeError, ValueError):
            self._strange("a thread")
        return None

    @property
    def can_thread(self) -> bool:
        """For everybody; without a token the server shows less of a long one."""
        return True

    def thread(self, ref: str) -> list[FetchedPost]:
        """The thread as far as this server has it. Raises `ConnectorError`."""
        statuses = whole_thread(self.server, _target(ref)["id"])
        self.threads, self.lookups = ways_up(statuses), 0  # The thread tells its own way up.
        posts, _ = parse_all(statuses, self.parse)
        return [post for post in posts if post.public]

    def is_gone(self, ref: str) -> bool:
        """Whether the server has this status no longer. Raises `ConnectorError`."""
        return status_of(self.server, _target(ref)["id"]) is None

    def _strange(self, what: str) -> NoReturn:
        raise RetryableError(f"{self.server.host} tells of {what} in a form that we do not know.")

    def length(self, text: str) -> int:
        """As Mastodon counts: graphemes, a link as 23, of `@name@server` only `@name`."""
        return graphemes(REMOTE_MENTION.sub(r"\1", LINK.sub("x" * 23, text)))


def _with_boosted(statuses: list[Status]) -> Iterator[Status]:
    """Each status, and before a boost what it boosts: snac shows a boost in the post's place."""
    for status in statuses:
        if isinstance(status, dict) and status.get("reblog"):
            yield status["reblog"]
        yield status


def _target(ref: str) -> dict[str, str]:
    try:
        target = json.loads(ref)
        return {"id": target["id"], "acct": target["acct"]}
    except (LookupError, TypeError, ValueError) as error:
        raise FatalError("This post was not read from Mastodon: answer on its network.") from error


def _sent(status: Status) -> SentReply:
    return SentReply(status["uri"], status.get("url") or "", _time(status["created_at"]))


def _time(value: str) -> datetime:
    at = datetime.fromisoformat(value)
    # The API tells UTC; a server that forgets the Z means it all the same.
    return at if at.tzinfo else at.replace(tzinfo=UTC)
