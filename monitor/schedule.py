"""The engine: which job follows which, and when. Each job opens its own session.

Fetching one source never waits for another, as every source has a job of its own. Work is found in
the database, never handed over in memory: an engine that is killed loses nothing.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from sqlmodel import Session

from connectors.base import Connector
from monitor.answer import promises, settling, threads
from monitor.config import Config, ConfigError, line_of
from monitor.desk import cases, labels
from monitor.desk.arrivals.refresh import refresh
from monitor.desk.arrivals.triage import triage_new
from monitor.desk.clock import sla_clock
from monitor.desk.queue import assign
from monitor.intake.collect import Watch, collect, own_accounts
from monitor.intake.learning import Learned, Lesson, learn
from monitor.intake.matching import QueryError
from monitor.intake.scoring import rescore, score_new
from monitor.intake.sources import sync_sources
from monitor.model.scorer import Scorer, load_scorer, suggested_threshold
from monitor.store.db import count_anew
from monitor.watch.alerting import alert_rows, alerts, health, notify
from monitor.watch.incident.proposing import propose
from monitor.watch.looking.watchers import LOOK_EVERY, Watchers
from monitor.watch.reports import digest
from monitor.watch.reports.wording import counted

log = logging.getLogger(__name__)

TICK = 1.0
"""Seconds between two looks at the database for work that is due."""


@dataclass(frozen=True)
class Engine:
    """What every job needs. The jobs are its methods."""

    config: Config
    database: sa.Engine
    scorer: Scorer
    watches: dict[str, Watch]

    @classmethod
    def prepare(cls, config: Config, database: sa.Engine) -> "Engine":
        """Check the queries, load the model and bring the source rows up to date.

        Raises ConfigError and ModelError, before anything runs.
        """
        watches = check_queries(config)
        scorer = load_scorer(config.model)
        with Session(database) as session:
            sync_sources(session, config)
        return cls(config, database, scorer, watches)

    def collect(self, name: str) -> None:
        """Fetch one source if it is due."""
        with Session(self.database) as session:
            collect(session, self.watches[name])

    def work_through(self, stop: threading.Event | None = None) -> Iterator[int]:
        """Score and triage until nothing is left or `stop` is set; yields posts done per step."""
        limit = threshold(self.config)
        with Session(self.database) as session:
            while not (stop and stop.is_set()):
                scored = score_new(session, self.scorer)
                triaged = triage_new(session, limit, leads=self.config.leads)
                if not scored and not triaged:
                    return
                yield scored

    def rescore(self) -> Iterator[tuple[int, int]]:
        """Score the posts of the standing cases again and rank these; yields posts and cases."""
        with Session(self.database) as session:
            for posts, case_ids in rescore(session, self.scorer):
                yield posts, refresh(session, case_ids)

    def learn(self, *, again: bool = False) -> Lesson:
        """Learn from the labels that people gave; a better layer is used from the next post on."""
        with Session(self.database) as session:
            lesson = learn(session, self.scorer.name, again=again)
        if lesson.learned is Learned.BETTER:
            log.info("learned from %d labels: layer %s is used now", lesson.labels, lesson.version)
        return lesson

    def draw_sample(self) -> None:
        """Draw last week's blind sample, if nobody has."""
        with Session(self.database) as session:
            labels.draw_sample(session, self.config.zone, threshold(self.config))

    def wake(self) -> None:
        """Bring back the cases whose snooze is over."""
        with Session(self.database) as session:
            cases.wake(session)

    def promise(self) -> None:
        """Set the due times of cases that changed, tell what breaks soon or broke."""
        config = self.config
        with Session(self.database) as session:
            while sla_clock.refresh(session, config.sla, config.hours):
                pass
            sla_clock.watch(session, config.leads, config.desk.warn_before, config.zone)

    def propose_incidents(self) -> None:
        """Compare new cases with the others: those that tell of one fault are proposed."""
        with Session(self.database) as session:
            while propose(session, threshold(self.config), self.config.incidents.window):
                pass

    def promise_anew(self) -> None:
        """Have the due times of every standing case set again: the settings may have changed."""
        with Session(self.database) as session:
            sla_clock.forget(session)

    def auto_assign(self) -> None:
        """Hand out cases that nobody has."""
        with Session(self.database) as session:
            assign.auto_assign(session, self.config.desk_people)

    def tell_promises(self) -> None:
        """Tell who made a promise that it is due, and them and the leads that it is broken."""
        with Session(self.database) as session:
            promises.tell_due(session, self.config.leads)

    def settle(self) -> None:
        """Look for replies whose end is not known or that nobody has seen yet."""
        with Session(self.database) as session:
            settling.settle(session, self.open_connector)

    def follow(self) -> None:
        """Look at the threads of cases that are due, on the network."""
        with Session(self.database) as session:
            threads.follow(session, self.open_connector, own_accounts(self.config))

    def open_connector(self, name: str) -> Connector | None:
        """The connector of a source, or None where config.toml no longer has it."""
        source = self.config.sources.get(name)
        return source.open() if source else None

    def beat(self) -> None:
        """Show that the engine lives."""
        with Session(self.database) as session:
            health.beat(session, detail=self.scorer.name)

    def digest(self) -> None:
        """Put last week's digest into the channels' way, once it is time."""
        if self.config.digest.channels:
            digest.queue_digest(self.database, self.config, threshold(self.config))

    def look_around(self, watchers: Watchers) -> None:
        """Fire alerts of what is wrong, resolve those of what is over."""
        with Session(self.database) as session:
            watchers.look(session)

    def tell(self) -> None:
        """Repeat and escalate alerts, and send what is due."""
        with Session(self.database) as session:
            alerts.tick(session, self.config.alerts)
            notify.send_due(session, self.config)

    def prune(self) -> None:
        """Forget old fetches that told nothing, alerts that are long over, and what they told.

        What is left is counted anew, for the database to choose its indexes by.
        """
        with Session(self.database) as session:
            health.prune_ledger(session)
            alert_rows.prune(session)
            count_anew(session)


def threshold(config: Config) -> float:
    """The complaint probability that opens a case: as configured, or as the model suggests."""
    if config.desk.threshold is not None:
        return config.desk.threshold
    return suggested_threshold() if config.model == "shipped" else 0.5


def check_queries(config: Config) -> dict[str, Watch]:
    """Every enabled source ready to be watched. Raises ConfigError naming the query to mend."""
    watches = {}
    for name, source in config.sources.items():
        if not source.enabled:
            continue
        try:
            watches[name] = Watch.of(config, name)
        except QueryError as error:
            text = config.path.read_text(encoding="utf-8")
            own = source.query != config.company.query
            where = ("sources", name, "query") if own else ("company", "query")
            line = line_of(text, where)
            raise ConfigError(
                f"{config.path} cannot be used:\n  line {line}: {'.'.join(where)}: {error}"
            ) from error
    return watches


def run(engine: Engine, stop: threading.Event) -> None:
    """Run every job until `stop` is set, then let what runs come to its next commit."""
    pool = ThreadPoolExecutor(len(engine.watches) + 8)
    scheduler = BackgroundScheduler(
        executors={"default": pool},
        # A late run is still wanted, but never two of one kind and never a queue of them.
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        timezone="UTC",
    )
    # A backlog outlasts its tick; that the next run waits for it is intended, not news.
    logging.getLogger("apscheduler.scheduler").setLevel(logging.ERROR)

    def every(seconds: float, job: Callable[[], object], name: str) -> None:
        scheduler.add_job(job, "interval", seconds=seconds, id=name, name=name)

    for name in engine.watches:
        every(TICK, _collecting(engine, name), f"collect {name}")
    every(TICK, lambda: deque(engine.work_through(stop), maxlen=0), "score and triage")
    every(15, engine.wake, "wake")
    every(5, engine.promise, "keep promises")
    if engine.config.desk.auto_assign:
        every(10, engine.auto_assign, "hand out cases")
    every(30, engine.tell_promises, "tell of promises")
    every(30, engine.propose_incidents, "propose incidents")
    every(20, engine.settle, "settle replies")
    every(60, engine.follow, "follow threads")
    every(health.BEAT_EVERY.total_seconds(), engine.beat, "beat")
    watchers = Watchers(engine.config, threshold(engine.config))
    every(LOOK_EVERY, lambda: engine.look_around(watchers), "look around")
    every(5, engine.tell, "send alerts")
    every(6 * 3600, engine.prune, "prune")
    every(6 * 3600, engine.learn, "learn")
    every(600, engine.draw_sample, "draw the weekly sample")
    every(60, engine.digest, "queue the digest")
    engine.promise_anew()
    engine.beat()
    scheduler.start()
    many = counted(len(engine.watches), "source")
    log.info("engine runs: %s, model %s", many, engine.scorer.name)
    stop.wait()
    scheduler.shutdown(wait=True)
    log.info("engine stopped")


def _collecting(engine: Engine, name: str) -> Callable[[], None]:
    return lambda: engine.collect(name)
