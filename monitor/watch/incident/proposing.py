"""Proposes incidents: cases that nobody has compared yet are put beside those that stand.

A case is compared once, and again when its customer writes more. What is found is only proposed: a
person confirms it. Into a confirmed incident further cases go by themselves, and a person takes
out what does not belong there.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.desk.cases import record
from monitor.store.db import insert, lock_writes
from monitor.store.models import (
    Author,
    Case,
    Incident,
    IncidentApart,
    IncidentCase,
    IncidentStatus,
    Outcome,
    Post,
    now,
)
from monitor.watch.incident import grouping
from monitor.watch.incident.grouping import Group, Grouping, Item, Rarity
from monitor.watch.trends.stopwords import STOP

BATCH = 500
"""New cases that are looked at in one commit."""

LONE = 5_000
"""Posts of cases without an incident that a new one is compared with, the newest."""

VOCABULARY = 3_000
"""Recent posts that tell how rare a word is."""

SUFFICE = 2
"""People who tell of a fault by themselves, from which on it is proposed."""

TITLE_WORDS, KEPT_WORDS = 3, 6

LIVE = (IncidentStatus.PROPOSED, IncidentStatus.OPEN, IncidentStatus.WATCHING)


def propose(
    session: Session, threshold: float, window: timedelta, at: datetime | None = None
) -> int:
    """Compare up to BATCH new cases with those of the last `window`, in one commit.

    Returns how many were compared. Two engines take turns, and what one has compared the other
    does not compare again.
    """
    new = select(Case.id).where(col(Case.compared_at).is_(None))
    if session.exec(new.limit(1)).first() is None:
        session.rollback()
        return 0
    session.rollback()
    lock_writes(session)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text("SELECT pg_advisory_xact_lock(20261124)"))
    at = at or now()
    ids = session.exec(
        new.order_by(col(Case.id)).limit(BATCH).with_for_update(skip_locked=True)
    ).all()
    _compare(session, set(ids), threshold, at - window, at)
    session.execute(
        sa.update(Case)
        .where(col(Case.id).in_(ids))
        .values(compared_at=at)
        .execution_options(synchronize_session=False)
    )
    session.commit()
    return len(ids)


def _compare(
    session: Session, new: set[int], threshold: float, since: datetime, at: datetime
) -> None:
    lone = _lone(session, threshold, since)
    waiting = [item for item in lone if item.case in new]
    if not waiting:
        return
    rarity = _rarity(session)
    beside = Grouping(rarity, grouping.WEIGHTS)
    for incident in standing(session, since):
        beside.stand(_as_group(session, incident))
    for item in lone:
        if item.case not in new:
            beside.stand(Group([item]))
    placed = [beside.place(item) for item in waiting]
    grown = {id(one.group): one.group for one in placed if len(one.group.items) > 1}
    for group in grown.values():
        placed += beside.gather(group)
    likeness = {one.item.id: one.likeness for one in placed}
    free = {item.case for item in lone}
    # The largest first: a case whose posts tell of two faults goes where most tell of it.
    for group in sorted(grown.values(), key=lambda group: -len(group.items)):
        fresh = {item.case: item for item in reversed(group.items) if item.case in free}
        if group.key is not None:
            found = session.get_one(Incident, group.key)
        elif grouping.voices(list(fresh.values())) >= SUFFICE:
            items = [item for item in group.items if item.case in free]
            found = _proposal(session, items, common_words(items, rarity), at)
        else:
            continue
        free -= fresh.keys()
        if fresh:
            _keep(session, found, list(fresh.values()), likeness, at)


def _proposal(session: Session, items: Sequence[Item], words: list[str], at: datetime) -> Incident:
    title = ", ".join(words[:TITLE_WORDS])
    incident = Incident(
        title=title[:1].upper() + title[1:] or "Cases that sound alike",
        words=", ".join(words),
        first_seen_at=min(item.at for item in items),
        last_seen_at=max(item.at for item in items),
        created_at=at,
    )
    session.add(incident)
    session.flush()
    return incident


def _keep(
    session: Session,
    incident: Incident,
    fresh: Sequence[Item],
    likeness: dict[int, float],
    at: datetime,
) -> None:
    """Put the cases that came new into their incident."""
    incident.first_seen_at = min(incident.first_seen_at, *(item.at for item in fresh))
    incident.last_seen_at = max(incident.last_seen_at, *(item.at for item in fresh))
    session.add(incident)
    for item in fresh:
        kept = session.execute(
            insert(session, IncidentCase)
            .values(
                case_id=item.case,
                incident_id=incident.id,
                post_id=item.id,
                likeness=likeness.get(item.id),
                added_at=at,
            )
            .on_conflict_do_nothing(index_elements=["case_id"])
            .returning(IncidentCase.case_id)
        ).first()
        if kept and incident.status != IncidentStatus.PROPOSED:
            record(session, item.case, "joined an incident", detail=told(incident), at=at)


def told(incident: Incident) -> str:
    """An incident in a case's history."""
    return f"{incident.id}: {incident.title}"


def standing(session: Session, since: datetime) -> Sequence[Incident]:
    """Incidents that a new case may belong to, in one order: one fixed lately is still told of."""
    return session.exec(
        select(Incident)
        .where(
            sa.or_(
                col(Incident.status).in_(LIVE),
                sa.and_(
                    col(Incident.status) == IncidentStatus.FIXED, col(Incident.closed_at) >= since
                ),
            )
        )
        .order_by(col(Incident.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _as_group(session: Session, incident: Incident) -> Group:
    apart = session.exec(
        select(IncidentApart.case_id).where(IncidentApart.incident_id == incident.id)
    )
    items = items_of(session, [tells_of(incident.id)], 0.0, grouping.COMPARED)
    return Group(items, key=incident.id, apart=frozenset(apart))


def tells_of(incident_id: int) -> sa.ColumnElement[bool]:
    """Whether a post is one of those by which cases are in an incident."""
    member = sa.orm.aliased(Case)
    posts = (
        sa.select(sa.func.coalesce(col(IncidentCase.post_id), col(member.post_id)))
        .join(member, col(member.id) == col(IncidentCase.case_id))
        .where(col(IncidentCase.incident_id) == incident_id)
    )
    return col(Post.id).in_(posts)


def _lone(session: Session, threshold: float, since: datetime) -> list[Item]:
    """Cases of the window that are in no incident, each as what it tells of."""
    member = sa.exists().where(col(IncidentCase.case_id) == col(Case.id))
    idle = (Outcome.DISMISSED, Outcome.MERGED)
    conditions = [
        col(Post.created_at) >= since,
        ~member,
        sa.or_(col(Case.outcome).is_(None), col(Case.outcome).not_in(idle)),
    ]
    return items_of(session, conditions, threshold, LONE)


def items_of(
    session: Session,
    conditions: Sequence[sa.ColumnElement[bool]],
    threshold: float,
    limit: int,
) -> list[Item]:
    """The posts in which the authors of cases complain, or else the one that the case shows.

    Oldest first; the newest `limit` of them.
    """
    root = sa.orm.aliased(Post)
    writer = sa.orm.aliased(Author)
    # A thread that a customer began is one of customers; what all write below ours has many causes.
    ours = (
        sa.select(col(root.id))
        .join(writer, col(writer.id) == col(root.author_id))
        .where(
            col(root.network) == col(Post.network),
            col(root.external_id) == col(Post.thread),
            col(writer.own).is_(True),
        )
        .exists()
    )
    rows = session.execute(
        sa.select(
            col(Post.id),
            col(Case.id),
            col(Case.author_id),
            col(Post.created_at),
            col(Post.text),
            col(Post.vector),
            col(Post.network),
            col(Post.complaint) >= threshold,
            sa.case((ours, sa.null()), else_=col(Post.thread)),
        )
        .join(Post, col(Post.case_id) == col(Case.id))
        .where(
            *conditions,
            col(Post.author_id) == col(Case.author_id),
            col(Post.deleted_at).is_(None),
            col(Post.text) != "",
            sa.or_(col(Post.complaint) >= threshold, col(Post.id) == col(Case.post_id)),
        )
        .order_by(col(Post.created_at).desc(), col(Post.id).desc())
        .limit(limit)
    ).all()
    complain = {row[1] for row in rows if row[7]}
    return [
        Item(post, case, author, at, text, vector, f"{network} {thread}" if thread else None)
        for post, case, author, at, text, vector, network, complains, thread in reversed(rows)
        if complains or case not in complain
    ]


def _rarity(session: Session) -> Rarity:
    posts = session.execute(
        sa.select(col(Post.created_at), col(Post.text))
        .where(col(Post.repost_of).is_(None))
        .order_by(col(Post.created_at).desc())
        .limit(VOCABULARY)
    )
    return Rarity((at, text) for at, text in posts)


def common_words(items: Iterable[Item], rarity: Rarity) -> list[str]:
    """The words that tell most of what the posts have in common, the most telling first."""
    weight: dict[str, float] = defaultdict(float)
    uses: Counter[str] = Counter()
    for item in items:
        for word in grouping.words(item.text):
            uses[word] += 1
            weight[word] += rarity.of(word, item.at)
    shared = [
        word
        for word in weight
        if uses[word] > 1 and weight[word] > 0 and word[0] != "@" and word not in STOP
    ]
    return sorted(shared, key=lambda word: (-weight[word], word))[:KEPT_WORDS]
