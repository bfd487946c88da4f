"""Bluesky's posts and its search: times that lie, pages that close, nothing lost in silence."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.base import FatalError, FetchedPost
from connectors.bluesky_records import with_links
from connectors.bluesky_window import WINDOW
from tests.connectors.fake_bluesky import APPVIEW, PDS, SECRET, FakeBluesky, recorded, view


def texts(posts: list[FetchedPost]) -> list[str]:
    """The words of posts."""
    return [post.text for post in posts]


def numbers(posts: list[FetchedPost]) -> list[int]:
    """The numbers of made posts, in order."""
    return sorted(int(post.text.rpartition(" ")[2]) for post in posts)


def newest_first(*numbers: int) -> list[dict[str, Any]]:
    """Made posts as the search lists them."""
    return [view(number) for number in sorted(numbers, reverse=True)]


class TestParsing:
    def test_recorded_posts(self) -> None:
        noor, rio, max_, lea = FakeBluesky(*recorded("first_page.json")["posts"]).read().posts
        assert lea.external_id.startswith("at://did:plc:example1")
        assert lea.author_id == lea.external_id.split("/")[2]
        assert (lea.author_handle, lea.author_name) == ("lea.bsky.social", "Lea")
        assert lea.url == "https://bsky.app/profile/lea.bsky.social/post/3m5zaaaaaaa2a"
        assert lea.followers is None
        assert (lea.reply_to, lea.thread) == (None, None)
        assert (max_.reply_to, max_.thread) == (lea.external_id, lea.external_id)
        assert (rio.reply_to, rio.thread) == (max_.external_id, lea.external_id)
        assert [post.public for post in (lea, max_, rio, noor)] == [True, True, True, False]

    def test_a_shortened_link_is_whole_again_after_an_emoji(self) -> None:
        """Facets count bytes: in characters the link would begin at the wrong place."""
        lea = FakeBluesky(recorded("first_page.json")["posts"][-1]).read().posts[0]
        link = "https://example.com/acme-outage-map"
        assert lea.text == f"Acme Power, third evening in the dark 😡 see {link}"

    @pytest.mark.parametrize(
        ("langs", "language"),
        [(None, None), ([], None), (["tr"], "tr"), (["de", "en"], "de")],
    )
    def test_languages_are_the_app_s_word(self, langs: list[str] | None, language: str) -> None:
        (post,) = FakeBluesky(view(1, langs=langs)).read().posts
        assert post.language == language

    @pytest.mark.parametrize("text", ["", None])
    def test_a_picture_without_words(self, text: str | None) -> None:
        assert texts(FakeBluesky(view(1, text=text)).read().posts) == [""]

    @pytest.mark.parametrize(
        ("created", "at"),
        [
            ("2026-11-20T10:00:00+02:00", "2026-11-20T08:00:00+00:00"),
            ("2026-11-20T08:00:00.765Z", "2026-11-20T08:00:00.765000+00:00"),
            ("2026-11-20T08:00:00Z", "2026-11-20T08:00:00+00:00"),
            ("2020-01-01T00:00:00+00:00", "2020-01-01T00:00:00+00:00"),
            ("2026-11-20T08:00:00", "2026-11-20T00:07:00+00:00"),
            ("once upon a time", "2026-11-20T00:07:00+00:00"),
            (None, "2026-11-20T00:07:00+00:00"),
        ],
    )
    def test_the_author_s_time_or_else_the_server_s(self, created: str | None, at: str) -> None:
        (post,) = FakeBluesky(view(7, createdAt=created)).read().posts
        assert post.created_at.isoformat() == at

    def test_a_handle_that_names_nobody(self) -> None:
        post = view(1)
        post["author"]["handle"] = "handle.invalid"
        (read,) = FakeBluesky(post).read().posts
        assert read.url.startswith("https://bsky.app/profile/did:plc:example1")

    def test_what_a_reply_needs_is_in_the_ref(self) -> None:
        posts = recorded("first_page.json")["posts"]
        rio, lea = FakeBluesky(posts[1], posts[3]).read().posts
        assert json.loads(rio.ref) == {
            "uri": posts[1]["uri"],
            "cid": posts[1]["cid"],
            "root": {"uri": posts[3]["uri"], "cid": posts[3]["cid"]},
        }
        assert json.loads(lea.ref)["root"] == {"uri": posts[3]["uri"], "cid": posts[3]["cid"]}


LINK = "app.bsky.richtext.facet#link"


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (0, 4, "https://x.example é"),
        (5, 7, "Acme https://x.example"),
        (6, 7, "Acme é"),
        (0, 6, "Acme é"),
        (-1, 4, "Acme é"),
        (4, 4, "Acme é"),
        (0, 99, "Acme é"),
        (None, 4, "Acme é"),
    ],
)
def test_a_facet_that_is_wrong_costs_no_letter(start: int, end: int, text: str) -> None:
    facet = {
        "index": {"byteStart": start, "byteEnd": end},
        "features": [{"$type": LINK, "uri": "https://x.example"}],
    }
    tag = {"index": {"byteStart": 0, "byteEnd": 4}, "features": [{"$type": "#tag", "tag": "x"}]}
    assert with_links("Acme é", [facet, tag, None, {}, "facet"]) == text


class TestPaging:
    def test_only_the_last_page_has_a_cursor(self) -> None:
        found = FakeBluesky(*newest_first(*range(250))).read()
        assert numbers(found.posts) == list(range(250))
        assert [page.cursor is None for page in found.pages] == [True, True, False]
        assert not any(page.gap for page in found.pages)

    def test_a_fetch_that_breaks_off_loses_nothing(self) -> None:
        network = FakeBluesky(*newest_first(*range(150)))
        cursor = network.read().cursor
        network.posts = newest_first(*range(450))
        pages = network.connect().fetch(cursor)
        assert next(pages).cursor is None
        again = network.read(cursor)
        assert numbers(again.posts) == list(range(150, 450))

    def test_a_quiet_search_costs_one_request_of_at_most_a_hundred(self) -> None:
        network = FakeBluesky(*newest_first(*range(500)))
        cursor = network.read().cursor
        network.requests.clear()
        assert network.read(cursor).posts == []
        (request,) = network.requests
        assert request.url.host == APPVIEW
        assert dict(request.url.params) == {"q": "acme", "sort": "latest", "limit": "100"}

    def test_more_new_posts_than_we_read_are_told_as_a_gap(self) -> None:
        network = FakeBluesky(*newest_first(*range(100)))
        cursor = network.read(pages=2).cursor
        network.posts = newest_first(*range(1000))
        found = network.read(cursor, pages=2)
        assert numbers(found.posts) == list(range(800, 1000))
        gap = found.pages[-1].gap or ""
        assert gap.startswith("more than 2 pages are new: posts since 2026-11-20T01:39:00")
        assert network.read(found.cursor).posts == []

    def test_the_first_fetch_begins_where_it_begins(self) -> None:
        found = FakeBluesky(*newest_first(*range(1000))).read(pages=3)
        assert numbers(found.posts) == list(range(700, 1000))
        assert not any(page.gap for page in found.pages)

    def test_a_post_dated_years_ago_stands_at_the_end_and_is_new(self) -> None:
        network = FakeBluesky(*newest_first(*range(50)))
        cursor = network.read().cursor
        old = view(60, createdAt="2020-01-01T00:00:00Z")
        network.posts.append(old)
        assert numbers(network.read(cursor).posts) == [60]
        old["indexedAt"] = "2020-01-01T00:00:00Z"  # and this server tells no other time
        assert numbers(network.read(cursor).posts) == [60]

    def test_a_post_dated_in_the_future_hides_nothing_behind_it(self) -> None:
        network = FakeBluesky(*newest_first(*range(50)))
        ahead = view(50, createdAt="2099-01-01T00:00:00Z")
        ahead["indexedAt"] = "2099-01-01T00:00:00Z"
        network.posts.insert(0, ahead)
        cursor = network.read().cursor
        network.posts = [ahead, *newest_first(*range(50), *range(51, 60))]
        assert numbers(network.read(cursor).posts) == list(range(51, 60))

    def test_a_server_whose_clock_was_ahead_hides_nothing_either(self) -> None:
        network = FakeBluesky(*newest_first(*range(250)))
        for post in network.posts:
            post["indexedAt"] = "2099-01-01T00:00:00.000Z"
        cursor = network.read().cursor
        mended = view(300)
        mended["indexedAt"] = (datetime.now(UTC) + timedelta(minutes=1)).isoformat()
        network.posts.insert(0, mended)
        assert 300 in numbers(network.read(cursor).posts)  # and perhaps some old ones again

    def test_a_post_that_the_index_shows_late_is_new(self) -> None:
        network = FakeBluesky(*newest_first(*(n for n in range(400) if n != 250)))
        cursor = network.read().cursor
        network.posts = newest_first(*range(401))
        assert numbers(network.read(cursor).posts) == [250, 400]

    def test_posts_of_one_moment_are_told_apart(self) -> None:
        network = FakeBluesky(*newest_first(*range(250)))
        for post in network.posts:
            post["indexedAt"] = "2026-11-20T00:00:00.000Z"
        cursor = network.read().cursor
        assert network.read(cursor).posts == []
        network.posts.insert(0, view(300))
        assert numbers(network.read(cursor).posts) == [300]

    def test_a_cursor_that_repeats_is_the_end(self) -> None:
        network = FakeBluesky()
        network.answers["searchPosts"] = httpx.Response(
            200, json={"posts": [view(1)], "cursor": "1"}
        )
        assert numbers(network.read().posts) == [1]

    def test_the_cursor_stays_small(self) -> None:
        cursor = FakeBluesky(*newest_first(*range(900))).read().cursor or ""
        assert len(json.loads(cursor)["seen"]) == WINDOW
        assert len(cursor) < 12_000

    def test_a_deleted_post_is_not_missed_by_the_cursor(self) -> None:
        network = FakeBluesky(*newest_first(*range(50)))
        cursor = network.read().cursor
        network.posts = newest_first(*range(40), 50)
        assert numbers(network.read(cursor).posts) == [50]


class TestVisitors:
    def test_a_closed_search_says_what_to_do(self) -> None:
        network = FakeBluesky(view(1))
        network.open_to_visitors = False
        with pytest.raises(FatalError, match=r"closed to visitors.*app password"):
            network.read()
        assert numbers(network.read(password=SECRET).posts) == [1]

    def test_the_second_page_is_closed_and_the_first_is_kept(self) -> None:
        network = FakeBluesky(*newest_first(*range(150)))
        network.pages_for_visitors = 1
        first = network.read()
        assert numbers(first.posts) == list(range(50, 150))
        assert not any(page.gap for page in first.pages)
        network.posts = newest_first(*range(300))
        second = network.read(first.cursor)
        assert numbers(second.posts) == list(range(200, 300))
        assert "visitor only one page" in (second.pages[-1].gap or "")
        assert network.read(second.cursor).posts == []

    def test_a_password_needs_its_handle(self) -> None:
        with pytest.raises(FatalError, match="handle"):
            FakeBluesky(view(1)).read(password=SECRET, handle="")

    def test_with_a_login_the_own_server_is_asked(self) -> None:
        network = FakeBluesky(view(1))
        network.read(password=SECRET)
        assert {request.url.host for request in network.requests} == {PDS}


def test_nothing_in_a_fetch_depends_on_the_created_time() -> None:
    """A search of posts whose times are all lies is read like any other."""
    network = FakeBluesky(*newest_first(*range(120)))
    now = datetime.now(UTC)
    for number, post in enumerate(network.posts):
        lie = now + timedelta(days=(number * 7919) % 4000 - 2000)
        post["record"]["createdAt"] = lie.isoformat()
    first = network.read()
    assert len(first.posts) == 120
    network.posts = newest_first(120) + network.posts
    assert numbers(network.read(first.cursor).posts) == [120]


def test_made_addresses_look_like_real_ones() -> None:
    (post,) = FakeBluesky(view(1)).read().posts
    assert re.fullmatch(r"https://bsky\.app/profile/lea\.bsky\.social/post/3m\d{11}", post.url)
