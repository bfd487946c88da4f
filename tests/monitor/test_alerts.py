"""The life of an alert, and what is told of it, on both databases."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import Session, col, select

from monitor.alert_settings import AlertSettings
from monitor.config import Config
from monitor.settings import Company, Desk
from monitor.store.models import (
    Alert,
    AlertEvent,
    AlertKind,
    AlertState,
    Channel,
    Delivery,
    Message,
    Severity,
    now,
)
from monitor.watch.alerting import alert_lists, alert_rows, alerts, notify
from monitor.watch.alerting.alert_rows import AlertError, Finding
from monitor.watch.alerting.channels import Letter
from tests.conftest import ALICE, BOB, NOON

SPIKE = Finding(
    key="spike:all",
    kind=AlertKind.SPIKE,
    severity=Severity.PAGE,
    title="Acme: 24 complaints in an hour",
    text="11 times the usual.",
    value=24,
    usual=2.1,
)
SLOW = replace(SPIKE, key="backlog", kind=AlertKind.BACKLOG, severity=Severity.TICKET, value=None)


def settings(**changes: object) -> AlertSettings:
    """One pager, one mailbox, a lead."""
    known = {"page": ["pager"], "ticket": ["mail"], "escalate": ["lead"]}
    return AlertSettings.model_validate({**known, **changes})


def config(**changes: object) -> Config:
    """Settings with an address for each channel."""
    told = settings(**changes)
    return Config(
        path=Path("config.toml"),
        company=Company(name="Acme"),
        database_url="",
        zone=ZoneInfo("Europe/Vienna"),
        model="fake",
        desk=Desk(),
        people=[ALICE, BOB],
        sources={},
        alerts=told,
        channels={name: f"json://{name}" for name in told.channels},
    )


class Wire:
    """A network that takes every letter, or says why not."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Letter]] = []
        self.broken: set[str] = set()

    def __call__(self, address: str, letter: Letter) -> str | None:
        """Take a letter."""
        name = address.removeprefix("json://")
        if name in self.broken:
            return "refused"
        self.taken.append((name, letter))
        return None

    @property
    def titles(self) -> list[tuple[str, str]]:
        """What was told, by channel."""
        return [(name, letter.title) for name, letter in self.taken]


class Clock:
    """The time, which a test moves."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self.traveller = traveller

    def go(self, **length: float) -> None:
        """Let some time pass."""
        self.traveller.shift(timedelta(**length))


@pytest.fixture
def clock() -> Iterator[Clock]:
    """Noon, and then what the test says."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield Clock(traveller)


@pytest.fixture
def wire() -> Wire:
    """A network that works."""
    return Wire()


def the(session: Session, key: str = "spike:all") -> Alert:
    """An alert as it is now."""
    session.rollback()
    return session.exec(select(Alert).where(col(Alert.key) == key)).one()


def events(session: Session) -> list[str]:
    """The history's words."""
    return list(session.exec(select(AlertEvent.what).order_by(col(AlertEvent.id))))


def run(session: Session, wire: Wire, told: Config, clock: Clock, **length: float) -> None:
    """Time passes and the engine does its round."""
    clock.go(**length)
    alerts.tick(session, told.alerts)
    notify.send_due(session, told, wire)


class TestLife:
    def test_one_row_per_key_however_often_it_is_found(self, session: Session) -> None:
        assert alerts.fire(session, SPIKE, settings())
        assert not alerts.fire(session, replace(SPIKE, value=40, title="40"), settings())
        assert not alerts.fire(session, replace(SPIKE, value=30, title="30"), settings())
        found = the(session)
        assert (found.title, found.value, found.peak, found.firings) == ("30", 30, 40, 1)
        assert [d.channel for d in session.exec(select(Delivery))] == ["pager"]
        assert events(session) == ["fired"]

    def test_one_that_is_over_fires_again_as_a_new_firing(self, session: Session) -> None:
        alerts.fire(session, SPIKE, settings())
        alerts.acknowledge(session, the(session).id, ALICE, settings())
        assert alerts.resolve(session, "spike:all", settings())
        assert not alerts.resolve(session, "spike:all", settings())
        assert not alerts.resolve(session, "never", settings())
        assert alerts.fire(session, replace(SPIKE, value=12), settings())
        found = the(session)
        assert (found.state, found.firings, found.peak) == (AlertState.FIRING, 2, 12)
        assert found.acknowledged_by is None
        assert found.resolved_at is None
        assert events(session) == ["fired", "acknowledged", "resolved", "fired again"]

    def test_a_ticket_becomes_a_page_once_and_stays_one(self, session: Session) -> None:
        low = replace(SPIKE, severity=Severity.TICKET)
        alerts.fire(session, low, settings())
        alerts.acknowledge(session, the(session).id, ALICE, settings())
        for found in (SPIKE, SPIKE, low):
            assert not alerts.fire(session, found, settings())
        found_now = the(session)
        assert (found_now.severity, found_now.state) == (Severity.PAGE, AlertState.FIRING)
        told = session.exec(select(Delivery.channel, Delivery.message)).all()
        assert sorted(told) == [("mail", "fired"), ("pager", "raised")]

    def test_muted_it_gets_worse_and_is_told_once_its_cause_is_over(self, session: Session) -> None:
        low = replace(SPIKE, severity=Severity.TICKET)
        for found in (low, SPIKE):
            alerts.fire(session, found, settings(), mute=True)
        assert session.exec(select(Delivery)).all() == []
        assert the(session).severity == Severity.PAGE
        for _ in range(2):
            alerts.fire(session, SPIKE, settings())
        told = session.exec(select(Delivery.channel, Delivery.message)).all()
        assert told == [("pager", "fired")]
        assert the(session).escalate_at is not None

    def test_muted_what_was_told_as_a_ticket_is_told_as_a_page_later(
        self, session: Session
    ) -> None:
        alerts.fire(session, replace(SPIKE, severity=Severity.TICKET), settings())
        alerts.acknowledge(session, the(session).id, ALICE, settings())
        alerts.fire(session, SPIKE, settings(), mute=True)
        assert the(session).state == AlertState.ACKNOWLEDGED, "she has it"
        alerts.fire(session, SPIKE, settings())
        found = the(session)
        assert (found.severity, found.state) == (Severity.PAGE, AlertState.FIRING)
        told = session.exec(select(Delivery.channel, Delivery.message)).all()
        assert sorted(told) == [("mail", "fired"), ("pager", "raised")]

    def test_muted_it_shows_and_is_told_once_its_cause_is_over(self, session: Session) -> None:
        alerts.fire(session, SPIKE, settings(), mute=True)
        assert session.exec(select(Delivery)).all() == []
        assert the(session).state == AlertState.FIRING
        for _ in range(2):
            alerts.fire(session, SPIKE, settings())
        assert len(session.exec(select(Delivery)).all()) == 1

    def test_who_came_second_is_told_who_was_first(self, session: Session) -> None:
        alerts.fire(session, SPIKE, settings())
        alert_id = the(session).id
        alerts.acknowledge(session, alert_id, ALICE, settings())
        with pytest.raises(AlertError, match="it is acknowledged by alice"):
            alerts.acknowledge(session, alert_id, BOB, settings())
        alerts.take_back(session, alert_id, ALICE, settings())
        with pytest.raises(AlertError, match="it is firing"):
            alerts.take_back(session, alert_id, BOB, settings())
        with pytest.raises(AlertError, match="no such alert"):
            alerts.acknowledge(session, 999, BOB, settings())

    def test_a_silence_has_an_end_and_a_reason(self, session: Session) -> None:
        alerts.fire(session, SPIKE, settings())
        alert_id, soon = the(session).id, now() + timedelta(hours=1)
        for until, why, said in (
            (soon, "  ", "Say why"),
            (now(), "works", "in the future"),
            (now() + timedelta(days=31), "works", "30 days"),
        ):
            with pytest.raises(AlertError, match=said):
                alerts.silence(session, alert_id, ALICE, until, why)
        alerts.silence(session, alert_id, ALICE, soon, " planned\nworks ")
        found = the(session)
        assert (found.silenced_by, found.silence_reason) == (ALICE, "planned works")
        with pytest.raises(AlertError, match="it is silenced by alice"):
            alerts.acknowledge(session, alert_id, BOB, settings())
        alerts.unsilence(session, alert_id, BOB, settings())
        assert the(session).state == AlertState.FIRING
        with pytest.raises(AlertError, match="it is firing"):
            alerts.unsilence(session, alert_id, BOB, settings())

    def test_a_silence_outlasts_the_end_and_the_next_firing(
        self, session: Session, clock: Clock, wire: Wire
    ) -> None:
        told = config()
        alerts.fire(session, SPIKE, told.alerts)
        alerts.silence(session, the(session).id, ALICE, now() + timedelta(hours=2), "works")
        alerts.resolve(session, "spike:all", told.alerts)
        run(session, wire, told, clock, minutes=30)
        alerts.fire(session, SPIKE, told.alerts)
        assert the(session).state == AlertState.SILENCED
        run(session, wire, told, clock, minutes=31)
        assert wire.titles == []
        run(session, wire, told, clock, hours=1)
        run(session, wire, told, clock, minutes=1)
        assert wire.titles == [("pager", f"Still: {SPIKE.title}")]
        assert the(session).silenced_until is None


class TestPruning:
    def test_what_is_long_over_goes_with_all_that_was_told_of_it(
        self, session: Session, clock: Clock, wire: Wire
    ) -> None:
        told = config()
        alerts.fire(session, SPIKE, told.alerts)
        alerts.fire(session, SLOW, told.alerts)
        run(session, wire, told, clock, minutes=1)
        alerts.resolve(session, SPIKE.key, told.alerts)
        alerts.acknowledge(session, the(session, "backlog").id, ALICE, told.alerts)
        sent = {"channel": "mail", "key": "digest:2026-W47", "sent_at": now()}
        digest = {"message": Message.DIGEST, "title": "", "text": ""}
        session.add(Delivery.model_validate({**sent, **digest}))
        session.commit()
        run(session, wire, told, clock, minutes=1)
        clock.go(days=29)
        alert_rows.prune(session)
        assert the(session).state == AlertState.RESOLVED
        clock.go(days=2)
        alert_rows.prune(session)
        (kept,) = session.exec(select(Alert))
        assert kept.key == "backlog"
        assert set(session.exec(select(AlertEvent.alert_id))) == {kept.id}
        assert [d.message for d in session.exec(select(Delivery))] == ["fired"]
        alerts.resolve(session, "backlog", told.alerts)
        run(session, wire, told, clock, minutes=1)
        assert wire.titles[-1] == ("mail", f"Over: {SLOW.title}"), "who was told is not forgotten"
        # What comes again is told again, though its messages have the names of the old ones.
        assert alerts.fire(session, SPIKE, told.alerts)
        run(session, wire, told, clock, minutes=1)
        assert wire.titles[-1] == ("pager", SPIKE.title)

    def test_of_what_fires_again_and_again_the_old_messages_go(
        self, session: Session, clock: Clock, wire: Wire
    ) -> None:
        told = config(escalate=[])
        for _ in range(3):
            alerts.fire(session, SPIKE, told.alerts)
            run(session, wire, told, clock, minutes=1)
            alerts.resolve(session, SPIKE.key, told.alerts)
            run(session, wire, told, clock, days=20)
        alert_rows.prune(session)
        assert the(session).firings == 3
        assert set(session.exec(select(Delivery.firing))) == {2, 3}

    def test_what_still_waits_or_is_silenced_stays(
        self, session: Session, clock: Clock, wire: Wire
    ) -> None:
        told = config()
        alerts.fire(session, SPIKE, told.alerts)
        run(session, wire, told, clock, minutes=1)
        alerts.fire(session, replace(SLOW, severity=Severity.PAGE), told.alerts)
        wire.broken = {"pager", "lead", "mail"}
        run(session, wire, told, clock, minutes=1)
        alerts.resolve(session, SPIKE.key, told.alerts)
        clock.go(days=40)
        alert_rows.prune(session)
        assert the(session).state == AlertState.RESOLVED, "nobody knows yet that it is over"
        silenced = the(session, "backlog").id
        alerts.silence(session, silenced, ALICE, now() + timedelta(days=30), "works")
        alerts.resolve(session, "backlog", told.alerts)
        clock.go(days=29)
        alert_rows.prune(session, days=20)
        assert the(session, "backlog").silenced_by == ALICE
        clock.go(days=2)
        alert_rows.prune(session, days=20)
        assert "backlog" not in session.exec(select(Alert.key)).all()


class TestTelling:
    def test_it_is_told_once_and_told_when_it_is_over(
        self, session: Session, clock: Clock, wire: Wire
    ) -> None:
        told = config()
        alerts.fire(session, SPIKE, told.alerts)
        run(session, wire, told, clock, seconds=29)
        assert wire.taken == []
        for _ in range(3):
            run(session, wire, told, clock, seconds=10)
        assert wire.titles == [("pager", SPIKE.title)]
        alerts.acknowledge(session, the(session).id, ALICE, settings())
        run(session, wire, told, clock, minutes=10)
        alerts.resolve(session, "spike:all", told.alerts)
        for _ in range(3):
            run(session, wire, told, clock, minutes=1)
        assert wire.titles == [("pager", SPIKE.title), ("pager", f"Over: {SPIKE.title}")]
        fired, over = (letter for _, letter in wire.taken)
        assert "11 times the usual." in fired.text
        assert f"http://127.0.0.1:8501/alerts?alert={the(session).id}" in fired.text
        assert (fired.urgent, fired.over, fired.key) == (True, False, "spike:all")
        assert "It is over after 10 min. At its peak: 24." in over.text
        assert over.over

    @pytest.mark.parametrize("how", ["acknowledge", "silence", "resolve"])
    def test_what_became_moot_before_it_went_is_never_sent(
        self, session: Session, clock: Clock, wire: Wire, how: str
    ) -> None:
        told = config()
        alerts.fire(session, SPIKE, told.alerts)
        alert_id = the(session).id
        if how == "acknowledge":
            alerts.acknowledge(session, alert_id, ALICE, settings())
        elif how == "silence":
            alerts.silence(session, alert_id, ALICE, now() + timedelta(hours=1), "works")
        else:
            alerts.resolve(session, "spike:all", told.alerts)
        run(session, wire, told, clock, minutes=2)
        alerts.resolve(session, "spike:all", told.alerts)
        run(session, wire, told, clock, minutes=2)
        assert wire.taken == [], "nor is its end, as nobody knows of it"

    def test_a_repeat_comes_seldom_and_not_after_an_acknowledgement(
        self, session: Session, clock: Clock, wire: Wire
    ) -> None:
        told = config(escalate=[])
        alerts.fire(session, SPIKE, told.alerts)
        for _ in range(13):
            run(session, wire, told, clock, minutes=30)
        assert wire.titles == [("pager", SPIKE.title), ("pager", f"Still: {SPIKE.title}")]
        assert "It has been so for 4 h 0 min." in wire.taken[1][1].text
        alerts.acknowledge(session, the(session).id, ALICE, settings())
        for _ in range(20):
            run(session, wire, told, clock, minutes=30)
        assert len(wire.taken) == 2

    def test_what_was_acknowledged_and_fires_on_is_told_once_more(
        self, session: Session, clock: Clock, wire: Wire
    ) -> None:
        told = config(escalate=[])
        alerts.fire(session, SPIKE, told.alerts)
        run(session, wire, told, clock, minutes=1)
        for _ in range(2):
            wire.taken.clear()
            alerts.acknowledge(session, the(session).id, ALICE, told.alerts)
            for _ in range(60):
                run(session, wire, told, clock, minutes=30)
            ((name, letter),) = wire.taken
            assert (name, letter.title) == (
                "pager",
                f"Acknowledged and still firing: {SPIKE.title}",
            )
            assert "Acknowledged by alice 12 hours ago and still firing." in letter.text
            assert the(session).state == AlertState.ACKNOWLEDGED, "she still has it"
            assert events(session)[-1] == "told again"
            # Somebody who acknowledges it anew is reminded anew.
            alerts.take_back(session, the(session).id, ALICE, told.alerts)

    @pytest.mark.parametrize("what", ["never", "taken back", "silenced", "over"])
    def test_nobody_is_reminded_of_what_is_not_acknowledged_any_more(
        self, session: Session, clock: Clock, wire: Wire, what: str
    ) -> None:
        told = config(
            escalate=[], repeat="300 h", remind_after="never" if what == "never" else "1 h"
        )
        alerts.fire(session, SPIKE, told.alerts)
        run(session, wire, told, clock, minutes=1)
        alert_id = the(session).id
        alerts.acknowledge(session, alert_id, ALICE, told.alerts)
        if what == "taken back":
            alerts.take_back(session, alert_id, ALICE, told.alerts)
        elif what == "silenced":
            alerts.silence(session, alert_id, ALICE, now() + timedelta(days=20), "works")
        elif what == "over":
            alerts.resolve(session, "spike:all", told.alerts)
        for _ in range(50):
            run(session, wire, told, clock, hours=1)
        assert [title for _, title in wire.titles if "Acknowledged" in title] == []

    def test_of_two_engines_only_one_reminds(self, database: sa.Engine, clock: Clock) -> None:
        with Session(database) as session:
            for number in range(5):
                alerts.fire(session, replace(SPIKE, key=f"spike:{number}"), settings())
            for alert in alert_lists.firing(session):
                alerts.acknowledge(session, alert.id, BOB, settings())
        clock.go(hours=13)
        both = threading.Barrier(2)

        def engine() -> int:
            with Session(database) as session:
                both.wait(10)
                return alerts.tick(session, settings())

        with ThreadPoolExecutor(2) as pool:
            counts = [each.result(30) for each in [pool.submit(engine) for _ in range(2)]]
        assert sum(counts) == 5
        with Session(database) as session:
            waiting = select(Delivery.alert_id).where(col(Delivery.message) == "reminded")
            assert len(session.exec(waiting).all()) == 5
            assert alerts.tick(session, settings()) == 0

    def test_nobody_acknowledges_and_the_lead_is_told_once(
        self, session: Session, clock: Clock, wire: Wire
    ) -> None:
        told = config()
        alerts.fire(session, SPIKE, told.alerts)
        alerts.fire(session, SLOW, told.alerts)
        for _ in range(10):
            run(session, wire, told, clock, minutes=6)
        leads = [title for name, title in wire.titles if name == "lead"]
        assert leads == [f"Nobody has acknowledged: {SPIKE.title}"]
        assert "escalated" in events(session)

    @pytest.mark.parametrize("how", ["taken back", "silence taken back", "silence over"])
    def test_what_fires_on_again_is_escalated_again(
        self, session: Session, clock: Clock, wire: Wire, how: str
    ) -> None:
        told = config()
        alerts.fire(session, SPIKE, told.alerts)
        for _ in range(10):
            run(session, wire, told, clock, minutes=6)
        alert_id = the(session).id
        if how == "taken back":
            alerts.acknowledge(session, alert_id, ALICE, told.alerts)
            alerts.take_back(session, alert_id, ALICE, told.alerts)
        else:
            alerts.silence(session, alert_id, ALICE, now() + timedelta(minutes=6), "works")
        if how == "silence taken back":
            alerts.unsilence(session, alert_id, ALICE, told.alerts)
        for _ in range(10):
            run(session, wire, told, clock, minutes=6)
        leads = [title for name, title in wire.titles if name == "lead"]
        assert leads == [f"Nobody has acknowledged: {SPIKE.title}"] * 2
        assert events(session).count("escalated") == 2, "the history says what was sent"

    def test_an_acknowledged_page_is_not_escalated(
        self, session: Session, clock: Clock, wire: Wire
    ) -> None:
        told = config()
        alerts.fire(session, SPIKE, told.alerts)
        run(session, wire, told, clock, minutes=29)
        alerts.acknowledge(session, the(session).id, ALICE, settings())
        for _ in range(10):
            run(session, wire, told, clock, minutes=6)
        assert [name for name, _ in wire.titles] == ["pager"]

    def test_what_fires_within_half_a_minute_is_one_message(
        self, session: Session, clock: Clock, wire: Wire
    ) -> None:
        told = config()
        for number in range(12):
            found = replace(SPIKE, key=f"spike:{number}", title=f"Brand {number}")
            alerts.fire(session, found, told.alerts)
            clock.go(seconds=2)
        run(session, wire, told, clock, seconds=10)
        ((name, letter),) = wire.taken
        assert (name, letter.title) == ("pager", "12 alerts: Brand 0")
        assert all(f"- Brand {number}\n" in f"{letter.text}\n" for number in range(12))
        assert "... and 2 more" in letter.text

    def test_pagerduty_joins_by_itself(self, session: Session, clock: Clock, wire: Wire) -> None:
        told = replace(config(), channels={"pager": "pagerduty://key"})
        for number in range(2):
            alerts.fire(session, replace(SPIKE, key=f"spike:{number}"), told.alerts)
        run(session, wire, told, clock, minutes=1)
        assert [letter.key for _, letter in wire.taken] == ["spike:0", "spike:1"]

    def test_tickets_wait_for_the_morning_and_pages_do_not(
        self, session: Session, clock: Clock, wire: Wire
    ) -> None:
        told = config(quiet="22:00-07:00", escalate=[], ticket=["mail"])
        clock.go(hours=10)  # 23:00 in Vienna
        alerts.fire(session, SLOW, told.alerts)
        alerts.fire(session, SPIKE, told.alerts)
        run(session, wire, told, clock, minutes=5)
        assert wire.titles == [("pager", SPIKE.title)]
        run(session, wire, told, clock, hours=5)
        run(session, wire, told, clock, hours=3)
        assert [t for t in wire.titles if t[0] == "mail"] == [("mail", f"Still: {SLOW.title}")]

    def test_without_a_pager_pages_go_where_tickets_go(self) -> None:
        assert settings(page=[]).told(urgent=True) == ["mail"]
        assert settings(ticket=[]).told(urgent=False) == []


class TestFailure:
    def test_it_is_tried_until_it_went_and_is_never_doubled(
        self, session: Session, clock: Clock, wire: Wire
    ) -> None:
        told = config(escalate=[])
        wire.broken = {"pager"}
        alerts.fire(session, SPIKE, told.alerts)
        run(session, wire, told, clock, seconds=31)
        run(session, wire, told, clock, seconds=1)
        assert session.exec(select(Delivery.tries)).one() == 1, "it waits between two tries"
        wire.broken = set()
        for _ in range(4):
            run(session, wire, told, clock, minutes=1)
        assert wire.titles == [("pager", SPIKE.title)]
        assert session.exec(select(Channel.failures)).one() == 0

    def test_a_dead_channel_is_told_through_another_until_it_lives(
        self, session: Session, clock: Clock, wire: Wire
    ) -> None:
        told = config()
        wire.broken = {"pager"}
        alerts.fire(session, SPIKE, told.alerts)
        for _ in range(5):
            run(session, wire, told, clock, minutes=1)
        dead = "Alerts do not reach the channel “pager”"
        assert sorted(wire.titles) == [("lead", dead), ("mail", dead)]
        found = the(session, "channel:pager")
        assert "refused" in found.text
        wire.broken = set()
        for _ in range(10):
            run(session, wire, told, clock, minutes=1)
        assert ("pager", SPIKE.title) in wire.titles
        assert ("mail", f"Over: {dead}") in wire.titles
        assert the(session, "channel:pager").state == AlertState.RESOLVED

    def test_a_channel_without_an_address_says_which_variable(
        self, session: Session, clock: Clock, wire: Wire
    ) -> None:
        told = replace(config(), channels={})
        alerts.fire(session, SPIKE, told.alerts)
        run(session, wire, told, clock, minutes=1)
        assert "MONITOR_CHANNEL_PAGER_URL" in (session.exec(select(Channel.error)).one() or "")

    def test_a_channel_that_is_gone_from_the_settings_is_dropped(
        self, session: Session, clock: Clock, wire: Wire
    ) -> None:
        alerts.fire(session, SPIKE, config().alerts)
        run(session, wire, config(page=["other"]), clock, minutes=1)
        assert wire.taken == []
        assert "no longer" in (session.exec(select(Delivery.error)).one() or "")

    def test_a_test_message_proves_a_channel(self, session: Session, wire: Wire) -> None:
        told = config()
        wire.broken = {"mail"}
        assert notify.prove(session, told, "mail", wire) == "refused"
        assert notify.prove(session, told, "pager", wire) is None
        assert notify.prove(session, told, "nobody", wire) is not None
        ((name, letter),) = wire.taken
        assert (name, letter.title) == ("pager", "Complaint monitor: a test")
        state = {row.name: row.failures for row in session.exec(select(Channel))}
        assert state == {"mail": 1, "pager": 0, "nobody": 1}

    def test_its_end_is_not_told_while_nobody_knows_whether_it_went(
        self, session: Session, clock: Clock, wire: Wire
    ) -> None:
        told = config()
        alerts.fire(session, SPIKE, told.alerts)
        clock.go(minutes=1)
        batch = notify._claim(session, told, "pager")
        assert len(batch) == 1
        alerts.resolve(session, "spike:all", told.alerts)
        run(session, wire, told, clock, seconds=40)
        assert wire.taken == []
        notify._settle(session, told, "pager", batch, None)
        run(session, wire, told, clock, seconds=40)
        assert wire.titles == [("pager", f"Over: {SPIKE.title}")]


def test_quiet_hours_may_span_midnight() -> None:
    zone = ZoneInfo("Europe/Vienna")
    told = settings(quiet="22:00-07:00")
    hours = [
        hour
        for hour in range(24)
        if told.is_quiet(datetime(2026, 11, 20, hour, tzinfo=zone).astimezone(UTC), zone)
    ]
    assert hours == [0, 1, 2, 3, 4, 5, 6, 22, 23]
    assert not settings().is_quiet(NOON, zone)
    for wrong in ("22-7", "25:00-07:00", "07:00-07:00", 7):
        with pytest.raises(ValueError, match="22:00-07:00"):
            settings(quiet=wrong)


def test_a_reminder_is_a_length_or_never() -> None:
    assert settings().remind_after == timedelta(hours=12)
    assert settings(remind_after="90 min").remind_after == timedelta(minutes=90)
    assert settings(remind_after="never").remind_after is None
    with pytest.raises(ValueError, match="'8 h', or \"never\""):
        settings(remind_after="0 h")
