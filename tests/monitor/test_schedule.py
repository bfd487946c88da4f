"""The engine: its jobs run beside each other and stop together."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from connectors.base import Connector, FatalError, NoSettings, Page
from monitor.answer import promises
from monitor.config import Config, SourceConfig
from monitor.intake.collect import Watch
from monitor.intake.matching import compile_query
from monitor.intake.sources import sync_sources
from monitor.model.scorer import suggested_threshold
from monitor.schedule import Engine, run, threshold
from monitor.settings import Company, Desk, Person
from monitor.store.models import (
    Case,
    Commitment,
    Fetch,
    Notice,
    NoticeKind,
    Source,
    SourceState,
    now,
)
from monitor.watch.alerting import health
from tests.conftest import FakeScorer, make_post

HELD = threading.Event()


class Hanging(Connector):
    """A network that does not answer before the test lets it."""

    name = "hanging"

    def fetch(self, cursor: str | None) -> Iterator[Page]:
        """Wait."""
        HELD.wait(30)
        yield Page([], "c")


class Broken(Connector):
    """A network with a bug behind it."""

    name = "broken"

    def fetch(self, cursor: str | None) -> Iterator[Page]:
        """Fail in a way that nobody foresaw."""
        raise ZeroDivisionError
        yield Page([], None)


class Refusing(Connector):
    """A network that does not take our token."""

    name = "refusing"

    def fetch(self, cursor: str | None) -> Iterator[Page]:
        """Refuse."""
        raise FatalError("it answered 401: renew the token")
        yield Page([], None)


class Working(Connector):
    """A network with one complaint."""

    name = "working"

    def fetch(self, cursor: str | None) -> Iterator[Page]:
        """Give the complaint once."""
        if cursor is None:
            yield Page([make_post("1", "acme is down")], "c")


@pytest.fixture
def engine(database: sa.Engine) -> Engine:
    """An engine with four sources, one of which works."""
    every = timedelta(seconds=60)
    sources = {
        kind.name: SourceConfig(kind.name, kind, NoSettings(), "", every, enabled=True)
        for kind in (Hanging, Broken, Refusing, Working)
    }
    config = Config(
        path=Path("config.toml"),
        company=Company(name="Acme"),
        database_url="",
        zone=ZoneInfo("UTC"),
        model="shipped",
        desk=Desk(threshold=0.5),
        people=[],
        sources=sources,
    )
    watches = {
        name: Watch(source, compile_query(""), frozenset()) for name, source in sources.items()
    }
    with Session(database) as session:
        sync_sources(session, config)
    return Engine(config, database, FakeScorer(), watches)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_hanging_a_broken_and_a_refusing_source_hold_up_nobody(
    engine: Engine, session: Session
) -> None:
    HELD.clear()
    stop = threading.Event()
    running = threading.Thread(target=run, args=(engine, stop))
    running.start()
    try:
        until(lambda: bool(session.exec(select(Case)).all()))
        until(lambda: _state(session, "refusing") == SourceState.OFF)
        until(lambda: health.health(session).engine_alive)
    finally:
        HELD.set()
        stop.set()
        running.join(20)
    assert not running.is_alive()
    conditions = {row.source.name: row.condition for row in health.sources(session)}
    assert conditions == {
        "refusing": health.Condition.OFF,
        "broken": health.Condition.FAILING,
        "hanging": health.Condition.GOOD,
        "working": health.Condition.GOOD,
    }
    assert next(iter(conditions)) == "refusing"


def _state(session: Session, name: str) -> SourceState:
    session.rollback()
    return session.exec(select(Source).where(Source.name == name)).one().state


def test_the_log_counts_its_sources(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "monitor.schedule")
    ended = threading.Event()
    ended.set()
    run(replace(engine, watches={"working": engine.watches["working"]}), ended)
    assert "engine runs: 1 source, model fake" in caplog.text


def test_the_ledger_shows_what_tells_something_and_forgets_the_rest(
    engine: Engine, session: Session
) -> None:
    engine.collect("working")
    engine.collect("refusing")
    sources = {row.source.name: row for row in health.sources(session)}
    assert sources["working"].posts == 1
    assert [fetch.new for fetch in health.ledger(session, sources["working"].source.id)] == [1]
    (refused,) = health.ledger(session, sources["refusing"].source.id)
    assert refused.error == "it answered 401: renew the token"
    session.add(Fetch(source_id=sources["working"].source.id))
    session.commit()
    health.prune_ledger(session, days=-1)
    assert len(session.exec(select(Fetch)).all()) == 2


def test_the_database_knows_how_much_it_holds(engine: Engine, session: Session) -> None:
    engine.collect("working")
    engine.prune()
    if session.connection().dialect.name == "sqlite":
        counted = "SELECT stat FROM sqlite_stat1 WHERE tbl = 'post'"
        assert session.connection().exec_driver_sql(counted).first() is not None


def test_a_source_that_left_the_config_is_kept_and_not_asked(
    engine: Engine, session: Session
) -> None:
    engine.config.sources.pop("working")
    sync_sources(session, engine.config)
    engine.collect("working")
    assert not session.exec(select(Fetch)).all()
    found = {row.source.name: row.condition for row in health.sources(session)}
    assert found["working"] == health.Condition.REMOVED


def test_the_engine_tells_of_promises(engine: Engine, session: Session) -> None:
    engine.collect("working")
    deque(engine.work_through(), maxlen=0)
    case_id = session.exec(select(Case.id)).one()
    promises.promise(session, case_id, "alice", "We call", now() + timedelta(minutes=5))
    engine.config.leads.append("bob")
    engine.tell_promises()
    session.execute(sa.update(Commitment).values(due_at=now() - timedelta(minutes=5)))
    session.commit()
    engine.tell_promises()
    told = session.exec(select(Notice.agent, Notice.kind).order_by(Notice.agent, Notice.kind)).all()
    assert [tuple(row) for row in told] == [
        ("alice", NoticeKind.PROMISE_BROKEN),
        ("alice", NoticeKind.PROMISE_DUE),
        ("bob", NoticeKind.PROMISE_BROKEN),
    ]


def test_an_engine_that_never_ran_is_not_alive(session: Session) -> None:
    assert not health.health(session).engine_alive
    health.beat(session)
    health.beat(session)
    found = health.health(session)
    assert (found.engine_alive, found.to_score, found.to_triage) == (True, 0, 0)


def test_the_threshold_is_the_configured_or_the_models_own(engine: Engine) -> None:
    assert threshold(engine.config) == 0.5
    object.__setattr__(engine.config, "desk", Desk())
    assert threshold(engine.config) == suggested_threshold()


@pytest.mark.slow
@pytest.mark.parametrize("wanted", [True, False])
def test_cases_are_handed_out_only_where_that_is_asked_for(
    engine: Engine, session: Session, monkeypatch: pytest.MonkeyPatch, *, wanted: bool
) -> None:
    jobs = []
    monkeypatch.setattr(
        "monitor.schedule.BackgroundScheduler.add_job",
        lambda self, job, *args, **named: jobs.append(named["id"]),
    )
    config = replace(
        engine.config,
        desk=Desk(threshold=0.5, auto_assign=wanted),
        desk_people={"alice": Person(name="alice", capacity=1)},
    )
    stop = threading.Event()
    stop.set()
    handing = replace(engine, config=config)
    run(handing, stop)
    assert ("hand out cases" in jobs) is wanted
    engine.collect("working")
    list(engine.work_through())
    handing.auto_assign()
    assert [case.assignee for case in session.exec(select(Case))] == ["alice"]
