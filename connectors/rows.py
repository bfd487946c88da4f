"""Rows of CSV and JSONL files as a stream: one broken row costs itself and never its neighbours."""

import csv
import json
import os
import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

from connectors.base import FatalError, SkipPostError

LONGEST = 16 * 1024 * 1024
"""Bytes kept of one line, and of one field over many lines."""
LOOK = 1024 * 1024
"""Bytes of a JSONL file that are looked at to learn its keys."""
SETTLED = 60.0
"""Seconds without a change after which a last line without its newline counts as finished."""

csv.field_size_limit(LONGEST)


class Row(NamedTuple):
    """One row and the line where it begins; where it is broken, why instead of its cells."""

    line: int
    cells: Mapping[str, Any] | SkipPostError


class Lines(Iterator[str]):
    """The lines of a binary file as text, with their place, so that reading can go on there.

    A last line without its newline is left alone while the file is being written, unless it is
    known to be `complete`.
    """

    def __init__(self, file: BinaryIO, *, complete: bool = False) -> None:
        self.file = file
        self.number = 0
        """Lines read."""
        self.offset = 0
        """Their bytes."""
        self.garbled = 0
        """Lines that were not UTF-8; their wrong bytes became replacement characters."""
        changed = os.fstat(file.fileno()).st_mtime
        self.growing = not complete and time.time() - changed < SETTLED
        self.taken: list[tuple[str, int]] = []
        """What was read since `mark`."""
        self._again: deque[tuple[str, int]] = deque()

    def go(self, number: int, offset: int) -> None:
        """Go on after `number` lines of `offset` bytes."""
        self.file.seek(offset)
        self.number, self.offset = number, offset
        self._again.clear()

    def __next__(self) -> str:
        text, size = self._again.popleft() if self._again else self._read()
        self.number += 1
        self.offset += size
        self.taken.append((text, size))
        return text

    def _read(self) -> tuple[str, int]:
        line = self.file.readline(LONGEST)
        size = len(line)
        more = line
        while more and not more.endswith(b"\n"):
            more = self.file.readline(LONGEST)  # the rest of a monster is passed over
            size += len(more)
        if not line or (self.growing and not more):
            raise StopIteration
        try:
            text = line.decode()
        except UnicodeDecodeError:
            text = line.decode(errors="replace")
            self.garbled += 1
        if self.offset == 0:
            text = text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")  # Excel's mark of UTF-8
        return text.replace("\0", ""), size

    def mark(self) -> None:
        """A row begins here."""
        self.taken.clear()

    def give_back(self, keep: int) -> None:
        """Unread what was taken since the mark, but for the first `keep` lines."""
        back = self.taken[keep:]
        self.number -= len(back)
        self.offset -= sum(size for _, size in back)
        self._again.extendleft(reversed(back))


def keys(file: BinaryIO) -> list[str]:
    """The keys in the first objects of a JSONL file."""
    found: dict[str, None] = {}
    lines = Lines(file)
    for row in objects(lines):
        if not isinstance(row.cells, SkipPostError):
            found.update(dict.fromkeys(row.cells))
        if lines.offset > LOOK:
            break
    return list(found)


def objects(lines: Lines) -> Iterator[Row]:
    """One JSON object a line; empty lines are none."""
    for text in lines:
        lines.mark()
        if text.isspace():
            continue
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = None
        broken = SkipPostError("not a JSON object")
        yield Row(lines.number, value if isinstance(value, dict) else broken)


class Table:
    """A CSV file, whichever of , ; tab and | its header is parted by."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        first = next(lines, "")
        self.delimiter = max(",;\t|", key=first.count)
        lines.give_back(0)
        try:
            self.header = next(self._reader(), [])
        except csv.Error as error:
            raise FatalError(f"The first line is no CSV header: {error}.") from error

    def _reader(self) -> Iterator[list[str]]:
        # Strict: a quote that never closes is noticed instead of swallowing what follows.
        return csv.reader(self.lines, delimiter=self.delimiter, strict=True)

    def rows(self) -> Iterator[Row]:
        """The rows after the header; empty lines are none."""
        lines, header, reader = self.lines, self.header, self._reader()
        while True:
            lines.mark()
            start = lines.number + 1
            try:
                cells = next(reader)
                if not cells:
                    continue
                why = f"{len(cells)} fields where the header has {len(header)}"
            except StopIteration:
                return
            except csv.Error as error:
                if lines.growing and "unexpected end" in str(error):
                    lines.give_back(0)
                    return
                cells, why = [], str(error)
            if len(cells) == len(header):
                yield Row(start, dict(zip(header, cells, strict=True)))
            else:
                # Where a stray quote joined several lines, the others may be sound.
                lines.give_back(1)
                yield Row(start, SkipPostError(f"broken row: {why}"))
