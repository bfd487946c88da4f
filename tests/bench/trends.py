"""How fast the trends are with a million posts and 200,000 cases, spread over half a year.

    python -m tests.bench.trends [FILE]

Ninety days against the ninety before then count every post there is. Prints the time on the clock
and the processor's for each part of the page on SQLite. FILE: keep the database there.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session

from monitor.hours import Hours, shift
from monitor.store.db import connect, migrate
from monitor.store.models import now
from monitor.watch.trends.conditions import Rules
from monitor.watch.trends.overview import overview, whats_new
from monitor.watch.trends.periods import last_days
from monitor.watch.trends.response import response
from monitor.watch.trends.volumes import volumes
from tests.bench.queue import CASES, POSTS, fill

REPEATS = 5
VIENNA = ZoneInfo("Europe/Vienna")
WEEK = ((shift("09:00-12:30"), shift("13:30-17:00")),) * 5 + ((), ())
RULES = Rules(0.5, Hours(VIENNA, WEEK))

RESHAPE = f"""
UPDATE post SET
    created_at = strftime('%Y-%m-%d %H:%M:%S', 'now', '-' || CAST(id * 15.5 AS INT) || ' seconds')
        || '.000000',
    complaint = CASE WHEN id % {POSTS // CASES} = 0 THEN 0.9 ELSE (id % 97) / 200.0 END,
    language = CASE WHEN id % 10 < 6 THEN 'en' WHEN id % 10 < 9 THEN 'de' END,
    case_id = CASE WHEN id % {POSTS // CASES} = 0 THEN id / {POSTS // CASES} END;
UPDATE "case" SET post_id = id * {POSTS // CASES};
UPDATE "case" SET opened_at = (SELECT created_at FROM post WHERE post.id = post_id);
UPDATE "case" SET first_answered_at = strftime('%Y-%m-%d %H:%M:%S', opened_at,
        '+' || (id * 7919 % 2880) || ' minutes') || '.000000' WHERE id % 10 < 7;
UPDATE "case" SET status = 'resolved', outcome = CASE id % 3 WHEN 0 THEN 'explained' ELSE 'solved'
        END, resolved_at = strftime('%Y-%m-%d %H:%M:%S', first_answered_at, '+1 day') || '.000000'
    WHERE id % 10 < 6;
UPDATE "case" SET status = 'resolved', outcome = 'dismissed', dismissal = 'spam',
        resolved_at = first_answered_at, first_answered_at = NULL WHERE id % 10 = 6;
INSERT INTO reply (case_id, post_id, agent, text, status, "key", elsewhere, created_at, updated_at,
        sent_at, url)
    SELECT id, post_id, CASE id % 5 WHEN 0 THEN 'alice' ELSE 'bob' END, '', 'seen', 'bench' || id,
        0, first_answered_at, first_answered_at, first_answered_at, ''
    FROM "case" WHERE first_answered_at IS NOT NULL;
INSERT INTO slaresult (case_id, policy, kind, due_at, met, at)
    SELECT id, 'Everybody', 'first response', first_answered_at, id % 4 > 0, first_answered_at
    FROM "case" WHERE first_answered_at IS NOT NULL;
ANALYZE
"""


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(sys.argv[1] if len(sys.argv) > 1 else f"{folder}/monitor.db")
        known = path.exists()
        database = connect(f"sqlite:///{path}")
        migrate(database)
        if not known:
            fill(database)
            with database.begin() as connection:
                for statement in RESHAPE.split(";\n"):
                    connection.exec_driver_sql(statement)
        print(f"{POSTS:,} posts, {CASES:,} cases: {path.stat().st_size >> 20} MB")
        for days in (7, 30, 90):
            measure(database, days)
        database.dispose()


def measure(database: sa.Engine, days: int) -> None:
    """Print how long the page and its parts take for a period."""
    at = now()
    period = last_days(days, VIENNA, at)
    before = period.before(at)
    with Session(database) as session:
        parts: dict[str, Callable[[], object]] = {
            "the page": lambda: overview(database, period, "network", RULES, at),
            "the page by language": lambda: overview(database, period, "language", RULES, at),
            "of it volumes": lambda: volumes(session, period, "network", RULES, at),
            "of it response": lambda: response(session, period.begins, period.ends, RULES),
            "what is new, drawn after the rest": lambda: whats_new(session, period, before, RULES),
        }
        for name, part in parts.items():
            wall, cpu = clock(part)
            print(f"{days} days, {name}: {wall:.0f} ms ({cpu:.0f} ms of processor)")


def clock(part: Callable[[], object]) -> tuple[float, float]:
    """Medians of the time on the clock and the processor's, in milliseconds."""
    walls, cpus = [], []
    for _ in range(REPEATS):
        wall, cpu = time.perf_counter(), time.process_time()
        part()
        walls.append(1000 * (time.perf_counter() - wall))
        cpus.append(1000 * (time.process_time() - cpu))
    return statistics.median(walls), statistics.median(cpus)


if __name__ == "__main__":
    main()
