"""What the contract suite has to know of each connector: one `Case` for each word in CONNECTORS.

A case can write a page in the network's own shape from a few `Draft`s. Those that ask over HTTP
have a `FakeNetwork` too, which gives such pages and fails as a test tells it.
"""

import copy
import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from connectors import CONNECTORS
from connectors.base import Connector, FetchedPost, Page

FIXTURES = Path(__file__).parent / "fixtures"
SECRET = "s3cret-t0ken-of-ours"


@dataclass(frozen=True)
class Draft:
    """A post, in the few words that every network has."""

    key: str
    text: str | None = "Acme is down again"
    at: str = "2026-11-20T08:00:00.000Z"
    public: bool = True


@dataclass(frozen=True)
class Case:
    """How one connector is tried out."""

    name: str
    settings: dict[str, Any]
    page: Callable[[list[Draft]], bytes]
    """A whole page of these posts, oldest given first."""
    malformed: bytes
    """A page with malformed posts between good ones."""
    good: int
    bad: int
    """How many of each it has."""
    secrets: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    empty: bytes = b""
    others: dict[str, bytes] = field(default_factory=dict)
    """Answers to other questions than for a page, by the end of the path."""
    further: tuple[str, ...] = ()
    """Parameters that ask for what lies beyond the first page."""
    has_private: bool = False

    def connect(self, network: "FakeNetwork", signed_in: bool = False) -> Connector:
        """The connector on a fake network, with its secrets or without."""
        connector = CONNECTORS[self.name]
        settings = connector.Settings.model_validate(self.settings)
        return connector(
            settings, self.secrets if signed_in else {}, httpx.MockTransport(network.answer)
        )


class FakeNetwork:
    """Gives a page, and fails first as often as `failures` says, or always as `broken` says."""

    def __init__(self, case: Case, page: bytes | None = None) -> None:
        self.case = case
        self.page = fixture(case.name, "first_page.json") if page is None else page
        self.failures: list[httpx.Response | Exception] = []
        self.broken: Callable[[], httpx.Response | Exception] | None = None
        self.requests: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Stands for the server."""
        self.requests.append(request)
        step: httpx.Response | Exception | None = self.broken() if self.broken else None
        if self.failures and request.method == "GET":
            step = self.failures.pop(0)
        if isinstance(step, Exception):
            raise step
        if step is not None:
            return step
        beyond = any(word in request.url.params for word in self.case.further)
        content = self.case.empty if beyond else self.page
        for end, other in self.case.others.items():
            content = other if request.url.path.endswith(end) else content
        return httpx.Response(
            200, content=content, headers={"content-type": self.case.content_type}
        )


def fixture(name: str, file: str) -> bytes:
    """A recorded answer."""
    return (FIXTURES / name / file).read_bytes()


def everything(pages: Iterator[Page] | list[Page]) -> list[FetchedPost]:
    """The posts of all pages."""
    return [post for page in pages for post in page.posts]


def _mastodon(drafts: list[Draft]) -> bytes:
    model = json.loads(fixture("mastodon", "first_page.json"))[-1]
    statuses = []
    for draft in drafts:
        status = copy.deepcopy(model)
        status["id"] = f"1155{draft.key:0>14}"
        status["uri"] = f"{status['account']['uri']}/statuses/{draft.key}"
        status["content"] = draft.text if draft.text is None else f"<p>{draft.text}</p>"
        status["created_at"] = draft.at
        status["visibility"] = "public" if draft.public else "private"
        statuses.append(status)
    return json.dumps(statuses[::-1]).encode()


def _bluesky(drafts: list[Draft]) -> bytes:
    model = json.loads(fixture("bluesky", "first_page.json"))["posts"][-1]
    views = []
    for number, draft in enumerate(drafts):
        view = copy.deepcopy(model)
        view["uri"] = view["uri"].rpartition("/")[0] + f"/3m6{draft.key:a>10}"
        view["record"].pop("facets")
        view["record"] |= {"text": draft.text, "createdAt": draft.at}
        view["indexedAt"] = f"2026-11-20T08:{number:02}:00.000Z"
        if not draft.public:
            view["author"]["labels"] = [{"val": "!no-unauthenticated"}]
        views.append(view)
    return json.dumps({"posts": views[::-1]}).encode()


CASES = {
    case.name: case
    for case in (
        Case(
            name="mastodon",
            settings={"instance": "https://social.example", "hashtags": ["acmefail"]},
            secrets={"token": SECRET},
            page=_mastodon,
            malformed=fixture("mastodon", "malformed_page.json"),
            good=2,
            bad=4,
            empty=fixture("mastodon", "empty_page.json"),
            others={"/context": b'{"ancestors": [], "descendants": []}'},
            further=("min_id", "max_id", "offset"),
            has_private=True,
        ),
        Case(
            name="bluesky",
            settings={"search": "acme", "handle": "acmehelp.bsky.social"},
            secrets={"app_password": SECRET},
            page=_bluesky,
            malformed=fixture("bluesky", "malformed_page.json"),
            good=2,
            bad=4,
            empty=fixture("bluesky", "empty_page.json"),
            others={"createSession": fixture("bluesky", "session.json")},
            further=("cursor",),
            has_private=True,
        ),
    )
}
