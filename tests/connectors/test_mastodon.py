"""Posts of Mastodon and its relatives: what a naive reader of them gets wrong."""

import json
from typing import Any

import httpx
import pytest

from connectors.base import FetchedPost
from connectors.mastodon import LOOKUPS
from tests.connectors.fake_mastodon import Instance, recorded, status


def texts(posts: list[FetchedPost]) -> list[str]:
    """The words of posts."""
    return [post.text for post in posts]


def parsed(*statuses: dict[str, Any]) -> list[FetchedPost]:
    """What comes of these statuses."""
    return Instance(*statuses).read().posts


class TestParsing:
    def test_recorded_posts(self) -> None:
        ana, ben, kim, update = Instance(*recorded("first_page.json")[::-1]).read().posts
        assert ana.external_id == "https://social.example/users/ana/statuses/115580412345678901"
        assert ana.url == "https://social.example/@ana/115580412345678901"
        assert ana.author_id == "https://social.example/users/ana"
        assert (ana.author_handle, ana.author_name) == ("ana@social.example", "Ana 🌱")
        assert ana.followers == 341
        assert (
            ana.text
            == "Third evening without power from Acme & no word. 5 < 6, they say.\n\n#acmefail"
        )
        assert json.loads(ana.ref) == {"id": "115580412345678901", "acct": "ana"}
        assert ben.author_handle == "ben@town.example"
        assert ben.author_name == "ben@town.example"
        assert kim.text.startswith("Geld, Ärger\n\nAcme hat doppelt abgebucht")
        assert (kim.public, kim.language) == (True, "de")
        assert update.edited_at is not None
        assert update.edited_at > update.created_at
        assert update.language is None

    def test_a_link_in_three_spans_is_the_address(self) -> None:
        ben = parsed(recorded("first_page.json")[2])[0]
        link = "https://town.example/acme-outage-map-district-nine"
        assert ben.text == f"@ana same here\nsee {link} #acmefail"

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            ('offers 5€. <b>Not</b> ok <a href="https://x.example/?x=1&y=2">https://x.example/?x=1&y=2</a><br>',
             "offers 5€. Not ok https://x.example/?x=1&y=2"),
            ("Tom & Jerry <3 <br>5 < 6", "Tom & Jerry <3\n5 < 6"),
            ("<p>one</p><p>two<br />three</p>", "one\n\ntwo\nthree"),
            ("", ""),
            (None, ""),
            ("<p>&#39;ok&#39; &eacute; &#128557;</p>", "'ok' é 😭"),
        ],
    )  # fmt: skip
    def test_loose_html_of_snac_and_entities(self, content: str | None, text: str) -> None:
        assert texts(parsed(status(1, content=content))) == [text]

    @pytest.mark.parametrize(
        ("visibility", "public"),
        [
            ("public", True),
            ("unlisted", True),
            ("private", False),
            ("direct", False),
            (None, False),
        ],
    )
    def test_what_a_token_sees_is_not_all_public(self, visibility: str, public: bool) -> None:
        assert [post.public for post in parsed(status(1, visibility=visibility))] == [public]

    def test_a_boost_is_a_post_of_its_own_and_brings_what_it_boosts(self) -> None:
        original, boost = parsed(recorded("boost.json"))
        assert boost.repost_of == original.external_id != boost.external_id
        assert (boost.text, boost.author_handle) == ("", "kim@blog.example")
        assert original.text.startswith("Third evening")
        assert boost.ref == original.ref

    def test_a_boost_with_the_id_and_uri_of_the_post_does_not_blank_it(self) -> None:
        """snac shows the boost in the post's place, with the post's own id."""
        post = status(1)
        kim = recorded("boost.json")["account"]
        boost = status(1, content="", reblog=post, account=kim)
        original, boosted = parsed(boost)
        assert (original.text, boosted.text) == ("Acme is down: 1", "")
        assert boosted.repost_of == original.external_id != boosted.external_id

    def test_a_quote_keeps_only_the_author_s_own_words(self) -> None:
        assert texts(parsed(recorded("quote.json"))) == ["Not only there. #acmefail"]

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            ('<p>Look.<span class="quote-inline"><br>RE: <a href="https://a.example/1">'
             "<span>https://</span><span>a.example/1</span></a></span></p>", "Look."),
            ('<p class="quote-inline">RE: never closed', "RE: never closed"),
            ("<p>I said quote-inline twice</p>", "I said quote-inline twice"),
            ("quote-inline", "quote-inline"),
        ],
    )  # fmt: skip
    def test_quotes_of_other_servers(self, content: str, text: str) -> None:
        assert texts(parsed(status(1, content=content))) == [text]

    def test_a_bridged_post_is_called_by_its_uri(self) -> None:
        kim = parsed(recorded("first_page.json")[1])[0]
        assert kim.external_id.startswith("https://bsky.brid.gy/convert/ap/at://did:plc:")

    def test_a_time_without_zone_means_utc(self) -> None:
        (post,) = parsed(status(1, created_at="2026-11-20T09:51:45.531225"))
        assert post.created_at.isoformat() == "2026-11-20T09:51:45.531225+00:00"


class TestThreads:
    def test_an_answer_to_a_post_of_this_fetch_needs_no_question(self) -> None:
        instance = Instance(status(1), status(2, in_reply_to_id=status(1)["id"]))
        instance.statuses.append(status(3, in_reply_to_id=status(2)["id"]))
        first, second, third = instance.read().posts
        assert (first.reply_to, first.thread) == (None, None)
        assert (second.reply_to, second.thread) == (first.external_id, first.external_id)
        assert (third.reply_to, third.thread) == (second.external_id, first.external_id)
        assert instance.asked("/context") == 0

    def test_otherwise_the_server_is_asked_for_the_thread(self) -> None:
        root, middle = status(1), status(2, in_reply_to_id=status(1)["id"])
        instance = Instance(status(3, in_reply_to_id=middle["id"]))
        instance.answers["/context"] = instance.json({"ancestors": [root, middle]})
        (post,) = instance.read().posts
        assert (post.reply_to, post.thread) == (middle["uri"], root["uri"])

    def test_a_server_that_knows_only_part_of_it(self) -> None:
        middle = status(2, in_reply_to_id="gone")
        instance = Instance(status(3, in_reply_to_id=middle["id"]))
        instance.answers["/context"] = instance.json({"ancestors": [middle]})
        (post,) = instance.read().posts
        assert (post.reply_to, post.thread) == (middle["uri"], None)

    @pytest.mark.parametrize(
        ("answer", "asked"),
        [
            (httpx.Response(404, content=b""), LOOKUPS),
            (httpx.Response(401, content=b""), LOOKUPS),
            (httpx.Response(429, content=b""), 1),
            (httpx.Response(200, content=b""), 1),
            (httpx.Response(200, json={"ancestors": None}), 1),
        ],
    )
    def test_threads_cost_little_and_no_post(self, answer: httpx.Response, asked: int) -> None:
        instance = Instance(*(status(n, in_reply_to_id=f"gone{n}") for n in range(40)))
        instance.answers["/context"] = answer
        posts = instance.read().posts
        assert len(posts) == 40
        assert {(post.reply_to, post.thread) for post in posts} == {(None, None)}
        assert instance.asked("/context") == asked
