"""Runs the engine and the dashboard as two processes that stop together."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
"""Loopback only: until there is sign-in, nobody else may reach the dashboard."""

STOP_WITHIN = 15.0
"""Seconds that a process gets to stop by itself."""


class StartError(Exception):
    """The monitor cannot start. The text says what to do."""


def dashboard_command(port: int) -> list[str]:
    """The command line of the dashboard's server."""
    import dashboard

    script = Path(dashboard.__file__).parent / "streamlit_app.py"
    return [
        *(sys.executable, "-m", "streamlit", "run", str(script)),
        f"--server.address={HOST}",
        f"--server.port={port}",
        "--server.headless=true",
        "--browser.gatherUsageStats=false",
        "--server.fileWatcherType=none",
        "--runner.postScriptGC=false",
    ]


def check_port(port: int) -> None:
    """Raise StartError where somebody listens on the port already."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise StartError(
                f"Port {port} is taken. Choose another with --port, "
                "or stop what listens there: perhaps the monitor runs already."
            ) from error


@dataclass(frozen=True)
class Ended:
    """A part of the monitor that ended by itself."""

    part: str
    code: int
    """What the monitor exits with: never 0, as a part that ends by itself is missing."""


def run_both(config: Path, port: int, ready: Callable[[str], None]) -> Ended | None:
    """Run engine and dashboard until Ctrl-C, or until one of them ends: then returns which.

    `ready` is called with the address once the dashboard answers.
    """
    check_port(port)
    environment = {**os.environ, "MONITOR_CONFIG": str(config.resolve())}
    # Each in its own process group: Ctrl-C reaches only us, and we stop them in order.
    commands = {
        "engine": [sys.executable, "-m", "monitor", "engine", "--config", str(config)],
        "dashboard": dashboard_command(port),
    }
    children = {
        part: subprocess.Popen(command, env=environment, start_new_session=True)
        for part, command in commands.items()
    }
    previous = signal.signal(signal.SIGTERM, _interrupt)
    announced = False
    try:
        while True:
            for part, child in children.items():
                code = child.poll()
                if code is not None:
                    return Ended(part, code or 1)
            if not announced and _answers(port):
                ready(f"http://{HOST}:{port}")
                announced = True
            time.sleep(0.2)
    except KeyboardInterrupt:
        return None
    finally:
        signal.signal(signal.SIGTERM, previous)
        _stop(list(children.values()))


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/_stcore/health", timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _stop(children: list[subprocess.Popen[bytes]]) -> None:
    """Ask each process to stop, and end those that do not."""
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + STOP_WITHIN
    for child in children:
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
