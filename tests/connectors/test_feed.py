"""Feeds as they are in the wild: every charset, half of them broken, some of them hostile."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import time_machine
from pydantic import ValidationError

from connectors.base import FatalError, FetchedPost, Page, RetryableError
from connectors.feed import MAX_FEED, PAGE, Feed, FeedSettings

FIXTURES = Path(__file__).parent / "fixtures" / "feed"
URL = "https://forum.example.com/posts.rss"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """The clock stands still."""
    with time_machine.travel(NOW, tick=False):
        yield


class Server:
    """A server with one feed."""

    def __init__(self, body: bytes | str, content_type: str = "application/xml") -> None:
        self.body = body.encode() if isinstance(body, str) else body
        self.headers = {"content-type": content_type}
        self.requests: list[httpx.Request] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        """As a server that knows conditional requests."""
        self.requests.append(request)
        known = request.headers.get("if-none-match")
        if known and known == self.headers.get("etag"):
            return httpx.Response(304)
        return httpx.Response(200, headers=self.headers, content=self.body)

    def fetch(self, cursor: str | None = None, url: str = URL) -> list[Page]:
        """One fetch, as the monitor does it."""
        feed = Feed(FeedSettings(url=url), transport=httpx.MockTransport(self.answer))
        pages = list(feed.fetch(cursor))
        feed.close()
        return pages


def recorded(name: str, content_type: str = "application/xml") -> list[FetchedPost]:
    """The posts of a recorded feed."""
    (page,) = Server((FIXTURES / name).read_bytes(), content_type).fetch()
    return page.posts


def rss(*items: str) -> str:
    """A feed of these items."""
    entries = "".join(f"<item>{item}</item>" for item in items)
    return f'<rss version="2.0"><channel><title>x</title>{entries}</channel></rss>'


def item(n: int, **more: str) -> str:
    """A plain item, one a minute."""
    parts = {
        "guid": f"https://forum.example.com/{n}",
        "title": f"post {n}",
        "pubDate": f"Fri, 20 Nov 2026 {8 + n // 60:02}:{n % 60:02}:00 GMT",
    }
    return "".join(f"<{k}>{v}</{k}>" for k, v in (parts | more).items() if v)


def only(*items: str) -> FetchedPost:
    """The post of a feed that has one."""
    (page,) = Server(rss(*items)).fetch()
    (post,) = page.posts
    return post


class TestShapes:
    def test_a_forum_oldest_first(self) -> None:
        ana, kim = recorded("first_page.xml")
        assert ana.text == "Charged twice in November, and the hotline hangs up after 40 minutes."
        assert ana.created_at == datetime(2026, 11, 20, 7, 0, tzinfo=UTC)
        assert (ana.author_handle, ana.language) == ("ana", "en")
        assert ana.url == "https://forum.example.com/t/charged-twice/811/1"
        assert ana.external_id.endswith("forum.example.com-post-811-1")
        assert ana.edited_at is None
        assert kim.text == (
            "Router reboots every night at 3\n\nIt is the power supply.\n\n"
            "No, I changed it & it still reboots.\nNobody answers my ticket!"
        )

    def test_atom_with_threads_edits_and_inherited_authors(self) -> None:
        post, comment = recorded("comments.atom", "application/atom+xml")
        assert post.text == "Acme im Test\n\nDer Kundendienst antwortet nicht."
        assert post.author_handle == "Die Redaktion"
        assert post.created_at == datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
        assert post.edited_at == datetime(2026, 11, 19, 18, 0, tzinfo=UTC)
        assert comment.reply_to == post.external_id == "tag:blogger.example,1999:blog-77.post-1"
        assert comment.author_id == comment.author_handle == "Jörg"
        assert "joerg@mail.example" not in comment.model_dump_json()
        assert comment.created_at == datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
        assert (comment.edited_at, comment.language) == (None, "de")
        assert comment.text.endswith("kaputt gegangen.\n\nKein Ersatz!")

    @pytest.mark.parametrize("told", ["application/xml", "text/xml", "text/html", "text/plain"])
    def test_windows_1251(self, told: str) -> None:
        (post,) = recorded("windows-1251.xml", told)
        assert post.text.startswith(
            "Не работает\n\nТретий день нет связи, поддержка молчит — «ждите»"
        )
        assert post.author_handle == "Иван П."
        assert "@" not in post.author_id

    def test_a_charset_told_only_by_http(self) -> None:
        (post,) = recorded("latin1.xml", "text/xml; charset=ISO-8859-1")
        assert post.text == (
            "Colis jamais reçu\n\nCommandé il y a un mois : livré « à côté », où ça ?"
        )

    def test_utf_16(self) -> None:
        declared = '<?xml version="1.0" encoding="utf-16"?>' + rss(item(1, title="Ärger"))
        (page,) = Server(declared.encode("utf-16")).fetch()
        assert page.posts[0].text == "Ärger"

    def test_broken_xml_is_read_and_told(self) -> None:
        (page,) = Server((FIXTURES / "broken.xml").read_bytes()).fetch()
        assert [post.text for post in page.posts] == [
            "Rude & slow\n\nWaited 3 hours\nand then",
            "Never again",
        ]
        assert page.skipped == ["an entry has no title and no content"]
        assert page.gap
        assert "broken XML" in page.gap

    @pytest.mark.parametrize(
        ("written", "author_id", "handle"),
        [
            ("@ana", "ana", "ana"),
            ("mail@shop.example (Ana Q.)", "Ana Q.", "Ana Q."),
            ("Ana Q. &lt;mail@shop.example&gt;", "Ana Q.", "Ana Q."),
            ("/u/ana", "ana", "ana"),
            ("Tom &amp;amp; Ina", "Tom & Ina", "Tom & Ina"),
            ("&lt;a href='https://x.example'&gt;Ana&lt;/a&gt;", "Ana", "Ana"),
        ],
    )
    def test_authors(self, written: str, author_id: str, handle: str) -> None:
        post = only(item(1, author=written))
        assert (post.author_id, post.author_handle) == (author_id, handle)

    def test_a_bare_mail_address_is_a_person_and_stays_private(self) -> None:
        post = only(item(1, author="ana@mail.example"))
        assert post.author_handle == "ana"
        assert "mail.example" not in post.model_dump_json()
        assert post.author_id != only(item(1, author="ana@other.example")).author_id

    def test_posts_without_an_author_are_of_different_people(self) -> None:
        (page,) = Server(rss(item(1), item(2))).fetch()
        one, two = page.posts
        assert one.author_id != two.author_id
        assert one.author_handle == "unknown"

    @pytest.mark.parametrize(
        ("title", "description", "text"),
        [
            ("Late", "Late again, Acme", "Late again, Acme"),
            ("Late again…", "Late again, Acme", "Late again, Acme"),
            ("Late", "", "Late"),
            ("", "Late", "Late"),
            ("a", "&lt;p&gt;b &amp;amp; c&lt;/p&gt;", "a\n\nb & c"),
            ("a", "&amp;lt;p&amp;gt;b &amp;amp;amp; c&amp;lt;/p&amp;gt;", "a\n\nb & c"),
            ("AT&amp;amp;T is down", "", "AT&T is down"),
            ("AT&amp;T &lt;3 5 &lt; 6", "", "AT&T <3 5 < 6"),
            ("List&lt;String&gt; fails", "", "List<String> fails"),
            ("a", "&lt;script&gt;alert(1)&lt;/script&gt;&lt;p&gt;b&lt;/p&gt;", "a\n\nb"),
            ("a", "use &lt;code&gt;&amp;lt;br&amp;gt;&lt;/code&gt; here", "a\n\nuse <br> here"),
        ],
    )
    def test_title_and_content_become_text(self, title: str, description: str, text: str) -> None:
        assert only(item(1, title=title, description=description)).text == text

    def test_an_id_that_every_feed_has_becomes_unique(self) -> None:
        body = rss('<guid isPermaLink="false">7</guid><title>x</title>')
        (one,) = Server(body).fetch(url="https://a.example/rss")[0].posts
        (two,) = Server(body).fetch(url="https://b.example/rss")[0].posts
        assert one.external_id == "a.example/rss#7"
        assert two.external_id == "b.example/rss#7"

    def test_without_an_id_the_link_and_without_both_the_words(self) -> None:
        assert only("<link>https://x.example/1</link><title>x</title>").external_id == (
            "https://x.example/1"
        )
        assert only("<title>x</title>").external_id != only("<title>y</title>").external_id

    def test_a_long_id_is_shortened(self) -> None:
        assert len(only(item(1, guid="https://x.example/" + "a" * 1000)).external_id) < 100

    @pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "file:///etc"])
    def test_only_links_of_the_web_are_shown(self, link: str) -> None:
        assert only(item(1, link=link)).url == ""

    @pytest.mark.parametrize("date", ["", "yesterday", "Fri, 99 Nov 2026 08:00:00 GMT"])
    def test_without_a_date_it_is_of_now_and_told(self, date: str) -> None:
        (page,) = Server(rss(item(1, pubDate=date))).fetch()
        assert page.posts[0].created_at == NOW
        assert page.gap == "Entries without a date, taken as of now: 1."

    def test_the_far_future_passes(self) -> None:
        assert only(item(1, pubDate="Thu, 01 Jan 2099 00:00:00 GMT")).created_at.year == 2099


class TestGoingOn:
    def test_only_new_entries_come(self) -> None:
        server = Server(rss(item(2), item(1)))
        first = server.fetch()[-1]
        assert [post.text for post in first.posts] == ["post 1", "post 2"]
        assert server.fetch(first.cursor)[-1].posts == []
        server.body = rss(item(3), item(2), item(1)).encode()
        second = server.fetch(first.cursor)[-1]
        assert [post.text for post in second.posts] == ["post 3"]
        assert second.gap is None

    def test_an_unchanged_feed_is_not_sent_again(self) -> None:
        server = Server(rss(item(1)))
        server.headers |= {"etag": 'W/"1"', "last-modified": "Fri, 20 Nov 2026 08:00:00 GMT"}
        (first,) = server.fetch()
        assert server.fetch(first.cursor) == [Page([], first.cursor)]
        assert server.requests[1].headers["if-none-match"] == 'W/"1"'
        assert server.requests[1].headers["if-modified-since"] == "Fri, 20 Nov 2026 08:00:00 GMT"

    def test_a_skipped_entry_is_told_once(self) -> None:
        server = Server(rss("<guid>https://x.example/1</guid>", item(2)))
        (first,) = server.fetch()
        assert len(first.skipped) == 1
        assert server.fetch(first.cursor)[0].skipped == []

    def test_an_edit_comes_even_where_only_updated_is_told(self) -> None:
        def atom(text: str, updated: str) -> bytes:
            return (
                '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>tag:1</id>'
                f"<title>{text}</title><updated>{updated}</updated></entry></feed>"
            ).encode()

        server = Server(atom("down", "2026-11-20T08:00:00Z"))
        (first,) = server.fetch()
        assert first.posts[0].edited_at is None
        server.body = atom("down, up again", "2026-11-20T09:00:00Z")
        (second,) = server.fetch(first.cursor)
        (post,) = second.posts
        assert post.external_id == first.posts[0].external_id
        assert post.edited_at == datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
        assert second.gap is None

    def test_a_window_that_moved_on_is_a_gap(self) -> None:
        server = Server(rss(item(2), item(1)))
        (first,) = server.fetch()
        server.body = rss(item(9), item(8)).encode()
        (second,) = server.fetch(first.cursor)
        assert len(second.posts) == 2
        assert second.gap
        assert "come and gone" in second.gap

    def test_a_long_feed_comes_in_pages_and_only_the_last_has_the_cursor(self) -> None:
        pages = Server(rss(*[item(n) for n in range(2 * PAGE + 1, 0, -1)])).fetch()
        assert [len(page.posts) for page in pages] == [PAGE, PAGE, 1]
        times = [post.created_at for page in pages for post in page.posts]
        assert times == sorted(times)
        assert [bool(page.cursor) for page in pages] == [False, False, True]

    @pytest.mark.parametrize("cursor", ["", "x", "7", "[]", "{}", '{"seen": 3}'])
    def test_a_cursor_that_nobody_wrote(self, cursor: str) -> None:
        assert len(Server(rss(item(1))).fetch(cursor)[0].posts) == 1

    def test_redirects_are_followed(self) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            if request.url.path == "/posts.rss":
                return httpx.Response(301, headers={"location": "https://new.example/rss"})
            return httpx.Response(200, content=rss(item(1)))

        feed = Feed(FeedSettings(url=URL), transport=httpx.MockTransport(answer))
        assert len(next(feed.fetch(None)).posts) == 1


class TestNoFeed:
    def test_a_web_page(self) -> None:
        with pytest.raises(FatalError, match=r"no feed.*this is it: https://forum.*/latest\.rss"):
            Server((FIXTURES / "page.html").read_bytes(), "text/html").fetch()

    @pytest.mark.parametrize("body", ['{"error": "nope"}', "hello", "<a/>", "/etc/passwd", URL])
    def test_something_else(self, body: str) -> None:
        with pytest.raises(FatalError, match="no feed"):
            Server(body).fetch()

    def test_a_page_in_place_of_what_was_a_feed_is_an_outage(self) -> None:
        server = Server(rss(item(1)))
        cursor = server.fetch()[-1].cursor
        server.body = b"<html><h1>Maintenance</h1></html>"
        with pytest.raises(RetryableError, match="was one before"):
            server.fetch(cursor)

    def test_nothing_at_all_is_an_outage(self) -> None:
        with pytest.raises(RetryableError, match="empty"):
            Server("\n").fetch()

    def test_a_feed_without_entries_is_one(self) -> None:
        (page,) = Server(rss()).fetch()
        assert page.posts == []
        assert page.gap is None

    def test_a_feed_of_no_sensible_size(self) -> None:
        with pytest.raises(FatalError, match="too much"):
            Server(b" " * (MAX_FEED + 1)).fetch()

    @pytest.mark.parametrize(
        "url",
        [
            *("", "forum", "ftp://x.example/", "file:///etc/passwd", "https://", "https://a b/"),
            *("https://user:word@x.example/rss", "https://x.example:port/", "http://[::1"),
        ],
    )
    def test_addresses_that_are_none(self, url: str) -> None:
        with pytest.raises(ValidationError):
            FeedSettings(url=url)


class TestHostile:
    def bomb(self, entities: str, title: str, encoding: str = "utf-8") -> bytes:
        declared = f'<?xml version="1.0" encoding="{encoding}"?>\n<!DOCTYPE r [\n{entities}\n]>\n'
        return (declared + rss(item(1, title=title))).encode(encoding)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_xml_bombs_do_not_go_off(self, encoding: str) -> None:
        laughs = ['<!ENTITY a0 "lol">']
        laughs += [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)]
        long = f'<!ENTITY a "{"x" * 100_000}">'
        nested = '<!ENT<!ENTITY x>ITY a "' + "x" * 100_000 + '">'
        for entities, title in (
            ("\n".join(laughs), "&a9;"),
            ("".join(laughs), "&a9;"),
            (long, "&a;" * 10_000),
            (nested, "&a;" * 10_000),
        ):
            started = time.perf_counter()
            (page,) = Server(self.bomb(entities, title, encoding)).fetch()
            assert sum(len(post.text) for post in page.posts) <= 100_000
            assert time.perf_counter() - started < 5

    def test_no_file_and_no_address_is_read(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("the secret")
        for address in (secret.as_uri(), "http://127.0.0.1:9/x"):
            body = self.bomb(f'<!ENTITY a SYSTEM "{address}">', "read: &a;")
            (page,) = Server(body).fetch()
            assert "the secret" not in page.posts[0].text

    @pytest.mark.parametrize(
        "odd", ["&#99999999;", "&#x110000;", "&#0;", "\0", "&nope;", "&#xD800;"]
    )
    def test_a_character_that_is_none_does_not_cost_the_feed(self, odd: str) -> None:
        (page,) = Server(rss(item(2, title=f"odd {odd} one"), item(1))).fetch()
        assert [post.text[:6] for post in page.posts] == [
            "post 1",
            "odd " + page.posts[1].text[4:6],
        ]

    @pytest.mark.parametrize(
        "piece", ["<a>", "<item><a>", "<", "&amp;", "<![CDATA[", "<!--", "<!ENTITY", "]]>", "\0"]
    )
    def test_a_hundred_kilobytes_of_anything_end(self, piece: str) -> None:
        started = time.perf_counter()
        body = rss(item(1))[:-6] + "<item><description>" + piece * (100_000 // len(piece))
        (page,) = Server(body).fetch()
        assert page.posts[0].text == "post 1"
        assert time.perf_counter() - started < 10

    @pytest.mark.parametrize("cut", range(0, 2600, 65))
    def test_a_feed_cut_anywhere_never_breaks_the_reader(self, cut: int) -> None:
        whole = (FIXTURES / "first_page.xml").read_bytes()
        server = Server(whole[:cut] + b"\xff\x00" + whole[cut + 9 :])
        try:
            pages = server.fetch()
        except (FatalError, RetryableError):
            return
        assert all(json.loads(page.cursor or "{}") for page in pages)


def test_parsers_that_raise_are_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("deep inside")

    monkeypatch.setattr("feedparser.parse", broken)
    with pytest.raises(RetryableError, match="cannot be read"):
        Server(rss(item(1))).fetch()
