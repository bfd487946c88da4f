"""Mastodon's API as two real servers answer it: snac, and PyPI's mastodon-mock."""

import json
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.base import FatalError, FetchedPost, RetryableError
from connectors.mastodon import Mastodon, MastodonSettings
from tests.connectors.counterparts import (
    MOCK,
    SNAC,
    Server,
    new_word,
    opened,
    running,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module", params=[SNAC, MOCK], ids=lambda server: server.name)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Each of the two."""
    with running(request.param) as found:
        yield found


@pytest.fixture(scope="module")
def mock() -> Iterator[Server]:
    """The one that can be told to fail."""
    with running(MOCK) as found:
        yield found


def connect(server: Server, tag: str, token: str = "", **settings: Any) -> Mastodon:
    """A connector for one hashtag."""
    told = {"instance": server.address, "hashtags": [tag], **settings}
    secrets = {"token": token} if token else {}
    return opened(Mastodon(MastodonSettings.model_validate(told), secrets))


def read(
    server: Server, tag: str, cursor: str | None = None, token: str = "", **settings: Any
) -> tuple[list[FetchedPost], str]:
    """One fetch: the posts and the last cursor."""
    pages = list(connect(server, tag, token, **settings).fetch(cursor))
    assert not any(page.skipped or page.gap for page in pages)
    posts = [post for page in pages for post in page.posts]
    assert len({post.external_id for post in posts}) == len(posts)
    assert pages[-1].cursor
    return posts, pages[-1].cursor


def write(server: Server, user: str, text: str, **more: Any) -> dict[str, Any]:
    """Post as a user."""
    answer = httpx.post(
        f"{server.address}/api/v1/statuses",
        json={"status": text, "visibility": "public", **more},
        headers={"authorization": f"Bearer {server.tokens[user]}"},
    )
    made: dict[str, Any] = answer.raise_for_status().json()
    return made


def test_the_sample_is_read_once(server: Server, tmp_path: Path) -> None:
    tag = new_word()
    rows = server.seed(f"#{tag}", tmp_path)
    posts, cursor = read(server, tag, token=server.tokens["bob"])
    assert len(posts) == len(rows) == 10
    assert {post.author_handle.partition("@")[0] for post in posts} == {r["author"] for r in rows}
    by_text = {post.text.partition(" ")[0]: post for post in posts}
    assert by_text["My"].text == rows[0]["text"]
    assert "https://example.com/acme?x=1&y=2" in by_text["Update:"].text
    assert by_text["Same"].reply_to == by_text["Same"].thread == by_text["My"].external_id
    assert by_text["Sorry"].reply_to == by_text["Same"].external_id
    assert by_text["Sorry"].thread == by_text["My"].external_id
    assert read(server, tag, cursor)[0] == []


def test_hundreds_of_posts_and_then_hundreds_more(server: Server, tmp_path: Path) -> None:
    tag = new_word()
    server.seed(f"#{tag}", tmp_path, repeat=20)
    posts, cursor = read(server, tag, pages=8)
    assert len(posts) == 200
    assert read(server, tag, cursor)[0] == []
    time.sleep(1.1)  # snac's ids of one second are in no order
    server.seed(f"#{tag}", tmp_path, repeat=15)
    more, cursor = read(server, tag, cursor)
    assert len(more) == 150
    assert not {post.external_id for post in posts} & {post.external_id for post in more}
    assert read(server, tag, cursor)[0] == []


def test_a_new_post_and_an_edit(server: Server) -> None:
    tag = new_word()
    first = write(server, "alice", f"No power again #{tag}")
    write(server, "chara", f"Me too #{tag}")
    posts, cursor = read(server, tag)
    assert len(posts) == 2
    write(server, "emi", f"And me #{tag}")
    new, cursor = read(server, tag, cursor)
    assert [post.text for post in new] == [f"And me #{tag}"]
    edited = {"status": f"Power is back #{tag}"}
    bearer = {"authorization": f"Bearer {server.tokens['alice']}"}
    address = f"{server.address}/api/v1/statuses/{first['id']}"
    httpx.put(address, json=edited, headers=bearer).raise_for_status()
    (mended,), cursor = read(server, tag, cursor)
    assert mended.text == f"Power is back #{tag}"
    assert mended.external_id == posts[0].external_id
    assert mended.edited_at is not None
    assert read(server, tag, cursor)[0] == []


def test_a_boosted_complaint_is_still_a_complaint(server: Server) -> None:
    tag = new_word()
    status = write(server, "alice", f"No power again #{tag}")
    # snac lets only those boost who have the post: who answered it has.
    write(server, "bob", "Here too", in_reply_to_id=status["id"])
    bearer = {"authorization": f"Bearer {server.tokens['bob']}"}
    address = f"{server.address}/api/v1/statuses/{status['id']}/reblog"
    httpx.post(address, headers=bearer).raise_for_status()
    posts, cursor = read(server, tag)
    assert f"No power again #{tag}" in [post.text for post in posts]
    boosts = [post for post in posts if post.repost_of]
    assert all(boost.repost_of == status["uri"] for boost in boosts)
    assert read(server, tag, cursor)[0] == []


def test_a_search_with_a_token(server: Server) -> None:
    word = new_word()
    mine = f"Never again {word}"
    write(server, "bob", mine)
    write(server, "bob", f"Only for friends {word}", visibility="private")
    token = server.tokens["bob"]
    posts, cursor = read(server, "", token=token, hashtags=[], search=word)
    assert [post.text for post in posts if post.public] == [mine]
    assert read(server, "", cursor, token, hashtags=[], search=word)[0] == []


def test_a_reply_is_sent_and_found(server: Server) -> None:
    tag = new_word()
    write(server, "chara", f"Doppelt abgebucht 😡 #{tag}")
    ((complaint, *_), cursor) = read(server, tag)
    acme = connect(server, tag, server.tokens["acmepower"])
    text = f"Tut uns leid & <sorry>! *Bitte* hier: https://example.com/a?x=1&y=2 🙏 #{tag}"
    since = datetime.now(UTC)
    assert acme.find_reply(complaint.ref, text, since) is None
    sent = acme.reply(complaint.ref, text, f"key-{tag}")
    assert sent.url.startswith("http")
    found = acme.find_reply(complaint.ref, text, since)
    assert found is not None
    assert found.external_id == sent.external_id
    assert acme.find_reply(complaint.ref, "Something else", since) is None
    # On snac a thread is whole only for those who take part in it.
    ((seen,), _) = read(server, tag, cursor, token=server.tokens["acmepower"])
    assert (seen.external_id, seen.reply_to) == (sent.external_id, complaint.external_id)


def test_the_same_key_is_one_reply(mock: Server) -> None:
    """Of the two only this one keeps idempotency keys, as Mastodon does."""
    tag = new_word()
    write(mock, "chara", f"Doppelt abgebucht #{tag}")
    ((complaint,), _) = read(mock, tag)
    acme = connect(mock, tag, mock.tokens["acmepower"])
    assert acme.reply(complaint.ref, "Sorry", tag) == acme.reply(complaint.ref, "Sorry", tag)


def test_a_wrong_token(server: Server) -> None:
    tag = new_word()
    write(server, "chara", f"Doppelt abgebucht #{tag}")
    ((complaint,), _) = read(server, tag)
    wrong = connect(server, tag, "wrong-token")
    with pytest.raises(FatalError) as caught:
        wrong.reply(complaint.ref, "Sorry", tag)
    assert "wrong-token" not in str(caught.value)
    with pytest.raises(FatalError):
        wrong.find_reply(complaint.ref, "Sorry", datetime.now(UTC))


def test_forty_fetches_of_a_server_that_drops_connections(server: Server) -> None:
    """snac closes after each answer without saying so."""
    tag = new_word()
    write(server, "chara", f"Doppelt abgebucht #{tag}")
    connector = connect(server, tag)
    for _ in range(40):
        assert sum(len(page.posts) for page in connector.fetch(None)) == 1


@pytest.fixture
def faults(mock: Server) -> Iterator[httpx.Client]:
    """Tells the mock how to fail; cleared afterwards."""
    with httpx.Client(base_url=mock.address) as client:
        yield client
        client.delete("/api/v1/_mock/faults")


@pytest.mark.parametrize(
    ("effect", "wait"),
    [
        ({"type": "ratelimit"}, 300.0),
        ({"type": "malformed"}, None),
        ({"type": "status", "status": 503}, None),
        ({"type": "status", "status": 500}, None),
    ],
    ids=lambda value: str(value),
)
def test_a_fault_that_passes(
    mock: Server, faults: httpx.Client, effect: dict[str, Any], wait: float | None
) -> None:
    tag = new_word()
    write(mock, "chara", f"Doppelt abgebucht #{tag}")
    match = {"methods": ["GET"], "path": "/api/v1/timelines/tag/*"}
    told = {"match": match, "effect": effect, "count": 1}
    faults.post("/api/v1/_mock/faults", json=told).raise_for_status()
    with pytest.raises(RetryableError) as caught:
        read(mock, tag)
    assert caught.value.retry_after == wait
    assert len(read(mock, tag)[0]) == 1


def test_a_real_limit(mock: Server, tmp_path: Path) -> None:
    """A second mock that allows five requests in a minute."""
    installed = Path(tempfile.gettempdir()) / mock.state / "venv"
    if installed.is_dir():
        (tmp_path / "venv").symlink_to(installed)
    limited = Server("mastodon-mock", "http://127.0.0.1:3019", "/health", "none")
    with running(limited, str(tmp_path), PORT="3019", RATE_LIMIT="5", RATE_WINDOW="60"):
        connector = connect(limited, "acme")
        with pytest.raises(RetryableError) as caught:
            list(chain.from_iterable(connector.fetch(None) for _ in range(9)))
    quota = connector.server.quota
    assert quota is not None
    assert quota.limit == 5
    assert 0 < (caught.value.retry_after or 0) <= 60


def test_a_native_answer_and_what_comes_after_it_are_in_the_thread(server: Server) -> None:
    tag = new_word()
    write(server, "chara", f"Doppelt abgebucht #{tag}")
    ((complaint,), _) = read(server, tag)
    acme = connect(server, tag, server.tokens["acmepower"])
    parent = json.loads(complaint.ref)["id"]
    made = write(server, "acmepower", "@chara Tut uns leid!", in_reply_to_id=parent)
    thread = acme.thread(complaint.ref)
    assert thread[0].external_id == complaint.external_id
    answer = next(post for post in thread if post.external_id == made["uri"])
    assert answer.reply_to == answer.thread == complaint.external_id
    assert not acme.is_gone(answer.ref)
    later = write(server, "chara", "@acmepower Danke", in_reply_to_id=made["id"])
    by_uri: dict[str, FetchedPost] = {}
    for _ in range(40):  # snac tells its own people by post
        by_uri = {post.external_id: post for post in acme.thread(complaint.ref)}
        if later["uri"] in by_uri:
            break
        time.sleep(0.25)
    assert by_uri[later["uri"]].reply_to == made["uri"]
    assert by_uri[later["uri"]].thread == complaint.external_id


def test_an_answer_that_was_deleted_is_gone(mock: Server) -> None:
    """Of the two only this one lets a client delete a post."""
    tag = new_word()
    write(mock, "chara", f"Doppelt abgebucht #{tag}")
    ((complaint,), _) = read(mock, tag)
    acme = connect(mock, tag, mock.tokens["acmepower"])
    parent = json.loads(complaint.ref)["id"]
    made = write(mock, "acmepower", "@chara Tut uns leid!", in_reply_to_id=parent)
    answer = acme.thread(complaint.ref)[-1]
    assert answer.external_id == made["uri"]
    bearer = {"authorization": f"Bearer {mock.tokens['acmepower']}"}
    address = f"{mock.address}/api/v1/statuses/{made['id']}"
    httpx.delete(address, headers=bearer).raise_for_status()
    assert acme.is_gone(answer.ref)
    assert [post.external_id for post in acme.thread(complaint.ref)] == [complaint.external_id]
    assert not acme.is_gone(complaint.ref)
