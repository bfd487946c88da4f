"""Messages through Apprise, received by a webhook on this machine; no address is ever told."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from monitor.watch.alerting.channels import Letter, hidden, send

LETTER = Letter("Acme: 24 complaints", "“Ça va pas” (x)\n\n😡 שלום", True, False, "spike:all")


class Hook(HTTPServer):
    """A webhook that keeps what it gets, and answers as told."""

    status = 200

    def __init__(self) -> None:
        self.got: list[dict[str, str]] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        """Its address, with a secret."""
        return f"json://127.0.0.1:{self.server_port}/hooks/s3cr3t-token"


class Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        self.server.got.append(json.loads(self.rfile.read(length)))
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    """A webhook that runs."""
    made = Hook()
    threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def test_it_arrives_as_it_was_written(hook: Hook) -> None:
    assert send(hook.address, LETTER) is None
    (got,) = hook.got
    assert got["title"] == LETTER.title
    assert got["message"] == LETTER.text
    assert got["type"] == "failure"
    over = Letter("Over", "It is over.", True, True, "")
    ticket = Letter("Ticket", "It can wait.", False, False, "")
    assert (send(hook.address, over), send(hook.address, ticket)) == (None, None)
    assert [each["type"] for each in hook.got[1:]] == ["success", "warning"]


def test_a_refusal_is_told_without_the_address(
    hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    hook.status = 500
    error = send(hook.address, LETTER) or ""
    assert "error=500" in error
    hook.shutdown()
    hook.server_close()
    gone = send(hook.address, LETTER) or ""
    assert gone
    for said in (error, gone, caplog.text):
        assert "s3cr3t" not in said


@pytest.mark.parametrize("address", ["", "nothing", "gopher://x/y-secret", "json://", "slack://a"])
def test_an_address_that_is_none_is_told_and_not_repeated(address: str) -> None:
    error = send(address, LETTER)
    assert error
    assert "y-secret" not in error


def test_what_is_long_in_an_address_is_hidden() -> None:
    address = "mailto://alerts:hunter22@mail.example?to=oncall@acme.example"
    error = "535 hunter22 was refused at mail.example for alerts"
    assert hidden(error, address) == "535 … was refused at … for …"


def test_pagerduty_keeps_one_incident_for_each_alert(monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.pagerduty import NotifyPagerDuty

    seen = []

    def take(self: NotifyPagerDuty, body: str, **rest: object) -> bool:
        seen.append((self.dedup, self.action, str(rest["notify_type"])))
        return True

    monkeypatch.setattr(NotifyPagerDuty, "send", take)
    key = "a" * 32
    assert send(f"pagerduty://{key}@{key}", LETTER) is None
    over = Letter("Over", "It is over.", True, True, "spike:all")
    assert send(f"pagerduty://{key}@{key}", over) is None
    assert [(dedup, action) for dedup, action, _ in seen] == [("spike:all", "map")] * 2
    assert ["failure" in seen[0][2].lower(), "success" in seen[1][2].lower()] == [True, True]
