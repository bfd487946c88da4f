"""A login at a Bluesky server: made once, kept by the process, renewed when it runs out.

Logins are limited to 30 in 5 minutes and 300 a day, and a connector lives as long as one fetch:
the login must outlive it. Which error means what is told by the error's name, not by its status.
"""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from connectors.base import FatalError, RequestError, RetryableError
from connectors.http import Answer, Http

STALE = frozenset({"ExpiredToken", "InvalidToken", "AuthMissing"})
"""Errors that a new token cures; the first two come as a 400."""


@dataclass(frozen=True)
class Login:
    """What the server gave for handle and app password."""

    did: str
    handle: str
    access: str = field(repr=False)
    refresh: str = field(repr=False)


_kept: dict[tuple[str, str, bytes], Login] = {}
_lock = threading.Lock()


class Session:
    """Asks a server as one account. Logs in at the first question, or not at all."""

    def __init__(self, server: Http, handle: str, password: str) -> None:
        self.server = server
        self.server.secrets = [password]
        self.handle = handle
        self.password = password
        # A changed password is another login, and no dictionary of the process holds it.
        digest = hashlib.sha256(password.encode()).digest()
        self.key = (str(server.client.base_url), handle, digest)

    @property
    def login(self) -> Login:
        """The login of this account, made now if the process has none. Raises `ConnectorError`."""
        with _lock:
            return self._keep(_kept.get(self.key) or self._log_in())

    def get(self, path: str, **kwargs: Any) -> Answer:
        """GET as this account. Raises `ConnectorError`."""
        return self._ask(self.server.get, path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> Answer:
        """POST as this account; again only if the server refused the token. See `Http.post`."""
        return self._ask(self.server.post, path, **kwargs)

    def _ask(self, ask: Callable[..., Answer], path: str, **kwargs: Any) -> Answer:
        login = self.login
        try:
            return ask(path, headers=_bearer(login.access), **kwargs)
        except RequestError as error:
            if error_name(error) not in STALE:
                raise
        return ask(path, headers=_bearer(self._renew(login).access), **kwargs)

    def _renew(self, stale: Login) -> Login:
        with _lock:
            kept = _kept.get(self.key)
            if kept and kept != stale:  # another thread was faster
                return self._keep(kept)
            path = "/xrpc/com.atproto.server.refreshSession"
            try:
                return self._keep(_login(self.server.post(path, headers=_bearer(stale.refresh))))
            except RequestError:
                return self._keep(self._log_in())

    def _log_in(self) -> Login:
        who = {"identifier": self.handle, "password": self.password}
        try:
            return _login(self.server.post("/xrpc/com.atproto.server.createSession", json=who))
        except RequestError as error:
            raise FatalError(
                f"{error} It was the login of {self.handle}: check the handle and the app password."
            ) from error

    def _keep(self, login: Login) -> Login:
        _kept[self.key] = login
        self.server.secrets = [self.password, login.access, login.refresh]
        return login


def forget_logins() -> None:
    """Forget every login of this process."""
    with _lock:
        _kept.clear()


def error_name(error: RequestError) -> str:
    """The name by which the AT protocol tells errors apart: `InvalidToken`, `InvalidSwap`."""
    return error.told.partition(" ")[0]


def _login(answer: Answer) -> Login:
    told = answer.json()
    try:
        return Login(told["did"], told["handle"], told["accessJwt"], told["refreshJwt"])
    except (LookupError, TypeError) as error:
        raise RetryableError("Bluesky answered a login in a form that we do not know.") from error


def _bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}
