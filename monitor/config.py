"""Reads config.toml: every setting typed, an unknown or wrong one refused by name and line.

Secrets never stand in the file. They come from the environment (or a .env file beside it that git
ignores): MONITOR_<SOURCE>_<SECRET>, in capitals, for example MONITOR_ACME_MASTODON_TOKEN.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from dotenv import dotenv_values
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from connectors import CONNECTORS
from connectors.base import Connector
from monitor.alert_settings import AlertSettings, channel_variable
from monitor.hours import Hours
from monitor.sla_settings import HoursTable, Length, Policy, problems

Name = Annotated[str, Field(pattern=r"^[^\W_][\w ._-]{0,39}$")]


class ConfigError(Exception):
    """config.toml cannot be used. The text names the setting, its problem and the line."""


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

    channels: list[str] = []
    """Their names. None: no digest."""
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


@dataclass(frozen=True)
class SourceConfig:
    """One source as configured, ready to be opened."""

    name: str
    connector: type[Connector]
    settings: BaseModel
    query: str
    every: timedelta
    enabled: bool
    secrets: Mapping[str, str] = field(repr=False, default_factory=dict)

    def open(self) -> Connector:
        """A connector of its own; the caller closes it."""
        return self.connector(self.settings, self.secrets)


@dataclass(frozen=True)
class Config:
    """All settings, checked."""

    path: Path
    company: Company
    database_url: str = field(repr=False)
    zone: ZoneInfo
    model: str
    desk: Desk
    people: list[str]
    sources: dict[str, SourceConfig]
    leads: list[str] = field(default_factory=list)
    """Those of the people who are told when a promise was broken."""
    hours: Hours = field(default_factory=lambda: Hours(ZoneInfo("UTC")))
    sla: list[Policy] = field(default_factory=list)
    needs_approval: frozenset[str] = frozenset()
    """Those whose answers a lead has to approve."""
    desk_people: dict[str, Person] = field(default_factory=dict)
    """The same people with all that is known of them."""
    digest: Digest = field(default_factory=Digest)
    incidents: Incidents = field(default_factory=Incidents)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    channels: Mapping[str, str] = field(repr=False, default_factory=dict)
    """Addresses of the channels that alerts go to; one without an address is not in it."""


def load(path: Path) -> Config:
    """Read and check `path`. Raises ConfigError, which names what to mend."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"There is no {path}. Write one with `monitor init`.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from error
    environment = {**dotenv_values(path.parent / ".env"), **os.environ}
    return _Reader(path, text, environment).config(data)


class _Reader:
    """Checks the parts of one file and collects every problem before it complains."""

    def __init__(self, path: Path, text: str, environment: Mapping[str, str | None]) -> None:
        self.path = path
        self.text = text
        self.environment = environment
        self.problems: list[str] = []

    def config(self, data: dict[str, Any]) -> Config:
        tables = data.pop("sources", {})
        settings = self._check(Settings, data, ())
        sources = {}
        if not isinstance(tables, dict):
            self._problem(("sources",), "must be tables: [sources.NAME]")
            tables = {}
        for name, table in tables.items():
            source = self._source(name, table, settings)
            if source:
                sources[name] = source
        if settings and len({p.name for p in settings.people}) != len(settings.people):
            self._problem(("people",), "a name stands twice")
        if settings:
            for location, what in problems(settings.sla, settings.hours):
                self._problem(location, what)
            self._check_approval(settings)
        if self.problems or settings is None:
            raise ConfigError("\n".join([f"{self.path} cannot be used:", *self.problems]))
        return Config(
            path=self.path,
            company=settings.company,
            database_url=self._database_url(settings.database_url),
            zone=ZoneInfo(settings.timezone),
            model=settings.model,
            desk=settings.desk,
            people=[person.name for person in settings.people],
            sources=sources,
            leads=[person.name for person in settings.people if person.role == "lead"],
            hours=settings.hours.hours(ZoneInfo(settings.timezone)),
            sla=settings.sla,
            needs_approval=needs_approval(settings),
            desk_people={person.name: person for person in settings.people},
            digest=settings.digest,
            incidents=settings.incidents,
            alerts=settings.alerts,
            channels=self._channels([*settings.alerts.channels, *settings.digest.channels]),
        )

    def _channels(self, names: list[str]) -> dict[str, str]:
        found = {name: self.environment.get(channel_variable(name)) for name in names}
        return {name: address for name, address in found.items() if address}

    def _check_approval(self, settings: Settings) -> None:
        leads = {person.name for person in settings.people if person.role == "lead"}
        alone = [name for name in sorted(needs_approval(settings)) if not leads - {name}]
        if alone:
            what = f'nobody can approve what {alone[0]} writes: give somebody else role = "lead"'
            self._problem(("desk", "approval"), what)

    def _source(self, name: str, table: Any, settings: Settings | None) -> SourceConfig | None:
        where = ("sources", name)
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", name):
            self._problem(where, "a source's name has small letters, digits and hyphens only")
            return None
        common = self._check(SourceTable, table, where)
        if common is None:
            return None
        connector = CONNECTORS[common.connector]
        own = self._check(connector.Settings, common.model_extra or {}, where)
        if own is None or settings is None:
            return None
        if hasattr(own, "path") and isinstance(own.path, Path):
            own = own.model_copy(update={"path": self.path.parent / own.path})
        return SourceConfig(
            name=name,
            connector=connector,
            settings=own,
            query=settings.company.query if common.query is None else common.query,
            every=timedelta(seconds=common.every_seconds)
            if common.every_seconds
            else connector.every,
            enabled=common.enabled,
            secrets=self._secrets(name, connector),
        )

    def _secrets(self, name: str, connector: type[Connector]) -> dict[str, str]:
        found = {}
        for secret in connector.secrets:
            value = self.environment.get(secret_variable(name, secret))
            if value:
                found[secret] = value
        return found

    def _database_url(self, url: str) -> str:
        url = self.environment.get("MONITOR_DATABASE_URL") or url
        prefix = "sqlite:///"
        if url.startswith(prefix) and not url.startswith(prefix + "/") and ":memory:" not in url:
            return prefix + str((self.path.parent / url.removeprefix(prefix)).resolve())
        return url

    def _check(self, kind: type[Any], data: Any, where: tuple[str, ...]) -> Any:
        try:
            return kind.model_validate(data)
        except ValidationError as error:
            for problem in error.errors(include_url=False):
                location = (*where, *(part for part in problem["loc"]))
                self._problem(location, _plain(problem))
            return None

    def _problem(self, location: tuple[str | int, ...], what: str) -> None:
        name = ".".join(str(part) for part in location)
        self.problems.append(f"  line {line_of(self.text, location)}: {name}: {what}")


def _plain(problem: Any) -> str:
    """What pydantic found, in a person's words, with the value where it helps."""
    if problem["type"] == "extra_forbidden":
        return "there is no such setting"
    if problem["type"] == "missing":
        return "must be set"
    message = problem["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    value = problem.get("input")
    return f"{message} (it is {value!r})" if isinstance(value, str | int | float) else message


def needs_approval(settings: Settings) -> frozenset[str]:
    """The names of those whose answers a lead has to approve."""
    rule = settings.desk.approval
    return frozenset(
        person.name
        for person in settings.people
        if (rule == "everyone" and person.role != "lead")
        or (rule == "chosen" and person.needs_approval)
    )


def secret_variable(source: str, secret: str) -> str:
    """Name of the environment variable that holds a source's secret."""
    return f"MONITOR_{source}_{secret}".upper().replace("-", "_")


def line_of(text: str, location: tuple[str | int, ...]) -> int:
    """The line, from 1, where a setting stands, or its table where it is missing.

    tomllib tells no lines, so this looks for the table's header and then for the key.
    """
    best, depth = 1, 0
    table: tuple[str, ...] = ()
    counts: dict[tuple[str, ...], int] = {}
    names = tuple(str(part) for part in location)
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        header = re.match(r"^(\[\[?)\s*([^\]]+?)\s*\]", stripped)
        if header:
            table = tuple(part.strip().strip("\"'") for part in header[2].split("."))
            if header[1] == "[[":
                index = counts.get(table, 0)
                counts[table] = index + 1
                table = (*table, str(index))
            found = table
        else:
            key = re.match(r"^([A-Za-z0-9_\"'.-]+)\s*=", stripped)
            if not key:
                continue
            found = (*table, *(part.strip("\"'") for part in key[1].split(".")))
        shared = len(found) if names[: len(found)] == found else 0
        if shared > depth:
            best, depth = number, shared
    return best
