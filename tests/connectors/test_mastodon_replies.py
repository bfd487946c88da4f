"""Answering on Mastodon, and finding the answer again."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.base import FatalError, RequestError, RetryableError
from connectors.mastodon import Mastodon
from tests.connectors.cases import SECRET
from tests.connectors.fake_mastodon import Instance, recorded

REF = json.dumps({"id": "115580412345678901", "acct": "ana"})
TEXT = "We are sorry. Please see https://acme.example/help?x=1&y=2 🙏"
SINCE = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)


@pytest.fixture
def instance() -> Instance:
    """A server that takes our reply and shows it."""
    instance = Instance()
    instance.answers = {
        "/verify_credentials": instance.json(recorded("account.json")),
        "/context": instance.json(recorded("context.json")),
        "/api/v1/statuses": instance.json(recorded("reply.json")),
    }
    return instance


@pytest.fixture
def mastodon(instance: Instance) -> Mastodon:
    """Signed in there."""
    return instance.connect(SECRET)


def show(instance: Instance, **changes: Any) -> None:
    """Change our reply as the server shows it."""
    below = {**recorded("reply.json"), **changes}
    instance.answers["/context"] = instance.json({"ancestors": [], "descendants": [below]})


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Sorry!", "@ana Sorry!"),
        ("@ana Sorry!", "@ana Sorry!"),
        ("Sorry, @ANA.", "Sorry, @ANA."),
        ("@anabel Sorry!", "@ana @anabel Sorry!"),
        ("@ana@other.example Sorry!", "@ana @ana@other.example Sorry!"),
    ],
)
def test_a_reply_is_public_names_its_author_and_has_its_key(
    instance: Instance, mastodon: Mastodon, text: str, sent: str
) -> None:
    reply = mastodon.reply(REF, text, "key-1")
    (request,) = instance.requests
    assert (request.method, request.url.path) == ("POST", "/api/v1/statuses")
    assert request.headers["idempotency-key"] == "key-1"
    assert request.headers["authorization"] == f"Bearer {SECRET}"
    told = {"status": sent, "in_reply_to_id": "115580412345678901", "visibility": "public"}
    assert json.loads(request.content) == told
    assert reply.external_id == recorded("reply.json")["uri"]
    assert reply.url == recorded("reply.json")["url"]
    assert reply.created_at == datetime(2026, 11, 20, 11, 0, 5, 300000, tzinfo=UTC)


@pytest.mark.parametrize("body", ["", "<html>", "[]", "{}", "null", '{"uri": "u"}'])
def test_whether_it_arrived_is_unknown_where_the_answer_is_strange(
    instance: Instance, mastodon: Mastodon, body: str
) -> None:
    instance.answers = {"/statuses": httpx.Response(200, content=body)}
    with pytest.raises(RetryableError):
        mastodon.reply(REF, "Sorry!", "key-1")


def test_a_refused_reply_has_the_server_s_words(instance: Instance, mastodon: Mastodon) -> None:
    instance.answers = {"/statuses": httpx.Response(422, json={"error": "Text zu lang"})}
    with pytest.raises(RequestError, match="Text zu lang"):
        mastodon.reply(REF, "Sorry!", "key-1")


@pytest.mark.parametrize("ref", ["", "{}", "[]", "null", "at://did:plc:x/1"])
def test_a_post_of_another_network_is_not_answered(mastodon: Mastodon, ref: str) -> None:
    with pytest.raises(FatalError, match="not read from Mastodon"):
        mastodon.reply(ref, "Sorry!", "key-1")


class TestFinding:
    def test_our_answer_is_found_as_the_server_shows_it(self, mastodon: Mastodon) -> None:
        found = mastodon.find_reply(REF, TEXT, SINCE)
        assert found is not None
        assert found.url == recorded("reply.json")["url"]
        assert mastodon.find_reply(REF, f"@ana {TEXT}", SINCE) == found

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"content": "<p>We are sorry.</p>"}, "other words"),
            ({"in_reply_to_id": "1"}, "to another post"),
            ({"created_at": "2026-11-20T10:00:00.000Z"}, "long before"),
            ({"visibility": "direct"}, "not in public"),
            ({"account": {"id": "7", "acct": "ana"}}, "by somebody else"),
        ],
    )
    def test_another_one_is_not_taken_for_it(
        self, instance: Instance, mastodon: Mastodon, changes: dict[str, Any], why: str
    ) -> None:
        show(instance, **changes)
        assert mastodon.find_reply(REF, TEXT, SINCE) is None, why

    def test_clocks_may_differ(self, mastodon: Mastodon) -> None:
        assert mastodon.find_reply(REF, TEXT, SINCE + timedelta(minutes=4))

    def test_markdown_and_markup_of_another_server(
        self, instance: Instance, mastodon: Mastodon
    ) -> None:
        show(instance, content="@ana@social.example Really <i>sorry</i> & <sorry> 🙏<br>")
        assert mastodon.find_reply(REF, "Really *sorry* & <sorry> 🙏", SINCE)

    def test_a_thread_that_is_gone(self, instance: Instance, mastodon: Mastodon) -> None:
        instance.answers["/context"] = httpx.Response(404, json={"error": "Record not found"})
        assert mastodon.find_reply(REF, TEXT, SINCE) is None

    @pytest.mark.parametrize("body", ["[]", "{}", '{"descendants": [null]}', '{"descendants": 3}'])
    def test_a_strange_thread_is_no_proof_of_absence(
        self, instance: Instance, mastodon: Mastodon, body: str
    ) -> None:
        instance.answers["/context"] = httpx.Response(200, content=body)
        with pytest.raises(RetryableError):
            mastodon.find_reply(REF, TEXT, SINCE)

    def test_a_token_that_is_refused_says_so(self, instance: Instance, mastodon: Mastodon) -> None:
        instance.answers["/verify_credentials"] = httpx.Response(401, content=b"")
        with pytest.raises(FatalError, match="renew"):
            mastodon.find_reply(REF, TEXT, SINCE)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("Sorry", 5),
        ("See https://acme.example/" + "x" * 300 + ".", 4 + 23 + 1),
        ("http://a.b https://c.d", 23 + 1 + 23),
        ("@ana@social.example hi", 7),
        ("@ana hi", 7),
        ("mail ana@social.example", 23),
        ("👨‍👩‍👧‍👦🇩🇪", 2),
    ],
)
def test_length_as_mastodon_counts(mastodon: Mastodon, text: str, length: int) -> None:
    assert mastodon.length(text) == length
