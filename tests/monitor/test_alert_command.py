"""`monitor alert`, as a person types it."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session
from typer.testing import CliRunner, Result

from monitor.__main__ import app
from monitor.alert_settings import AlertSettings
from monitor.store.db import connect
from monitor.store.models import AlertKind, Author, Post, Severity, Source, now
from monitor.watch.alerting import alerts
from monitor.watch.alerting.alert_rows import Finding
from monitor.watch.alerting.channels import Letter

CONFIG = """
database_url = "sqlite:///monitor.db"
[company]
name = "Acme"
[desk]
threshold = 0.5
[alerts]
page = ["pager"]
ticket = ["mail"]
"""


@pytest.fixture
def session(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """A configured folder, where commands are typed, and its database."""
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "monitor.db").write_bytes(sqlite_template.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("MONITOR_DATABASE_URL", raising=False)
    return Session(connect(f"sqlite:///{tmp_path / 'monitor.db'}"))


def run(*arguments: str) -> Result:
    """Type `monitor alert` and these."""
    return CliRunner().invoke(app, ["alert", *arguments])


def test_a_test_says_which_channel_works(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Letter] = []

    def send(address: str, letter: Letter) -> str | None:
        sent.append(letter)
        return None if address == "json://pager" else "[refused]"

    monkeypatch.setattr("monitor.watch.alerting.notify.prove.__defaults__", (send,))
    monkeypatch.setenv("MONITOR_CHANNEL_PAGER_URL", "json://pager")
    done = run("test", "pager")
    assert (done.exit_code, len(sent)) == (0, 1)
    assert "pager: took the message" in done.output
    done = run("test")
    assert done.exit_code == 1
    assert "mail: It has no address: set MONITOR_CHANNEL_MAIL_URL." in done.output
    monkeypatch.setenv("MONITOR_CHANNEL_MAIL_URL", "json://mail")
    assert "mail: [refused]" in run("test", "mail").output
    wrong = run("test", "smoke-signals")
    assert wrong.exit_code == 1
    assert "there are pager, mail" in wrong.stderr


def test_a_channel_of_the_digest_alone_is_tested_too(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = CONFIG + '[digest]\nchannels = ["board", "mail"]\n'
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    monkeypatch.setattr("monitor.watch.alerting.notify.prove.__defaults__", (lambda *_: None,))
    for name in ("PAGER", "MAIL", "BOARD"):
        monkeypatch.setenv(f"MONITOR_CHANNEL_{name}_URL", "json://it")
    assert "board: took the message" in run("test", "board").output
    told = run("test")
    assert told.exit_code == 0
    assert told.output.count("took the message") == 3
    assert "there are pager, mail, board" in run("test", "smoke-signals").stderr


def test_a_list_is_empty_or_says_what_fires(session: Session) -> None:
    empty = run("list")
    assert (empty.exit_code, empty.output) == (0, "Nothing fires.\n")
    settings = AlertSettings()
    found = Finding("disk", AlertKind.DISK, Severity.PAGE, "The [b]disk[/b] is full", "x")
    with session:
        alerts.fire(session, found, settings)
    fires = run("list")
    assert fires.exit_code == 1
    assert "The [b]disk[/b] is full" in fires.output
    with session:
        alerts.resolve(session, "disk", settings)
    assert run("list").output == "Nothing fires.\n"
    assert "resolved" in run("list", "--all").output


def test_a_rule_is_tried_on_the_past(session: Session) -> None:
    nothing = run("backtest")
    assert nothing.exit_code == 0
    assert "fired 0 times in the last 90 days" in nothing.output
    assert "learning all the time" in nothing.output
    assert "there is none yet" in run("backtest", "--network", "net").stderr
    with session:
        session.add(Source(id=1, name="acme", connector="demo"))
        minutes = [60 * hour for hour in range(48, 24 * 8)] + [2880 - n for n in range(40)]
        for n in range(len(minutes)):
            session.add(Author(id=n + 1, network="net", external_id=str(n), handle=f"p{n}"))
        session.flush()
        for n, ago in enumerate(minutes):
            session.add(
                Post(
                    network="net",
                    external_id=str(n),
                    source_id=1,
                    author_id=n + 1,
                    text=f"down {n}",
                    created_at=now() - timedelta(minutes=ago),
                    scorer="x",
                    complaint=0.9,
                )
            )
        session.commit()
    assert "fired once in the last 30 days" in run("backtest", "--days", "30").output
    assert "fired 0 times" in run("backtest", "--days", "30", "--excess", "90").output
    for kind, there in (("network", "net"), ("source", "acme")):
        typo = run("backtest", f"--{kind}", "typo")
        assert typo.exit_code == 1
        assert f"There is no {kind} typo; there are {there}." in typo.stderr
    assert "fired once" in run("backtest", "--source", "acme", "--ratio", "3").output
