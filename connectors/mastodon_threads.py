"""A thread of Mastodon, put together from what one server has of it."""

from typing import Any
from urllib.parse import quote

from connectors.base import RequestError, RetryableError
from connectors.http import Http

Status = dict[str, Any]

GONE = (404, 410)
"""A server says the same of a post that was deleted and of one that is not for us to see."""

FURTHER = 5
"""Statuses of one thread that are asked for what stands below them, beside the first."""


def status_of(server: Http, status_id: str) -> Status | None:
    """One status, or None where the server has it no longer. Raises `ConnectorError`."""
    try:
        found = server.get(_path(status_id)).json()
    except RequestError as error:
        if error.status not in GONE:
            raise
        return None
    if not isinstance(found, dict) or not found.get("id"):
        raise _strange(server)
    return found


def whole_thread(server: Http, status_id: str) -> list[Status]:
    """Every status of the thread that the server shows; none where this one is gone.

    A context tells what stands above a status and below it, not beside it: the siblings are below
    the first one, which is asked too. snac tells only the next step below: what ends there though
    it is said to have answers is asked again, `FURTHER` times. Raises `ConnectorError`.
    """
    status = status_of(server, status_id)
    around = _context(server, status_id) if status else None
    if status is None or around is None:
        return []
    above, below = around
    found = {each["id"]: each for each in [*above, status, *below]}
    asked = {status_id}

    def go_on(from_id: str) -> None:
        asked.add(from_id)
        further = _context(server, from_id)
        for each in further[1] if further else ():
            found.setdefault(each["id"], each)

    if above:
        go_on(above[0]["id"])
    for _ in range(FURTHER):
        answered = {each.get("in_reply_to_id") for each in found.values()} | asked
        ends = (each for each in found.values() if each.get("replies_count"))
        end = next((each["id"] for each in ends if each["id"] not in answered), None)
        if end is None:
            break
        go_on(end)
    return list(found.values())


def ways_up(statuses: list[Status]) -> dict[str, tuple[str, str | None]]:
    """For each status by its id: its uri, and the uri of the topmost that is known above it.

    Where the server lacks the thread's first post, what it has below still is one thread.
    """
    by_id = {status["id"]: status for status in statuses}
    ways: dict[str, tuple[str, str | None]] = {}
    for status in statuses:
        top, passed = status, {status["id"]}
        while (above := top.get("in_reply_to_id")) in by_id and above not in passed:
            passed.add(above)
            top = by_id[above]
        ways[status["id"]] = (str(status.get("uri")), str(top.get("uri")))
    return ways


def _context(server: Http, status_id: str) -> tuple[list[Status], list[Status]] | None:
    try:
        told = server.get(f"{_path(status_id)}/context").json()
        above, below = ([*told["ancestors"]], [*told["descendants"]])
    except RequestError as error:
        if error.status not in GONE:
            raise
        return None
    except (LookupError, TypeError) as error:
        raise _strange(server) from error
    return _readable(above), _readable(below)


def _readable(statuses: list[Any]) -> list[Status]:
    return [each for each in statuses if isinstance(each, dict) and isinstance(each.get("id"), str)]


def _path(status_id: str) -> str:
    return f"/api/v1/statuses/{quote(status_id, safe='')}"


def _strange(server: Http) -> RetryableError:
    return RetryableError(f"{server.host} tells of a thread in a form that we do not know.")
