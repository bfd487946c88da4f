"""Sent at most once whatever dies, proved against a server that counts.

A process that answers is killed with -9 between every two steps, or the network fails it, and
another process goes on. The server has Mastodon's API; one honours idempotency keys and one does
not. Either must count one post at most, and then the reply is seen, or a person is asked.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from connectors.mastodon import Mastodon, MastodonSettings
from monitor.answer import replies, settling
from monitor.desk.cases import CaseConflictError, CaseError
from monitor.store.models import Author, Case, CaseEvent, CaseStatus, Post, Reply, Source, now
from tests.conftest import ALICE

pytestmark = pytest.mark.slow


ANSWER = """
import os, signal, sys
from sqlmodel import Session
from connectors.http import Http
from connectors.mastodon import Mastodon, MastodonSettings
from monitor.answer import replies, settling
from monitor.store.db import connect

url, server, die = sys.argv[1:4]
network = Mastodon(MastodonSettings(instance=server, hashtags=["acme"]), {"token": "t0ken"})

def killed(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def then_killed(step):
    def run(*args, **kwargs):
        step(*args, **kwargs)
        killed()
    return run

if die == "before the request":
    Http.post = killed
if die == "before the commit":
    Mastodon.reply = then_killed(Mastodon.reply)
if die == "after the commit":
    replies.note_sent = then_killed(replies.note_sent)
with Session(connect(url)) as session:
    draft = replies.save_draft(session, 1, "alice", "We are sorry.")
    if die == "before sending":
        killed()
    # The server is told whom to kill while the request is under way.
    network.server.open.keywords["headers"]["x-sender"] = str(os.getpid())
    replies.send(session, draft.id, "alice", network)
"""


class Counting(ThreadingHTTPServer):
    """Mastodon's API, as far as an answer needs it. Counts what is posted and fails as told."""

    daemon_threads = True

    def __init__(self, honours: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.honours = honours
        self.fault = ""
        self.posts: list[dict[str, Any]] = []
        self.keys: dict[str, dict[str, Any]] = {}

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def take(self, status: str, key: str) -> dict[str, Any]:
        """Make a post, or give the one that was made with this key."""
        if self.honours and key in self.keys:
            return self.keys[key]
        made = {
            "id": str(len(self.posts) + 2),
            "uri": f"{self.address}/posts/{len(self.posts) + 2}",
            "url": f"{self.address}/@acmehelp/{len(self.posts) + 2}",
            "in_reply_to_id": "1",
            "account": {"id": "7", "acct": "acmehelp", "url": f"{self.address}/@acmehelp"},
            "created_at": now().isoformat(),
            "visibility": "public",
            "content": f"<p>{status}</p>",
        }
        self.posts.append(made)
        self.keys[key] = made
        return made


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Counting

    def do_POST(self) -> None:
        """Somebody posts."""
        fault = self.server.fault
        told = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if "nothing made" in fault:
            made: Any = {}
        else:
            made = self.server.take(told["status"], self.headers["idempotency-key"])
        if "killed" in fault:
            os.kill(int(self.headers["x-sender"]), signal.SIGKILL)
        elif "cut" in fault:
            self.close_connection = True
        elif "500" in fault:
            self.answer(500, {"error": "Something went wrong"})
        else:
            self.answer(200, made)

    def do_GET(self) -> None:
        """Somebody looks."""
        if "blind" in self.server.fault:
            self.answer(503, {})
        elif self.path.endswith("/verify_credentials"):
            self.answer(200, {"id": "7"})
        elif self.path.endswith("/context"):
            self.answer(200, {"ancestors": [], "descendants": self.server.posts})
        else:
            self.answer(404, {})

    def answer(self, status: int, body: Any) -> None:
        """Send JSON."""
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(params=[True, False], ids=["honours keys", "does not"])
def server(request: pytest.FixtureRequest) -> Iterator[Counting]:
    """A server that counts."""
    counting = Counting(request.param)
    thread = threading.Thread(target=counting.serve_forever, daemon=True)
    thread.start()
    yield counting
    counting.shutdown()
    counting.server_close()
    thread.join(10)


@pytest.fixture
def network(server: Counting) -> Iterator[Mastodon]:
    """Our connector on it, in this process."""
    with closing(opened(server)) as connector:
        yield connector


def opened(server: Counting) -> Mastodon:
    """A connector on the server."""
    settings = MastodonSettings(instance=server.address, hashtags=["acme"])
    return Mastodon(settings, {"token": "t0ken"})


@pytest.fixture
def case(session: Session) -> Case:
    """A case of alice's, read from the server."""
    session.add(Source(id=1, name="acme", connector="mastodon"))
    session.add(Author(id=1, network="mastodon", external_id="ana", handle="ana"))
    session.flush()
    ref = json.dumps({"id": "1", "acct": "ana"})
    session.add(
        Post(id=1, network="mastodon", external_id="1", source_id=1, author_id=1, text="down",
             thread="1", created_at=now(), scorer="x", triaged_at=now(), ref=ref)
    )  # fmt: skip
    made = Case(
        id=1, author_id=1, network="mastodon", post_id=1, waiting_since=now(), assignee=ALICE
    )
    session.add(made)
    session.flush()
    session.execute(sa.update(Post).values(case_id=1))
    session.commit()
    return made


def answer(database_url: str, server: Counting, die: str) -> int:
    """A process answers the case. Returns its exit code."""
    process = subprocess.run(
        [sys.executable, "-c", ANSWER, database_url, server.address, die],
        capture_output=True,
        timeout=120,
        check=False,
    )
    return process.returncode


def wait_and_settle(session: Session, server: Counting) -> Reply:
    """What the engine does from then on, five times. Returns the reply."""
    for _ in range(5):
        long_ago = now() - timedelta(minutes=5)
        session.execute(sa.update(Reply).values(updated_at=long_ago, checked_at=None))
        session.commit()
        settling.settle(session, lambda _: opened(server))
    session.expire_all()
    return session.exec(select(Reply)).one()


FAULTS = [
    # where the sender dies, how the server fails, posts counted, where the reply stands
    ("before sending", "", 0, "draft"),
    ("before the request", "", 0, "sending"),
    ("", "killed, nothing made", 0, "sending"),
    ("", "killed once it was made", 1, "seen"),
    ("before the commit", "", 1, "seen"),
    ("after the commit", "", 1, "seen"),
    ("", "cut, nothing made", 0, "sending"),
    ("", "cut once it was made", 1, "seen"),
    ("", "500, nothing made", 0, "sending"),
    ("", "500 once it was made", 1, "seen"),
    ("", "", 1, "seen"),
]


@pytest.mark.parametrize(("die", "fault", "counted", "status"), FAULTS)
def test_sent_at_most_once_whatever_dies(
    session: Session, database_url: str, case: Case, server: Counting, network: Mastodon,
    die: str, fault: str, counted: int, status: str,
) -> None:  # fmt: skip
    server.fault = fault
    code = answer(database_url, server, die)
    assert code == (-signal.SIGKILL if die or "killed" in fault else 0)
    assert len(server.posts) == counted
    server.fault = ""

    reply = wait_and_settle(session, server)
    assert (reply.status, len(server.posts)) == (status, counted)
    assert session.get_one(Case, 1, populate_existing=True).reply_status == status
    # Another process that is told to send the same once more does not, or says why.
    if status == "seen":
        assert session.get_one(Case, 1).status == CaseStatus.PENDING
        assert reply.external_id == server.posts[0]["uri"]
        with pytest.raises(CaseConflictError):
            settling.send_again(session, reply.id, ALICE)
        with pytest.raises(CaseConflictError):
            replies.send(session, reply.id, ALICE, network)
    elif status == "sending":
        assert "Look there yourself" in (reply.error or "")
        with pytest.raises(CaseConflictError):
            replies.send(session, reply.id, ALICE, network)
        settling.send_again(session, reply.id, ALICE)
        replies.send(session, reply.id, ALICE, network)
    else:
        replies.send(session, reply.id, ALICE, network)
    assert wait_and_settle(session, server).status == "seen"
    assert len(server.posts) == 1


def test_a_person_who_is_wrong_does_not_send_it_twice(
    session: Session, database_url: str, case: Case, server: Counting, network: Mastodon
) -> None:
    server.fault = "cut once it was made, blind"
    answer(database_url, server, "")
    reply = wait_and_settle(session, server)
    assert (reply.status, len(server.posts)) == ("sending", 1)
    settling.send_again(session, reply.id, ALICE)
    with pytest.raises(CaseError, match="cannot look whether it arrived"):
        replies.send(session, reply.id, ALICE, network)
    server.fault = ""
    assert replies.send(session, reply.id, ALICE, network).status == "seen"
    assert len(server.posts) == 1


def test_a_person_who_is_wrong_and_changes_a_word_does_not_send_it_twice(
    session: Session, case: Case, server: Counting, network: Mastodon
) -> None:
    draft = replies.save_draft(session, 1, ALICE, "We are sorry.")
    server.fault = "cut once it was made, blind"
    replies.send(session, draft.id, ALICE, network)
    wait_and_settle(session, server)
    settling.send_again(session, draft.id, ALICE)
    replies.save_draft(session, 1, ALICE, "We are so sorry.")
    with pytest.raises(CaseError, match="cannot look whether it arrived"):
        replies.send(session, draft.id, ALICE, network)
    server.fault = ""
    seen = replies.send(session, draft.id, ALICE, network)
    assert (seen.status, seen.text, len(server.posts)) == ("seen", "We are sorry.", 1)
    unsent = select(CaseEvent.detail).where(CaseEvent.what == "changed words not sent")
    assert session.exec(unsent).all() == ["We are so sorry."]
