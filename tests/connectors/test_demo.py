"""The replay, and the recording that is shipped."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from pydantic import ValidationError

from connectors.base import FatalError, FetchedPost, Page
from connectors.demo import PAGE, Demo, DemoSettings, Line

RECORDING = Path(__file__).parent / "fixtures" / "demo" / "recording.jsonl"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
WEEK = 7 * 24 * 60


class Recorded(Demo):
    """The demo with a short recording."""

    recording = RECORDING


def fetch(
    after: float, cursor: str | None = None, speed: float = 1.0, kind: type[Demo] = Recorded
) -> list[Page]:
    """One fetch, so many minutes after noon, as the monitor does it."""
    with time_machine.travel(NOON + timedelta(minutes=after), tick=False):
        return list(kind(DemoSettings(speed=speed)).fetch(cursor))


def posts(pages: list[Page]) -> list[FetchedPost]:
    """Of all pages."""
    return [post for page in pages for post in page.posts]


class TestReplay:
    def test_the_past_comes_at_once(self) -> None:
        (page,) = fetch(0)
        ana, help_, again, repost, edit = page.posts
        assert ana.external_id == "demo-1"
        assert (ana.network, ana.author_id) == ("x", "demo-x-ana")
        assert ana.created_at == NOON - timedelta(hours=2)
        assert ana.url == "https://demo.invalid/x/1"
        assert (ana.followers, ana.language, ana.author_name) == (10, "en", "Ana")
        assert ana.thread == help_.thread == again.thread == "demo-1"
        assert (help_.reply_to, again.reply_to) == ("demo-1", "demo-2")
        assert (repost.repost_of, repost.network) == ("demo-1", "bluesky")
        assert edit.external_id == ana.external_id
        assert edit.author_id == ana.author_id
        assert edit.created_at == ana.created_at
        assert edit.edited_at == NOON - timedelta(minutes=30)
        assert edit.text == "no signal in Northgate since 9"

    def test_a_malformed_line_is_skipped_and_counted(self) -> None:
        (page,) = fetch(0)
        assert [why[:8] for why in page.skipped] == ["line 6: "]

    def test_the_rest_trickles_in_and_nothing_comes_twice(self) -> None:
        cursor = fetch(0)[-1].cursor
        assert fetch(9.9, cursor) == []
        (page,) = fetch(10, cursor)
        (kim,) = page.posts
        assert kim.created_at == NOON + timedelta(minutes=10)
        (page,) = fetch(20, page.cursor)
        (gone,) = page.posts
        assert (gone.external_id, gone.deleted, gone.text) == (kim.external_id, True, "")
        assert gone.created_at == kim.created_at

    def test_what_happened_while_it_was_off_comes_then(self) -> None:
        cursor = fetch(0)[-1].cursor
        (page,) = fetch(600, cursor)
        assert [post.deleted for post in page.posts] == [False, True]
        assert page.posts[0].created_at == NOON + timedelta(minutes=10)
        assert len(page.skipped) == 1  # the deletion of a post that never was
        assert fetch(6000, page.cursor) == []

    def test_speed(self) -> None:
        cursor = fetch(0, speed=10)[-1].cursor
        (page,) = fetch(1, cursor, speed=10)
        assert page.posts[0].created_at == NOON + timedelta(minutes=1)

    @pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf")])
    def test_a_speed_that_is_none(self, speed: float) -> None:
        with pytest.raises(ValidationError):
            DemoSettings(speed=speed)

    def test_a_recording_without_a_past_remembers_when_it_began(self, tmp_path: Path) -> None:
        class Later(Demo):
            recording = tmp_path / "later.jsonl"

        Later.recording.write_bytes(RECORDING.read_bytes().splitlines(keepends=True)[6])
        (page,) = fetch(0, kind=Later)
        assert page.posts == []
        assert posts(fetch(10, page.cursor, kind=Later))[0].created_at == NOON + timedelta(
            minutes=10
        )

    def test_many_come_in_pages_that_can_be_interrupted(self, tmp_path: Path) -> None:
        class Many(Demo):
            recording = tmp_path / "many.jsonl"

        line = json.loads(RECORDING.read_text().splitlines()[0])
        lines = [json.dumps(line | {"id": str(n), "at": n - 500}) for n in range(PAGE + 5)]
        Many.recording.write_text("\n".join(lines))
        first, second = fetch(0, kind=Many)
        assert [len(first.posts), len(second.posts)] == [PAGE, 5]
        assert fetch(0, first.cursor, kind=Many) == [second]

    @pytest.mark.parametrize("cursor", ["", "x", "7", "{}", '{"start": 1, "next": 2}'])
    def test_a_cursor_that_nobody_wrote(self, cursor: str) -> None:
        assert len(posts(fetch(0, cursor))) == 5

    def test_a_ring_of_replies_ends(self, tmp_path: Path) -> None:
        class Ring(Demo):
            recording = tmp_path / "ring.jsonl"

        line = json.loads(RECORDING.read_text().splitlines()[0])
        ring = [line | {"id": "1", "reply_to": "2"}, line | {"id": "2", "reply_to": "1"}]
        Ring.recording.write_text("\n".join(map(json.dumps, ring)))
        assert len(posts(fetch(0, kind=Ring))) == 2

    def test_without_its_recording_it_says_so(self, tmp_path: Path) -> None:
        class Lost(Demo):
            recording = tmp_path / "lost.jsonl"

        with pytest.raises(FatalError, match=r"lost\.jsonl is missing"):
            fetch(0, kind=Lost)


def test_replies_are_pretended_and_found_again() -> None:
    with time_machine.travel(NOON, tick=False):
        demo = Recorded()
        ref = next(demo.fetch(None)).posts[0].ref
        assert demo.can_reply
        sent = demo.reply(ref, "Sorry, Ana", "key")
        assert sent.created_at == NOON
        assert sent.url.startswith("https://demo.invalid/x/1/")
        assert Recorded().find_reply(ref, "Sorry, Ana", NOON) == sent
        assert demo.reply(ref, "Sorry, Ana", "another key") == sent
        assert demo.reply(ref, "Sorry, Ben", "key").external_id != sent.external_id


class TestShippedRecording:
    @pytest.fixture
    def lines(self) -> list[Line]:
        """Every line of it."""
        return [Line.model_validate_json(line) for line in Demo.recording.read_bytes().splitlines()]

    def test_all_of_it_is_played(self, lines: list[Line]) -> None:
        cursor, played = None, 0
        for minutes in (0.0, lines[-1].at / 2, lines[-1].at):
            pages = fetch(minutes, cursor, kind=Demo)
            assert [why for page in pages for why in page.skipped] == []
            played += len(posts(pages))
            cursor = pages[-1].cursor
        assert played == len(lines)
        assert fetch(10 * WEEK, cursor, kind=Demo) == []

    def test_it_is_in_order_and_each_pointer_points_back(self, lines: list[Line]) -> None:
        assert [line.at for line in lines] == sorted(line.at for line in lines)
        originals: dict[str, Line] = {}
        for line in lines:
            for pointer in (line.reply_to, line.repost_of, line.edit_of, line.delete_of):
                assert pointer is None or pointer in originals
            if changed := line.edit_of or line.delete_of:
                assert line.handle == originals[changed].handle
            else:
                assert line.id not in originals
                originals[line.id] = line

    def test_it_has_something_of_everything(self, lines: list[Line]) -> None:
        past = [line for line in lines if line.at < 0]
        assert len(past) >= 400
        assert min(line.at for line in past) >= -WEEK
        assert len(lines) > len(past)
        assert len({line.handle for line in lines if line.outage}) >= 40
        assert any(line.edit_of for line in past)
        assert any(line.delete_of for line in past)
        assert sum(bool(line.repost_of) for line in past) >= 5
        assert len({line.lang for line in lines}) >= 8
        assert len({line.network for line in lines}) >= 3

    def test_it_has_threads_and_own_answers(self, lines: list[Line]) -> None:
        threads = Counter(post.thread for post in posts(fetch(0, kind=Demo)))
        assert sum(size >= 3 for size in threads.values()) >= 10
        own = [line for line in lines if line.handle == "halewickhelp"]
        assert sum(bool(line.reply_to) for line in own) >= 10
