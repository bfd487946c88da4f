"""Cases that a person makes from what they have: a phone call, a screenshot, a letter, a link."""

import uuid
from urllib.parse import urlsplit

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from monitor.desk.arrivals.batch import Batch
from monitor.desk.cases import CaseConflictError, CaseError
from monitor.desk.priority import rank
from monitor.store.db import insert, lock_writes
from monitor.store.models import BY_HAND, Author, Post, Source, SourceState, now

NO_CONNECTOR = "none"
"""The connector of the source that nothing is fetched from."""

SOMEBODY = "somebody"
"""A customer of whom nothing is known."""


def open_from_text(
    session: Session,
    agent: str,
    text: str,
    link: str = "",
    who: str = "",
    severity: float | None = None,
) -> Post:
    """Make a case of a text, a link, or both. Returns its post; the case is `post.case_id`.

    `who` is what the customer is known by, a name or a number: what the same one says later joins
    their standing case. Nothing else is required, and the engine reads the text as any other.

    Raises CaseError where there is neither, CaseConflictError where two do it at one moment.
    """
    text, link, who = text.strip()[:20_000], link.strip(), " ".join(who.split())[:200]
    if not text and not link:
        raise CaseError("Write what the customer said, or paste a link.")
    if link and not is_link(link):
        raise CaseError("This is no link; it begins with https://")
    session.rollback()
    lock_writes(session)
    post = Post(
        network=BY_HAND,
        external_id=uuid.uuid4().hex,
        source_id=_source(session),
        author_id=_author(session, who),
        text=text,
        url=link,
        created_at=now(),
        matched=BY_HAND,
        severity=severity,
        triaged_at=now(),
    )
    post.thread = post.external_id
    session.add(post)
    try:
        session.flush()
        case = Batch(session, 0.0, [post]).by_hand(post, agent)
        case.complaint, case.measured = 1.0, True
        case.severity = max(case.severity, severity or 0.0)
        case.rank = rank(case)
        session.add(case)
        session.commit()
    except IntegrityError as error:
        session.rollback()
        raise CaseConflictError(
            "This customer got a case at the same moment. Try again: this joins it."
        ) from error
    return post


def is_link(link: str) -> bool:
    """Whether a text is the address of something on the web."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _source(session: Session) -> int:
    """The source of what is made by hand, made once; nothing is ever fetched from it."""
    statement = insert(session, Source).values(
        name=BY_HAND,
        connector=NO_CONNECTOR,
        configured=False,
        state=SourceState.OFF,
        next_fetch_at=now(),
        failures=0,
    )
    session.execute(statement.on_conflict_do_nothing())
    return session.exec(select(Source.id).where(col(Source.name) == BY_HAND)).one()


def _author(session: Session, who: str) -> int:
    """The customer of this name or number; a new one where nothing is known."""
    external_id = who.casefold() or uuid.uuid4().hex
    values = {"handle": who or SOMEBODY, "name": who, "own": False, "blocked": False}
    statement = insert(session, Author).values(network=BY_HAND, external_id=external_id, **values)
    session.execute(statement.on_conflict_do_nothing())
    known = (col(Author.network) == BY_HAND, col(Author.external_id) == external_id)
    return session.exec(select(Author.id).where(*known)).one()
