"""A Mastodon server that is a function: pages, searches and threads as the real ones give them."""

import copy
import json
from typing import Any

import httpx

from connectors.mastodon import Mastodon, MastodonSettings
from tests.connectors.cases import SECRET, Read, everything, fixture

Status = dict[str, Any]


def recorded(file: str) -> Any:
    """A recorded answer of Mastodon."""
    return json.loads(fixture("mastodon", file))


def status(number: int, **changes: Any) -> Status:
    """A good status; its id is too long for a float, and higher for a higher number."""
    made: Status = copy.deepcopy(recorded("first_page.json")[-1])
    made["id"] = f"1155804{number:011}"
    made["uri"] = f"https://social.example/users/ana/statuses/{number}"
    made["content"] = f"<p>Acme is down: {number}</p>"
    return {**made, **changes}


class Instance:
    """Its `statuses` stand in the order of the server, the oldest first."""

    def __init__(self, *statuses: Status) -> None:
        self.statuses = list(statuses)
        self.most = 40
        self.knows_min_id = True
        self.requests: list[httpx.Request] = []
        self.answers: dict[str, httpx.Response] = {}
        self.headers: dict[str, str] = {}

    def connect(self, token: str = "", **settings: Any) -> Mastodon:
        """A connector that reads this server."""
        told = {"instance": "https://social.example", "hashtags": ["acmefail"], **settings}
        return Mastodon(
            MastodonSettings.model_validate(told),
            {"token": token} if token else {},
            httpx.MockTransport(self.answer),
        )

    def read(self, cursor: str | None = None, **settings: Any) -> Read:
        """One fetch."""
        token = SECRET if settings.get("search") else ""
        pages = list(self.connect(token, **settings).fetch(cursor))
        cursors = [page.cursor for page in pages if page.cursor is not None]
        skipped = [reason for page in pages for reason in page.skipped]
        return Read(pages, everything(pages), skipped, cursors[-1] if cursors else cursor)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Stands for the server."""
        self.requests.append(request)
        for part, response in self.answers.items():
            if part in request.url.path:
                return response
        params = request.url.params
        if request.url.path == "/api/v2/search":
            start = int(params.get("offset", "0"))
            found = self.statuses[::-1][start : start + self.most]
            return self.json({"accounts": [], "statuses": found, "hashtags": []})
        if "/timelines/tag/" in request.url.path:
            return self.json(self.timeline(params))
        if request.url.path.endswith("/context"):
            return self.json({"ancestors": [], "descendants": []})
        return httpx.Response(404, content=b"")

    def timeline(self, params: httpx.QueryParams) -> list[Status]:
        """A page of the timeline, the newest first."""
        places = {each["id"]: place for place, each in enumerate(self.statuses)}
        if self.knows_min_id and "min_id" in params:
            later = self.statuses[places[params["min_id"]] + 1 :]
            return later[: self.most][::-1]
        end = places[params["max_id"]] if "max_id" in params else len(self.statuses)
        return self.statuses[max(0, end - self.most) : end][::-1]

    def json(self, body: Any) -> httpx.Response:
        """An answer in JSON."""
        return httpx.Response(200, json=body, headers=self.headers)

    def asked(self, part: str) -> int:
        """How many requests had this in their path."""
        return sum(part in request.url.path for request in self.requests)
