"""What the watchers see, on both databases: surges, sources, cases, promises, the engine."""

import shutil
from collections import namedtuple
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import Session, col, select

from monitor.alert_settings import AlertSettings
from monitor.config import Config, load
from monitor.desk import cases
from monitor.desk.arrivals.triage import triage_new
from monitor.settings import Digest
from monitor.store.models import (
    Alert,
    AlertKind,
    AlertState,
    Author,
    Commitment,
    Delivery,
    Fetch,
    Incident,
    IncidentCase,
    IncidentStatus,
    Outcome,
    Post,
    Severity,
    SlaKind,
    SlaResult,
    Source,
    SourceState,
    now,
)
from monitor.watch.alerting import alert_words, alerts, health
from monitor.watch.alerting.alert_rows import Finding
from monitor.watch.alerting.channels import Letter
from monitor.watch.detection import backtest, outages, spikes, surges, tally
from monitor.watch.detection.tally import ALL, Said, Tally
from monitor.watch.looking import lookout
from monitor.watch.looking.broken_promises import broken_promises, broken_slas
from monitor.watch.looking.grave_cases import grave_cases
from monitor.watch.looking.watchers import Watchers
from monitor.watch.trends.measures import Asked
from tests.conftest import ALICE, NOON

TOLD = AlertSettings(page=["pager"], ticket=["mail"], words=["lawyer"], reach=10_000)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Acme's, with a source, a pager and a mailbox."""
    path = tmp_path / "config.toml"
    path.write_text(
        'timezone = "Europe/Vienna"\n[company]\nname = "Acme"\n'
        '[sources.acme]\nconnector = "demo"\nevery_seconds = 60\n',
        encoding="utf-8",
    )
    channels = {"pager": "json://pager", "mail": "json://mail"}
    return replace(load(path), alerts=TOLD, channels=channels)


class Feed:
    """Posts that are put into a database, scored."""

    def __init__(self, session: Session, source: Source) -> None:
        self.session, self.source, self.number = session, source, 0
        self.authors: dict[str, int] = {}

    def author(self, name: str, network: str = "net", **values: Any) -> int:
        """The id of an author."""
        if name not in self.authors:
            made = Author(network=network, external_id=name, handle=name, **values)
            self.session.add(made)
            self.session.flush()
            self.authors[name] = made.id
        return self.authors[name]

    def post(
        self,
        at: datetime,
        *,
        text: str = "",
        author: str = "",
        complaint: float | None = 0.9,
        network: str = "net",
        severity: float = 0.5,
        **values: Any,
    ) -> Post:
        """One post; each by somebody else with other words, if not told otherwise."""
        self.number += 1
        name = author or f"p{self.number}"
        made = Post(
            network=network,
            external_id=str(self.number),
            source_id=self.source.id,
            author_id=self.author(name, network),
            text=text or f"Acme is down {self.number}",
            thread=str(self.number),
            created_at=at,
            scorer=None if complaint is None else "x",
            complaint=complaint,
            severity=severity,
            **values,
        )
        self.session.add(made)
        return made

    def days(self, days: int = 6, each_hour: int = 2) -> None:
        """A usual past: `each_hour` complaints, and as many posts that are none."""
        for hour in range(days * 24, 1, -1):
            for part in range(each_hour):
                at = now() - timedelta(hours=hour) + timedelta(minutes=50 / each_hour * part + 7)
                self.post(at)
                self.post(at + timedelta(minutes=3), complaint=0.1)
        self.session.commit()

    def surge(self, count: int = 30, minutes: float = 40, **values: Any) -> None:
        """Many at once, until now."""
        for number in range(count):
            self.post(now() - timedelta(minutes=minutes * (1 - number / count)), **values)
        self.session.commit()

    def case(self, text: str = "Acme is down", hours: float = 1, **author: Any) -> int:
        """A complaint with its case; the author may be special."""
        name = f"special{self.number}"
        self.author(name, **author)
        post = self.post(now() - timedelta(hours=hours), text=text, author=name)
        self.session.commit()
        triage_new(self.session, 0.5)
        self.session.refresh(post)
        assert post.case_id is not None
        return post.case_id


@pytest.fixture
def feed(session: Session, source: Source) -> Feed:
    """An empty feed; its source works."""
    source.last_success_at = now()
    session.add(source)
    session.commit()
    return Feed(session, source)


def standing(session: Session) -> dict[str, Alert]:
    """What is not over, by key."""
    session.rollback()
    session.expire_all()
    found = session.exec(select(Alert).where(col(Alert.state) != AlertState.RESOLVED))
    return {alert.key: alert for alert in found}


class TestFolding:
    def fold(self, *posts: tuple[float, int, str]) -> list[tuple[bool, bool, bool]]:
        """Complaints at minutes, by authors, with texts."""
        rows = [
            Said(NOON + timedelta(minutes=at), "net", 1, author, True, text)
            for at, author, text in posts
        ]
        return [flags for _, *flags in tally.fold(rows)]  # type: ignore[misc]  # a row of any length

    def test_an_author_counts_once_an_hour(self) -> None:
        found = self.fold((0, 1, "a"), (10, 1, "b"), (61, 1, "c"), (190, 1, "d"), (400, 1, "e"))
        assert [complaint for complaint, _, _ in found] == [True, False, True, True, True]
        assert [new for _, _, new in found] == [True, False, False, False, True]

    def test_a_long_text_counts_once_and_a_short_one_is_everybodys(self) -> None:
        long = "Share this: Acme takes your money and laughs at you"
        found = self.fold((0, 1, long), (5, 2, f"{long.upper()}!!! @acme https://x.example"))
        assert [complaint for complaint, _, _ in found] == [True, False]
        found = self.fold((0, 1, "Acme is down"), (5, 2, "Acme is down"))
        assert [complaint for complaint, _, _ in found] == [True, True]

    def test_ours_blocked_and_reposts_do_not_count(self, session: Session, feed: Feed) -> None:
        at = now() - timedelta(hours=1)
        feed.author("us", own=True)
        feed.author("troll", blocked=True)
        feed.post(at, author="us")
        feed.post(at, author="troll")
        feed.post(at, repost_of="1")
        feed.post(at, complaint=None)
        feed.post(at)
        session.commit()
        rows = list(tally.read(session, at - timedelta(hours=1), now(), 0.5))
        assert [said.complaint for said in rows] == [False, True]


class TestTally:
    def test_looks_one_after_the_other_see_what_one_look_sees(
        self, session: Session, feed: Feed
    ) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            feed.days(2)
            kept = Tally(0.5, 3 * 288)
            kept.look(session, now())
            for minutes in (3, 7, 31, 200, 400):
                clock.shift(timedelta(minutes=minutes))
                feed.post(now() - timedelta(minutes=1))
                feed.post(now() - timedelta(hours=20), text="It came late, a day after all others")
                late = feed.post(now() - timedelta(minutes=50), complaint=None)
                session.commit()
                kept.look(session, now())
                late.complaint, late.scorer = 0.9, "x"
                session.commit()
                kept.look(session, now())
                fresh = Tally(0.5, 3 * 288)
                fresh.look(session, now())
                assert kept.start == fresh.start
                assert np.array_equal(kept.tables[ALL], fresh.tables[ALL]), minutes
            assert set(kept.tables) == {ALL, "network:net", f"source:{feed.source.id}"}

    def test_of_what_was_never_posted_there_are_no_counts(self, session: Session) -> None:
        kept = Tally(0.5, 288)
        assert kept.counts(ALL) is None
        kept.look(session, now())
        assert kept.counts(ALL) is None


class TestOutages:
    def fetches(self, feed: Feed, begin: timedelta, end: timedelta, **values: Any) -> None:
        """A fetch every ten minutes, from so long ago until so long ago."""
        at = now() - begin
        while at <= now() - end:
            feed.session.add(
                Fetch(source_id=feed.source.id, started_at=at, finished_at=at, **values)
            )
            at += timedelta(minutes=10)
        feed.session.commit()

    def dead(self, session: Session, config: Config) -> list[float]:
        """The hours ago, in whole ones, of which nothing could be seen."""
        kept = Tally(0.5, 20 * 288, config.every)
        kept.look(session, now())
        counts = kept.counts(ALL)
        assert counts is not None
        if counts.dead is None:
            return []
        hours = counts.dead[len(counts.dead) % 12 :].reshape(-1, 12).sum(axis=1)
        return [len(hours) - int(hour) for hour in np.flatnonzero(hours == 12)]

    @pytest.mark.slow
    @pytest.mark.parametrize("how", ["off", "failing", "silent"])
    def test_after_five_days_of_seeing_nothing_the_usual_is_no_surge(
        self, session: Session, feed: Feed, config: Config, how: str
    ) -> None:
        day, back = timedelta(days=1), timedelta(minutes=350)
        with time_machine.travel(NOON, tick=False):
            for minutes in range(14 * 1440, 0, -4):
                if not 350 < minutes <= 5 * 1440 + 350:
                    author = f"carol{minutes % 400}"  # of a hundred, each once in hours
                    feed.post(now() - timedelta(minutes=minutes), author=author)
            session.commit()
            self.fetches(feed, 14 * day, 5 * day + back)
            self.fetches(feed, back, timedelta())
            if how != "off":
                error = "it answered 503" if how == "failing" else None
                self.fetches(feed, 5 * day + back, back, error=error)
            watching, rules = Watchers(config, 0.5), surges.detector(config.alerts)
            watching.look(session)
            assert "spike:all" not in standing(session)
            tried = backtest.backtest(session, 0.5, rules, 2, now(), config.every)
            assert tried.firings == []
            counts = watching.counted.counts(ALL)
            assert counts is not None
            unaware = spikes.run(replace(counts, dead=None), rules)
            assert any(said.opening for said in unaware[-60:]), "as if nobody had posted for days"

    def test_what_was_posted_meanwhile_and_came_later_was_seen(
        self, session: Session, feed: Feed, config: Config
    ) -> None:
        with time_machine.travel(NOON, tick=False):
            feed.days(4)
            self.fetches(feed, timedelta(days=4), timedelta(hours=30))
            self.fetches(feed, timedelta(hours=10), timedelta())
            assert self.dead(session, config) == []

    def test_the_last_gap_may_still_run_and_a_slow_source_may_wait(
        self, session: Session, feed: Feed, config: Config
    ) -> None:
        with time_machine.travel(NOON, tick=False):
            feed.post(now() - timedelta(hours=40))
            session.commit()
            self.fetches(feed, timedelta(hours=45), timedelta(hours=3))
            assert self.dead(session, config) == [3, 2, 1]
            every = {"acme": timedelta(hours=2)}
            assert outages.gaps(session, now() - timedelta(days=3), now(), every) == {
                feed.source.id: []
            }

    def test_all_of_it_is_dead_only_where_every_source_is(
        self, session: Session, feed: Feed, config: Config
    ) -> None:
        with time_machine.travel(NOON, tick=False):
            feed.post(now() - timedelta(hours=40))
            self.fetches(feed, timedelta(hours=45), timedelta(hours=9))
            first, feed.source = feed.source, Source(name="other", connector="demo")
            session.add(feed.source)
            session.commit()
            feed.post(now() - timedelta(hours=40))
            self.fetches(feed, timedelta(hours=45), timedelta(hours=4))
            by_hand = Source(name="by hand", connector="none", configured=False)
            session.add(by_hand)
            session.commit()
            feed.source = by_hand
            feed.post(now() - timedelta(hours=39), network="by hand")
            session.commit()
            assert self.dead(session, config) == [4, 3, 2, 1]
            kept = Tally(0.5, 20 * 288, config.every)
            kept.look(session, now())
            assert {name: int(mask[-108:].sum()) for name, mask in kept.dead.items()} == {
                ALL: 48,
                "network:net": 48,
                f"source:{first.id}": 108,
                f"source:{first.id + 1}": 48,
            }


class TestSurges:
    @pytest.mark.slow
    def test_it_fires_once_says_what_and_is_over(
        self, session: Session, feed: Feed, config: Config
    ) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            feed.days()
            watching = Watchers(config, 0.5)
            watching.look(session)
            assert standing(session) == {}
            feed.surge(text="")
            feed.post(
                now() - timedelta(minutes=1), text="@ben_b call me: +43 660 1234567", severity=1
            )
            session.commit()
            clock.shift(timedelta(minutes=1))
            feed.source.last_success_at = now()
            for _ in range(2):
                watching.look(session)
            (alert,) = standing(session).values()
            assert (alert.key, alert.severity, alert.firings) == ("spike:all", Severity.PAGE, 1)
            assert alert.title.startswith("Acme: 3")
            assert "complaints in an hour" in alert.title
            assert "usual at this time are" in alert.text
            assert "It has fired since Fri 20 Nov 13:00." in alert.text
            assert "“(name) call me: (number)” (net)" in alert.text
            assert len(alert.posts.split(",")) == 3
            assert len(session.exec(select(Delivery)).all()) == 1
            # A restart changes nothing.
            Watchers(config, 0.5).look(session)
            assert session.exec(select(Alert.firings)).all() == [1]
            for number in range(54):
                clock.shift(timedelta(minutes=5))
                feed.post(now() - timedelta(minutes=1), complaint=0.1 if number % 6 else 0.9)
                if number == 12:
                    watching.look(session)
                    (ebbing,) = standing(session).values()
                    assert (ebbing.title, ebbing.text) == (alert.title, alert.text)
                    assert ebbing.value < 20 < ebbing.peak  # type: ignore[operator]  # it has both
                feed.source.last_success_at = now()
                session.commit()
                watching.look(session)
            assert standing(session) == {}

    def test_a_robot_and_a_campaign_are_no_surge(
        self, session: Session, feed: Feed, config: Config
    ) -> None:
        feed.days()
        feed.surge(60, author="robot")
        feed.surge(60, text="Sign the petition against Acme, everybody has to know of it")
        Watchers(config, 0.5).look(session)
        assert standing(session) == {}

    @pytest.mark.slow
    def test_with_two_networks_the_part_is_shown_and_the_whole_is_told(
        self, session: Session, feed: Feed, config: Config
    ) -> None:
        feed.days()
        for hour in range(140):
            feed.post(now() - timedelta(hours=hour + 2), network="x")
        feed.surge(40)
        Watchers(config, 0.5).look(session)
        assert set(standing(session)) == {"spike:all", "spike:network:net"}
        told = session.exec(select(Delivery.alert_id)).all()
        assert told == [standing(session)["spike:all"].id]

    def test_an_incident_that_grows_again(
        self, session: Session, feed: Feed, config: Config
    ) -> None:
        case_id = feed.case()
        incident = Incident(
            title="No calls: carol@x.example @dan 0660 1234567",
            status=IncidentStatus.OPEN,
            first_seen_at=now() - timedelta(days=9),
            last_seen_at=now(),
        )
        session.add(incident)
        session.flush()
        session.add(IncidentCase(case_id=case_id, incident_id=incident.id))
        session.commit()
        feed.days()
        feed.surge(40)
        session.execute(sa.update(Post).values(case_id=case_id))
        session.commit()
        Watchers(config, 0.5).look(session)
        key = f"spike:incident:{incident.id}"
        title = standing(session)[key].title
        assert title.startswith("“No calls: (mail) (name) (number)”: ")
        incident.status = IncidentStatus.FIXED
        session.commit()
        Watchers(config, 0.5).look(session)
        assert set(standing(session)) == {"spike:all"}

    @pytest.mark.slow
    def test_the_past_would_have_fired_as_the_engine_does(
        self, session: Session, feed: Feed, config: Config
    ) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            feed.days()
            feed.surge()
            clock.shift(timedelta(minutes=1))
            rules = surges.detector(config.alerts)
            found = backtest.backtest(session, 0.5, rules, 90, now(), config.every)
            (firing,) = found.firings
            assert firing.ended is None
            assert firing.severity is Severity.PAGE
            assert found.learned_since is not None
            assert sum(number for _, number in found.by_day) == len(
                session.exec(select(Post).where(col(Post.complaint) > 0.5)).all()
            )
            assert found.by_day[-1][0] == f"{NOON:%Y-%m-%d}"
            east = ZoneInfo("Pacific/Kiritimati")
            there = backtest.backtest(
                session, 0.5, rules, 90, now(), config.every, zone=east
            ).by_day
            assert there[-1][0] == f"{NOON + timedelta(days=1):%Y-%m-%d}"
            assert sum(n for _, n in there) == sum(n for _, n in found.by_day)
            nowhere = backtest.backtest(
                session, 0.5, rules, 90, now(), config.every, network="nowhere"
            )
            assert (nowhere.firings, nowhere.learned_since) == ([], None)
            by_source = backtest.backtest(
                session, 0.5, rules, 90, now(), config.every, source="acme"
            )
            assert by_source.firings == found.firings
            assert backtest.choices(session) == (["net"], ["acme"])

    def test_memory_survives_and_nonsense_is_forgotten(self) -> None:
        opening = spikes.Opening(NOON, spikes.Severity.TICKET, spikes.Kind.SLOW)
        assert surges.remembered(surges.memory(opening)) == opening
        assert surges.remembered("") is None
        assert surges.remembered("x page fast") is None


class TestSources:
    def test_one_that_is_off_or_fails_for_long_and_works_again(
        self, session: Session, feed: Feed, config: Config
    ) -> None:
        source, watching = feed.source, Watchers(config, 0.5)
        source.failures, source.last_error = 2, "boom"
        source.last_success_at = now() - timedelta(hours=2)
        session.commit()
        watching.look(session)
        assert standing(session) == {}, "twice is everyday life"
        source.failures = 3
        session.commit()
        watching.look(session)
        alert = standing(session)["source:acme"]
        assert (alert.kind, alert.severity) == (AlertKind.SOURCE, Severity.PAGE)
        assert alert.title == "Source acme has failed for 2 h 0 min"
        source.state, source.last_error = (
            SourceState.OFF,
            ("Renew the\ntoken. @carol: https://net.example/?token=s3cret"),
        )
        session.commit()
        watching.look(session)
        assert "only a person can mend it" in standing(session)["source:acme"].title
        assert standing(session)["source:acme"].text.endswith(
            "The last error: Renew the token. (name): (link)"
        )
        source.state, source.failures, source.last_success_at = SourceState.ACTIVE, 0, now()
        session.commit()
        watching.look(session)
        assert standing(session) == {}

    @pytest.mark.slow
    def test_one_that_answers_and_brings_nothing_is_silent(
        self, session: Session, feed: Feed, config: Config
    ) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            feed.days(8, each_hour=20)
            watching = Watchers(config, 0.5)
            watching.look(session)
            clock.shift(timedelta(hours=3))
            feed.source.last_success_at = now()
            session.commit()
            for _ in range(2):
                watching.look(session)
            alert = standing(session)["silence:acme"]
            assert alert.severity == Severity.PAGE
            assert "brings nothing since" in alert.text


class TestCases:
    def test_of_a_vip_of_many_readers_and_with_a_critical_word(
        self, session: Session, feed: Feed, config: Config
    ) -> None:
        vip = feed.case(vip=True)
        reach = feed.case(followers=50_000)
        word = feed.case("Acme is down, my LAWYER will call")
        feed.case("Acme is down, say the flawyers")
        feed.case(hours=30, vip=True)
        watching = Watchers(config, 0.5)
        for _ in range(2):
            watching.look(session)
        found = standing(session)
        assert {key: alert.kind for key, alert in found.items()} == {
            f"case:{vip}": AlertKind.VIP,
            f"case:{reach}": AlertKind.REACH,
            f"case:{word}": AlertKind.WORD,
        }
        assert found[f"case:{reach}"].title == "Acme: a complaint that 50,000 people may read"
        assert found[f"case:{word}"].title == "Acme: a complaint says “lawyer”"
        cases.claim(session, vip, ALICE)
        cases.resolve(session, reach, ALICE, Outcome.SOLVED)
        watching.look(session)
        assert set(standing(session)) == {f"case:{word}"}

    def test_an_old_one_is_not_over_because_it_is_old(
        self, session: Session, feed: Feed, config: Config
    ) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            case_id = feed.case(vip=True)
            watching = Watchers(config, 0.5)
            watching.look(session)
            clock.shift(timedelta(days=3))
            feed.source.last_success_at = now()
            session.commit()
            watching.look(session)
            assert set(standing(session)) == {f"case:{case_id}"}

    def test_broken_slas_are_one_alert_a_day_until_they_wait_no_more(
        self, session: Session, feed: Feed, config: Config
    ) -> None:
        ids = [feed.case(hours=3) for _ in range(12)]
        for number, case_id in enumerate(ids):
            session.add(
                SlaResult(
                    case_id=case_id,
                    policy="Everybody",
                    kind=SlaKind.FIRST,
                    due_at=NOON - timedelta(minutes=number),
                    met=False,
                    at=NOON,
                )
            )
        session.commit()
        found = broken_slas(session, config, NOON)
        (alert,) = found
        assert (alert.key, alert.severity) == ("sla:2026-11-20", Severity.TICKET)
        assert alert.title == "SLA promises of Fri 20 Nov broken: 12 cases still wait"
        page, _, query = alert.address.partition("?")
        asked = Asked.of_address(dict(parse_qsl(query)))
        assert (page, asked.measure) == ("rows", "sla-missed")
        assert asked.begins == datetime(2026, 11, 20, tzinfo=config.zone)
        assert asked.ends == datetime(2026, 11, 21, tzinfo=config.zone)
        assert alert.text.endswith("...")
        for case_id in ids[1:]:
            cases.resolve(session, case_id, ALICE, Outcome.SOLVED)
        assert broken_slas(session, config, NOON)[0].title.endswith(": a case still waits")
        assert broken_slas(session, config, NOON + timedelta(days=3)) == []
        cases.resolve(session, ids[0], ALICE, Outcome.SOLVED)
        assert broken_slas(session, config, NOON) == []

    def test_a_promise_that_is_due(self, session: Session, feed: Feed, config: Config) -> None:
        case_id = feed.case()
        due = now() - timedelta(minutes=1)
        promise = Commitment(case_id=case_id, text="We call you", owner=ALICE, due_at=due)
        later = Commitment(case_id=case_id, text="x", owner=ALICE, due_at=now() + timedelta(days=1))
        session.add_all([promise, later])
        session.commit()
        watching = Watchers(config, 0.5)
        watching.look(session)
        assert "alice promised by" in standing(session)[f"promise:{promise.id}"].text
        promise.kept_at = now()
        session.commit()
        watching.look(session)
        assert standing(session) == {}

    def test_no_promise_is_left_out_because_many_are_due(
        self, session: Session, feed: Feed, config: Config
    ) -> None:
        case_id, due = feed.case(), now() - timedelta(hours=2)
        session.add_all(
            Commitment(
                case_id=case_id,
                text="We call you",
                owner=ALICE,
                due_at=due + timedelta(minutes=number % 100),
            )
            for number in range(101)
        )
        session.commit()
        found = {finding.key for finding in broken_promises(session, config, now())}
        assert len(found) == 101


class TestMachine:
    def test_a_backlog_that_does_not_shrink(
        self, session: Session, feed: Feed, config: Config
    ) -> None:
        few = replace(config, alerts=TOLD.model_copy(update={"backlog": 10}))
        watching = Watchers(few, 0.5)
        for _ in range(12):
            feed.post(now(), complaint=None)
        session.commit()
        watching.look(session)
        assert standing(session) == {}, "it may be work in progress"
        watching.look(session)
        assert standing(session)["backlog"].severity == Severity.TICKET
        for post in session.exec(select(Post)).all()[:4]:
            post.scorer, post.triaged_at = "x", now()
        session.commit()
        watching.look(session)
        assert "backlog" in standing(session), "half of it is still there"
        for post in session.exec(select(Post)).all():
            post.scorer, post.triaged_at = "x", now()
        session.commit()
        watching.look(session)
        assert standing(session) == {}

    def test_a_channel_that_is_gone_from_the_settings_is_no_longer_dead(
        self, session: Session, config: Config
    ) -> None:
        for name in ("pager", "board", "gone"):
            text = f"{name} fails"
            found = Finding(f"channel:{name}", AlertKind.CHANNEL, Severity.PAGE, text, text)
            alerts.fire(session, found, config.alerts)
        Watchers(replace(config, digest=Digest(channels=["board"])), 0.5).look(session)
        assert set(standing(session)) == {"channel:pager", "channel:board"}

    def test_a_disk_that_fills_up(
        self, session: Session, config: Config, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = namedtuple("usage", "total used free")
        watching = Watchers(config, 0.5)
        seen = []
        for free in (60, 40, 55, 70):
            found = usage(1000, 1000 - free, free)
            monkeypatch.setattr(shutil, "disk_usage", lambda path, found=found: found)
            watching.look(session)
            seen.append("disk" in standing(session))
        here = session.get_bind().dialect.name == "sqlite"
        assert seen == ([False, True, True, False] if here else [False] * 4)

    def test_a_dead_engine_is_seen_and_told_from_outside(
        self, session: Session, config: Config
    ) -> None:
        sent: list[str] = []

        def send(address: str, letter: Letter) -> str | None:
            sent.append(letter.title)
            return None

        assert not lookout.look(session, config, send), "it has never run"
        with time_machine.travel(NOON, tick=False) as clock:
            health.beat(session)
            clock.shift(timedelta(seconds=59))
            assert not lookout.look(session, config, send)
            for _ in range(5):
                clock.shift(timedelta(seconds=20))
                assert lookout.look(session, config, send)
            dead = "The engine has stopped: nothing is collected"
            assert sent == [dead]
            health.beat(session)
            assert not lookout.look(session, config, send)
            Watchers(config, 0.5).look(session)
            assert standing(session) == {}

    def test_one_that_is_slow_to_start_is_not_judged_by_the_run_before(
        self, session: Session, config: Config
    ) -> None:
        sent: list[str] = []

        def look(since: datetime) -> bool:
            return lookout.look(
                session, config, lambda address, letter: sent.append(letter.text), since=since
            )

        with time_machine.travel(NOON, tick=False) as clock:
            health.beat(session)
            clock.shift(timedelta(hours=9))
            since = now()
            for _ in range(5):
                clock.shift(timedelta(seconds=10))
                assert not look(since)
            clock.shift(timedelta(seconds=10))
            assert look(since), "it did not start at all"
            clock.shift(timedelta(seconds=40))
            assert look(since)
        assert len(sent) == 1

    def test_a_part_that_ends_is_told_at_once(self, session: Session, config: Config) -> None:
        sent: list[str] = []
        lookout.ended(
            session, config, "dashboard", lambda address, letter: sent.append(letter.text)
        )
        assert len(sent) == 1
        assert "The dashboard ended by itself" in sent[0]
        assert "wait for the engine" in sent[0]


class TestWording:
    @pytest.mark.parametrize(
        ("text", "names", "said"),
        [
            ("Call @ben.b@x.example now", False, "Call (name) now"),
            ("Call @ben now @everyone", True, "Call ＠ben now ＠everyone"),
            ("<!channel> <@U1>\nlook", False, "‹!channel› ‹(name)› look"),
            ("mail a.b@c.example or https://x.example/y", False, "mail (mail) or (link)"),
            ("my number: 0660 123-45 67, order 12345", False, "my number: (number), order 12345"),
            ("助けて@alice", False, "助けて(name)"),
            ("danke@bob! ＠carol, @dan@x.example", False, "danke(name)! (name), (name)"),
            ("it was carol@x.example, not ＠carol", True, "it was (mail), not ＠carol"),
            ("ask ｃａｒｏｌ＠x.example: ０６６０１２３４５", False, "ask (mail): (number)"),
            ("\u202eevil\u200b\x07", False, "evil"),
            ("x" * 400, False, "x" * 159 + "…"),
        ],
    )
    def test_a_quote_calls_nobody_and_gives_nobody_away(
        self, text: str, names: bool, said: str
    ) -> None:
        assert alert_words.quote(text, names=names) == said

    def test_spans(self) -> None:
        lengths = (timedelta(seconds=30), timedelta(minutes=61), timedelta(days=2, hours=3))
        assert [alert_words.span(length) for length in lengths] == ["0 min", "1 h 1 min", "2 d 3 h"]


def test_a_fresh_database_has_nothing_to_say(session: Session, config: Config) -> None:
    Watchers(config, 0.5).look(session)
    assert standing(session) == {}


def plans(session: Session, ask: Callable[[], object]) -> str:
    """How SQLite finds what is asked meanwhile."""
    asked: list[tuple[str, Any]] = []

    def note(*call: Any) -> None:
        asked.append((call[2], call[3]))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    connection = session.connection()
    return "\n".join(
        row[3]
        for statement, values in asked
        if statement.startswith("SELECT")
        for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
    )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_look_goes_through_neither_all_cases_nor_all_posts(
    session: Session, config: Config
) -> None:
    grave = plans(session, lambda: grave_cases(session, config, NOON, {"case:1"}))
    assert "USING INDEX ix_case_waiting (status=? AND waiting_since>?)" in grave
    assert "SCAN case" not in grave
    changed = plans(session, lambda: Tally(0.5, 10)._changed_since(session))
    assert "SEARCH post USING INTEGER PRIMARY KEY (rowid>?)" in changed
    assert "ix_post_trends" not in changed
