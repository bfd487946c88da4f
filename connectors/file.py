"""Exports: a CSV or JSONL file that another tool wrote, or goes on writing.

The file is read as a stream, so its size does not matter. The cursor holds how far it was read and
a fingerprint of how it began: a grown file goes on where it was, a replaced one starts again.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from connectors.base import (
    Connector,
    FatalError,
    FetchedPost,
    Page,
    RetryableError,
    SkipPostError,
    parse_all,
)
from connectors.rows import Lines, Row, Table, keys, objects

PAGE = 500
HEAD = 4096
"""Bytes that tell one file from another: beyond any header, into the first rows."""

Column = Literal[
    "id",
    "text",
    "author",
    "author_name",
    "created_at",
    "url",
    "language",
    "followers",
    "reply_to",
    "thread",
    "repost_of",
]
# What exports call our columns, the surest name first, in small letters.
GUESSES: dict[Column, tuple[str, ...]] = {
    "id": ("tweet_id", "post_id", "status_id", "id_str", "id"),
    "text": ("text", "full_text", "body", "content", "message", "tweet", "comment", "review"),
    "author": (
        *("author", "handle", "author_handle", "screen_name", "username", "user"),
        *("author_id", "user_id", "name"),
    ),
    "author_name": ("author_name", "display_name", "full_name", "name"),
    "created_at": (
        *("created_at", "tweet_created", "created", "posted_at", "published_at", "published"),
        *("timestamp", "datetime", "date", "time"),
    ),
    "url": ("url", "permalink", "link"),
    "language": ("language", "lang"),
    "followers": ("followers", "followers_count", "author_followers"),
    "reply_to": ("reply_to", "in_reply_to", "in_response_to_tweet_id", "in_reply_to_status_id"),
    "thread": ("thread", "thread_id", "conversation_id"),
    "repost_of": ("repost_of", "retweet_of", "retweeted_status_id"),
}
NEEDED: tuple[Column, ...] = ("text", "created_at")
RARE: tuple[Column, ...] = ("reply_to", "thread", "repost_of")
"""What only some posts have: in JSONL it may come long after the lines that we look at first."""

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

LOST_DIGITS = re.compile(r"\d(\.\d+)?[eE]\+?\d+")
"""A long number after a spreadsheet had it: many posts now share it, so it is no id."""


class FileSettings(BaseModel):
    """Where the file is and what its columns are called."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path
    """.csv, .tsv, .jsonl or .ndjson; relative to the folder of config.toml."""
    network: str = Field(default="file", pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    """Where the posts come from, as the queue shows it."""
    columns: dict[Column, str] = {}
    """Our name = the file's name; what is left out is guessed."""
    time_format: str = ""
    """As in strptime. Left out: ISO 8601, X's old form or seconds since 1970. Without zone: UTC."""

    complete: bool = False
    """Nobody goes on writing it: a last line counts even without a line end. True for an import."""

    @field_validator("path")
    @classmethod
    def readable(cls, value: Path) -> Path:
        """Only formats that we read."""
        if value.suffix.lower() not in (".csv", ".tsv", ".jsonl", ".ndjson"):
            raise ValueError("must end in .csv, .tsv, .jsonl or .ndjson")
        return value


class File(Connector):
    """Reads an export in the order of the file."""

    name: ClassVar[str] = "file"
    every: ClassVar[timedelta] = timedelta(minutes=1)
    """Asking costs one look at a local file; a person who drops one in waits for it to show."""
    Settings: ClassVar[type[BaseModel]] = FileSettings

    settings: FileSettings

    def fetch(self, cursor: str | None) -> Iterator[Page]:
        """Yield the rows after the cursor, PAGE at a time."""
        path = self.settings.path
        try:
            with path.open("rb") as file:
                yield from self._pages(file, cursor)
        except FileNotFoundError as error:
            raise FatalError(
                f"There is no {path}. Put the export there or mend `path` in config.toml."
            ) from error
        except (PermissionError, IsADirectoryError) as error:
            raise FatalError(f"{path} cannot be read: {error.strerror}.") from error
        except OSError as error:
            raise RetryableError(f"{path} cannot be read now: {error.strerror}.") from error

    def _pages(self, file: BinaryIO, cursor: str | None) -> Iterator[Page]:
        head = file.read(HEAD)
        file.seek(0)
        if head.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise FatalError(f"{self.settings.path.name} is UTF-16; save it as UTF-8.")
        lines = Lines(file, complete=self.settings.complete)
        if self.settings.path.suffix.lower() in (".csv", ".tsv"):
            table = Table(lines)
            if not table.header:
                return  # empty, or its first line is still being written
            columns, rows = self._columns(table.header), table.rows()
        else:
            columns, rows = self._columns(keys(file), rare_may_lack=True), objects(lines)
            file.seek(0)
        _go_on(lines, head, cursor)
        while batch := list(islice(rows, PAGE)):
            posts: list[FetchedPost] = []
            skipped: list[str] = []
            for row in batch:
                good, bad = parse_all([row], lambda row: self._post(row, columns))
                posts += good
                skipped += [f"line {row.line}: {why}" for why in bad]
            gap = None
            if lines.garbled:
                gap = f"Lines that are not UTF-8: {lines.garbled}. Save the file as UTF-8."
                lines.garbled = 0
            yield Page(posts, _cursor(lines, head), skipped, gap)

    def _columns(self, header: list[str], *, rare_may_lack: bool = False) -> dict[Column, str]:
        """The file's name of each of our columns that it has. Raises `FatalError`."""
        columns = dict(self.settings.columns)
        if not header:
            return {ours: ours for ours in GUESSES} | columns
        name, there = self.settings.path.name, ", ".join(header)
        for ours, theirs in columns.items():
            if theirs not in header and not (rare_may_lack and ours in RARE):
                raise FatalError(
                    f"{name} has no column {theirs!r}, which config.toml names for {ours}. "
                    f"It has: {there}."
                )
        plain = {theirs.strip().casefold().replace(" ", "_"): theirs for theirs in header}
        for ours, guesses in GUESSES.items():
            found = [plain[guess] for guess in guesses if guess in plain]
            free = [theirs for theirs in found if theirs not in columns.values()]
            if free:
                columns.setdefault(ours, free[0])
        for ours in NEEDED:
            if ours not in columns:
                raise FatalError(
                    f"{name} has no column that looks like {ours}. Name it in config.toml under "
                    f"`columns`. It has: {there}."
                )
        return columns

    def _post(self, row: Row, columns: dict[Column, str]) -> FetchedPost:
        if isinstance(row.cells, SkipPostError):
            raise row.cells
        cell = {ours: row.cells.get(theirs) for ours, theirs in columns.items()}
        text = cell["text"]
        if not isinstance(text, str) or not text.strip():
            raise SkipPostError("no text")
        created_at = self._time(cell["created_at"])
        author = _word(cell.get("author")).removeprefix("@")
        external_id = _identifier(cell.get("id")) or _made_up_id(author, created_at, text)
        return FetchedPost(
            network=self.settings.network,
            external_id=external_id,
            # Two unnamed authors are two people: one case each, and neither a crowd.
            author_id=author or f"unknown-{external_id}",
            author_handle=author or "unknown",
            author_name=_word(cell.get("author_name")),
            followers=_count(cell.get("followers")),
            text=text,
            url=_word(cell.get("url")),
            created_at=created_at,
            language=_word(cell.get("language")) or None,
            reply_to=_identifier(cell.get("reply_to")) or None,
            thread=_identifier(cell.get("thread")) or None,
            repost_of=_identifier(cell.get("repost_of")) or None,
        )

    def _time(self, value: Any) -> datetime:
        try:
            if self.settings.time_format:
                form = self.settings.time_format
                at = datetime.strptime(_word(value), form)  # noqa: DTZ007 - the zone comes below
            else:
                at = read_time(_word(value))
        except (ValueError, OverflowError, OSError) as error:
            raise SkipPostError(
                f"cannot read the date {_word(value)[:40]!r}; `time_format` tells how"
            ) from error
        return at if at.tzinfo else at.replace(tzinfo=UTC)


def read_time(value: str) -> datetime:
    """A time in any shape that needs no format. Raises ValueError, OverflowError or OSError."""
    value = value.removesuffix(" UTC")
    if value[:1].isdigit() and value[19:21] in (" -", " +"):
        value = value[:19] + value[20:]  # 2015-02-24 11:42:48 -0800
    elif len(value) != 8 and value.replace(".", "", 1).isdecimal():
        seconds = float(value)
        # Beyond the year 5000 it is milliseconds.
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, UTC)
    elif len(parts := value.split()) == 6 and parts[1] in MONTHS:
        # Tue Oct 31 23:36:20 +0000 2017; strptime is five times slower and asks the locale.
        _, month, day, clock, zone, year = parts
        value = f"{year}-{MONTHS.index(month) + 1:02}-{day:0>2}T{clock}{zone}"
    return datetime.fromisoformat(value)


def _word(value: Any) -> str:
    """A cell as one piece of text; empty where there is nothing of use."""
    if isinstance(value, str):
        return value.replace("\0", "").strip()
    return "" if value is None or isinstance(value, bool | list | dict) else str(value)


def _identifier(value: Any) -> str:
    """A cell as an id, mended where a tool took it for a decimal; empty where it is lost."""
    word = _word(value)
    if word.endswith(".0") and word[:-2].isdecimal():
        return word[:-2]
    return "" if LOST_DIGITS.fullmatch(word) else word


def _made_up_id(author: str, created_at: datetime, text: str) -> str:
    """The same for the same post in every export."""
    words = json.dumps([author, created_at.timestamp(), text])
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def _count(value: Any) -> int | None:
    try:
        return int(float(_word(value).replace(",", "")))
    except (ValueError, OverflowError):
        return None


def _go_on(lines: Lines, head: bytes, cursor: str | None) -> None:
    """Go to where the cursor says, unless this is another file than it knew."""
    try:
        told = json.loads(cursor or "")
        number, offset, length = int(told["lines"]), int(told["bytes"]), int(told["of"])
        known = told["head"] == _fingerprint(head[:length])
    except (ValueError, KeyError, TypeError):
        return
    if known and 0 <= offset <= os.fstat(lines.file.fileno()).st_size:
        lines.go(number, offset)


def _cursor(lines: Lines, head: bytes) -> str:
    length = min(lines.offset, len(head))
    place = {"lines": lines.number, "bytes": lines.offset, "of": length}
    return json.dumps(place | {"head": _fingerprint(head[:length])})


def _fingerprint(beginning: bytes) -> str:
    return hashlib.sha256(beginning).hexdigest()[:16]
