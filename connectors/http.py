"""HTTP in one place: status to error, one retry of a dropped GET, limits from any header."""

import email.utils
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx

from connectors.base import ConnectorError, FatalError, Quota, RequestError, RetryableError

USER_AGENT = "complaint-monitor/0.1 (+reads public posts that name our company)"

MAX_BODY = 32 * 1024 * 1024
"""Bytes read of one answer. A server that sends more is broken or hostile."""

LONGEST_WAIT = 86_400.0
"""Seconds that a server can make us wait before we ask again."""


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
