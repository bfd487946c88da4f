"""What the pages read, on both databases."""

from datetime import timedelta

import pytest
from sqlmodel import Session

from monitor.desk import cases
from monitor.desk.arrivals.triage import triage_new
from monitor.desk.page import case_file, notes
from monitor.desk.queue import work_queue
from monitor.desk.queue.work_queue import NOBODY, Filter
from monitor.store.models import Author, CaseStatus, Post, ReplyStatus, Source, now


@pytest.fixture
def ids(session: Session) -> list[int]:
    """Three cases, the oldest first in the queue; a bystander joins the first one's thread."""
    source = Source(name="s", connector="demo")
    session.add(source)
    session.flush()
    for number, name in enumerate(("ann", "ben", "cas", "bystander")):
        author = Author(network="mastodon", external_id=name, handle=name)
        session.add(author)
        session.flush()
        session.add(
            Post(
                network="mastodon",
                external_id=f"p{number}",
                source_id=source.id,
                author_id=author.id,
                text="No refund",
                created_at=now() - timedelta(hours=9 - number),
                thread="p0" if name == "bystander" else f"p{number}",
                reply_to="p0" if name == "bystander" else None,
                scorer="m",
                complaint=0.1 if name == "bystander" else 0.9,
                severity=0.5,
            )
        )
    session.commit()
    triage_new(session, 0.5)
    return [row.case.id for row in work_queue.queue(session, Filter())]


def test_rows_come_in_the_order_asked_for(session: Session, ids: list[int]) -> None:
    wanted = [ids[2], ids[0], 999]
    assert [row.case.id for row in work_queue.rows(session, wanted)] == [ids[2], ids[0]]
    assert work_queue.rows(session, []) == []


def test_fits_agrees_with_the_query(session: Session, ids: list[int]) -> None:
    cases.claim(session, ids[0], "alice")
    cases.wait_for_customer(session, ids[1], "bob")
    filters = [
        Filter(),
        Filter(status=None),
        Filter(status=CaseStatus.PENDING),
        Filter(owner=NOBODY),
        Filter(owner="alice"),
        Filter(network="bluesky"),
        Filter(status=None, reply_status=ReplyStatus.DRAFT),
    ]
    for chosen in filters:
        shown = {row.case.id for row in work_queue.queue(session, chosen)}
        fitting = {r.case.id for r in work_queue.rows(session, ids) if chosen.fits(r.case)}
        assert shown == fitting, chosen


def test_the_thread_holds_what_others_wrote_in_it(session: Session, ids: list[int]) -> None:
    file = case_file.case_file(session, ids[0])
    assert file is not None
    assert [author.handle for _, author in file.thread] == ["ann", "bystander"]


def test_the_mark_moves_with_every_change(session: Session, ids: list[int]) -> None:
    marks = [case_file.mark(session, ids[0])]
    cases.claim(session, ids[0], "alice")
    marks.append(case_file.mark(session, ids[0]))
    notes.note(session, ids[0], "bob", "I know them")
    marks.append(case_file.mark(session, ids[0]))
    assert len(set(marks)) == 3
    assert case_file.mark(session, ids[0]) == marks[-1]
    assert case_file.mark(session, 999) == ()
