"""How fast the queue is with a million posts and 200,000 open cases.

    python -m tests.bench.queue [--page] [--posts N]

Prints the median of each query on SQLite, and what the reruns of twenty people cost who work there;
with --page, also the server's processor time for one whole rerun of the queue page, in a real
browser (needs Chromium).
"""

import argparse
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.desk.priority import rank
from monitor.desk.queue import work_queue as wq
from monitor.store.db import connect, migrate
from monitor.store.models import Author, Case, CaseTag, Post, Source, now
from tests.bench.desk import COMMON, RARE, dashboard, measure_people, processor_seconds

POSTS, EACH, REPEATS, RERUNS = 1_000_000, 5, 200, 20
CASES = POSTS // EACH


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.queue")
    parser.add_argument("--page", action="store_true", help="measure the page too (Chromium)")
    parser.add_argument("--posts", type=int, default=POSTS, help="how many posts there are")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/monitor.db"
        began = time.perf_counter()
        database = connect(url)
        migrate(database)
        fill(database, asked.posts)
        size = Path(folder, "monitor.db").stat().st_size >> 20
        print(f"{asked.posts:,} posts, {asked.posts // EACH:,} open cases: {size} MB")
        print(f"filled in {time.perf_counter() - began:.0f} s")
        measure_queries(database)
        with dashboard(Path(folder), url) as (port, server):
            if asked.page:
                measure_page(port, server)
            measure_people(database, port, server)
        database.dispose()


def fill(database: sa.Engine, posts: int = POSTS) -> None:
    """Posts of a fifth as many authors, each with an open case.

    One author in a hundred is a VIP; one case in ten has the common tag, one in 1,000 the rare.
    """
    number = posts // EACH
    random.seed(1)
    at = now()
    vocabulary = "my line is down again since monday nobody answers refund router slow bill"
    with Session(database) as session:
        session.add(Source(id=1, name="bench", connector="file"))
        session.commit()
    networks = ("bluesky", "mastodon", "reddit", "x")
    with database.begin() as connection:
        for first in range(1, number + 1, 10_000):
            numbers = range(first, min(first + 10_000, number + 1))
            authors = [
                {
                    "id": n,
                    "network": networks[n % 4],
                    "external_id": str(n),
                    "handle": f"person{n}",
                    "name": "",
                    "followers": n % 5000,
                    "own": False,
                    "blocked": False,
                    "vip": n % 101 == 0,
                }
                for n in numbers
            ]
            connection.execute(sa.insert(Author), authors)
            cases = []
            for n in numbers:
                case = Case(
                    id=n,
                    author_id=n,
                    network=networks[n % 4],
                    post_id=n,
                    opened_at=at - timedelta(minutes=n),
                    waiting_since=at - timedelta(minutes=random.randrange(40_000)),
                    complaint=random.random(),
                    severity=random.random(),
                    reach=n % 5000,
                    vip=n % 101 == 0,
                    assignee="alice" if n % 50 == 0 else None,
                )
                case.rank = rank(case)
                cases.append(case.model_dump())
            connection.execute(sa.insert(Case), cases)
            tagged = [{"case_id": n, "tag": COMMON} for n in numbers if n % 10 == 3]
            tagged += [{"case_id": n, "tag": RARE} for n in numbers if n % 1009 == 0]
            connection.execute(sa.insert(CaseTag), tagged)
        for first in range(1, posts + 1, 20_000):
            written = [
                {
                    "id": n,
                    "network": networks[n % 4],
                    "external_id": str(n),
                    "source_id": 1,
                    "author_id": (n - 1) % number + 1,
                    "text": " ".join(random.choices(vocabulary.split(), k=25)),
                    "url": "",
                    "created_at": at - timedelta(seconds=n),
                    "fetched_at": at,
                    "thread": str(n),
                    "matched": "",
                    "ref": "",
                    "scorer": "bench",
                    "complaint": 0.9,
                    "triaged_at": at,
                    "case_id": n if n <= number else None,
                }
                for n in range(first, min(first + 20_000, posts + 1))
            ]
            connection.execute(sa.insert(Post), written)
    with database.connect() as connection:
        connection.exec_driver_sql("ANALYZE")
        connection.commit()


def measure_queries(database: sa.Engine) -> None:
    """Print the median of each query of the queue page."""
    with Session(database) as session:
        middle = session.execute(
            sa.text('SELECT rank, id FROM "case" ORDER BY rank DESC LIMIT 1 OFFSET :half'),
            {"half": session.exec(select(sa.func.count(col(Case.id)))).one() // 2},
        ).one()
        after = wq.Position(*middle)
        queries: dict[str, tuple[Callable[[], object], int]] = {
            "first page": (lambda: wq.queue(session, wq.Filter()), REPEATS),
            "a middle page": (lambda: wq.queue(session, wq.Filter(), after), REPEATS),
            "first page, any status": (lambda: wq.queue(session, wq.Filter(status=None)), REPEATS),
            "one network, middle": (
                lambda: wq.queue(session, wq.Filter(network="reddit"), after),
                REPEATS,
            ),
            "mine": (lambda: wq.queue(session, wq.Filter(owner="alice")), REPEATS),
            "VIPs": (lambda: wq.queue(session, wq.Filter(vip=True)), REPEATS),
            "a common tag": (lambda: wq.queue(session, wq.Filter(tag=COMMON)), REPEATS),
            "a rare tag": (lambda: wq.queue(session, wq.Filter(tag=RARE)), REPEATS),
            "newest first": (lambda: wq.queue(session, wq.Filter(sort=wq.Sort.NEWEST)), REPEATS),
            "a common word": (lambda: wq.queue(session, wq.Filter(words="refund")), 20),
            "a word that nobody wrote": (lambda: wq.queue(session, wq.Filter(words="qqq")), 3),
            "networks": (lambda: wq.networks(session), REPEATS),
            "counts by status (kept 15 s by the page)": (
                lambda: wq.counts_by_status(session),
                10,
            ),
        }
        for name, (query, repeats) in queries.items():
            times = []
            for _ in range(repeats):
                session.expunge_all()
                began = time.perf_counter()
                query()
                times.append(1000 * (time.perf_counter() - began))
            print(f"{name}: {statistics.median(times):.2f} ms (median of {repeats})")


def measure_page(port: int, server: int) -> None:
    """Print the server's processor time for a rerun of the queue page."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"http://127.0.0.1:{port}/?who=alice")
        following = page.get_by_role("button", name="Next")
        following.wait_for(timeout=30_000)
        page.wait_for_timeout(3000)
        before = processor_seconds(server)
        for _ in range(RERUNS):
            following.click()
            page.wait_for_timeout(700)
        spent = processor_seconds(server) - before
        browser.close()
    print(f"a rerun of the queue page: {1000 * spent / RERUNS:.0f} ms of server CPU ({RERUNS})")


if __name__ == "__main__":
    main()
