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


def run_both(config: Path, port: int, ready: Callable[[str], None]) -> int:
    """Run engine and dashboard until Ctrl-C or until one of them ends. Returns the exit code.

    `ready` is called with the address once the dashboard answers.
    """
    check_port(port)
    environment = {**os.environ, "MONITOR_CONFIG": str(config.resolve())}
    # Each in its own process group: Ctrl-C reaches only us, and we stop them in order.
    engine = [sys.executable, "-m", "monitor", "engine", "--config", str(config)]
    children = [
        subprocess.Popen(command, env=environment, start_new_session=True)
        for command in (engine, dashboard_command(port))
    ]
    previous = signal.signal(signal.SIGTERM, _interrupt)
    announced = False
    try:
        while True:
            codes = [child.poll() for child in children]
            ended = next((code for code in codes if code is not None), None)
            if ended is not None:
                return ended or 1
            if not announced and _answers(port):
                ready(f"http://{HOST}:{port}")
                announced = True
            time.sleep(0.2)
    except KeyboardInterrupt:
        return 0
    finally:
        signal.signal(signal.SIGTERM, previous)
        _stop(children)


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
