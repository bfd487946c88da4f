"""What it costs to open a case with a long thread.

    python -m tests.bench.case

Prints the processor time for reading a case of 200 posts from SQLite, for one whole rerun of its
page, drawn by Streamlit's own test frame in this process, and for the check of a long draft in that
thread: medians of 20.
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
from monitor.answer.checking.draft_check import findings
from monitor.answer.replies import NOTHING_LISTED
from monitor.desk.page.case_file import case_file
from monitor.store.db import connect, migrate
from monitor.store.models import Post, Reply, ReplyStatus, now
from tests.dashboard.seed import Desk

POSTS, ANSWERS, RERUNS = 200, 50, 20
DRAFT = (
    "Hi Ben, thank you for writing again, and I am sorry that you have had to. I have looked at "
    "what happened with our payments team this morning: the refund was approved on the third, but "
    "the bank sent it back because the card has expired since. Nobody told you, and that was our "
    "mistake. I have asked them to pay it to your new card, and they have confirmed that it goes "
    "out today. It should be there within three working days. I will look on Thursday and write to "
    "you here, whether it has arrived or not."
)
"""An answer of a good 500 characters."""


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
        with Session(desk.engine) as session:
            answer(session, case_id)
            check = spent(lambda: findings(session, case_id, DRAFT, NOTHING_LISTED))
        print(
            f"a draft of {len(DRAFT)} characters there, after {ANSWERS} answers of ours, read and "
            f"checked: {check:.1f} ms of processor time ({RERUNS})"
        )
        desk.engine.dispose()


def answer(session: Session, case_id: int) -> None:
    """Many answers of ours in the thread, each about another thing: the check compares them all."""
    post_id = session.exec(select(Post.id)).first() or 0
    for number in range(ANSWERS):
        text = f"Message {number}: {DRAFT[number * 5 :]}"
        status = ReplyStatus.SEEN
        session.add(
            Reply(
                case_id=case_id,
                post_id=post_id,
                agent="alice",
                text=text,
                key=str(number),
                status=status,
            )
        )
    session.commit()


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
