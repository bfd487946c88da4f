"""How fast the queue is with a million posts and 200,000 open cases.

    python -m tests.bench.queue [--page]

Prints the median of each query on SQLite; with --page, also the server's processor time for one
whole rerun of the queue page, in a real browser (needs Chromium).
"""

import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import Session

from monitor.desk.priority import rank
from monitor.desk.queue import work_queue as wq
from monitor.processes import dashboard_command
from monitor.store.db import connect, migrate
from monitor.store.models import Author, Case, CaseTag, Post, Source, now

POSTS, EACH, REPEATS, RERUNS = 1_000_000, 5, 200, 20
CASES = POSTS // EACH
COMMON, RARE = "billing", "lawyer"
"""Tags: one case in ten has the one, one in a thousand the other."""

CONFIG = '[company]\nname = "Acme"\n[[people]]\nname = "alice"\n'


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/monitor.db"
        began = time.perf_counter()
        database = connect(url)
        migrate(database)
        fill(database)
        size = Path(folder, "monitor.db").stat().st_size >> 20
        print(f"{POSTS:,} posts, {CASES:,} open cases: {size} MB")
        print(f"filled in {time.perf_counter() - began:.0f} s")
        measure_queries(database)
        database.dispose()
        if "--page" in sys.argv:
            measure_page(Path(folder), url)


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
            sa.text('SELECT rank, id FROM "case" ORDER BY rank DESC LIMIT 1 OFFSET 100000')
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


def measure_page(folder: Path, url: str) -> None:
    """Print the server's processor time for a rerun of the queue page."""
    from playwright.sync_api import sync_playwright

    config = folder / "config.toml"
    config.write_text(CONFIG, encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "MONITOR_CONFIG": str(config), "MONITOR_DATABASE_URL": url}
    server = subprocess.Popen(dashboard_command(port), env=environment, stdout=subprocess.DEVNULL)
    try:
        for _ in range(150):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1)
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.goto(f"http://127.0.0.1:{port}/?who=alice")
            following = page.get_by_role("button", name="Next")
            following.wait_for(timeout=30_000)
            page.wait_for_timeout(3000)
            before = processor_seconds(server.pid)
            for _ in range(RERUNS):
                following.click()
                page.wait_for_timeout(700)
            spent = processor_seconds(server.pid) - before
            browser.close()
        print(f"a rerun of the queue page: {1000 * spent / RERUNS:.0f} ms of server CPU ({RERUNS})")
    finally:
        server.terminate()
        server.wait(10)


def processor_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
