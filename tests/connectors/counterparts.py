"""Real servers on this machine, for the tests that ask them: found running, started, or skipped.

They live beside this repository in ../shared/counterparts and are not part of it. Each one's
README says what it is.
"""

import csv
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from connectors.base import Connector

FOLDER = Path(__file__).parents[3] / "shared" / "counterparts"
STARTS = os.environ.get("MONITOR_COUNTERPARTS") == "1"


@dataclass(frozen=True)
class Server:
    """A counterpart: its folder, where it answers, and where it keeps its state."""

    name: str
    address: str
    alive: str
    state: str

    def answers(self) -> bool:
        """Whether it runs."""
        try:
            return httpx.get(self.address + self.alive, timeout=5).is_success
        except httpx.HTTPError:
            return False

    @property
    def tokens(self) -> dict[str, str]:
        """Access tokens by user name, where it writes them down."""
        with (Path(tempfile.gettempdir()) / self.state / "tokens.csv").open(newline="") as file:
            return dict(row for row in csv.reader(file) if row)

    def seed(self, word: str, folder: Path, repeat: int = 1) -> list[dict[str, str]]:
        """Post sample.csv `repeat` times, each text with `word` added. Returns its rows."""
        with (FOLDER / "sample.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            row["text"] += f" {word}"
        seeds = folder / f"{uuid.uuid4().hex}.csv"
        with seeds.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        if self.name == "bluesky":
            where = [str(FOLDER / "bluesky" / "seed.py"), str(seeds), "--pds", self.address]
        else:
            tokens = Path(tempfile.gettempdir()) / self.state / "tokens.csv"
            script = FOLDER / "mastodon-snac" / "seed.py"
            where = [str(script), str(seeds), str(tokens), "--base", self.address]
        asked = [sys.executable, *where, "--repeat", str(repeat)]
        subprocess.run(asked, check=True, capture_output=True, timeout=300)
        return rows


SNAC = Server("mastodon-snac", "http://127.0.0.1:8001", "/api/v1/instance", "counterpart-snac")
MOCK = Server("mastodon-mock", "http://127.0.0.1:3009", "/health", "counterpart-mastodon-mock")
BLUESKY = Server("bluesky", "http://127.0.0.1:2583", "/xrpc/_health", "counterpart-bluesky")
APPVIEW = "http://127.0.0.1:2584"


@contextmanager
def running(server: Server, *arguments: str, **environment: str) -> Iterator[Server]:
    """The server, started and stopped here unless it runs already; or the test is skipped."""
    if server.answers():
        yield server
        return
    if not STARTS:
        pytest.skip(f"{server.name} does not run here; MONITOR_COUNTERPARTS=1 starts it")
    folder = FOLDER / server.name
    if not folder.is_dir():
        pytest.skip(f"{server.name} is not beside this repository")
    told = {**os.environ, **environment}
    # Its output goes into a file: what it leaves running would hold a pipe open.
    with tempfile.TemporaryFile() as output:
        subprocess.run(
            ["bash", str(folder / "start.sh"), *arguments],
            check=True,
            env=told,
            stdout=output,
            stderr=output,
            timeout=600,
        )
    try:
        yield server
    finally:
        subprocess.run(["bash", str(folder / "stop.sh"), *arguments], check=False, timeout=60)


_opened: list[Connector] = []

Opened = TypeVar("Opened", bound=Connector)


def opened(connector: Opened) -> Opened:
    """Have the connector closed when the test is over."""
    _opened.append(connector)
    return connector


def close_opened() -> None:
    """Close what was opened."""
    while _opened:
        _opened.pop().close()


def new_word(prefix: str = "acme") -> str:
    """A word that nobody has used on any server: what a test searches for is its own."""
    return f"{prefix}{uuid.uuid4().hex[:10]}"
