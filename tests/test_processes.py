"""Real processes: two who want one case, and an engine that is killed. Nothing lost or doubled."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.store.models import (
    Author,
    Case,
    CaseEvent,
    CaseStatus,
    Fetch,
    Note,
    Post,
    Reply,
    Source,
    now,
)

pytestmark = pytest.mark.slow

POSTS = 1200

CLAIM_ALL = """
import sys, time
from pathlib import Path
from sqlmodel import Session
from monitor.desk.cases import CaseConflictError, claim
from monitor.store.db import connect
url, agent, go, cases = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
won = 0
with Session(connect(url)) as session:
    print("ready", flush=True)
    while not go.exists():
        time.sleep(0.001)
    for case in range(1, cases + 1):
        try:
            claim(session, case, agent)
            won += 1
        except CaseConflictError:
            pass
print(won)
"""

WORK = """
import json, multiprocessing, random, sys
from sqlmodel import Session
from monitor.desk import cases
from monitor.desk.cases import CaseConflictError
from monitor.desk.page.notes import note
from monitor.desk.queue.assign import take_next
from monitor.desk.queue.work_queue import Filter
from monitor.store.db import connect
from monitor.store.models import Outcome
url, number, agents = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
def claim_any(session, agent, chance):
    case = chance.randint(1, number)
    try:
        cases.claim(session, case, agent)
    except CaseConflictError:
        return None
    return case
def work(agent, together, told):
    chance, noted, resolved = random.Random(agent), 0, 0
    with Session(connect(url)) as session:
        together.wait(30)
        while True:
            case = claim_any(session, agent, chance) if chance.random() < 0.3 else None
            case = case or take_next(session, agent, Filter())
            if case is None:
                break
            if chance.random() < 0.5:
                note(session, case, agent, f"{agent} looked at it")
                noted += 1
            if chance.random() < 0.4:
                cases.release(session, case, agent)
            else:
                cases.resolve(session, case, agent, Outcome.SOLVED)
                resolved += 1
    told.put((agent, noted, resolved))
# Forked, so that the imports are paid for once; each opens the database for itself.
fork = multiprocessing.get_context("fork")
together, told = fork.Barrier(len(agents)), fork.SimpleQueue()
people = [fork.Process(target=work, args=(agent, together, told)) for agent in agents]
for person in people:
    person.start()
for person in people:
    person.join(60)
assert all(person.exitcode == 0 for person in people)
print(json.dumps([told.get() for _ in people]))
"""

SLOW_ENGINE = """
import time
from connectors.file import File
fetch = File.fetch
def slowly(self, cursor):
    for page in fetch(self, cursor):
        time.sleep(0.15)
        yield page
File.fetch = slowly
import sys
sys.argv = ["monitor", "engine", "--config", sys.argv[1]]
from monitor.__main__ import main
main()
"""

SEND = """
import sys, os, signal
from datetime import datetime, UTC
from pathlib import Path
from sqlmodel import Session
from connectors.base import Connector, SentReply
from monitor.answer import replies, settling
from monitor.store.db import connect
url, die, log = sys.argv[1], sys.argv[2], Path(sys.argv[3])
class Counting(Connector):
    name = "counting"
    def fetch(self, cursor):
        return iter(())
    def reply(self, ref, text, key):
        if die == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        with log.open("a") as file:
            file.write(key + "\\n")
        if die == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return SentReply(key, "https://net.example/" + key, datetime.now(UTC))
    def find_reply(self, ref, text, since):
        sent = log.read_text().split() if log.exists() else []
        return SentReply(sent[0], "https://net.example/", datetime.now(UTC)) if sent else None
with Session(connect(url)) as session:
    if die == "settle":
        settling.settle(session, lambda name: Counting())
    else:
        replies.send(session, 1, "alice", Counting())
"""


def python(
    script: str, *arguments: str, env: dict[str, str] | None = None
) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **(env or {})},
    )


def make_cases(session: Session, number: int) -> None:
    """Cases 1 to `number`, each of its own author."""
    session.add(Source(name="acme", connector="file"))
    session.flush()
    for n in range(1, number + 1):
        session.add(Author(id=n, network="net", external_id=str(n), handle=f"p{n}"))
    session.flush()
    for n in range(1, number + 1):
        session.add(
            Post(
                id=n,
                network="net",
                external_id=str(n),
                source_id=1,
                author_id=n,
                text="down",
                thread=str(n),
                created_at=now(),
                scorer="x",
            )
        )
        session.add(Case(id=n, author_id=n, network="net", post_id=n, waiting_since=now()))
    session.commit()


def test_a_case_is_claimed_by_one(database: sa.Engine, database_url: str, tmp_path: Path) -> None:
    number, agents = 100, ("alice", "bob", "carol", "dave")
    with Session(database) as session:
        make_cases(session, number)
    go = tmp_path / "go"
    racers = [python(CLAIM_ALL, database_url, agent, str(go), str(number)) for agent in agents]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    go.touch()
    outputs = [racer.communicate(timeout=60)[0].strip() for racer in racers]
    assert all(output.isdigit() for output in outputs), outputs
    won = dict(zip(agents, (int(output) for output in outputs), strict=True))
    assert sum(won.values()) == number
    with Session(database) as session:
        owners = session.exec(select(Case.assignee)).all()
        assert {agent: owners.count(agent) for agent in agents} == won
        events = session.exec(select(CaseEvent).where(CaseEvent.what == "claimed")).all()
        assert len(events) == number


def test_ten_people_work_one_queue_to_its_end(database: sa.Engine, database_url: str) -> None:
    number = 120
    with Session(database) as session:
        make_cases(session, number)
    agents = [f"agent{n}" for n in range(10)]
    office = python(WORK, database_url, str(number), *agents)
    output, _ = office.communicate(timeout=90)
    assert office.returncode == 0, output
    told = {agent: (noted, resolved) for agent, noted, resolved in json.loads(output)}
    noted = {agent: told[agent][0] for agent in agents}
    resolved = {agent: told[agent][1] for agent in agents}
    assert sum(resolved.values()) == number
    with Session(database) as session:
        assert set(session.exec(select(Case.status)).all()) == {CaseStatus.RESOLVED}
        owners = session.exec(select(Case.assignee)).all()
        assert {agent: owners.count(agent) for agent in agents} == resolved
        kept = session.exec(select(Note.agent)).all()
        assert {agent: kept.count(agent) for agent in agents} == noted
        for case in range(1, number + 1):
            holds_together(session, case)


def holds_together(session: Session, case: int) -> None:
    """Each claim follows a release or nothing, by whoever has it then; the last one closes it."""
    events = select(CaseEvent.what, CaseEvent.agent).where(CaseEvent.case_id == case)
    owner = None
    story = session.exec(events.order_by(col(CaseEvent.id))).all()
    for what, agent in story:
        if what == "claimed":
            assert owner is None, story
            owner = agent
        else:
            assert what in ("released", "resolved"), story
            assert agent == owner, story
            owner = None
    assert [what for what, _ in story].count("resolved") == 1
    assert story[-1] == ("resolved", session.get_one(Case, case).assignee)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config that imports a file of many posts by many people."""
    with (tmp_path / "posts.jsonl").open("w", encoding="utf-8") as file:
        for n in range(POSTS):
            bad = n % 3 == 0
            text = f"acme number {n}: " + (
                "my internet is down, I want a refund" if bad else "nice"
            )
            post = {"id": str(n), "text": text, "author": f"p{n % 700}"}
            file.write(json.dumps({**post, "created_at": "2026-11-20T08:00:00Z"}) + "\n")
    path = tmp_path / "config.toml"
    path.write_text(
        '[company]\nname = "Acme"\nquery = "acme"\n'
        '[sources.posts]\nconnector = "file"\npath = "posts.jsonl"\nevery_seconds = 1\n',
        encoding="utf-8",
    )
    return path


def until(condition: Callable[[], bool], process: "subprocess.Popen[str]", seconds: float) -> None:
    """Wait until it holds. The process must not end before."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.01)


def test_a_killed_engine_loses_and_doubles_nothing(
    database: sa.Engine, database_url: str, config: Path
) -> None:
    def count(*conditions: sa.ColumnElement[bool]) -> int:
        with Session(database) as session:
            return session.exec(select(sa.func.count()).select_from(Post).where(*conditions)).one()

    def start() -> "subprocess.Popen[str]":
        return python(SLOW_ENGINE, str(config), env={"MONITOR_DATABASE_URL": database_url})

    def kill(engine: "subprocess.Popen[str]") -> None:
        engine.send_signal(signal.SIGKILL)
        engine.communicate(timeout=10)

    collecting = start()
    until(lambda: count() > 0, collecting, 60)
    kill(collecting)
    assert 0 < count() < POSTS
    with Session(database) as session:  # The lease of the dead runs out.
        session.execute(sa.update(Source).values(next_fetch_at=now()))
        session.commit()

    scoring = start()
    until(lambda: count(col(Post.triaged_at).is_not(None)) > 0, scoring, 60)
    kill(scoring)
    assert count(col(Post.triaged_at).is_(None)) > 0
    with Session(database) as session:
        session.execute(sa.update(Source).values(next_fetch_at=now()))
        session.commit()

    finishing = start()
    until(lambda: count(col(Post.triaged_at).is_not(None)) == POSTS, finishing, 90)
    finishing.send_signal(signal.SIGTERM)
    output, _ = finishing.communicate(timeout=20)
    assert finishing.returncode == 0, output
    with Session(database) as session:
        ids = session.exec(select(Post.external_id)).all()
        assert sorted(ids, key=int) == [str(n) for n in range(POSTS)]
        authors = session.exec(select(Case.author_id)).all()
        assert len(authors) == len(set(authors)) > 100
        opened = session.exec(select(CaseEvent.case_id).where(CaseEvent.what == "opened")).all()
        assert len(opened) == len(set(opened)) == len(authors)
        fetches = session.exec(select(Fetch)).all()
        assert sum(fetch.new for fetch in fetches) == POSTS


@pytest.mark.parametrize(
    ("die", "status", "sent"), [("before", "sending", 0), ("after", "seen", 1)]
)
def test_a_reply_is_never_sent_twice_though_its_sender_is_killed(
    database: sa.Engine, database_url: str, tmp_path: Path, die: str, status: str, sent: int
) -> None:
    with Session(database) as session:
        make_cases(session, 1)
        session.execute(sa.update(Case).values(assignee="alice"))
        session.add(Reply(case_id=1, post_id=1, agent="alice", text="sorry", key="k1"))
        session.commit()
    log = tmp_path / "sent"
    killed = python(SEND, database_url, die, str(log))
    killed.communicate(timeout=30)
    assert killed.returncode == -signal.SIGKILL
    with Session(database) as session:
        assert session.exec(select(Reply.status)).one() == "sending"
        session.execute(sa.update(Reply).values(updated_at=now().replace(year=2025)))
        session.commit()
    again = python(SEND, database_url, "none", str(log))
    output, _ = again.communicate(timeout=30)
    assert "CaseConflictError" in output
    settling = python(SEND, database_url, "settle", str(log))
    output, _ = settling.communicate(timeout=30)
    assert settling.returncode == 0, output
    with Session(database) as session:
        assert session.exec(select(Reply.status)).one() == status
    assert (log.read_text().split() if log.exists() else []) == ["k1"] * sent
