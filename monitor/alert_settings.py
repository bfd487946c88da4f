"""The table [alerts] of config.toml: who is told of what, when, and what counts as critical.

Channels are named here; their addresses are secrets and come from the environment.
"""

import re
from datetime import datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from monitor.sla_settings import Length, length

ChannelName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]

Quiet = tuple[time, time]
"""From and until, on the clock of the team; until may be on the next day."""


def _quiet(text: object) -> object:
    if isinstance(text, tuple) or text is None:
        return text
    pattern = r"\s*([01]\d|2[0-3]):([0-5]\d)\s*-\s*([01]\d|2[0-3]):([0-5]\d)\s*"
    found = re.fullmatch(pattern, text) if isinstance(text, str) else None
    if found is None or found.group(1, 2) == found.group(3, 4):
        raise ValueError('write quiet hours like "22:00-07:00"')
    hour, minute, last_hour, last_minute = (int(number) for number in found.groups())
    return time(hour, minute), time(last_hour, last_minute)


def _reminder(text: object) -> object:
    if text is None or text == "never":
        return None
    try:
        return length(text)
    except ValueError as error:
        raise ValueError(f'{error}, or "never"') from error


class AlertSettings(BaseModel):
    """Who is told of alerts, and when. Unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    page: list[ChannelName] = []
    """Channels that wake somebody. Empty: pages go where tickets go."""
    ticket: list[ChannelName] = []
    """Channels for what can wait until the morning. Empty: those alerts only show on the page."""
    escalate: list[ChannelName] = []
    """Channels that are told as well of a page which nobody acknowledges."""
    escalate_after: Length = timedelta(minutes=30)
    repeat: Length = timedelta(hours=4)
    """How often an alert that fires on, and that nobody acknowledges, is told again."""
    remind_after: Annotated[timedelta | None, BeforeValidator(_reminder)] = timedelta(hours=12)
    """When an alert that was acknowledged and fires on is told once more: who has it may have gone
    home. None, written "never": not until it is over."""
    quiet: Annotated[Quiet | None, BeforeValidator(_quiet)] = None
    """When tickets wait; pages go out."""
    show_handles: bool = False
    """Whether messages show the names of those who wrote the posts."""
    link: str = Field(default="http://127.0.0.1:8501", pattern=r"^https?://\S+$")
    """The dashboard's address as people on call reach it."""
    words: list[Annotated[str, Field(min_length=2, max_length=80)]] = []
    """Critical words: a complaint with one of them is a page by itself."""
    reach: int = Field(default=100_000, ge=1)
    """Followers from which a single complaint is a page."""
    spike_ratio: float | None = Field(default=None, ge=1.5, le=100)
    """How many times the usual complaints have to come, in a quarter of an hour and in the hour;
    left out: what was measured to be right."""
    spike_excess: int | None = Field(default=None, ge=1, le=100_000)
    """And how many above the usual, in the hour."""
    backlog: int = Field(default=5_000, ge=1)
    """Posts waiting for the engine from which it is told that it is behind."""
    disk_free: float = Field(default=0.05, gt=0, lt=1)
    """Part of the disk that has to stay free where the database is a file."""

    @property
    def channels(self) -> list[str]:
        """Every channel that is named, once."""
        return list(dict.fromkeys((*self.page, *self.ticket, *self.escalate)))

    def told(self, *, urgent: bool) -> list[str]:
        """The channels for a page, or for a ticket."""
        return list(dict.fromkeys((self.page or self.ticket) if urgent else self.ticket))

    def is_quiet(self, at: datetime, zone: ZoneInfo) -> bool:
        """Whether tickets wait at this moment."""
        if self.quiet is None:
            return False
        begin, end = self.quiet
        clock = at.astimezone(zone).time()
        return begin <= clock < end if begin < end else clock >= begin or clock < end


def channel_variable(name: str) -> str:
    """Name of the environment variable that holds a channel's address."""
    return f"MONITOR_CHANNEL_{name}_URL".upper().replace("-", "_")
