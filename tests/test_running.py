"""Engine and dashboard together: which of them ended is known."""

import subprocess
import sys
from pathlib import Path

import pytest

from monitor import processes

WAITS, ENDS = "import time; time.sleep(60)", "raise SystemExit({})"


@pytest.mark.parametrize(
    ("part", "code", "told"), [("engine", 3, 3), ("dashboard", 3, 3), ("dashboard", 0, 1)]
)
def test_it_says_which_part_ended_and_stops_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, code: int, told: int
) -> None:
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def short(command: list[str], **values: object) -> subprocess.Popen[bytes]:
        this = "dashboard" if "streamlit" in command else "engine"
        script = ENDS.format(code) if this == part else WAITS
        started.append(start([sys.executable, "-c", script]))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", short)
    monkeypatch.setattr(processes, "check_port", lambda port: None)
    monkeypatch.setattr(processes, "_answers", lambda port: False)
    ended = processes.run_both(tmp_path / "config.toml", 1, lambda address: None)
    assert ended == processes.Ended(part, told)
    assert [child.poll() is not None for child in started] == [True, True]
