"""A real server on this machine and a real Chromium before it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.seed import Desk

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

FLAGS = [
    "--no-sandbox",  # the tests may run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

START_WITHIN = 60.0


class Site:
    """A served dashboard, its desk, and the browser that looks at it."""

    def __init__(self, desk: Desk, port: int, browser: Any) -> None:
        self.desk = desk
        self.address = f"http://127.0.0.1:{port}"
        self.browser = browser
        self.requests: list[str] = []
        self.complaints: list[str] = []
        """What the browser's console, or a script that failed, had to say."""

    def sit(self, person: str | None = "alice", width: int = 1440, scheme: str = "light") -> Any:
        """A page of somebody's own browser; everything that it asks for is kept."""
        context = self.browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        if person:
            context.add_cookies([{"name": "monitor_person", "value": person, "url": self.address}])
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self._heard(message))
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))
        return page

    def _heard(self, message: Any) -> None:
        # On a deep link Streamlit first looks for its own address one folder too low.
        probing = "/_stcore/" in (message.location or {}).get("url", "")
        if message.type in ("error", "warning") and not probing:
            self.complaints.append(f"{message.type}: {message.text}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium; the tests are skipped, and say so, where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def site(tmp_path: Path, sqlite_template: Path, browser: Any) -> Iterator[Site]:
    """A dashboard on a free port of this machine, with an empty desk."""
    (tmp_path / "monitor.db").write_bytes(sqlite_template.read_bytes())
    desk = Desk(tmp_path)
    port = _free_port()
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(
            _command(port),
            cwd=tmp_path,  # not the repository: the look must not depend on where one starts
            env={**os.environ, "MONITOR_CONFIG": str(desk.config)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(port, server, tmp_path / "server.log")
        yield Site(desk, port, browser)
    finally:
        server.terminate()
        server.wait(10)
        for context in browser.contexts:
            context.close()
        desk.engine.dispose()


def _command(port: int) -> list[str]:
    import dashboard

    script = Path(dashboard.__file__).parent / "streamlit_app.py"
    return [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, server: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the dashboard did not start:\n{log.read_text()}")
