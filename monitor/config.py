"""Reads config.toml: every setting typed, an unknown or wrong one refused by name and line.

Secrets never stand in the file. They come from the environment (or a .env file beside it that git
ignores): MONITOR_<SOURCE>_<SECRET>, in capitals, for example MONITOR_ACME_MASTODON_TOKEN.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from pydantic import BaseModel, ValidationError

from connectors import CONNECTORS
from connectors.base import Connector
from monitor.alert_settings import AlertSettings, channel_variable
from monitor.hours import Hours
from monitor.settings import (
    Company,
    Desk,
    Digest,
    Incidents,
    Person,
    Settings,
    SourceTable,
    needs_approval,
)
from monitor.sla_settings import Policy, problems


class ConfigError(Exception):
    """config.toml cannot be used. The text names the setting, its problem and the line."""


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

    @property
    def named_channels(self) -> list[str]:
        """Every channel that alerts or the digest go to, once."""
        return list(dict.fromkeys((*self.alerts.channels, *self.digest.channels)))

    @property
    def every(self) -> dict[str, timedelta]:
        """How often each source is fetched, by name."""
        return {name: source.every for name, source in self.sources.items()}


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
            self._check_digest(settings)
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

    def _check_digest(self, settings: Settings) -> None:
        """A channel is there if [alerts] names it or it has an address: managers may get the digest
        and no alert."""
        known = settings.alerts.channels
        told = f"there are {', '.join(known)}" if known else "[alerts] names none"
        for place, name in enumerate(settings.digest.channels):
            if name not in known and not self.environment.get(channel_variable(name)):
                what = f"there is no channel {name}; {told}. For another set"
                where = ("digest", "channels", place)
                self._problem(where, f"{what} {channel_variable(name)} in the environment")

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
