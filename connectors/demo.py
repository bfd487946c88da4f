"""Replays recorded posts about an invented company: the first run needs no key and no network.

The recording covers the seven days before the first fetch and goes on as a trickle after it.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from connectors.base import Connector, FetchedPost, Page, SentReply, SkipPostError, parse_all

RECORDING = Path(__file__).parent / "demo_posts.jsonl"
PAGE = 60


class DemoSettings(BaseModel):
    """Settings of a demo source."""

    model_config = ConfigDict(extra="forbid")

    speed: float = Field(default=1.0, gt=0)
    """Recorded minutes of the trickle per minute."""


class Demo(Connector):
    """Gives each recorded post when its time has come, once, however often it is restarted."""

    name = "demo"
    # Nothing is asked of anybody; new posts should be seen to arrive.
    every: ClassVar[timedelta] = timedelta(seconds=10)
    Settings = DemoSettings
    max_length = 500

    def fetch(self, cursor: str | None) -> Iterator[Page]:
        """Yield what has become due since `cursor`, which holds the start and the next line."""
        now = datetime.now(UTC)
        state = json.loads(cursor) if cursor else {"start": now.isoformat(), "next": 0}
        start = datetime.fromisoformat(state["start"])
        lines = _recording()
        at = state["next"]
        while at < len(lines):
            end = at
            while end < min(at + PAGE, len(lines)) and self._time(lines[end], start) <= now:
                end += 1
            if end == at:
                return
            posts, skipped = parse_all(lines[at:end], lambda line: self._parse(line, start))
            at = end
            yield Page(posts, json.dumps({"start": state["start"], "next": at}), skipped)

    @property
    def can_reply(self) -> bool:
        """Always: the demo pretends, nothing leaves the machine."""
        return True

    def reply(self, ref: str, text: str, key: str) -> SentReply:
        """Pretend to answer."""
        return self._pretended(ref, text)

    def find_reply(self, ref: str, text: str, since: datetime) -> SentReply | None:
        """Find the pretended answer again."""
        return self._pretended(ref, text)

    def _pretended(self, ref: str, text: str) -> SentReply:
        digest = hashlib.sha256(f"{ref}\n{text}".encode()).hexdigest()[:16]
        url = f"https://demo.invalid/reply/{digest}"
        return SentReply(f"demo-reply-{digest}", url, datetime.now(UTC))

    def _time(self, line: Any, start: datetime) -> datetime:
        minutes = float(line["at"]) if isinstance(line, dict) and "at" in line else -10_080.0
        speed = self.settings.speed if minutes > 0 else 1.0
        return start + timedelta(minutes=minutes / speed)

    def _parse(self, line: Any, start: datetime) -> FetchedPost:
        if not isinstance(line, dict):
            raise SkipPostError("a line of the recording is not an object")
        at = self._time(line, start)
        original = line.get("edit_of") or line.get("delete_of") or line["id"]
        first = _by_id().get(original, line)
        network, handle = line["network"], line["handle"]
        return FetchedPost(
            network=network,
            external_id=f"demo-{original}",
            author_id=f"demo-{network}-{handle}",
            author_handle=handle,
            author_name=line.get("name", ""),
            followers=line.get("followers"),
            text=line["text"],
            url=f"https://demo.invalid/{network}/{original}",
            created_at=self._time(first, start),
            language=line.get("lang"),
            reply_to=_external(first.get("reply_to")),
            thread=_external(_root(original)),
            repost_of=_external(first.get("repost_of")),
            edited_at=at if "edit_of" in line else None,
            deleted="delete_of" in line,
            ref=f"demo-{original}",
        )


def _external(line_id: str | None) -> str | None:
    return f"demo-{line_id}" if line_id else None


def _root(line_id: str) -> str:
    """The first post of a thread."""
    seen = set()
    while line_id not in seen:
        seen.add(line_id)
        line_id = _by_id().get(line_id, {}).get("reply_to") or line_id
    return line_id


@cache
def _recording() -> list[Any]:
    lines: list[Any] = []
    for text in RECORDING.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            lines.append(text)
    return lines


@cache
def _by_id() -> dict[str, dict[str, Any]]:
    return {line["id"]: line for line in _recording() if isinstance(line, dict) and "id" in line}
