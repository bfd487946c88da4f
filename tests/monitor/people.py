"""Cases of authors, made in a line."""

from datetime import datetime, timedelta
from itertools import count

from sqlmodel import Session, col, select

from monitor.desk.arrivals.triage import triage_new
from monitor.store.models import Author, CaseEvent, Post, Source, now

NUMBERS = count(1)


def post_of(
    session: Session,
    handle: str,
    text: str = "It is broken",
    *,
    complaint: float = 0.9,
    at: datetime | None = None,
    vector: bytes | None = None,
) -> Post:
    """A post that was read and triaged, by an author who may be known already."""
    source = session.exec(select(Source)).first() or Source(name="s", connector="demo")
    author = session.exec(select(Author).where(Author.handle == handle)).first()
    author = author or Author(network="net", external_id=handle, handle=handle)
    session.add_all([source, author])
    session.flush()
    number = f"p{next(NUMBERS)}"
    post = Post(
        network="net",
        external_id=number,
        thread=number,
        source_id=source.id,
        author_id=author.id,
        text=text,
        created_at=at or now() - timedelta(hours=1),
        scorer="m",
        complaint=complaint,
        vector=vector,
    )
    session.add(post)
    session.commit()
    triage_new(session, 0.5)
    session.refresh(post)
    return post


def open_case(session: Session, handle: str) -> int:
    """The case that an author's complaint opens."""
    return post_of(session, handle).case_id or 0


def history(session: Session, case_id: int) -> list[tuple[str, str]]:
    """What happened to a case since it was opened, with details."""
    events = select(CaseEvent).where(col(CaseEvent.case_id) == case_id).order_by(col(CaseEvent.id))
    return [(event.what, event.detail) for event in session.exec(events)][1:]
