"""README names everything a person can use; the demo's words stay invented."""

import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors import CONNECTORS
from monitor.__main__ import app
from monitor.alert_settings import AlertSettings
from monitor.config import secret_variable
from monitor.settings import Company, Desk, Settings, SourceTable
from monitor.watch.detection import surges

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(command.name or command.callback.__name__ for command in app.registered_commands)  # type: ignore[union-attr]  # each has a callback


@pytest.mark.parametrize("name", sorted(CONNECTORS))
def test_readme_names_every_connector_with_its_settings(name: str) -> None:
    connector = CONNECTORS[name]
    assert f"`{name}`" in README
    for setting in connector.Settings.model_fields:
        assert f"`{setting}`" in README, f"{name}: {setting}"
    for secret in connector.secrets:
        assert secret_variable("NAME", secret) in README


@pytest.mark.parametrize("section", [Settings, Company, Desk, SourceTable])
def test_readme_names_every_setting(section: type[Settings]) -> None:
    for setting in section.model_fields:
        assert f"`{setting}`" in README or f"`[{setting}]`" in README, setting


def test_the_shipped_file_shows_every_setting_of_alerts_with_its_default() -> None:
    lines = (ROOT / "config.toml").read_text(encoding="utf-8").splitlines()
    begin = lines.index("# [alerts]")
    table = lines[begin + 1 : lines.index("", begin)]
    shown = tomllib.loads("\n".join(line.removeprefix("# ") for line in table))
    assert set(shown) == set(AlertSettings.model_fields)
    read, default = AlertSettings.model_validate(shown), AlertSettings()
    examples = {"quiet", "spike_ratio", "spike_excess"}  # whose default is to be left out
    assert read.model_dump(exclude=examples) == default.model_dump(exclude=examples)
    rules = surges.detector(default)
    assert (read.spike_ratio, read.spike_excess) == (rules.fast_ratio, rules.fast_excess)


@pytest.mark.parametrize("command", COMMANDS)
def test_readme_names_every_command_and_its_help_reads(command: str) -> None:
    assert f"`monitor {command}" in README
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_the_first_screen_has_the_two_commands() -> None:
    first = "\n".join(README.splitlines()[:40])
    assert "make run" in first
    assert "make test" in first
