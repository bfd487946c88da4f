"""What the contract suite has to know of each connector: one `Case` for each word in CONNECTORS.

A case can write a page in the network's own shape from a few `Draft`s. A `FakeNetwork` gives such
pages, over HTTP or as a file, and fails as a test tells it.
"""

import copy
import csv
import email.utils
import html
import io
import json
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

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
    settings: dict[str, Any] = field(default_factory=dict)
    page: Callable[[list[Draft]], bytes] | None = None
    """A whole page of these posts, the oldest given first; None where nobody can write one."""
    malformed: bytes = b""
    """A page with malformed posts between good ones."""
    good: int = 0
    bad: int = 0
    """How many of each it has."""
    secrets: dict[str, str] = field(default_factory=dict)
    content_type: str = ""
    """Of a page over HTTP; empty for what does not ask over HTTP."""
    file: str = ""
    """The name of the file that is read instead."""
    empty: bytes = b""
    others: dict[str, bytes] = field(default_factory=dict)
    """Answers to other questions than for a page, by the end of the path."""
    further: tuple[str, ...] = ()
    """Parameters that ask for what lies beyond the first page."""
    has_private: bool = False
    hidden: tuple[str, ...] = (SECRET,)
    """What nobody may read anywhere: the secret, and what a login made of it."""

    def connect(self, network: "FakeNetwork", signed_in: bool = False) -> Connector:
        """The connector on a fake network, with its secrets or without."""
        connector = CONNECTORS[self.name]
        told = dict(self.settings)
        if self.file:
            told["path"] = network.folder / self.file
            told["path"].write_bytes(network.page)
        settings = connector.Settings.model_validate(told)
        return connector(
            settings, self.secrets if signed_in else {}, httpx.MockTransport(network.answer)
        )


class FakeNetwork:
    """Gives a page. GETs fail first as often as `failures` says, or always as `broken` says."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.case = case
        self.folder = folder
        recorded = sorted((FIXTURES / case.name).glob("first_page.*"))
        written = (
            case.page([Draft("1"), Draft("2", at="2026-11-20T08:01:00Z")]) if case.page else b""
        )
        self.page = recorded[0].read_bytes() if recorded else written
        self.failures: list[httpx.Response | Exception] = []
        self.broken: Callable[[], httpx.Response | Exception] | None = None
        self.requests: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Stands for the server."""
        self.requests.append(request)
        step: httpx.Response | Exception | None = None
        if request.method == "GET":
            step = self.failures.pop(0) if self.failures else self.broken and self.broken()
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


class Read(NamedTuple):
    """What one fetch brought."""

    pages: list[Page]
    posts: list[FetchedPost]
    skipped: list[str]
    cursor: str | None


def fixture(name: str, file: str) -> bytes:
    """A recorded answer."""
    return (FIXTURES / name / file).read_bytes()


def everything(pages: Iterable[Page]) -> list[FetchedPost]:
    """The posts of all pages."""
    return [post for page in pages for post in page.posts]


def read(case: Case, network: FakeNetwork, cursor: str | None, signed_in: bool = False) -> Read:
    """One fetch, as the monitor does it: a new connector, every page, the last cursor."""
    with closing(case.connect(network, signed_in)) as connector:
        pages = list(connector.fetch(cursor))
    cursors = [page.cursor for page in pages if page.cursor is not None]
    skipped = [reason for page in pages for reason in page.skipped]
    return Read(pages, everything(pages), skipped, cursors[-1] if cursors else cursor)


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


def _csv(drafts: list[Draft]) -> bytes:
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow(["id", "author", "created_at", "text"])
    writer.writerows([[draft.key, "ana", draft.at, draft.text or ""] for draft in drafts])
    return lines.getvalue().encode()


def _rss(drafts: list[Draft]) -> bytes:
    def date(at: str) -> str:
        try:
            return email.utils.format_datetime(datetime.fromisoformat(at))
        except ValueError:
            return at

    items = [
        f"<item><guid isPermaLink='false'>urn:post:{draft.key}</guid><author>ana</author>"
        f"<title>{html.escape(draft.text or '')}</title><pubDate>{date(draft.at)}</pubDate></item>"
        for draft in drafts[::-1]
    ]
    channel = "<title>Forum</title><link>https://forum.example/</link>" + "".join(items)
    return f'<rss version="2.0"><channel>{channel}</channel></rss>'.encode()


_SESSION = json.loads(fixture("bluesky", "session.json"))

CASES = {
    case.name: case
    for case in (
        Case(
            name="mastodon",
            content_type="application/json",
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
            content_type="application/json",
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
            hidden=(SECRET, *(_SESSION[token] for token in ("accessJwt", "refreshJwt"))),
        ),
        Case(
            name="file",
            file="posts.csv",
            page=_csv,
            malformed=(
                b"id,author,created_at,text\n1,ana,2026-11-20,Acme is down\n2,ben,yesterday,Still\n"
                b"3,kim,2026-11-21,\n4,ana,2026-11-21,Still no power\n"
            ),
            good=2,
            bad=2,
        ),
        Case(
            name="feed",
            settings={"url": "https://forum.example/feed.xml"},
            content_type="application/rss+xml",
            page=_rss,
            malformed=_rss([Draft("1"), Draft("2", None), Draft("3", "Still no power")]),
            good=2,
            bad=1,
        ),
        Case(name="demo"),
    )
}
