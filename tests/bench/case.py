"""What it costs to open a case with a long thread.

    python -m tests.bench.case

Prints the processor time for reading a case of 200 posts from SQLite, and for one whole rerun of
its page: medians of 20, drawn by Streamlit's own test frame in this process.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from sqlmodel import Session, select
from streamlit import config as streamlit_config
from streamlit.testing.v1 import AppTest

from dashboard import resources
from monitor.desk.page.case_file import case_file
from monitor.store.db import connect, migrate
from monitor.store.models import Post, now
from tests.dashboard.seed import Desk

POSTS, RERUNS = 200, 20


def main() -> None:
    """Fill a database, open the case again and again, print the medians."""
    with tempfile.TemporaryDirectory() as folder:
        engine = connect(f"sqlite:///{Path(folder) / 'monitor.db'}")
        migrate(engine)
        engine.dispose()
        desk = Desk(Path(folder))
        case_id = desk.complaint("ben", "No refund for weeks", hours=20)
        with Session(desk.engine) as session:
            first = session.exec(select(Post.external_id)).one()
        start = now() - timedelta(hours=19)
        for number in range(1, POSTS):
            text = f"Still nothing, and this is the message number {number} about it"
            at = start + timedelta(minutes=number)
            desk.complaint("ben", text, reply_to=first, at=at)
        with Session(desk.engine) as session:
            file = case_file(session, case_id)
        shown = len(file.thread) if file else 0

        def read() -> None:
            with Session(desk.engine) as opened:
                case_file(opened, case_id)

        os.environ["MONITOR_CONFIG"] = str(desk.config)
        streamlit_config.set_option("server.address", "127.0.0.1")
        app = AppTest.from_file(Path(resources.__file__).parent / "streamlit_app.py")
        app.session_state["person"] = "alice"
        app.query_params["id"] = str(case_id)
        app.switch_page("app_pages/case.py").run(timeout=60)
        if app.exception:
            raise SystemExit(f"The page cannot be drawn: {app.exception[0].message}")
        print(f"a case with {shown} posts, read: {spent(read):.0f} ms of processor time")
        print(f"its page, drawn again: {spent(lambda: app.run(timeout=60)):.0f} ms ({RERUNS})")
        desk.engine.dispose()


def spent(call: Callable[[], object]) -> float:
    """The median processor time of a call, in milliseconds."""
    times = []
    for _ in range(RERUNS):
        before = time.process_time()
        call()
        times.append(time.process_time() - before)
    return 1000 * statistics.median(times)


if __name__ == "__main__":
    main()
