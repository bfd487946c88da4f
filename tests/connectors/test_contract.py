"""What every connector in CONNECTORS promises, whatever its network does."""

import json
import logging
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from connectors import CONNECTORS
from connectors.base import ConnectorError, FatalError, RetryableError
from tests.connectors.cases import CASES, SECRET, Case, Draft, FakeNetwork, read

ALL = [pytest.param(CASES[name], id=name) for name in CONNECTORS if name in CASES]
PAGED = [pytest.param(CASES[name], id=name) for name in CONNECTORS if CASES[name].page]
PRIVATE = [pytest.param(CASES[name], id=name) for name in CONNECTORS if CASES[name].has_private]
OVER_HTTP = [
    pytest.param(CASES[name], signed_in, id=f"{name}-{'signed in' if signed_in else 'visitor'}")
    for name in CONNECTORS
    for signed_in in (False, True)
    if CASES[name].content_type and (CASES[name].secrets or not signed_in)
]
"""What does not ask over HTTP is not listed: there is nothing to promise."""
IN_JSON = [each for each in OVER_HTTP if each.values[0].content_type == "application/json"]  # type: ignore[union-attr]  # each has one value
SIGNED_IN = [each for each in OVER_HTTP if each.values[1]]

Fail = Callable[[], httpx.Response | Exception]


@pytest.fixture
def network(request: pytest.FixtureRequest, tmp_path: Path) -> FakeNetwork:
    """The fake network of the test's case."""
    return FakeNetwork(request.getfixturevalue("case"), tmp_path)


def drafts(*keys: str) -> list[Draft]:
    """Good posts, one a minute."""
    return [
        Draft(key, f"Acme is down: {key}", f"2026-11-20T08:0{number}:00.000Z")
        for number, key in enumerate(keys)
    ]


def page(case: Case, posts: list[Draft]) -> bytes:
    """A page in the network's shape."""
    assert case.page
    return case.page(posts)


def failing(case: Case, network: FakeNetwork, signed_in: bool) -> ConnectorError:
    """The error of a fetch."""
    with pytest.raises(ConnectorError) as caught:
        read(case, network, None, signed_in)
    return caught.value


def test_every_connector_is_tried_out() -> None:
    assert set(CASES) == set(CONNECTORS)


@pytest.mark.parametrize("case", ALL)
class TestDescription:
    def test_it_is_listed_by_its_name_and_says_what_it_is(self, case: Case) -> None:
        connector = CONNECTORS[case.name]
        assert connector.name == case.name
        assert connector.__doc__
        assert connector.every >= timedelta(minutes=1 if case.content_type else 0)

    def test_unknown_settings_are_refused(self, case: Case) -> None:
        with pytest.raises(ValidationError, match="colour"):
            CONNECTORS[case.name].Settings.model_validate({**case.settings, "colour": "red"})

    def test_it_counts_a_reply_and_without_a_secret_refuses_to_send_it(
        self, case: Case, network: FakeNetwork
    ) -> None:
        connector = case.connect(network)
        assert connector.length("") == 0
        assert connector.length("Sorry") == 5
        assert (connector.max_length or 1) > 0
        if not connector.can_reply:
            with pytest.raises(FatalError):
                connector.reply("", "Sorry", "key")


@pytest.mark.parametrize("case", ALL)
class TestReading:
    def test_posts_have_unique_ids_and_aware_times(self, case: Case, network: FakeNetwork) -> None:
        posts = read(case, network, None).posts
        assert posts
        names = [(p.network, p.external_id, p.edited_at, p.deleted) for p in posts]
        assert len(set(names)) == len(names)
        for post in posts:
            assert post.created_at.tzinfo is UTC
            assert post.edited_at is None or post.edited_at.tzinfo is UTC

    def test_pages_come_oldest_first_or_only_the_last_has_a_cursor(
        self, case: Case, network: FakeNetwork
    ) -> None:
        pages = read(case, network, None).pages
        firsts = [min(post.created_at for post in page.posts) for page in pages if page.posts]
        held_back = all(page.cursor is None for page in pages[:-1])
        assert held_back or firsts == sorted(firsts)
        assert pages[-1].cursor

    def test_the_last_cursor_brings_nothing_new(self, case: Case, network: FakeNetwork) -> None:
        first = read(case, network, None)
        again = read(case, network, first.cursor)
        assert again.posts == []
        assert again.skipped == []
        assert read(case, network, again.cursor).posts == []

    def test_what_was_interrupted_is_read_again(self, case: Case, network: FakeNetwork) -> None:
        """An engine that dies after any page loses nothing."""
        whole = {post.external_id for post in read(case, network, None).posts}
        pages = read(case, network, None).pages
        for stop in range(len(pages)):
            kept = [page for page in pages[:stop] if page.posts or page.cursor]
            cursor = next((page.cursor for page in reversed(kept) if page.cursor), None)
            had = {post.external_id for page in kept for post in page.posts}
            rest = {post.external_id for post in read(case, network, cursor).posts}
            assert had | rest == whole


@pytest.mark.parametrize("case", PAGED)
class TestStrangePosts:
    def test_only_a_new_post_is_new(self, case: Case, network: FakeNetwork) -> None:
        network.page = page(case, drafts("1", "2", "3"))
        first = read(case, network, None)
        network.page = page(case, drafts("1", "2", "3", "4"))
        second = read(case, network, first.cursor)
        assert [len(first.posts), [post.text for post in second.posts]] == [3, ["Acme is down: 4"]]

    def test_a_malformed_post_is_skipped_and_counted(
        self, case: Case, network: FakeNetwork
    ) -> None:
        network.page = case.malformed
        found = read(case, network, None)
        assert (len(found.posts), len(found.skipped)) == (case.good, case.bad)
        assert all(reason and len(reason) < 300 for reason in found.skipped)

    @pytest.mark.parametrize(
        "odd",
        [
            Draft("2", "a" * 5_000_000),
            Draft("2", None),
            Draft("2", ""),
            Draft("2", "half a pair \ud83d, a NUL \x00, upside down \u202e and 👨‍👩‍👧‍👦"),
            Draft("2", "<script>alert(1)</script> [x](javascript:alert(1)) =HYPERLINK()"),
            Draft("2", "Acme in 2099", "2099-01-01T00:00:00.000Z"),
            Draft("2", "Acme in 9999", "9999-12-31T23:59:59-05:00"),
            Draft("2", "Acme in the year 1", "0001-01-01T00:00:00+05:00"),
            Draft("2", "Acme without a zone", "2026-11-20T08:01:00"),
            Draft("2", "Acme some day", "some day"),
            Draft("2", "Acme never", ""),
        ],
        ids=lambda odd: (odd.text or "no text")[:20] + " " + odd.at[:4],
    )
    def test_an_odd_post_does_not_cost_its_neighbours(
        self, case: Case, network: FakeNetwork, odd: Draft
    ) -> None:
        if "\ud83d" in (odd.text or "") and case.content_type != "application/json":
            odd = Draft(odd.key, (odd.text or "").replace("\ud83d", ""))  # only JSON can hold it
        before, after = drafts("1", "3")
        network.page = page(case, [before, odd, after])
        found = read(case, network, None)
        assert {before.text, after.text} <= {post.text for post in found.posts}
        assert len(found.posts) + len(found.skipped) == 3
        for post in found.posts:
            post.text.encode()
            assert "\0" not in post.text
        assert read(case, network, found.cursor).posts == []


@pytest.mark.parametrize("case", PRIVATE)
def test_private_posts_are_marked(case: Case, network: FakeNetwork) -> None:
    network.page = page(case, [Draft("1"), Draft("2", "not for all", public=False)])
    posts = read(case, network, None, signed_in=True).posts
    assert {post.text: post.public for post in posts} == {
        Draft("1").text: True,
        "not for all": False,
    }


@pytest.mark.parametrize(("case", "signed_in"), OVER_HTTP)
class TestFailures:
    @pytest.mark.parametrize("status", [401, 403, 400, 404, 410, 422])
    @pytest.mark.parametrize("body", [b"", b"<html><h1>Denied</h1></html>", b'{"error": "Nope"}'])
    def test_what_a_person_has_to_mend(
        self, case: Case, signed_in: bool, network: FakeNetwork, status: int, body: bytes
    ) -> None:
        network.broken = lambda: httpx.Response(status, content=body)
        error = failing(case, network, signed_in)
        assert isinstance(error, FatalError)
        assert str(status) in str(error)
        assert "<" not in str(error)

    @pytest.mark.parametrize(
        ("fail", "wait"),
        [
            (lambda: httpx.Response(429, headers={"retry-after": "37"}), 37.0),
            (lambda: httpx.Response(429, content=b"<html>slow down"), None),
            (lambda: httpx.Response(503, headers={"retry-after": "120"}), 120.0),
            (lambda: httpx.Response(503), None),
            (lambda: httpx.Response(500, content=b"<html>oops</html>"), None),
            (lambda: httpx.Response(502), None),
            (lambda: httpx.ReadTimeout("slow"), None),
            (lambda: httpx.ConnectTimeout("slow"), None),
            (lambda: httpx.ConnectError("refused"), None),
            (lambda: httpx.ReadError("reset"), None),
            (lambda: httpx.RemoteProtocolError("no answer"), None),
        ],
        ids=[
            *("429 after 37", "429", "503 after 120", "503", "500", "502"),
            *("read timeout", "connect timeout", "refused", "reset", "no answer"),
        ],
    )
    def test_what_mends_itself(
        self, case: Case, signed_in: bool, network: FakeNetwork, fail: Fail, wait: float | None
    ) -> None:
        network.broken = fail
        error = failing(case, network, signed_in)
        assert isinstance(error, RetryableError)
        assert error.retry_after == wait

    def test_a_dropped_connection_is_tried_again_once(
        self, case: Case, signed_in: bool, network: FakeNetwork
    ) -> None:
        good = read(case, network, None, signed_in).posts
        network.failures = [httpx.ReadError("")]
        assert read(case, network, None, signed_in).posts == good
        network.failures = [httpx.ReadError(""), httpx.ReadError("")]
        assert isinstance(failing(case, network, signed_in), RetryableError)

    def test_redirects_carry_no_secret_to_another_host(
        self, case: Case, signed_in: bool, network: FakeNetwork
    ) -> None:
        elsewhere = {"location": "https://elsewhere.example/"}
        network.broken = lambda: httpx.Response(302, headers=elsewhere)
        assert isinstance(failing(case, network, signed_in), FatalError)
        for request in network.requests:
            if request.url.host == "elsewhere.example":
                assert "authorization" not in request.headers
                assert SECRET.encode() not in request.content


@pytest.mark.parametrize(("case", "signed_in"), IN_JSON)
class TestBrokenJson:
    def test_an_answer_cut_in_half(self, case: Case, signed_in: bool, network: FakeNetwork) -> None:
        network.page = network.page[: len(network.page) // 2]
        assert isinstance(failing(case, network, signed_in), RetryableError)

    @pytest.mark.parametrize("body", [b"", b"<html>hello</html>", b"[" * 100_000, b"\xff\xfe"])
    def test_no_json_at_all(
        self, case: Case, signed_in: bool, network: FakeNetwork, body: bytes
    ) -> None:
        network.page = body
        assert isinstance(failing(case, network, signed_in), RetryableError)

    @pytest.mark.parametrize("body", ["null", "3", '"x"', "[[]]", "{}", '{"posts": null}'])
    def test_json_of_another_shape(
        self, case: Case, signed_in: bool, network: FakeNetwork, body: str
    ) -> None:
        network.page = body.encode()
        with suppress(RetryableError):
            assert read(case, network, None, signed_in).posts == []


@pytest.mark.parametrize(("case", "signed_in"), SIGNED_IN)
class TestSecrets:
    @pytest.mark.parametrize("status", [400, 401, 403, 404, 422, 429, 500, 503])
    def test_no_secret_is_in_an_error_or_in_the_log(
        self,
        case: Case,
        signed_in: bool,
        network: FakeNetwork,
        status: int,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        told = {"error": f"Bad {' '.join(case.hidden)}", "message": "x" * 180 + SECRET}
        network.broken = lambda: httpx.Response(status, content=json.dumps(told).encode())
        error = failing(case, network, signed_in)
        trace = "".join(traceback.format_exception(error))
        connector = case.connect(network, signed_in)
        for text in (str(error), repr(error), trace, caplog.text, repr(connector)):
            assert SECRET[:8] not in text
            assert not any(hidden in text for hidden in case.hidden)

    def test_a_secret_goes_into_no_address(
        self, case: Case, signed_in: bool, network: FakeNetwork
    ) -> None:
        read(case, network, None, signed_in)
        assert network.requests
        assert not any(SECRET in str(request.url) for request in network.requests)

    def test_with_it_replies_can_be_sent(
        self, case: Case, signed_in: bool, network: FakeNetwork
    ) -> None:
        assert case.connect(network, signed_in).can_reply
        assert not case.connect(network, signed_in=False).can_reply
