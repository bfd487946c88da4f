"""Bluesky's own server packages: PDS and AppView."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors import bluesky_session
from connectors.base import FatalError, FetchedPost, RetryableError
from connectors.bluesky import Bluesky, BlueskySettings
from tests.connectors.counterparts import (
    APPVIEW,
    BLUESKY,
    Server,
    new_word,
    opened,
    running,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """The network, with our account."""
    with running(BLUESKY) as found:
        account("acmepower")
        yield found


@pytest.fixture(params=["", "pass-acmepower"], ids=["visitor", "signed in"])
def password(request: pytest.FixtureRequest) -> str:
    """Without a login and with one."""
    found: str = request.param
    return found


def connect(word: str, password: str = "", **settings: Any) -> Bluesky:
    """A connector that searches for a word."""
    told = {
        "search": word,
        "appview": APPVIEW,
        "pds": BLUESKY.address,
        "handle": "acmepower.test",
        **settings,
    }
    secrets = {"app_password": password} if password else {}
    return opened(Bluesky(BlueskySettings.model_validate(told), secrets))


def read(
    word: str, cursor: str | None = None, password: str = "", **settings: Any
) -> tuple[list[FetchedPost], str, str | None]:
    """One fetch: the posts, the last cursor, the gap."""
    pages = list(connect(word, password, **settings).fetch(cursor))
    assert not any(page.skipped for page in pages)
    posts = [post for page in pages for post in page.posts]
    assert len({post.external_id for post in posts}) == len(posts)
    assert pages[-1].cursor
    assert all(page.cursor is None for page in pages[:-1])
    return posts, pages[-1].cursor, pages[-1].gap


BASE = f"{BLUESKY.address}/xrpc/com.atproto"


@cache
def account(user: str) -> dict[str, Any]:
    """A login of a user, who is given an account if need be."""
    who = {"handle": f"{user}.test", "password": f"pass-{user}", "email": f"{user}@bench.test"}
    made = httpx.post(f"{BASE}.server.createAccount", json=who)
    if made.status_code == 400:
        login = {"identifier": who["handle"], "password": who["password"]}
        made = httpx.post(f"{BASE}.server.createSession", json=login)
    session: dict[str, Any] = made.raise_for_status().json()
    return session


def ask(method: str, user: str, **body: Any) -> dict[str, Any]:
    """A procedure of the PDS as a user."""
    session = account(user)
    answer = httpx.post(
        f"{BASE}.{method}",
        json={"repo": session["did"], **body},
        headers={"authorization": f"Bearer {session['accessJwt']}"},
    )
    told: dict[str, Any] = answer.raise_for_status().json()
    return told


def write(user: str, text: str, at: str = "") -> str:
    """Post as a user. Returns the record's address."""
    created = at or datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record = {"$type": "app.bsky.feed.post", "text": text, "createdAt": created}
    made = ask("repo.createRecord", user, collection="app.bsky.feed.post", record=record)
    return str(made["uri"])


def wait_for(seen: Callable[[], Any]) -> Any:
    """The AppView shows what the PDS took within a second or so."""
    for _ in range(40):
        if found := seen():
            return found
        time.sleep(0.25)
    raise AssertionError("the AppView does not show it")


def listed(word: str) -> int:
    """How many posts the AppView's search lists."""
    answer = httpx.get(
        f"{APPVIEW}/xrpc/app.bsky.feed.searchPosts", params={"q": word, "limit": 100}
    )
    return len(answer.raise_for_status().json()["posts"])


def test_the_sample_is_read_once(server: Server, tmp_path: Path, password: str) -> None:
    word = new_word()
    rows = server.seed(word, tmp_path)
    wait_for(lambda: listed(word) == 10)
    posts, cursor, gap = read(word, password=password)
    assert (len(posts), gap) == (10, None)
    by_text = {post.text: post for post in posts}
    assert set(by_text) == {row["text"] for row in rows}
    by_key = {row["key"]: by_text[row["text"]] for row in rows}
    assert by_key["p2"].reply_to == by_key["p2"].thread == by_key["p1"].external_id
    assert by_key["p3"].reply_to == by_key["p2"].external_id
    assert by_key["p3"].thread == by_key["p1"].external_id
    assert by_key["p1"].created_at == datetime(2026, 11, 20, 6, 0, tzinfo=UTC)
    assert {post.language for post in posts} == {"en", "de", "ja", "ar"}
    assert all(post.public and post.followers is None for post in posts)
    assert read(word, cursor, password)[0] == []


def test_hundreds_of_posts_and_a_gap(server: Server, tmp_path: Path) -> None:
    word = new_word()
    server.seed(word, tmp_path, repeat=25)
    wait_for(lambda: len(read(word)[0]) == 250)
    posts, cursor, gap = read(word)
    assert (len(posts), gap) == (250, None)
    assert read(word, cursor)[0] == []
    first, early, gap = read(word, pages=1)
    assert (len(first), gap) == (100, None)
    for number in range(120):
        write("bob", f"And again {number} {word}")
    wait_for(lambda: len(read(word)[0]) == 370)
    new, later, gap = read(word, cursor)
    assert (len(new), gap) == (120, None)
    assert read(word, later)[0] == []
    some, later, gap = read(word, early, pages=1)
    assert len(some) == 100
    assert "more than 1 pages are new" in (gap or "")
    assert read(word, later)[0] == []


def test_a_new_post_a_late_one_and_a_deleted_one(server: Server, password: str) -> None:
    word = new_word()
    write("alice", f"No power {word}")
    wait_for(lambda: listed(word) == 1)
    _, cursor, _ = read(word, password=password)
    gone = write("bob", f"Me too {word}")
    write("bob", f"Dated years ago {word}", at="2020-01-01T00:00:00Z")
    wait_for(lambda: listed(word) == 3)
    new, cursor, _ = read(word, cursor, password)
    assert {post.text for post in new} == {f"Me too {word}", f"Dated years ago {word}"}
    ask("repo.deleteRecord", "bob", collection="app.bsky.feed.post", rkey=gone.split("/")[-1])
    wait_for(lambda: listed(word) == 2)
    assert read(word, cursor, password)[0] == []


def test_who_asks_not_to_be_shown_to_visitors(server: Server) -> None:
    word = new_word()
    user = new_word("u")
    write(user, f"No power {word}")
    profile = {
        "$type": "app.bsky.actor.profile",
        "labels": {
            "$type": "com.atproto.label.defs#selfLabels",
            "values": [{"val": "!no-unauthenticated"}],
        },
    }
    place = {"collection": "app.bsky.actor.profile", "rkey": "self"}
    ask("repo.putRecord", user, record=profile, **place)
    wait_for(lambda: [post for post in read(word)[0] if not post.public])


def test_a_reply_is_sent_once_and_found(server: Server) -> None:
    word = new_word()
    write("chara", f"Doppelt abgebucht 😡 {word}")
    wait_for(lambda: listed(word) == 1)
    ((complaint,), cursor, _) = read(word)
    acme = connect(word, "pass-acmepower")
    text = f"Größte Entschuldigung 🙏 https://example.com/a?x=1. {word}"
    since = datetime.now(UTC)
    assert acme.find_reply(complaint.ref, text, since) is None
    sent = acme.reply(complaint.ref, text, word)
    assert acme.reply(complaint.ref, text, word) == sent
    with pytest.raises(FatalError, match="with other words"):
        acme.reply(complaint.ref, "Mended", word)
    found = wait_for(lambda: acme.find_reply(complaint.ref, text, since))
    assert (found.external_id, found.url) == (sent.external_id, sent.url)
    ((seen,), _, _) = read(word, cursor)
    assert seen.external_id == sent.external_id
    assert seen.reply_to == seen.thread == complaint.external_id
    assert seen.text == text


def test_a_token_that_the_server_no_longer_takes(server: Server) -> None:
    word = new_word()
    write("alice", f"No power {word}")
    acme = connect(word, "pass-acmepower")
    assert acme.session is not None
    login = acme.session.login
    bluesky_session._kept[acme.session.key] = replace(login, access="worn-out")
    wait_for(lambda: [post for page in acme.fetch(None) for post in page.posts])
    assert acme.session.login.refresh != login.refresh
    nothing_left = replace(login, access="worn-out", refresh="worn-out")
    bluesky_session._kept[acme.session.key] = nothing_left
    assert [post for page in acme.fetch(None) for post in page.posts]


def test_a_wrong_password(server: Server) -> None:
    with pytest.raises(FatalError, match=r"login of acmepower\.test") as caught:
        read("acme", password="wrong-password")
    assert "wrong-password" not in str(caught.value)


def test_logins_are_limited(server: Server) -> None:
    """Where the servers were started with RATE_LIMITS=1."""
    probe = httpx.post(
        f"{BLUESKY.address}/xrpc/com.atproto.server.createSession",
        json={"identifier": "acmepower.test", "password": "pass-acmepower"},
    )
    if "ratelimit-limit" not in probe.headers:
        pytest.skip("the servers were started without RATE_LIMITS=1")

    def log_in_again() -> None:
        bluesky_session.forget_logins()
        read("acme", password="pass-acmepower")

    with pytest.raises(RetryableError) as caught:
        list(iter(log_in_again, "never"))
    assert 0 < (caught.value.retry_after or 0) <= 300
