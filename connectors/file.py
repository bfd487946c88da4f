"""Exports: a CSV or JSONL file that another tool wrote, or goes on writing.

The file is read as a stream, so its size does not matter. The cursor holds how far it was read and
a fingerprint of how it began: a grown file goes on where it was, a replaced one starts again.
"""

import csv
import hashlib
import json
import time
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Literal, NamedTuple

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

PAGE = 500
HEAD = 4096
"""Bytes that tell one file from another: beyond any header, into the first rows."""
LONGEST = 16 * 1024 * 1024
"""Bytes kept of one line, and of one field over many lines."""
SETTLED = 60.0
"""Seconds without a change after which an unfinished last line counts as finished."""

csv.field_size_limit(LONGEST)

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

Row = Mapping[str, Any]


class Settings(BaseModel):
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

    @field_validator("path")
    @classmethod
    def readable(cls, value: Path) -> Path:
        """Only formats that we read."""
        if value.suffix.lower() not in (".csv", ".tsv", ".jsonl", ".ndjson"):
            raise ValueError("must end in .csv, .tsv, .jsonl or .ndjson")
        return value


class Place(NamedTuple):
    """How far a file has been read: whole lines and their bytes."""

    lines: int
    bytes: int


class File(Connector):
    """Reads an export in the order of the file."""

    name: ClassVar[str] = "file"
    every: ClassVar[timedelta] = timedelta(minutes=1)
    """Asking costs one look at a local file; a person who drops one in waits for it to show."""
    Settings: ClassVar[type[BaseModel]] = Settings

    settings: Settings

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
        lines = Lines(file)
        tabular = self.settings.path.suffix.lower() in (".csv", ".tsv")
        header, delimiter = _header(lines) if tabular else (_keys(file), "")
        if tabular and not header:
            return  # an empty file, or one of which the first line is still being written
        columns = self._columns(header, rare_may_lack=not tabular)
        lines.go(_resume(file, cursor, start=Place(lines.number, lines.offset if tabular else 0)))
        rows = _table(lines, header, delimiter) if tabular else _objects(lines)
        while batch := list(islice(rows, PAGE)):
            posts, skipped = [], []
            for number, row in batch:
                good, bad = parse_all([row], lambda row: self._post(row, columns))
                posts += good
                skipped += [f"line {number}: {why}" for why in bad]
            gap = None
            if lines.garbled:
                gap = f"{lines.garbled} lines are not UTF-8; save the file as UTF-8."
                lines.garbled = 0
            yield Page(posts, _cursor(file, Place(lines.number, lines.offset)), skipped, gap)

    def _columns(self, header: list[str], *, rare_may_lack: bool) -> dict[Column, str]:
        """The file's name of each of our columns that it has. Raises `FatalError`."""
        there = ", ".join(header)
        for ours, theirs in self.settings.columns.items():
            if theirs not in header and not (rare_may_lack and (ours in RARE or not header)):
                raise FatalError(
                    f"{self.settings.path.name} has no column {theirs!r}, which config.toml names "
                    f"for {ours}. It has: {there}."
                )
        columns = dict(self.settings.columns)
        plain = {name.strip().casefold().replace(" ", "_"): name for name in reversed(header)}
        for ours, guesses in GUESSES.items():
            taken = columns.values()
            found = [plain[guess] for guess in guesses if guess in plain]
            if ours not in columns and (free := [name for name in found if name not in taken]):
                columns[ours] = free[0]
        for ours in NEEDED:
            if ours not in columns and header:
                raise FatalError(
                    f"{self.settings.path.name} has no column that looks like {ours}. Name it in "
                    f"config.toml under `columns`. It has: {there}."
                )
        return columns
