"""Exports in the shapes that people have, whole, broken, growing and replaced."""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.base import FatalError, FetchedPost, Page
from connectors.file import PAGE, File, FileSettings, read_time

FIXTURES = Path(__file__).parent / "fixtures" / "file"
AIRLINE = Path(__file__).parents[3] / "shared" / "data" / "airline" / "airline.csv"
HEADER = "id,author,created_at,text\n"


def fetch(path: Path, cursor: str | None = None, **settings: Any) -> list[Page]:
    """One fetch, as the monitor does it."""
    return list(File(FileSettings(path=path, **settings)).fetch(cursor))


def posts(pages: list[Page]) -> list[FetchedPost]:
    """Of all pages."""
    return [post for page in pages for post in page.posts]


def texts(pages: list[Page]) -> list[str]:
    """Of all posts."""
    return [post.text for post in posts(pages)]


def skipped(pages: list[Page]) -> list[str]:
    """Of all pages."""
    return [why for page in pages for why in page.skipped]


def old(path: Path) -> Path:
    """The file as if nobody had written it for an hour."""
    os.utime(path, (time.time() - 3600, time.time() - 3600))
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A CSV file that a test fills."""
    return tmp_path / "posts.csv"


class TestShapes:
    def test_the_airline_set(self) -> None:
        first, second, third = posts(fetch(FIXTURES / "airline.csv", network="twitter"))
        assert first.network == "twitter"
        assert first.external_id == "570307109704900608"
        assert (first.author_id, first.author_handle) == ("CoralReefer420", "CoralReefer420")
        assert first.author_name == ""
        assert first.created_at == datetime(2015, 2, 24, 19, 39, 45, tzinfo=UTC)
        assert second.text.endswith("experience...\ntacky.")
        assert '"really" aggressive' in third.text
        assert third.text.endswith("😡")

    def test_the_customer_support_set(self) -> None:
        question, answer = posts(fetch(FIXTURES / "twcs.csv"))
        assert (question.author_handle, question.reply_to) == ("115712", None)
        assert question.created_at == datetime(2017, 10, 31, 21, 45, 10, tzinfo=UTC)
        assert answer.reply_to == question.external_id == "8"

    def test_jsonl_with_its_broken_lines(self) -> None:
        pages = fetch(FIXTURES / "reviews.jsonl")
        nora, kim, third = posts(pages)
        assert (nora.external_id, nora.author_handle, nora.language) == ("41", "nora", "de")
        assert (nora.followers, kim.followers) == (1204, None)
        assert nora.created_at == datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
        assert kim.reply_to == "41"
        assert (third.text, third.language) == ("Third invoice for one month 😡", None)
        assert skipped(pages) == ["line 2: no text", "line 4: not a JSON object"]

    @pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
    def test_any_delimiter_and_the_mark_of_excel(self, table: Path, delimiter: str) -> None:
        lines = [("Tweet ID", "Author", "Created at", "Text"), ("7", "ana", "2026-11-20", "Hä?")]
        content = "".join(delimiter.join(line) + "\r\n" for line in lines)
        table.write_bytes(b"\xef\xbb\xbf" + content.encode())
        (post,) = posts(fetch(table))
        assert (post.external_id, post.text) == ("7", "Hä?")
        assert post.created_at == datetime(2026, 11, 20, tzinfo=UTC)

    def test_a_column_map_goes_before_guesses(self, table: Path) -> None:
        table.write_text("id,text,note,who,date\n1,wrong,right,ana,2026-11-20\n")
        (post,) = posts(fetch(table, columns={"text": "note", "author": "who"}))
        assert (post.text, post.author_handle) == ("right", "ana")

    @pytest.mark.parametrize("suffix", ["csv", "jsonl"])
    def test_a_column_that_is_not_there(self, tmp_path: Path, suffix: str) -> None:
        path = tmp_path / f"posts.{suffix}"
        row = {"id": "1", "text": "hi", "date": "2026-11-20"}
        path.write_text(json.dumps(row) + "\n" if suffix == "jsonl" else "id,text,date\n")
        with pytest.raises(FatalError, match=r"'tweet'.* for text.*It has: id, text, date"):
            fetch(path, columns={"text": "tweet"})

    def test_a_key_that_few_lines_have_may_come_late(self, tmp_path: Path) -> None:
        path = tmp_path / "posts.jsonl"
        path.write_text('{"id": "1", "text": "hi", "date": "2026-11-20"}\n')
        (post,) = posts(fetch(path, columns={"repost_of": "shares"}))
        assert post.repost_of is None

    def test_columns_that_nobody_can_guess(self, table: Path) -> None:
        table.write_text("a,b\n1,2\n")
        with pytest.raises(FatalError, match=r"looks like text.*It has: a, b"):
            fetch(table)

    def test_a_header_that_is_broken(self, table: Path) -> None:
        table.write_text('id,"text" x,date\n')
        with pytest.raises(FatalError, match="no CSV header"):
            fetch(table)

    def test_empty_lines_are_none(self, table: Path) -> None:
        table.write_text(f"{HEADER}\n1,ana,2026-11-20,one\n\n\n2,ana,2026-11-20,two\n\n")
        pages = fetch(table)
        assert texts(pages) == ["one", "two"]
        assert fetch(table, pages[-1].cursor) == []

    def test_unknown_columns_and_formats_are_refused(self) -> None:
        with pytest.raises(ValidationError, match="colour"):
            FileSettings.model_validate({"path": "a.csv", "columns": {"colour": "x"}})
        with pytest.raises(ValidationError, match=r"must end in \.csv"):
            FileSettings(path=Path("a.xlsx"))

    def test_utf_16_is_named(self, table: Path) -> None:
        table.write_bytes(HEADER.encode("utf-16"))
        with pytest.raises(FatalError, match="UTF-16"):
            fetch(table)

    def test_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(FatalError, match=r"There is no .*none\.csv\. Put the export there"):
            fetch(tmp_path / "none.csv")

    def test_a_folder(self, table: Path) -> None:
        table.mkdir()
        with pytest.raises(FatalError, match="cannot be read"):
            fetch(table)

    @pytest.mark.parametrize("name", ["posts.csv", "posts.jsonl"])
    def test_an_empty_file(self, tmp_path: Path, name: str) -> None:
        (tmp_path / name).touch()
        assert fetch(tmp_path / name) == []


class TestTimes:
    @pytest.mark.parametrize(
        "written",
        [
            *("2026-11-20T08:30:00Z", "2026-11-20T09:30:00+01:00", "2026-11-20 00:30:00 -0800"),
            *("2026-11-20 08:30:00", "2026-11-20 08:30:00 UTC", "20261120T083000"),
            *("Fri Nov 20 08:30:00 +0000 2026", "1795163400", "1795163400.0", "1795163400000"),
        ],
    )
    def test_shapes_that_need_no_format(self, table: Path, written: str) -> None:
        table.write_text(f"{HEADER}1,ana,{written},hi\n")
        assert [p.created_at for p in posts(fetch(table))] == [
            datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
        ]

    def test_a_format(self, table: Path) -> None:
        table.write_text(f"{HEADER}1,ana,20.11.2026 08:30,hi\n2,ana,2026-11-20,hi\n")
        pages = fetch(table, time_format="%d.%m.%Y %H:%M")
        assert [p.created_at for p in posts(pages)] == [datetime(2026, 11, 20, 8, 30, tzinfo=UTC)]
        assert skipped(pages) == [
            "line 3: cannot read the date '2026-11-20'; `time_format` tells how"
        ]

    @pytest.mark.parametrize(
        "written",
        [
            *("", "yesterday", "24/02/2015 11:42", "9" * 30, "²", "nan", "-1", "0000-00-00"),
            *("9999-12-31T23:59:59-05:00", "Fri Nov 99 08:30:00 +0000 2026"),
        ],
    )
    def test_an_unreadable_one_costs_its_row_only(self, table: Path, written: str) -> None:
        table.write_text(f"{HEADER}1,a,2026-11-20,one\n2,a,{written},two\n3,a,2026-11-20,three\n")
        pages = fetch(table)
        assert texts(pages) == ["one", "three"]
        assert len(skipped(pages)) == 1
        assert skipped(pages)[0].startswith("line 3: ")

    def test_the_far_future_passes(self, table: Path) -> None:
        table.write_text(f"{HEADER}1,ana,2099-01-01T00:00:00Z,hi\n")
        assert posts(fetch(table))[0].created_at.year == 2099

    def test_eight_digits_are_a_day(self) -> None:
        assert read_time("20261120") == datetime(2026, 11, 20)  # noqa: DTZ001 - it has no zone


class TestBrokenRows:
    @pytest.mark.parametrize(
        "row",
        [
            *("2,ana,2026-11-20", "2,ana,2026-11-20,one, two", '2,ana,2026-11-20,"a" b'),
            *('2,ana,2026-11-20,"never closed', '2,"never closed,2026-11-20,x'),
            *("2,ana,2026-11-20,", '2,ana,2026-11-20,"  "', "2,ana,2026-11-20,a\rb"),
        ],
    )
    def test_a_broken_row_costs_itself_only(self, table: Path, row: str) -> None:
        rows = [f'{n},ana,2026-11-20,"post\n{n}"' for n in (1, 3, 4)]
        table.write_bytes(f"{HEADER}{rows[0]}\n{row}\n{rows[1]}\n{rows[2]}\n".encode())
        pages = fetch(old(table))
        assert texts(pages) == ["post\n1", "post\n3", "post\n4"]
        assert [why[:8] for why in skipped(pages)] == ["line 4: "]

    def test_bad_utf_8_and_nul_are_repaired_and_told(self, table: Path) -> None:
        rows = b"1,ana,2026-11-20,caf\xe9 is d\x00own\n2,b\x00en,2026-11-20,fine\n"
        table.write_bytes(HEADER.encode() + rows)
        (page,) = fetch(table)
        assert texts([page]) == ["caf\N{REPLACEMENT CHARACTER} is down", "fine"]
        assert page.posts[1].author_id == "ben"
        assert page.gap == "Lines that are not UTF-8: 1. Save the file as UTF-8."

    def test_strange_json(self, tmp_path: Path) -> None:
        path = tmp_path / "posts.jsonl"
        good = '{"id": %d, "text": "post %d", "date": "2026-11-20"}\n'
        strange = [
            *("[1, 2]", "null", "{", "[" * 100_000, '{"id": 2}', "9" * 5000),
            '{"id": 2, "text": {"a": 1}, "date": "2026-11-20"}',
            '{"id": 2, "text": "hi", "date": ["2026"]}',
            '{"id": 2, "text": "hi", "date": true}',
        ]
        path.write_text(good % (1, 1) + "\n".join(strange) + "\n\n" + good % (3, 3))
        pages = fetch(path)
        assert texts(pages) == ["post 1", "post 3"]
        assert [why.split(":")[0] for why in skipped(pages)] == [
            f"line {number}" for number in range(2, 2 + len(strange))
        ]

    def test_half_a_surrogate_pair(self, tmp_path: Path) -> None:
        path = tmp_path / "posts.jsonl"
        path.write_text(
            '{"text": "sad \\ud83d\\u0000", "date": "2026-11-20", "author": "a\\u0000"}\n'
        )
        (post,) = posts(fetch(path))
        assert (post.text, post.author_id) == ("sad ?", "a")

    def test_without_an_id_the_same_post_has_the_same(self, tmp_path: Path) -> None:
        one, two = tmp_path / "one.csv", tmp_path / "two.csv"
        one.write_text("author,date,text\nana,2026-11-20,hi\nana,2026-11-20,ho\n")
        two.write_text("id,author,date,text\n,ana,2026-11-20 00:00:00Z,hi\n")
        first, second = posts(fetch(one))
        assert first.external_id != second.external_id
        assert posts(fetch(two))[0].external_id == first.external_id

    def test_an_id_that_a_spreadsheet_rounded_is_none(self, table: Path) -> None:
        table.write_text(
            f"{HEADER}5.70308E+17,ana,2026-11-20,one\n5.70308E+17,ben,2026-11-20,two\n"
        )
        ids = [post.external_id for post in posts(fetch(table))]
        assert len(set(ids)) == 2
        assert "5.70308E+17" not in ids

    def test_posts_without_an_author_are_of_different_people(self, table: Path) -> None:
        table.write_text("id,date,text\n1,2026-11-20,one\n2,2026-11-20,two\n")
        one, two = posts(fetch(table))
        assert one.author_id != two.author_id
        assert one.author_handle == "unknown"

    @pytest.mark.parametrize("name", ["posts.csv", "posts.jsonl"])
    def test_a_field_of_five_megabytes(self, tmp_path: Path, name: str) -> None:
        rows = [("1", "x" * 5_000_000), ("2", "next")]
        path = tmp_path / name
        if path.suffix == ".csv":
            path.write_text(HEADER + "".join(f'{n},ana,2026-11-20,"{t}"\n' for n, t in rows))
        else:
            lines = [json.dumps({"id": n, "text": t, "date": "2026-11-20"}) for n, t in rows]
            path.write_text("\n".join(lines) + "\n")
        assert [len(text) for text in texts(fetch(path))] == [5_000_000, 4]

    def test_a_line_beyond_all_bounds_is_passed_over(self, tmp_path: Path) -> None:
        path = tmp_path / "posts.jsonl"
        with path.open("w") as file:
            file.write('{"id": "1", "text": "' + "x" * 40_000_000 + '", "date": "2026-11-20"}\n')
            file.write('{"id": "2", "text": "next", "date": "2026-11-20"}\n')
        pages = fetch(path, columns={"text": "text", "created_at": "date"})
        assert texts(pages) == ["next"]
        assert skipped(pages) == ["line 1: not a JSON object"]


class TestGoingOn:
    def fill(self, path: Path, first: int, last: int, mode: str = "w") -> None:
        """Rows `first` to `last`, in any format."""
        with path.open(mode, newline="") as file:
            if mode == "w" and path.suffix == ".csv":
                file.write(HEADER)
            for n in range(first, last + 1):
                row = {"id": n, "text": f'post "{n}",\nof many', "created_at": "2026-11-20"}
                text = str(row["text"]).replace('"', '""')
                line = f'{n},ana,2026-11-20,"{text}"' if path.suffix == ".csv" else json.dumps(row)
                file.write(line + "\n")

    @pytest.mark.parametrize("name", ["posts.csv", "posts.jsonl"])
    def test_pages_in_the_order_of_the_file(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / name
        self.fill(path, 1, 2 * PAGE + 7)
        pages = fetch(path)
        assert [len(page.posts) for page in pages] == [PAGE, PAGE, 7]
        ids = [post.external_id for post in posts(pages)]
        assert ids == [str(n) for n in range(1, 2 * PAGE + 8)]
        for number, page in enumerate(pages):
            assert posts(fetch(path, page.cursor)) == posts(pages[number + 1 :])

    @pytest.mark.parametrize("name", ["posts.csv", "posts.jsonl"])
    @pytest.mark.parametrize("before", [1, 3, 300])
    def test_a_grown_file_goes_on(self, tmp_path: Path, name: str, before: int) -> None:
        path = tmp_path / name
        self.fill(path, 1, before)
        cursor = fetch(path)[-1].cursor
        assert fetch(path, cursor) == []
        self.fill(path, before + 1, before + 2, "a")
        with path.open("a") as file:
            file.write("broken\n")
        pages = fetch(path, cursor)
        assert [post.external_id for post in posts(pages)] == [str(before + 1), str(before + 2)]
        lines = path.read_text().count("\n")
        assert [why.split(":")[0] for why in skipped(pages)] == [f"line {lines}"]

    @pytest.mark.parametrize("name", ["posts.csv", "posts.jsonl"])
    def test_a_replaced_file_is_read_from_its_start(self, tmp_path: Path, name: str) -> None:
        path = tmp_path / name
        self.fill(path, 1, 20)
        cursor = fetch(path)[-1].cursor
        self.fill(path, 101, 150)
        assert len(posts(fetch(path, cursor))) == 50
        self.fill(path, 1, 2)
        assert len(posts(fetch(path, cursor))) == 2

    @pytest.mark.parametrize("cursor", ["", "x", "7", "{}", '{"lines": null}', '{"lines": "²"}'])
    def test_a_cursor_that_nobody_wrote(self, tmp_path: Path, cursor: str) -> None:
        path = tmp_path / "posts.csv"
        self.fill(path, 1, 3)
        assert len(posts(fetch(path, cursor))) == 3

    @pytest.mark.parametrize(
        ("name", "half", "rest"),
        [
            ("posts.jsonl", '{"id": "2", "text": "tw', 'o", "created_at": "2026-11-20"}\n'),
            ("posts.csv", "2,ana,2026-11-20,tw", "o\n"),
            ("posts.csv", '2,ana,2026-11-20,"t\nw', '\no"\n'),
        ],
    )
    def test_an_unfinished_last_line_is_left_for_the_next_time(
        self, tmp_path: Path, name: str, half: str, rest: str
    ) -> None:
        path = tmp_path / name
        self.fill(path, 1, 1)
        whole = path.read_text()
        path.write_text(whole + half)
        pages = fetch(path)
        assert [post.external_id for post in posts(pages)] == ["1"]
        assert skipped(pages) == []
        path.write_text(whole + half + rest)
        again = fetch(path, pages[-1].cursor)
        assert [text.replace("\n", "") for text in texts(again)] == ["two"]

    @pytest.mark.parametrize("complete", [True, False])
    def test_a_last_line_without_its_end_counts_when_the_file_is_done(
        self, table: Path, complete: bool
    ) -> None:
        table.write_text(f"{HEADER}1,ana,2026-11-20,one")
        assert fetch(table) == []
        assert texts(fetch(table if complete else old(table), complete=complete)) == ["one"]


@pytest.mark.skipif(not AIRLINE.exists(), reason="the airline set is not on this machine")
def test_the_whole_airline_set_is_read() -> None:
    pages = fetch(AIRLINE, network="twitter")
    assert (len(posts(pages)), skipped(pages)) == (11_223, [])
