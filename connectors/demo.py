"""A made-up week at a made-up company, so that the first start has something to show.

The past seven days come at once, what follows trickles in. Replies are pretended: nothing leaves
this machine.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.base import (
    Connector,
    FatalError,
    FetchedPost,
    Page,
    SentReply,
    SkipPostError,
    parse_all,
)

PAGE = 60


class DemoSettings(BaseModel):
    """How fast the made-up time runs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    speed: float = Field(default=1.0, ge=0.001, le=100_000)
    """Minutes of the trickle per minute."""


class Line(BaseModel):
    """One line of the recording: a post, or the edit or deletion of an earlier one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    network: str
    handle: str
    name: str
    followers: int
    at: float = Field(ge=-100_000, le=100_000)
    """Minutes after the first start; below zero: before it."""
    text: str
    lang: str
    reply_to: str | None = None
    repost_of: str | None = None
    edit_of: str | None = None
    delete_of: str | None = None
    outage: bool = False
    """Belongs to the recorded outage. Not told to anybody: the monitor is to find it."""


class Demo(Connector):
    """Replays the recording that is shipped beside this file."""

    name: ClassVar[str] = "demo"
    every: ClassVar[timedelta] = timedelta(seconds=3)
    """Nobody is asked, and a person who watches the demo wants to see something happen."""
    Settings: ClassVar[type[BaseModel]] = DemoSettings
    recording: ClassVar[Path] = Path(__file__).with_name("demo_posts.jsonl")

    settings: DemoSettings

    def fetch(self, cursor: str | None) -> Iterator[Page]:
        """Yield the lines whose time has come since the cursor, PAGE at a time."""
        now = datetime.now(UTC)
        known = _read_cursor(cursor)
        start, done = known or (now, 0)
        lines = self._lines()
        replay = Replay(lines, start, self.settings.speed)
        due = done
        while due < len(lines) and replay.time(lines[due]) <= now:
            due += 1
        first = known is None  # Its page may be empty: it tells when we began.
        while done < due or first:
            batch = lines[done : min(done + PAGE, due)]
            done += len(batch)
            first = False
            posts, skipped = parse_all(batch, replay.post)
            yield Page(posts, json.dumps({"start": start.isoformat(), "next": done}), skipped)

    def _lines(self) -> list[Line | SkipPostError]:
        try:
            content = self.recording.read_bytes()
        except OSError as error:
            raise FatalError(f"{self.recording} is missing: install the product again.") from error
        return [_line(number, line) for number, line in enumerate(content.splitlines(), 1)]

    @property
    def can_reply(self) -> bool:
        """Always: it is make-believe."""
        return True

    def reply(self, ref: str, text: str, key: str) -> SentReply:
        """Pretend to answer."""
        name = "reply-" + hashlib.sha256(f"{ref}\n{text}".encode()).hexdigest()[:16]
        return SentReply(f"demo-{name}", f"https://demo.invalid/{ref}/{name}", datetime.now(UTC))

    def find_reply(self, ref: str, text: str, since: datetime) -> SentReply | None:
        """What `reply` gave: nothing is kept, and the same words make the same id."""
        return self.reply(ref, text, "")


class Replay:
    """The recording as it appears to somebody who began at `start`."""

    def __init__(self, lines: list[Line | SkipPostError], start: datetime, speed: float) -> None:
        self.start = start
        self.speed = speed
        self.originals = {
            line.id: line
            for line in lines
            if isinstance(line, Line) and not (line.edit_of or line.delete_of)
        }

    def time(self, line: Line | SkipPostError) -> datetime:
        """When a line appears. A malformed one comes with the line before it."""
        if isinstance(line, SkipPostError):
            return self.start
        minutes = line.at if line.at < 0 else line.at / self.speed
        return self.start + timedelta(minutes=minutes)

    def post(self, line: Line | SkipPostError) -> FetchedPost:
        """A line as the post that its network would give."""
        if isinstance(line, SkipPostError):
            raise line
        original = self.originals[line.edit_of or line.delete_of or line.id]
        return FetchedPost(
            network=original.network,
            external_id=f"demo-{original.id}",
            author_id=f"demo-{original.network}-{original.handle}",
            author_handle=original.handle,
            author_name=original.name,
            followers=line.followers,
            text="" if line.delete_of else line.text,
            url=f"https://demo.invalid/{original.network}/{original.id}",
            created_at=self.time(original),
            language=line.lang,
            reply_to=_id(original.reply_to),
            thread=_id(self._root(original).id),
            repost_of=_id(original.repost_of),
            edited_at=self.time(line) if line.edit_of else None,
            deleted=line.delete_of is not None,
            ref=f"{original.network}/{original.id}",
        )

    def _root(self, line: Line) -> Line:
        """The first post of a line's thread."""
        seen = {line.id}
        while line.reply_to and line.reply_to in self.originals and line.reply_to not in seen:
            line = self.originals[line.reply_to]
            seen.add(line.id)
        return line


def _id(name: str | None) -> str | None:
    return None if name is None else f"demo-{name}"


def _line(number: int, content: bytes) -> Line | SkipPostError:
    try:
        return Line.model_validate_json(content)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        return SkipPostError(f"line {number}: {problem['msg']}")


def _read_cursor(cursor: str | None) -> tuple[datetime, int] | None:
    try:
        told = json.loads(cursor or "")
        return datetime.fromisoformat(told["start"]).astimezone(UTC), max(0, int(told["next"]))
    except (ValueError, KeyError, TypeError):
        return None
