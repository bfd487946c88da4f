"""Hashtags and searches of Mastodon: nothing lost, nothing twice, whatever the server is like."""

import json
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from connectors.base import FatalError, FetchedPost, Quota, RequestError
from connectors.mastodon import MastodonSettings
from connectors.mastodon_streams import WINDOW
from tests.connectors.fake_mastodon import Instance, status


def texts(posts: list[FetchedPost]) -> list[str]:
    """The words of posts."""
    return [post.text for post in posts]


def down(*numbers: int) -> list[str]:
    """The words of made statuses."""
    return [f"Acme is down: {number}" for number in numbers]


class TestPaging:
    def test_the_first_fetch_is_bounded_and_oldest_first(self) -> None:
        instance = Instance(*(status(n) for n in range(300)))
        first = instance.read(pages=3)
        assert texts(first.posts) == down(*range(180, 300))
        assert [page.cursor is None for page in first.pages] == [True, True, False, False]
        assert not any(page.gap for page in first.pages)
        assert instance.read(first.cursor).posts == []

    def test_a_backlog_is_read_whole_in_pages_that_each_move_the_cursor(self) -> None:
        instance = Instance(*(status(n) for n in range(10)))
        cursor = instance.read().cursor
        instance.statuses += [status(n) for n in range(10, 210)]
        pages = instance.read(cursor).pages
        assert [post.text for page in pages for post in page.posts] == down(*range(10, 210))
        assert all(page.cursor for page in pages)
        halfway = instance.read(pages[2].cursor)
        had = [post.text for page in pages[:3] for post in page.posts]
        assert had + texts(halfway.posts) == down(*range(10, 210))

    @pytest.mark.parametrize("most", [20, 7])
    def test_short_pages_are_not_the_last(self, most: int) -> None:
        instance = Instance(*(status(n) for n in range(30)))
        cursor = instance.read().cursor
        instance.statuses += [status(n) for n in range(30, 90)]
        instance.most = most
        assert texts(instance.read(cursor).posts) == down(*range(30, 90))

    def test_a_quiet_hashtag_costs_one_request(self) -> None:
        instance = Instance(*(status(n) for n in range(90)))
        cursor = instance.read().cursor
        instance.requests.clear()
        assert instance.read(cursor).posts == []
        assert len(instance.requests) == 1

    def test_a_post_that_comes_late_with_an_id_of_the_past_is_found(self) -> None:
        instance = Instance(*(status(n) for n in range(0, 100, 2)))
        cursor = instance.read().cursor
        instance.statuses.insert(48, status(95))
        instance.statuses.append(status(100))
        assert texts(instance.read(cursor).posts) == down(95, 100)

    def test_an_edit_comes_again_once(self) -> None:
        instance = Instance(status(1), status(2))
        cursor = instance.read().cursor
        instance.statuses[1] |= {
            "edited_at": "2026-11-20T12:00:00.000Z",
            "content": "<p>Mended</p>",
        }
        again = instance.read(cursor)
        assert texts(again.posts) == ["Mended"]
        assert again.posts[0].edited_at is not None
        assert instance.read(again.cursor).posts == []

    def test_while_few_are_known_the_first_can_be_edited_too_and_a_late_one_be_older(self) -> None:
        instance = Instance(status(5), status(6))
        cursor = instance.read().cursor
        instance.statuses[0] |= {
            "edited_at": "2026-11-20T12:00:00.000Z",
            "content": "<p>Mended</p>",
        }
        instance.statuses.insert(0, status(1))
        assert texts(instance.read(cursor).posts) == ["Acme is down: 1", "Mended"]

    def test_a_surge_after_a_few_posts_is_read_whole(self) -> None:
        instance = Instance(status(0), status(1))
        cursor = instance.read().cursor
        instance.statuses += [status(n) for n in range(2, 400)]
        found = instance.read(cursor)
        assert texts(found.posts) == down(*range(2, 400))
        assert not any(page.gap for page in found.pages)

    def test_ids_are_text_and_no_numbers(self) -> None:
        names = ["1795427383ab31d7", "9007199254740993", "9007199254740992", "10000000000000000"]
        instance = Instance(*(status(n, id=name) for n, name in enumerate(names)))
        first = instance.read()
        assert [json.loads(post.ref)["id"] for post in first.posts] == names
        assert instance.read(first.cursor).posts == []

    def test_ids_of_one_second_in_any_order(self) -> None:
        """snac's ids end in a hash: within a second they do not ascend."""
        names = [f"1795427383{(n * 7919) % 1000:03}" for n in range(100)]
        instance = Instance(*(status(n, id=name) for n, name in enumerate(names)))
        first = instance.read()
        assert len(first.posts) == 100
        assert instance.read(first.cursor).posts == []
        instance.statuses += [status(n, id=f"1795427384{n:03}") for n in range(100, 160)]
        assert texts(instance.read(first.cursor).posts) == down(*range(100, 160))

    def test_a_server_that_does_not_understand_min_id(self) -> None:
        """It gives its newest page whatever is asked, and would for ever."""
        instance = Instance(*(status(n) for n in range(60)))
        instance.knows_min_id = False
        cursor = instance.read().cursor
        assert instance.read(cursor).posts == []
        instance.statuses += [status(n) for n in range(60, 160)]
        assert texts(instance.read(cursor).posts) == down(*range(60, 160))

    def test_where_the_server_lost_what_we_know_the_gap_is_told(self) -> None:
        instance = Instance(*(status(n) for n in range(60)))
        instance.knows_min_id = False
        cursor = instance.read().cursor
        instance.statuses = [status(n) for n in range(1000, 1200)]
        found = instance.read(cursor, pages=2)
        assert texts(found.posts) == down(*range(1120, 1200))
        assert [page.gap for page in found.pages if page.gap] == [
            "#acmefail has more new posts than we read at once; the older of them are missed."
        ]

    def test_an_empty_hashtag_that_begins_to_be_used(self) -> None:
        instance = Instance()
        first = instance.read()
        instance.statuses = [status(n) for n in range(50)]
        assert texts(instance.read(first.cursor).posts) == down(*range(50))

    def test_the_cursor_stays_small(self) -> None:
        cursor = Instance(*(status(n) for n in range(200))).read().cursor
        assert cursor is not None
        assert len(json.loads(cursor)["#acmefail"]) == WINDOW

    def test_old_servers_tell_no_limit_and_new_ones_in_iso(self) -> None:
        instance = Instance(status(1))
        assert instance.read().pages[-1].quota is None
        instance.headers = {"x-ratelimit-limit": "300", "x-ratelimit-remaining": "299"}
        assert instance.read().pages[-1].quota == Quota(299, 300)


class TestStreams:
    def test_a_post_in_two_streams_comes_once(self) -> None:
        instance = Instance(status(1), status(2))
        found = instance.read(hashtags=["acmefail", "#AcmePower"], search="acme")
        assert texts(found.posts) == down(1, 2)
        assert set(json.loads(found.cursor or "")) == {"#acmefail", "#AcmePower", "?acme"}

    def test_a_hashtag_in_any_script_is_asked_for(self) -> None:
        instance = Instance()
        instance.read(hashtags=["アクメ", "a/b?c"])
        asked = [request.url.raw_path.decode().split("?")[0] for request in instance.requests]
        assert asked == [
            "/api/v1/timelines/tag/%E3%82%A2%E3%82%AF%E3%83%A1",
            "/api/v1/timelines/tag/a%2Fb%3Fc",
        ]

    def test_a_search_is_read_newest_first_and_tells_its_gap(self) -> None:
        instance = Instance(*(status(n) for n in range(90)))
        cursor = instance.read(hashtags=[], search="acme power").cursor
        assert instance.read(cursor, hashtags=[], search="acme power").posts == []
        instance.statuses += [status(n) for n in range(90, 190)]
        found = instance.read(cursor, hashtags=[], search="acme power")
        assert texts(found.posts) == down(*range(90, 190))
        assert not any(page.gap for page in found.pages)
        short = instance.read(cursor, hashtags=[], search="acme power", pages=2)
        assert texts(short.posts) == down(*range(110, 190))
        assert [bool(page.gap) for page in short.pages] == [False, True, False]

    def test_a_server_whose_search_has_one_page_only(self) -> None:
        instance = Instance(status(1))
        instance.answers["/search"] = instance.json({"statuses": [status(2), status(1)]})
        assert texts(instance.read(search="acme", hashtags=[]).posts) == down(1, 2)

    def test_a_search_without_a_token_would_find_nothing_in_silence(self) -> None:
        connector = Instance(status(1)).connect(search="acme")
        with pytest.raises(FatalError, match="needs a token"):
            next(connector.fetch(None))

    def test_one_unknown_hashtag_does_not_stop_the_others(self) -> None:
        instance = Instance(status(1))
        instance.answers["/tag/gone"] = httpx.Response(404, json={"error": "Record not found"})
        found = instance.read(hashtags=["gone", "acmefail"])
        assert texts(found.posts) == down(1)
        assert "#gone cannot be read" in (found.pages[-1].gap or "")
        with pytest.raises(RequestError):
            instance.read(hashtags=["gone"])

    def test_the_server_s_own_words_in_any_language(self) -> None:
        instance = Instance()
        words = {"error": "Gültigkeitsprüfung ist fehlgeschlagen"}
        instance.answers["/tag/"] = httpx.Response(422, json=words)
        with pytest.raises(FatalError, match="Gültigkeitsprüfung"):
            instance.read()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "at least one hashtag"),
        ({"hashtags": ["#"]}, "at least one hashtag"),
        ({"hashtags": ["a"], "pages": 0}, "pages"),
        ({"hashtags": ["a"], "instance": "http://social.example"}, "https://"),
        ({"hashtags": ["a"], "instance": "social.example"}, "https://"),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        MastodonSettings.model_validate({"instance": "https://social.example", **settings})
