"""Logins at Bluesky, answering there once, and finding the answer again."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.base import FatalError, RequestError, RetryableError
from connectors.bluesky_records import record_key
from tests.connectors.fake_bluesky import (
    APPVIEW,
    PDS,
    SECRET,
    FakeBluesky,
    failed,
    recorded,
    view,
)

POSTS = recorded("first_page.json")["posts"]
ROOT = {"uri": POSTS[3]["uri"], "cid": POSTS[3]["cid"]}
REF = json.dumps({"uri": POSTS[2]["uri"], "cid": POSTS[2]["cid"], "root": ROOT})
TEXT = "We are sorry. See https://acme.example/help 🙏"
SINCE = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)


@pytest.fixture
def network() -> FakeBluesky:
    """Both servers, with one post."""
    return FakeBluesky(view(1))


class TestLogin:
    def test_one_login_serves_many_connectors(self, network: FakeBluesky) -> None:
        for _ in range(3):
            assert len(network.read(password=SECRET).posts) == 1
        assert network.asked("createSession") == 1

    def test_another_password_is_another_login(self, network: FakeBluesky) -> None:
        network.read(password=SECRET)
        network.read(password="another-one")
        assert network.asked("createSession") == 2

    @pytest.mark.parametrize(
        "error",
        [
            (400, "ExpiredToken", "Token has expired"),
            (400, "InvalidToken", "Token could not be verified"),
            (401, "AuthMissing", "Authentication Required"),
        ],
    )
    def test_an_old_token_is_renewed_by_the_error_s_name(
        self, network: FakeBluesky, error: tuple[int, str, str]
    ) -> None:
        network.read(password=SECRET)
        network.once["searchPosts"] = failed(*error)
        assert len(network.read(password=SECRET).posts) == 1
        assert (network.asked("refreshSession"), network.asked("createSession")) == (1, 1)

    def test_two_threads_with_one_old_token_renew_it_once(self, network: FakeBluesky) -> None:
        first, second = (network.connect(SECRET).session for _ in range(2))
        assert first
        assert second
        old = first.login
        assert first._renew(old) == second._renew(old) != old
        assert network.asked("refreshSession") == 1

    def test_where_it_cannot_be_renewed_we_log_in_again(self, network: FakeBluesky) -> None:
        network.read(password=SECRET)
        network.token, network.refreshable = "revoked", False
        assert len(network.read(password=SECRET).posts) == 1
        assert (network.asked("refreshSession"), network.asked("createSession")) == (1, 2)

    def test_other_refusals_do_not_cost_a_login(self, network: FakeBluesky) -> None:
        network.answers["searchPosts"] = failed(400, "InvalidRequest", "q is missing")
        with pytest.raises(RequestError, match="q is missing"):
            network.read(password=SECRET)
        assert (network.asked("refreshSession"), network.asked("searchPosts")) == (0, 1)

    def test_a_token_that_is_never_right_ends(self, network: FakeBluesky) -> None:
        network.answers["searchPosts"] = failed(400, "InvalidToken", "Bad token scope")
        with pytest.raises(FatalError, match="Bad token scope"):
            network.read(password=SECRET)
        assert network.asked("searchPosts") == 2

    def test_a_wrong_password_names_the_account(self, network: FakeBluesky) -> None:
        network.answers["createSession"] = failed(401, "AuthenticationRequired", f"Bad {SECRET}")
        with pytest.raises(FatalError, match=r"login of acmehelp\.bsky\.social") as caught:
            network.read(password=SECRET)
        assert SECRET not in str(caught.value)

    def test_a_limited_login_waits(self, network: FakeBluesky) -> None:
        headers = {"retry-after": "289", "ratelimit-policy": "30;w=300"}
        network.answers["createSession"] = httpx.Response(429, headers=headers)
        with pytest.raises(RetryableError) as caught:
            network.read(password=SECRET)
        assert caught.value.retry_after == 289

    @pytest.mark.parametrize("body", ["", "[]", "{}", "null", "<html>"])
    def test_a_strange_login(self, network: FakeBluesky, body: str) -> None:
        network.answers["createSession"] = httpx.Response(200, content=body)
        with pytest.raises(RetryableError):
            network.read(password=SECRET)


class TestReplying:
    def test_a_reply_has_its_thread_and_links_that_can_be_clicked(
        self, network: FakeBluesky
    ) -> None:
        sent = network.connect(SECRET).reply(REF, f"Größe 😡 {TEXT}", "key-1")
        ((rkey, record),) = network.records.items()
        assert record["reply"]["root"] == ROOT
        assert record["reply"]["parent"] == {"uri": POSTS[2]["uri"], "cid": POSTS[2]["cid"]}
        (facet,) = record["facets"]
        place = slice(facet["index"]["byteStart"], facet["index"]["byteEnd"])
        assert record["text"].encode()[place] == b"https://acme.example/help"
        assert facet["features"][0]["uri"] == "https://acme.example/help"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["createdAt"])
        assert sent.external_id.endswith(f"/app.bsky.feed.post/{rkey}")
        assert sent.url == f"https://bsky.app/profile/acmehelp.bsky.social/post/{rkey}"

    def test_the_same_key_never_writes_twice(self, network: FakeBluesky) -> None:
        connector = network.connect(SECRET)
        first = connector.reply(REF, TEXT, "key-1")
        assert connector.reply(REF, TEXT, "key-1") == first
        assert len(network.records) == 1
        connector.reply(REF, TEXT, "key-2")
        assert len(network.records) == 2

    def test_an_earlier_try_with_other_words_is_not_taken_for_this_one(
        self, network: FakeBluesky
    ) -> None:
        connector = network.connect(SECRET)
        connector.reply(REF, TEXT, "key-1")
        with pytest.raises(FatalError, match="with other words: https"):
            connector.reply(REF, "Mended words", "key-1")

    def test_a_refused_token_is_renewed_before_it_is_sent_again(self, network: FakeBluesky) -> None:
        connector = network.connect(SECRET)
        list(connector.fetch(None))
        network.token = "gone"
        connector.reply(REF, TEXT, "key-1")
        assert len(network.records) == 1
        assert network.asked("refreshSession") == 1

    def test_a_refused_reply_has_the_server_s_words(self, network: FakeBluesky) -> None:
        network.answers["putRecord"] = failed(400, "InvalidRequest", "text must not be longer")
        with pytest.raises(RequestError, match="must not be longer"):
            network.connect(SECRET).reply(REF, TEXT, "key-1")

    def test_a_visitor_cannot_reply(self, network: FakeBluesky) -> None:
        assert not network.connect().can_reply
        with pytest.raises(FatalError, match="app password"):
            network.connect().reply(REF, TEXT, "key-1")

    @pytest.mark.parametrize("ref", ["", "{}", "[]", "null", "115580412345678901"])
    def test_a_post_of_another_network_is_not_answered(
        self, network: FakeBluesky, ref: str
    ) -> None:
        with pytest.raises(FatalError, match="not read from Bluesky"):
            network.connect(SECRET).reply(ref, TEXT, "key-1")

    def test_keys_are_tids_of_the_past(self) -> None:
        keys = {record_key(f"key-{number}") for number in range(2000)}
        assert len(keys) == 2000
        assert all(re.fullmatch("[234567a-j][234567a-z]{12}", key) for key in keys)
        letters = "234567abcdefghijklmnopqrstuvwxyz"
        for key in keys:
            micros = sum(letters.index(c) << 5 * n for n, c in enumerate(reversed(key))) >> 10
            assert datetime.fromtimestamp(micros / 1e6, UTC).year == 2023


class TestFinding:
    def test_our_answer_is_found_as_visitors_see_it(self, network: FakeBluesky) -> None:
        found = network.connect(SECRET).find_reply(REF, TEXT, SINCE)
        own = recorded("author_feed.json")["feed"][1]["post"]
        assert found is not None
        assert found.external_id == own["uri"]
        assert found.url.startswith("https://bsky.app/profile/acmehelp.bsky.social/post/")
        hosts = {request.url.host for request in network.requests if "Feed" in request.url.path}
        assert hosts == {APPVIEW}

    def test_without_a_password_the_handle_is_enough(self, network: FakeBluesky) -> None:
        assert network.connect().find_reply(REF, TEXT, SINCE)
        assert network.connect(handle="").find_reply(REF, TEXT, SINCE) is None
        assert not any(request.url.host == PDS for request in network.requests)

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"text": "Other words"}, "other words"),
            ({"reply": None}, "no reply at all"),
            ({"reply": {"root": ROOT, "parent": ROOT}}, "to another post"),
        ],
    )
    def test_another_one_is_not_taken_for_it(
        self, network: FakeBluesky, change: dict[str, Any], why: str
    ) -> None:
        feed = recorded("author_feed.json")
        feed["feed"][1]["post"]["record"] |= change
        network.answers["getAuthorFeed"] = httpx.Response(200, json=feed)
        assert network.connect(SECRET).find_reply(REF, TEXT, SINCE) is None, why

    def test_what_is_older_than_the_reply_is_not_looked_through(self, network: FakeBluesky) -> None:
        feed = {**recorded("author_feed.json"), "cursor": "more"}
        network.answers["getAuthorFeed"] = httpx.Response(200, json=feed)
        connector = network.connect(SECRET)
        assert connector.find_reply(REF, "Other words", SINCE) is None
        assert network.asked("getAuthorFeed") == 5
        later = SINCE + timedelta(hours=1)
        assert connector.find_reply(REF, TEXT, later) is None
        assert network.asked("getAuthorFeed") == 6

    @pytest.mark.parametrize("body", ["", "[]", "{}", '{"feed": [null]}', '{"feed": 3}'])
    def test_a_strange_feed_is_no_proof_of_absence(self, network: FakeBluesky, body: str) -> None:
        network.answers["getAuthorFeed"] = httpx.Response(200, content=body)
        with pytest.raises(RetryableError):
            network.connect(SECRET).find_reply(REF, TEXT, SINCE)


@pytest.mark.parametrize(
    ("text", "length"), [("Sorry", 5), ("👨‍👩‍👧‍👦é", 2), ("https://a.example/x", 19)]
)
def test_length_in_graphemes(network: FakeBluesky, text: str, length: int) -> None:
    assert network.connect().length(text) == length
