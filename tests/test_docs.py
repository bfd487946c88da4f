"""README names everything a person can use; the demo's words stay invented."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors import CONNECTORS
from monitor.__main__ import app
from monitor.config import secret_variable
from monitor.settings import Company, Desk, Settings, SourceTable

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = sorted(command.name or command.callback.__name__ for command in app.registered_commands)  # type: ignore[union-attr]


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
