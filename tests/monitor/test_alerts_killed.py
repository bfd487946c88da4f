"""kill -9 at every moment between finding and having told: no alert is lost, and none doubled but
the one whose fate nobody can know, which says so."""

import json
import subprocess
import sys
from collections import Counter

import pytest
import sqlalchemy as sa

SWEEP = """
import json, os, signal, sys
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo
import sqlalchemy as sa
from sqlmodel import Session, select
from monitor.alert_settings import AlertSettings
from monitor.config import Config
from monitor.settings import Company, Desk
from monitor.store.db import connect
from monitor.store.models import Alert, AlertKind, AlertState, Severity
from monitor.watch.alerting import alert_rows, alerts, deliveries, notify

url, what = sys.argv[1:]
deliveries.TOGETHER = notify.LEASE = timedelta(0)
told = AlertSettings(page=["pager"])
config = Config(Path("c"), Company(name="Acme"), "", ZoneInfo("UTC"), "fake", Desk(), [], {},
                alerts=told, channels={"pager": "json://pager"})
read, write = os.pipe()

def send(address, letter):
    line = json.dumps([letter.title, notify.PERHAPS_TWICE in letter.text])
    os.write(write, f"{line}\\n".encode())

def work(session, name):
    found = alert_rows.Finding(name, AlertKind.SPIKE, Severity.PAGE, name, "more than usual")
    alerts.fire(session, found, told)
    notify.send_due(session, config, send)

def child(name, die, after):
    count = 0
    def strike(*_):
        nonlocal count
        count += 1
        if count == die:
            os.kill(os.getpid(), signal.SIGKILL)
    engine = connect(url)
    # Before or after a statement, and before or after a commit, which is no statement.
    for event in (("after_cursor_execute",) if after else ("before_cursor_execute", "commit")):
        sa.event.listen(engine, event, strike)
    with Session(engine) as session:
        work(session, name)
    os._exit(0)

die = 0
while True:
    die += 1
    for after in (False, True):
        name = f"spike:{die}:{after}"
        pid = os.fork()
        if pid == 0:
            child(name, die, after)
        _, status = os.waitpid(pid, 0)
        engine = connect(url)
        with Session(engine) as session:
            if what == "acknowledge":
                firing = select(Alert).where(Alert.state == AlertState.FIRING)
                for alert in session.exec(firing).all():
                    alerts.acknowledge(session, alert.id, "alice", told)
            for _ in range(3):
                work(session, name)
        engine.dispose()
    if status == 0:
        break
os.close(write)
lines = [json.loads(line) for line in os.fdopen(read)]
print(json.dumps([die, lines]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("what", ["nothing", "acknowledge"])
def test_killed_at_every_moment(database: sa.Engine, database_url: str, what: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SWEEP, database_url, what],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    moments, lines = json.loads(done.stdout)
    assert moments > 15
    told = Counter(title for title, _ in lines)
    names = {f"spike:{die}:{after}" for die in range(1, moments + 1) for after in (False, True)}
    first, again = [[n for n, twice in lines if twice is flag] for flag in (False, True)]
    if what == "nothing":
        assert set(told) == names, "none is lost"
        # Every second telling says that it may be one; there are none but right after the sending.
        assert len(first) == len(set(first))
        doubled = {name for name in names if told[name] > 1}
        assert doubled == set(first) & set(again)
        assert 1 <= len(doubled) <= 4
    else:
        assert max(told.values()) == 1, "what was acknowledged is not told again"
        assert again == []
