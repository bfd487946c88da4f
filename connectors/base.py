"""The contract of a connector, its errors, and HTTP in one place.

A connector reads one network and may reply there. It knows no database, no model and no page.

    ConnectorError
    ├── RetryableError    wait and ask again: a limit, an outage, a dropped connection
    ├── FatalError        switch the source off and tell a person: a bad token, a wrong address
    │   └── RequestError  a 4xx with its status, which a connector may know better
    └── SkipPostError     leave one post out and go on: it is malformed

Before a new connector is listed in `CONNECTORS`, ten things hold (the contract suite checks most):
pages come oldest first, or their cursor is None until the last one; external ids are unique on the
network; times are aware; asking again with the last cursor brings nothing new; a malformed post is
skipped and counted; 401, 429 and 503 map to the right error; Retry-After is honoured; the polling
interval is stated with its reason; no secret reaches a log or an error; private posts are marked.
"""

import email.utils
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, ClassVar, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

USER_AGENT = "complaint-monitor/0.1 (+reads public posts that name our company)"

MAX_TEXT = 20_000
"""Characters kept of one post. No network that we read allows more; a dump of megabytes is cut."""

MAX_BODY = 32 * 1024 * 1024
"""Bytes read of one answer. A server that sends more is broken or hostile."""

LONGEST_WAIT = 86_400.0
"""Seconds that a server can make us wait before we ask again."""


class ConnectorError(Exception):
    """Something went wrong at a network. The text says what and, for a person, what to do."""


class RetryableError(ConnectorError):
    """Ask again later; `retry_after` is the wait in seconds where the network named one."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class FatalError(ConnectorError):
    """Asking again cannot help until a person changes something."""


class RequestError(FatalError):
    """A 4xx that the connector may know better: `status`, and what the server `told`."""

    def __init__(self, message: str, status: int, told: str) -> None:
        super().__init__(message)
        self.status = status
        self.told = told


class SkipPostError(ConnectorError):
    """This one post cannot be read; its neighbours can."""


def _server(address: str) -> str:
    parts = urlsplit(address)
    here = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or not (parts.scheme == "https" or (here and parts.scheme == "http")):
        raise ValueError("not the address of a server; it begins with https://")
    return address.rstrip("/")


ServerAddress = Annotated[str, AfterValidator(_server)]
"""A setting: where a server is. Only on this machine without TLS, for a token goes there."""


class FetchedPost(BaseModel):
    """One public message as the network gave it. Hostile text, typed here and nowhere else."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    network: str
    external_id: str = Field(min_length=1, max_length=512)
    author_id: str = Field(min_length=1, max_length=512)
    author_handle: str = Field(max_length=255)
    author_name: str = Field(default="", max_length=255)
    followers: int | None = None
    text: str
    url: str = ""
    created_at: AwareDatetime
    """The author's word. Never a watermark: it may lie years away."""
    language: str | None = Field(default=None, max_length=35)
    """As the network says it: often the account's setting, not the text's."""
    reply_to: str | None = None
    """External id of the post that this one answers."""
    thread: str | None = None
    """External id of the thread's first post, where the network tells it."""
    repost_of: str | None = None
    public: bool = True
    edited_at: AwareDatetime | None = None
    deleted: bool = False
    ref: str = ""
    """What the connector needs to answer this post. Opaque to everybody else, like a cursor."""

    @field_validator("text", "author_handle", "author_name", "language", mode="before")
    @classmethod
    def _storable(cls, value: object, info: ValidationInfo) -> object:
        """No database keeps NUL or half a surrogate pair; the rest of such a text is kept.

        What is too long is cut: a complaint is not lost because its author's name is a novel.
        """
        if not isinstance(value, str):
            return value
        if info.field_name != "text":  # That one is cut, and counted, where it is stored.
            value = value[: 35 if info.field_name == "language" else 255]
        if value.isascii() and "\0" not in value:
            return value
        return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")

    @field_validator("created_at", "edited_at")
    @classmethod
    def _utc(cls, value: datetime | None) -> datetime | None:
        """Rows hold UTC. A time that it cannot tell (in the year 9999) makes the post malformed."""
        try:
            return value and value.astimezone(UTC)
        except OverflowError as error:
            raise ValueError("outside the calendar") from error

    @field_validator("url")
    @classmethod
    def _clickable(cls, value: str) -> str:
        """People click it: an address of the web, or none. A stranger's server wrote it."""
        return value if value.startswith(("https://", "http://")) else ""

    @field_validator("followers")
    @classmethod
    def _plausible(cls, value: int | None) -> int | None:
        """Between nobody and everybody."""
        return None if value is None else min(max(value, 0), 2_000_000_000)


@dataclass(frozen=True, slots=True)
class Quota:
    """What the network says is left: `remaining` of `limit` calls until `resets_at`."""

    remaining: int | None = None
    limit: int | None = None
    resets_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One step of a fetch: commit its posts together with its cursor.

    `cursor` None means: keep the old one, more pages of this fetch are to come first.
    `skipped` names why each malformed post was left out. `gap` tells of posts known to be missed.
    """

    posts: list[FetchedPost]
    cursor: str | None
    skipped: list[str] = field(default_factory=list)
    gap: str | None = None
    quota: Quota | None = None


@dataclass(frozen=True, slots=True)
class SentReply:
    """A reply as the network knows it."""

    external_id: str
    url: str
    created_at: datetime


class NoSettings(BaseModel):
    """Settings of a connector that has none."""

    model_config = ConfigDict(extra="forbid")


class Connector(ABC):
    """Reads one network. Subclasses say only what differs."""

    name: ClassVar[str]
    """The word in config.toml."""
    every: ClassVar[timedelta] = timedelta(minutes=2)
    """How often it is polite to ask. Each connector states its reason."""
    Settings: ClassVar[type[BaseModel]] = NoSettings
    secrets: ClassVar[tuple[str, ...]] = ()
    """Secrets it can use, by lower-case name; they come from the environment."""
    max_length: ClassVar[int | None] = None
    """Characters of a reply, as `length` counts them."""

    def __init__(
        self,
        settings: Any = None,
        secrets: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.settings = settings if settings is not None else self.Settings()
        self.secret = dict(secrets or {})
        self.transport = transport
        self.http: Http | None = None

    @abstractmethod
    def fetch(self, cursor: str | None) -> Iterator[Page]:
        """Yield pages of posts since `cursor` (None: the first time). Raises `ConnectorError`."""

    @property
    def can_reply(self) -> bool:
        """Whether `reply` works with the secrets at hand."""
        return False

    def reply(self, ref: str, text: str, key: str) -> SentReply:
        """Answer the post behind `ref` in public. `key` is the same for every try of one reply."""
        raise FatalError(f"{self.name} cannot reply. Answer on the network and record the link.")

    def find_reply(self, ref: str, text: str, since: datetime) -> SentReply | None:
        """Look on the network for our reply to `ref` with this text, made after `since`."""
        return None

    def length(self, text: str) -> int:
        """How the network counts this text against `max_length`."""
        return len(text)

    def close(self) -> None:
        """Let connections go."""
        if self.http:
            self.http.close()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent back, read whole and bounded by `MAX_BODY`."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    """Where it came from, after redirects."""

    def json(self) -> Any:
        """The body as JSON. Raises `RetryableError` where the server sent something else."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            host = urlsplit(self.url).netloc
            raise RetryableError(f"{host} answered {self.status} without valid JSON.") from error


class Http:
    """One network's HTTP: status to error, one retry of a dropped GET, limits from any header.

    Redirects are not followed unless `redirects` says so: a token must never be carried elsewhere.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        transport: httpx.BaseTransport | None = None,
        secrets: Iterable[str] = (),
        redirects: bool = False,
        timeout: float = 20.0,
    ) -> None:
        self.open = partial(
            httpx.Client,
            base_url=base_url,
            headers={"user-agent": USER_AGENT, **(headers or {})},
            transport=transport,
            timeout=timeout,
            follow_redirects=redirects,
        )
        self.client = self.open()
        self.host = urlsplit(base_url).netloc
        self.secrets = [secret for secret in secrets if secret]
        self.quota: Quota | None = None

    def get(self, path: str, **kwargs: Any) -> Answer:
        """GET, retried once at once after a dropped connection. Raises `ConnectorError`."""
        try:
            return self._request(self.client, "GET", path, **kwargs)
        except _DroppedError:
            return self._last_try(self.client, "GET", path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> Answer:
        """POST, never repeated here: whether it arrived is not known. Raises `ConnectorError`.

        It has a connection of its own. A kept one may have been closed by the server without our
        notice, and then a reply that never left would look like one that may have arrived.
        """
        with self.open() as client:
            return self._last_try(client, "POST", path, **kwargs)

    def _last_try(self, client: httpx.Client, method: str, path: str, **kwargs: Any) -> Answer:
        try:
            return self._request(client, method, path, **kwargs)
        except _DroppedError as error:
            raise RetryableError(str(error)) from error

    def _request(self, client: httpx.Client, method: str, path: str, **kwargs: Any) -> Answer:
        try:
            with client.stream(method, path, **kwargs) as response:
                answer = self._read(response)
        except httpx.TimeoutException as error:
            kind = type(error).__name__
            raise RetryableError(f"{self.host} did not answer in time ({kind}).") from error
        except httpx.ConnectError as error:
            raise RetryableError(f"{self.host} cannot be reached. Is the address right?") from error
        except (httpx.TooManyRedirects, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise FatalError(f"{self.host}: {error}. Check the address in config.toml.") from error
        except httpx.HTTPError as error:
            kind = type(error).__name__
            raise _DroppedError(f"{self.host} dropped the connection ({kind}).") from error
        self.quota = read_quota(answer.headers) or self.quota
        if response.has_redirect_location:  # not a 304
            target = urlsplit(answer.headers.get("location", "")).netloc
            raise FatalError(f"{self.host} has moved to {target}. Put that into config.toml.")
        if answer.status >= 400:
            raise self._error(answer)
        return answer

    def _read(self, response: httpx.Response) -> Answer:
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > MAX_BODY:
                raise RetryableError(f"{self.host} sent more than {MAX_BODY >> 20} MB at once.")
        return Answer(response.status_code, response.headers, bytes(body), str(response.url))

    def _error(self, answer: Answer) -> ConnectorError:
        """The error that a status means. The body is never trusted to be JSON."""
        status, told = answer.status, self.redact(_told(answer.body))[:200]
        said = f"{self.host} answered {status}" + (f" ({told})" if told else "")
        if status in (401, 403):
            why = "The token is missing, wrong, expired or lacks a right: renew it."
            return RequestError(f"{said}. {why}", status, told)
        if status in (429, 503):
            wait = retry_after(answer.headers)
            if wait is None and self.quota and self.quota.resets_at:
                wait = (self.quota.resets_at - datetime.now(UTC)).total_seconds()
                wait = min(max(0.0, wait), LONGEST_WAIT)
            why = "It limits how often we may ask" if status == 429 else "It is not available"
            return RetryableError(f"{said}. {why}; we wait.", wait)
        if status in (408, 425) or status >= 500:
            return RetryableError(f"{said}.", retry_after(answer.headers))
        return RequestError(f"{said}. Check this source in config.toml.", status, told)

    def redact(self, text: str) -> str:
        """`text` without any secret of this connection."""
        for secret in self.secrets:
            text = text.replace(secret, "[secret]")
        return text

    def close(self) -> None:
        """Let the pooled connections go."""
        self.client.close()


class _DroppedError(Exception):
    """The connection broke while a request was under way."""


def _told(content: bytes) -> str:
    """The server's own words about an error, in one short line."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(body, dict):
        return ""
    words = [body.get("error"), body.get("message") or body.get("error_description")]
    return " ".join(" ".join(w.split()) for w in words if isinstance(w, str))


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that a Retry-After header asks for: a number or an HTTP date; None without one.

    At most `LONGEST_WAIT`: a mistaken header must not silence a source for a year.
    """
    value = headers.get("retry-after", "").strip()
    seconds = _number(value)
    if seconds is None:
        try:
            at = email.utils.parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        seconds = (at - (now or datetime.now(UTC))).total_seconds()
    return min(max(0.0, seconds), LONGEST_WAIT)


def read_quota(headers: Mapping[str, str], now: datetime | None = None) -> Quota | None:
    """The limit that an answer's headers tell, in whatever shape; None where they tell none.

    The reset is an ISO time (Mastodon), an epoch (X, Bluesky) or the seconds to go (Reddit), and
    the remaining count may be a float.
    """

    def first(word: str) -> str | None:
        shapes = ("x-ratelimit-", "x-rate-limit-", "ratelimit-")
        return next((headers[s + word] for s in shapes if headers.get(s + word)), None)

    remaining = _number(first("remaining"))
    limit = _number(first("limit"))
    reset = first("reset")
    if remaining is None and limit is None and reset is None:
        return None
    return Quota(
        remaining=None if remaining is None else int(remaining),
        limit=None if limit is None else int(limit),
        resets_at=_reset_time(reset, now or datetime.now(UTC)),
    )


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "nan")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _reset_time(value: str | None, now: datetime) -> datetime | None:
    if value is None:
        return None
    seconds = _number(value)
    try:
        if seconds is None:
            at = datetime.fromisoformat(value)
            return at if at.tzinfo else at.replace(tzinfo=UTC)
        # Ten years of seconds: anything above is an epoch, anything below a wait.
        if seconds > 315_360_000:
            return datetime.fromtimestamp(seconds, UTC)
        return now + timedelta(seconds=seconds)
    except (ValueError, OverflowError, OSError):
        return None


Item = TypeVar("Item")


def parse_all(
    items: Iterable[Item], parse: Callable[[Item], FetchedPost | None]
) -> tuple[list[FetchedPost], list[str]]:
    """Parse each item by itself: posts, and why each malformed one was skipped.

    `parse` may return None for an item that is no post (a stub, an advertisement).
    """
    posts, skipped = [], []
    for item in items:
        try:
            post = parse(item)
        except SkipPostError as error:
            skipped.append(str(error))
        except ValidationError as error:
            problem = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in problem["loc"])
            skipped.append(f"{where}: {problem['msg']}")
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            # Somebody else's data is not of the shape that their documentation tells.
            skipped.append(f"not of the expected shape: {type(error).__name__}")
        else:
            if post is not None:
                posts.append(post)
    return posts, skipped
