"""Who gets a case: the one who asks for the next, or whoever has room for it."""

from collections.abc import Mapping
from dataclasses import replace

import sqlalchemy as sa
from sqlmodel import Session, col

from monitor.desk import cases
from monitor.desk.cases import CaseConflictError
from monitor.desk.queue import work_queue
from monitor.desk.queue.absence import away
from monitor.desk.queue.work_queue import NOBODY, Filter, Sort
from monitor.settings import Person
from monitor.store.db import inside, lock_writes
from monitor.store.models import Case, CaseStatus, Post

AT_ONCE = 200
"""Cases that are handed out in one commit."""

ALONE = 20261124
"""PostgreSQL's lock of the engine that hands out: two at once would both fill the same room."""


def take_next(session: Session, agent: str, chosen: Filter) -> int | None:
    """Claim the open case of the highest priority that nobody has, out of what a filter shows.

    Returns the case, or None where there is none. Two people who ask at once get two cases.
    """
    wanted = replace(chosen, status=CaseStatus.OPEN, owner=NOBODY, sort=Sort.PRIORITY)
    while True:
        session.rollback()
        lock_writes(session)
        case_id = work_queue.first_free(session, wanted)
        if case_id is None:
            session.rollback()
            return None
        try:
            with inside(session) as inner:
                cases.claim(inner, case_id, agent)
            session.commit()
        except CaseConflictError:
            continue  # a colleague was first
        return case_id


def auto_assign(session: Session, people: Mapping[str, Person]) -> int:
    """Hand open cases that nobody has to people who are here and have room, in one commit.

    The highest priority first; each goes to the one with the fewest open cases among those who
    read its language. Returns how many.
    """
    session.rollback()
    lock_writes(session)
    if not _alone(session):
        session.rollback()
        return 0
    load = _load(session, people)
    languages = {code for name in load for code in people[name].languages}
    anything = any(not people[name].languages for name in load)
    room = sum(people[name].capacity - load[name] for name in load)
    handed = 0
    with inside(session) as inner:
        for case_id, language in _free(session, None if anything else languages, room):
            able = [name for name in load if _reads(people[name], language)]
            if not able:
                continue
            to = min(able, key=lambda name: load[name])
            try:
                cases.assign(inner, case_id, None, to, None)
            except CaseConflictError:
                continue
            handed += 1
            load[to] += 1
            if load[to] >= people[to].capacity:
                del load[to]
    session.commit()
    return handed


def _alone(session: Session) -> bool:
    if session.connection().dialect.name == "sqlite":
        return True  # the write lock is held
    return bool(session.execute(sa.select(sa.func.pg_try_advisory_xact_lock(ALONE))).scalar())


def _load(session: Session, people: Mapping[str, Person]) -> dict[str, int]:
    """The open cases of everybody who is here and has room."""
    absent = away(session)
    counted = sa.select(col(Case.assignee), sa.func.count()).where(
        col(Case.status) == CaseStatus.OPEN, col(Case.assignee).in_(people)
    )
    found = session.execute(counted.group_by(col(Case.assignee)))
    has: dict[str | None, int] = dict(found.all())
    return {
        name: has.get(name, 0)
        for name, person in people.items()
        if name not in absent and has.get(name, 0) < person.capacity
    }


def _free(session: Session, languages: set[str] | None, room: int) -> list[tuple[int, str | None]]:
    """Cases to hand out with their languages; None: any language."""
    if room <= 0:
        return []
    language = sa.func.lower(col(Post.language))
    readable = [language.is_(None), language == ""]
    for code in languages or ():
        readable += [language == code, language.startswith(f"{code}-")]
    read = session.execute(
        sa.select(col(Case.id), col(Post.language))
        .join(Post, col(Post.id) == col(Case.post_id))
        .where(
            col(Case.status) == CaseStatus.OPEN,
            col(Case.assignee).is_(None),
            sa.true() if languages is None else sa.or_(*readable),
        )
        .order_by(col(Case.rank).desc(), col(Case.id).desc())
        .limit(min(room, AT_ONCE))
        .with_for_update(of=Case, skip_locked=True)
    )
    return [(case_id, language) for case_id, language in read]


def _reads(person: Person, language: str | None) -> bool:
    known = (language or "").lower().split("-")[0]
    return not person.languages or not known or known in person.languages
