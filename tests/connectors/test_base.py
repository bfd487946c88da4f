"""The contract's own parts: HTTP in one place, limits in every shape, what a post may be."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError

from connectors.base import (
    FatalError,
    FetchedPost,
    Quota,
    RequestError,
    RetryableError,
    ServerAddress,
    SkipPostError,
    parse_all,
)
from connectors.http import LONGEST_WAIT, MAX_BODY, Answer, Http, read_quota, retry_after

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
Answers = Callable[[httpx.Request], httpx.Response]


def http(answer: Answers, **options: Any) -> Http:
    """A connection to a server that is a function."""
    return Http("https://net.example", transport=httpx.MockTransport(answer), **options)


def always(status: int = 200, **options: Any) -> Answers:
    """A server with one answer."""
    return lambda request: httpx.Response(status, **options)


class TestQuota:
    @pytest.mark.parametrize(
        ("headers", "quota"),
        [
            pytest.param(
                {
                    "x-ratelimit-limit": "300",
                    "x-ratelimit-remaining": "288",
                    "x-ratelimit-reset": "2026-11-20T12:05:00.976542Z",
                },
                Quota(288, 300, datetime(2026, 11, 20, 12, 5, 0, 976542, tzinfo=UTC)),
                id="Mastodon: an ISO time",
            ),
            pytest.param(
                {
                    "x-rate-limit-limit": "450",
                    "x-rate-limit-remaining": "449",
                    "x-rate-limit-reset": str(int(NOW.timestamp()) + 900),
                },
                Quota(449, 450, NOW + timedelta(minutes=15)),
                id="X: an epoch",
            ),
            pytest.param(
                {"x-ratelimit-remaining": "9340.0", "x-ratelimit-reset": "63"},
                Quota(9340, None, NOW + timedelta(seconds=63)),
                id="Reddit: seconds to go, a float, no limit",
            ),
            pytest.param(
                {
                    "ratelimit-limit": "30",
                    "ratelimit-remaining": "0",
                    "ratelimit-reset": str(int(NOW.timestamp()) + 289),
                    "ratelimit-policy": "30;w=300",
                },
                Quota(0, 30, NOW + timedelta(seconds=289)),
                id="Bluesky: an epoch without x-",
            ),
            pytest.param(
                {"x-ratelimit-reset": "2026-11-20T12:05:00"},
                Quota(resets_at=NOW + timedelta(minutes=5)),
                id="no zone",
            ),
            pytest.param({"content-type": "text/html"}, None, id="snac: none"),
            pytest.param(
                {"x-ratelimit-remaining": "nan", "x-ratelimit-reset": "1e300"},
                Quota(),
                id="nonsense",
            ),
            pytest.param({"x-ratelimit-remaining": "many"}, None, id="a word"),
        ],
    )
    def test_every_shape_is_read(self, headers: dict[str, str], quota: Quota | None) -> None:
        assert read_quota(headers, NOW) == quota

    def test_the_last_told_quota_stays(self) -> None:
        answers: Iterator[httpx.Response] = iter(
            [httpx.Response(200, headers={"x-ratelimit-remaining": "7"}), httpx.Response(200)]
        )
        connection = http(lambda request: next(answers))
        connection.get("/")
        connection.get("/")
        assert connection.quota == Quota(remaining=7)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("37", 37.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Fri, 20 Nov 2026 12:01:00 GMT", 60.0),
        ("Fri, 20 Nov 2026 11:00:00 GMT", 0.0),
        ("Fri, 20 Nov 2099 12:00:00 GMT", LONGEST_WAIT),
        ("99999999", LONGEST_WAIT),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == seconds


def test_without_retry_after_a_limit_is_waited_out_until_its_reset() -> None:
    reset = (datetime.now(UTC) + timedelta(seconds=100)).isoformat()
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}
    with pytest.raises(RetryableError) as caught:
        http(always(429, headers=headers)).get("/")
    assert caught.value.retry_after == pytest.approx(100, abs=5)


class TestHttp:
    def test_a_post_is_never_sent_twice(self) -> None:
        sent = []

        def drop(request: httpx.Request) -> httpx.Response:
            sent.append(request)
            raise httpx.ReadError("")

        with pytest.raises(RetryableError, match="dropped the connection"):
            http(drop).post("/")
        assert len(sent) == 1

    def test_not_modified_is_no_redirect(self) -> None:
        assert http(always(304)).get("/").status == 304

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
    def test_a_connector_can_tell_4xx_apart(self, status: int) -> None:
        told = json.dumps({"error": "InvalidToken", "message": "Token could not be verified"})
        with pytest.raises(RequestError) as caught:
            http(always(status, content=told)).get("/")
        assert caught.value.status == status
        assert caught.value.told == "InvalidToken Token could not be verified"

    def test_a_secret_at_the_cut_of_a_long_message_is_not_half_shown(self) -> None:
        told = json.dumps({"error": "x" * 190 + "s3cret-t0ken"})
        with pytest.raises(RequestError) as caught:
            http(always(400, content=told), secrets=["s3cret-t0ken"]).get("/")
        assert "s3c" not in str(caught.value)

    def test_a_redirect_is_not_followed_and_says_where_to(self) -> None:
        seen = []

        def move(request: httpx.Request) -> httpx.Response:
            seen.append(request.url.host)
            return httpx.Response(301, headers={"location": "https://new.example/api?x=1"})

        with pytest.raises(FatalError, match=r"has moved to new\.example"):
            http(move, headers={"authorization": "Bearer x"}).get("/")
        assert seen == ["net.example"]

    def test_followed_redirects_leave_the_token_behind(self) -> None:
        seen = {}

        def move(request: httpx.Request) -> httpx.Response:
            seen[request.url.host] = request.headers.get("authorization")
            if request.url.host == "net.example":
                return httpx.Response(301, headers={"location": "https://new.example/"})
            return httpx.Response(200)

        connection = http(move, headers={"authorization": "Bearer x"}, redirects=True)
        assert connection.get("/").url == "https://new.example/"
        assert seen == {"net.example": "Bearer x", "new.example": None}

    def test_a_flood_is_cut_off(self) -> None:
        with pytest.raises(RetryableError, match="more than 32 MB"):
            http(always(content=b"x" * (MAX_BODY + 1))).get("/")

    @pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"<html>", b"\xff"])
    def test_an_answer_that_is_no_json(self, body: bytes) -> None:
        with pytest.raises(RetryableError, match=r"net\.example answered 200 without valid JSON"):
            Answer(200, {}, body, "https://net.example/x?secret=1").json()

    def test_a_limited_server_error_has_its_wait(self) -> None:
        with pytest.raises(RetryableError) as caught:
            http(always(500, headers={"retry-after": "9"})).get("/")
        assert caught.value.retry_after == 9


class TestPost:
    @staticmethod
    def post(**changes: Any) -> FetchedPost:
        """A post with some fields changed."""
        values: dict[str, Any] = {
            "network": "net",
            "external_id": "1",
            "author_id": "a",
            "author_handle": "ana",
            "text": "Acme is down",
            "created_at": NOW,
        }
        return FetchedPost.model_validate({**values, **changes})

    def test_long_names_are_cut_and_not_the_post_lost(self) -> None:
        post = self.post(author_name="n" * 900, author_handle="h" * 900, language="x" * 99)
        assert (len(post.author_name), len(post.author_handle)) == (255, 255)
        assert len(post.language or "") == 35

    @pytest.mark.parametrize("text", ["a\0b", "a\ud83db", "\x00" * 9, "\udfff\ud83d"])
    def test_a_text_can_always_be_stored(self, text: str) -> None:
        stored = self.post(text=text, author_name=text).text
        stored.encode()
        assert "\0" not in stored

    def test_times_are_utc(self) -> None:
        post = self.post(created_at="2026-11-20T14:00:00+02:00", edited_at="2026-11-20T12:00:00Z")
        assert post.created_at.isoformat() == "2026-11-20T12:00:00+00:00"
        assert post.edited_at is not None
        assert post.edited_at.tzinfo is UTC

    @pytest.mark.parametrize("at", ["2026-11-20T12:00:00", "9999-12-31T23:59:59-05:00", "soon"])
    def test_a_time_without_zone_or_beyond_the_calendar_is_refused(self, at: str) -> None:
        with pytest.raises(ValidationError):
            self.post(created_at=at)

    @pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//x", "ftp://x"])
    def test_only_web_addresses_can_be_clicked(self, url: str) -> None:
        assert self.post(url=url).url == ""
        assert self.post(url="https://net.example/1").url == "https://net.example/1"

    @pytest.mark.parametrize(("told", "kept"), [(-1, 0), (None, None), (7, 7)])
    def test_followers_are_plausible(self, told: int | None, kept: int | None) -> None:
        assert self.post(followers=told).followers == kept


@pytest.mark.parametrize("address", ["https://a.example/", "http://localhost:80", "http://[::1]:1"])
def test_a_server_is_asked_over_tls_or_on_this_machine(address: str) -> None:
    assert TypeAdapter(ServerAddress).validate_python(address) == address.rstrip("/")


@pytest.mark.parametrize(
    "address", ["", "a.example", "http://a.example", "ftp://a.example", "https://"]
)
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="https://"):
        TypeAdapter(ServerAddress).validate_python(address)


def test_parse_all_keeps_the_good_and_names_the_bad() -> None:
    good = TestPost.post()

    def parse(item: object) -> FetchedPost | None:
        if isinstance(item, Exception):
            raise item
        if item == "wrong":
            return TestPost.post(created_at="soon")
        return good if item == "good" else None

    errors = [KeyError("k"), TypeError(), ValueError(), IndexError(), AttributeError()]
    items = ["good", *errors, OverflowError(), SkipPostError("no text"), "wrong", "stub", "good"]
    posts, skipped = parse_all(items, parse)
    assert posts == [good, good]
    assert skipped[0] == "not of the expected shape: KeyError"
    assert "no text" in skipped
    assert any(reason.startswith("created_at: ") for reason in skipped)
    assert len(skipped) == 8
