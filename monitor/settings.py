"""The tables of config.toml as they are written: every setting typed, unknown keys refused."""

from datetime import time, timedelta
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from connectors import CONNECTORS
from monitor.alert_settings import AlertSettings, ChannelName
from monitor.sla_settings import HoursTable, Length, Policy

Name = Annotated[str, Field(pattern=r"^[^\W_][\w ._-]{0,39}$")]


class Section(BaseModel):
    """A table of config.toml: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Company(Section):
    """Who we are, and which posts are about us."""

    name: str = Field(min_length=1)
    query: str = ""
    """What counts as being about us: see monitor.intake.matching. Empty: every post."""
    accounts: list[str] = []
    """Our own handles: their posts are ours, never cases."""


class Person(Section):
    """Somebody who works at the desk."""

    name: Name
    role: Literal["agent", "lead"] = "agent"
    """A lead approves answers, and is told when a promise of an SLA is broken."""
    needs_approval: bool = False
    """Under approval = "chosen": a lead reads their answers first."""
    capacity: int = Field(default=20, ge=0, le=10_000)
    """Open cases up to which the monitor hands out more: see desk.auto_assign."""
    languages: list[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]] = []
    """Languages of the cases that are handed out, by their codes: en, de. Empty: every language."""


class Desk(Section):
    """How cases are made and ranked."""

    threshold: float | None = Field(default=None, ge=0, le=1)
    """Complaint probability that opens a case; left out: the one that the model suggests."""
    warn_before: Length = timedelta(minutes=30)
    """How long before a promise of an SLA breaks its case's owner is told, by the clock."""
    approval: Literal["never", "everyone", "chosen"] = "never"
    """Whose answers a lead reads before they go out: nobody's, those of everyone who is no lead, or
    those of the people with needs_approval."""
    private_contact: str = Field(default="", max_length=300)
    """Where a customer goes on in private: a link, or words with one."""
    auto_assign: bool = False
    """Hand cases that nobody has to people who are here and have room."""
    own_contacts: list[str] = []
    """Our telephone numbers, mail addresses and domains: no customer's data in an answer."""


class Digest(Section):
    """The week in a message, to channels as alerts go to."""

    channels: list[ChannelName] = []
    """Their names: those of [alerts], or any with an address of its own. None: no digest."""
    weekday: Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"] = "mon"
    at: time = time(8)
    """By the clock of the team's time zone."""


class Incidents(Section):
    """How cases that tell of one fault are found and counted."""

    window: Length = timedelta(hours=72)
    """How far back a case looks for others that tell of the same fault."""
    silent_low: int = Field(default=25, ge=0, le=100_000)
    silent_high: int = Field(default=50, ge=0, le=100_000)
    """For one who tells of a fault, how many keep silent: a rule of thumb, not measured."""

    @field_validator("silent_high")
    @classmethod
    def ordered(cls, value: int, info: ValidationInfo) -> int:
        """Only a range that goes upwards."""
        if value < info.data.get("silent_low", 0):
            raise ValueError("must not be below silent_low")
        return value


class SourceTable(BaseModel):
    """The part of a [sources.NAME] table that every connector shares."""

    model_config = ConfigDict(extra="allow", frozen=True)

    connector: str
    enabled: bool = True
    every_seconds: float | None = Field(default=None, gt=0, le=86_400)
    """Wait between two fetches; left out: what the connector thinks polite."""
    query: str | None = None
    """Instead of the company's query. Empty: every post of this source is about us."""

    @field_validator("connector")
    @classmethod
    def known(cls, value: str) -> str:
        """Only what is listed in CONNECTORS."""
        if value not in CONNECTORS:
            raise ValueError(f"no such connector; there are {', '.join(sorted(CONNECTORS))}")
        return value


class Settings(Section):
    """The top level of config.toml, without its sources."""

    company: Company
    database_url: str = "sqlite:///data/monitor.db"
    timezone: str = "UTC"
    """The team's, for times on screen and days in charts."""
    model: str = "shipped"
    """The shipped model, or a Hugging Face sequence classification model (name or folder)."""
    desk: Desk = Desk()
    people: list[Person] = Field(default=[], max_length=200)
    incidents: Incidents = Incidents()
    hours: HoursTable = HoursTable()
    sla: list[Policy] = []
    digest: Digest = Digest()
    alerts: AlertSettings = AlertSettings()

    @field_validator("timezone")
    @classmethod
    def exists(cls, value: str) -> str:
        """Only names of the time zone database."""
        if value not in available_timezones():
            raise ValueError("no such time zone; write it like Europe/Vienna")
        return value


def needs_approval(settings: Settings) -> frozenset[str]:
    """The names of those whose answers a lead has to approve."""
    rule = settings.desk.approval
    return frozenset(
        person.name
        for person in settings.people
        if (rule == "everyone" and person.role != "lead")
        or (rule == "chosen" and person.needs_approval)
    )
