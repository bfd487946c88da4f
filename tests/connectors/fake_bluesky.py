"""Bluesky's servers as a function: the AppView for visitors, the PDS for those with a login."""

import copy
import json
from typing import Any

import httpx

from connectors.bluesky import Bluesky, BlueskySettings
from tests.connectors.cases import SECRET, Read, everything, fixture

View = dict[str, Any]
APPVIEW, PDS = "public.api.bsky.app", "bsky.social"


def recorded(file: str) -> Any:
    """A recorded answer of Bluesky."""
    return json.loads(fixture("bluesky", file))


def view(number: int, **record: Any) -> View:
    """A good post, indexed `number` minutes after midnight."""
    made: View = copy.deepcopy(recorded("first_page.json")["posts"][-1])
    at = f"2026-11-{20 + number // 1440:02}T{number // 60 % 24:02}:{number % 60:02}:00.000Z"
    made["uri"] = f"at://did:plc:example1/app.bsky.feed.post/3m{number:011}"
    made["record"] = {
        "$type": "app.bsky.feed.post",
        "text": f"Acme is down: {number}",
        "createdAt": at,
        **record,
    }
    made["indexedAt"] = at
    return made


class FakeBluesky:
    """Its `posts` stand in the order of the search, the newest first."""

    def __init__(self, *posts: View) -> None:
        self.posts = list(posts)
        self.open_to_visitors = True
        self.pages_for_visitors = 99
        self.token = recorded("session.json")["accessJwt"]
        self.refreshable = True
        self.answers: dict[str, httpx.Response] = {}
        self.once: dict[str, httpx.Response] = {}
        self.records: dict[str, Any] = {}
        self.requests: list[httpx.Request] = []

    def connect(self, password: str = "", **settings: Any) -> Bluesky:
        """A connector that reads these servers."""
        told = {"search": "acme", "handle": "acmehelp.bsky.social", **settings}
        return Bluesky(
            BlueskySettings.model_validate(told),
            {"app_password": password} if password else {},
            httpx.MockTransport(self.answer),
        )

    def read(self, cursor: str | None = None, password: str = "", **settings: Any) -> Read:
        """One fetch."""
        pages = list(self.connect(password, **settings).fetch(cursor))
        cursors = [page.cursor for page in pages if page.cursor is not None]
        skipped = [reason for page in pages for reason in page.skipped]
        return Read(pages, everything(pages), skipped, cursors[-1] if cursors else cursor)

    def asked(self, method: str) -> int:
        """How many requests asked for this method."""
        return sum(request.url.path.endswith(method) for request in self.requests)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Stands for both servers."""
        self.requests.append(request)
        method = request.url.path.rpartition(".")[2]
        if method in self.once:
            return self.once.pop(method)
        if method in self.answers:
            return self.answers[method]
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if method == "createSession":
            self.token = recorded("session.json")["accessJwt"]
            return httpx.Response(200, json=recorded("session.json"))
        if method == "refreshSession":
            return self.refresh(bearer)
        if request.url.host == PDS and bearer != self.token:
            return failed(400, "ExpiredToken", "Token has expired")
        if method == "searchPosts":
            return self.search(request, bearer)
        return self.repo(method, request)

    def refresh(self, bearer: str) -> httpx.Response:
        """A new token for the one that only refreshes."""
        if not self.refreshable or bearer != recorded("session.json")["refreshJwt"]:
            return failed(400, "ExpiredToken", "Token has been revoked")
        self.token = recorded("session_renewed.json")["accessJwt"]
        return httpx.Response(200, json=recorded("session_renewed.json"))

    def search(self, request: httpx.Request, bearer: str) -> httpx.Response:
        """A page of the search; visitors may be shut out."""
        params = request.url.params
        limit, start = int(params["limit"]), int(params.get("cursor", "0"))
        if limit > 100:
            return failed(400, "InvalidRequest", "integer too big (maximum 100)")
        closed = not self.open_to_visitors or start >= limit * self.pages_for_visitors
        if not bearer and closed:
            return httpx.Response(403, content=b"<html><h1>403 Forbidden</h1></html>")
        body: dict[str, Any] = {"posts": self.posts[start : start + limit]}
        if start + limit < len(self.posts):
            body["cursor"] = str(start + limit)
        return httpx.Response(200, json=body)

    def repo(self, method: str, request: httpx.Request) -> httpx.Response:
        """Our own records, as the PDS keeps them."""
        if method == "putRecord":
            told = json.loads(request.content)
            if told["rkey"] in self.records and told["swapRecord"] is None:
                return failed(400, "InvalidSwap", "Record was at bafyreiexample")
            self.records[told["rkey"]] = told["record"]
            return httpx.Response(200, json={"uri": "at://…", "cid": "bafyreiexample"})
        if method == "getRecord":
            value = self.records[request.url.params["rkey"]]
            return httpx.Response(200, json={"uri": "at://…", "cid": "bafy", "value": value})
        return httpx.Response(200, json=recorded("author_feed.json"))


def failed(status: int, error: str, message: str) -> httpx.Response:
    """An error as the AT protocol tells it."""
    return httpx.Response(status, json={"error": error, "message": message})


__all__ = ["APPVIEW", "PDS", "SECRET", "FakeBluesky", "failed", "recorded", "view"]
