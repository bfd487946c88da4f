"""The contract of a connector and its errors.

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

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar
from urllib.parse import urlsplit

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

if TYPE_CHECKING:
    from connectors.http import Http

MAX_TEXT = 20_000
"""Characters kept of one post. No network that we read allows more; a dump of megabytes is cut."""


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
        transport: Any = None,
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

    @property
    def can_thread(self) -> bool:
        """Whether `thread` and `is_gone` ask the network."""
        return False

    def thread(self, ref: str) -> list[FetchedPost]:
        """The public posts of the whole thread around the post behind `ref`, as far as it is shown.

        What stands above it, beside it and below it, and the post itself. Malformed ones are left
        out. Empty where the network no longer shows the post. Raises `ConnectorError`.
        """
        return []

    def is_gone(self, ref: str) -> bool:
        """Whether the network, asked for this one post, says that there is none any more.

        That a thread lacks a post proves nothing: threads are cut. Raises `ConnectorError`.
        """
        return False

    def length(self, text: str) -> int:
        """How the network counts this text against `max_length`."""
        return len(text)

    def close(self) -> None:
        """Let connections go."""
        if self.http:
            self.http.close()


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
