"""The tables [hours] and [[sla]] of config.toml: when we work, and what we promise."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from monitor.hours import DAYS, Hours, Shift, due, shift


def length(text: object) -> object:
    """'90 min' or '8 h' as a timedelta. Raises ValueError, which says how to write it."""
    if isinstance(text, timedelta):
        return text
    found = re.fullmatch(r"\s*(\d{1,6})\s*(min|h)\s*", text) if isinstance(text, str) else None
    if found is None or int(found[1]) == 0:
        # Not in days: nobody agrees how long one is in working time.
        raise ValueError("write a length like '30 min' or '8 h'")
    unit = timedelta(minutes=1) if found[2] == "min" else timedelta(hours=1)
    if int(found[1]) * unit > timedelta(days=366):
        raise ValueError("it is longer than a year")
    return int(found[1]) * unit


Length = Annotated[timedelta, BeforeValidator(length)]


class Table(BaseModel):
    """A table of config.toml: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _shifts(texts: object) -> object:
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError('write shifts like ["09:00-12:30", "13:30-17:00"]')
    found = sorted(shift(text) for text in texts)
    for (_, until), (begin, _) in pairwise(found):
        if begin < until or until == time(0):
            raise ValueError("two shifts overlap")
    return tuple(found)


Shifts = Annotated[tuple[Shift, ...], BeforeValidator(_shifts)]


class HoursTable(Table):
    """The shifts of each weekday. A day that is left out is free; no day at all: every hour."""

    mon: Shifts = ()
    tue: Shifts = ()
    wed: Shifts = ()
    thu: Shifts = ()
    fri: Shifts = ()
    sat: Shifts = ()
    sun: Shifts = ()
    holidays: list[date] = []
    """Days on which nobody works, like 2026-12-25."""

    @model_validator(mode="after")
    def _works_some_day(self) -> "HoursTable":
        self.hours(ZoneInfo("UTC"))
        return self

    def hours(self, zone: ZoneInfo) -> Hours:
        """The same, to reckon with. Raises ValueError for a week without a shift."""
        told = bool(self.model_fields_set.intersection(DAYS))
        week = tuple(getattr(self, day) for day in DAYS) if told else ()
        return Hours(zone, week, frozenset(self.holidays))


class Policy(Table):
    """What we promise to whom. The first policy that fits a case is the one that counts."""

    name: str = Field(min_length=1, max_length=40)
    min_priority: float | None = Field(default=None, ge=0, le=100)
    """Fits a case of at least so many points, those for waiting and for our answer left out."""
    vip: bool | None = None
    """True: fits VIPs only; false: only everybody else."""
    networks: list[str] | None = Field(default=None, min_length=1)
    """Fits cases from these networks only."""
    first: Length | None = None
    """Working time until our first answer."""
    next: Length | None = None
    """Working time until each later answer, from when the customer began to wait for it."""
    resolution: Length | None = None
    """Working time until the case is resolved."""

    @model_validator(mode="after")
    def _promises_something(self) -> "Policy":
        if not self.lengths:
            raise ValueError("promise something: first, next or resolution")
        return self

    @property
    def lengths(self) -> list[timedelta]:
        """Whatever it promises."""
        return [found for found in (self.first, self.next, self.resolution) if found]

    @property
    def fits_all(self) -> bool:
        """Whether it fits every case, so that none after it is ever reached."""
        return self.min_priority is None and self.vip is None and self.networks is None


def problems(
    policies: Sequence[Policy], hours: HoursTable
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where policies do not go together or never end: the place and the words."""
    for number, policy in enumerate(policies):
        before = policies[:number]
        if policy.name in [other.name for other in before]:
            yield ("sla", number, "name"), "this name stands twice"
        elif any(other.fits_all for other in before):
            yield ("sla", number), "it is never reached: one above it fits every case"
        try:
            due(datetime.now(UTC), max(policy.lengths), hours.hours(ZoneInfo("UTC")))
        except ValueError as error:
            yield ("sla", number), str(error)
