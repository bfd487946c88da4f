"""The command, as a person types it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from monitor.__main__ import app
from monitor.config import load

CONFIG = '[company]\nname = "Acme"\n[sources.posts]\nconnector = "file"\npath = "posts.csv"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a config and an export of three posts, one of them broken."""
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    rows = [
        "id,text,author,created_at",
        '1,"Three weeks without internet! I want my money back",carol,2026-11-20T08:00:00Z',
        "2,What a lovely day,dave,2026-11-20T09:00:00Z",
        "3,When was this,erin,yesterday",
    ]
    (tmp_path / "posts.csv").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


def monitor(folder: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MONITOR_")}
    return subprocess.run(
        [sys.executable, "-m", "monitor", *arguments],
        cwd=folder,
        env={**environment, "COLUMNS": "200", "NO_COLOR": "1"},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def typed(*arguments: str) -> Result:
    """The same in this process: quick, and an error that nobody catches is raised here."""
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


@pytest.mark.slow
def test_an_import_queues_complaints_and_a_second_one_adds_nothing(folder: Path) -> None:
    first = monitor(folder, "import", "posts.csv")
    assert first.returncode == 0, first.stderr
    assert "3 posts read, 2 new, 1 left out" in first.stdout
    again = monitor(folder, "import", "posts.csv")
    assert again.returncode == 0, again.stderr
    assert " 0 new" in again.stdout
    status = monitor(folder, "status")
    assert "import-posts" in status.stdout
    assert status.returncode == 1  # No engine runs.


def test_errors_are_told_without_a_traceback(folder: Path) -> None:
    config = folder / "config.toml"
    config.write_text(CONFIG + "colour = 1\n", encoding="utf-8")
    failed = monitor(folder, "up")
    assert failed.returncode == 1
    assert "line 6: sources.posts.colour: there is no such setting" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_wrong_column_is_named(folder: Path) -> None:
    failed = monitor(folder, "import", "posts.csv", "--column", "text=body")
    assert failed.returncode == 1
    assert "body" in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("posts.txt",), "posts.txt cannot be read: it must end in .csv"),
        (("posts.csv", "--column", "foo=bar"), "--column wants ours=theirs, where ours is one of"),
        (("posts.csv", "--network", "My Net"), "--network wants small letters"),
        (("posts.csv", "--query", "acme OR ("), "--query cannot be used: the query has"),
    ],
)
def test_an_import_says_what_is_wrong_with_it(
    folder: Path, arguments: tuple[str, ...], told: str
) -> None:
    (folder / "posts.txt").write_text("1", encoding="utf-8")
    failed = typed("import", *arguments, "-c", str(folder / "config.toml"))
    assert failed.exit_code == 1
    assert told in " ".join(failed.stderr.split())
    assert "config.toml" not in failed.stderr


@pytest.mark.slow
def test_check_says_what_works(folder: Path) -> None:
    good = monitor(folder, "check")
    assert good.returncode == 0, good.stderr
    assert "works" in good.stdout
    (folder / "posts.csv").unlink()
    bad = monitor(folder, "check")
    assert bad.returncode == 1
    assert "posts.csv" in bad.stdout.replace("\n", "")


def test_init_asks_and_writes_a_config(folder: Path) -> None:
    refused = monitor(folder, "init", "--brand", "Acme", "--handles", "", "--words", "")
    assert refused.returncode == 1
    assert "--force" in refused.stderr
    made = monitor(
        folder, "init", "--force", stdin="Acme Power\n@acme\nacme app, #acmefail\nalice\n"
    )
    assert made.returncode == 0, made.stderr
    text = (folder / "config.toml").read_text(encoding="utf-8")
    assert json.dumps(["acmepower", "acmefail"]) in text


def test_init_takes_names_of_any_letters_and_leaves_nothing_broken_behind(tmp_path: Path) -> None:
    answers = ("--brand", "Acme", "--handles", "", "--words", "")
    path = tmp_path / "config.toml"
    refused = typed("init", *answers, "--people", "alice, *", "-c", str(path))
    assert refused.exit_code == 1
    assert "nothing was written" in " ".join(refused.stderr.split())
    assert not path.exists()
    path.write_text(CONFIG, encoding="utf-8")
    assert typed("init", *answers, "--people", "*", "-c", str(path), "--force").exit_code == 1
    assert path.read_text(encoding="utf-8") == CONFIG
    path.unlink()
    made = typed("init", *answers, "--people", "José, Ольга, 美咲", "-c", str(path))
    assert made.exit_code == 0, made.stderr
    assert load(path).people == ["José", "Ольга", "美咲"]
    nowhere = typed("init", *answers, "--people", "alice", "-c", str(tmp_path / "none" / "c.toml"))
    assert nowhere.exit_code == 1
    assert "cannot be written: No such file or directory" in " ".join(nowhere.stderr.split())


@pytest.mark.slow
def test_a_database_that_is_not_there_is_told_without_its_password(
    folder: Path,
) -> None:
    config = folder / "config.toml"
    for address in ("postgresql+psycopg://me:s3cret@127.0.0.1:1/none", "sqlite:////proc/none.db"):
        config.write_text(f'database_url = "{address}"\n{CONFIG}', encoding="utf-8")
        failed = monitor(folder, "migrate")
        assert failed.returncode == 1
        assert "cannot be opened" in failed.stderr
        assert "s3cret" not in failed.stderr
        assert "Traceback" not in failed.stderr
    config.write_text(f'database_url = "mysql://me@host/none"\n{CONFIG}', encoding="utf-8")
    assert "only sqlite:///" in monitor(folder, "migrate").stderr


@pytest.mark.slow
def test_rescoring_and_learning_say_what_came_of_it(folder: Path) -> None:
    assert monitor(folder, "import", "posts.csv").returncode == 0
    again = monitor(folder, "rescore")
    assert again.returncode == 0, again.stderr
    assert "1 posts scored again by minilm-complaint" in again.stdout
    assert "1 cases ranked" in again.stdout
    learned = monitor(folder, "learn")
    assert learned.returncode == 1
    assert "There are 0 labels" in learned.stderr
    back = monitor(folder, "learn", "--back")
    assert back.returncode == 1
    assert "nothing to take back" in back.stderr
