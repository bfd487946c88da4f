"""Complaints that matter by themselves, and that nobody has taken."""

import re
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from monitor.config import Config
from monitor.store.models import AlertKind, Case, CaseStatus, Post, Severity
from monitor.watch.alerting import alert_words
from monitor.watch.alerting.alert_rows import Finding

NEWS = timedelta(days=1)
"""What is older when it is first seen came with posts of long ago: it is no news."""


def grave_cases(
    session: Session, config: Config, at: datetime, standing: set[str]
) -> list[Finding]:
    """Complaints that nobody has taken and that matter by themselves: of a VIP, of somebody whom
    many read, with a critical word."""
    settings = config.alerts
    words = [alert_words.one_line(word) for word in settings.words]
    grave = [col(Case.vip).is_(True), col(Case.reach) >= settings.reach]
    if words:
        said = aliased(Post)
        grave.append(
            sa.exists().where(
                col(said.case_id) == col(Case.id),
                col(said.created_at) >= col(Case.waiting_since),
                sa.or_(*(col(said.text).icontains(word, autoescape=True) for word in words)),
            )
        )
    # In no order: asked for one by id, the database goes through every case.
    rows = session.exec(
        select(Case, Post).where(
            col(Case.status) == CaseStatus.OPEN,
            col(Case.assignee).is_(None),
            col(Case.waiting_since).is_not(None),
            col(Post.id) == col(Case.post_id),
            sa.or_(
                col(Case.waiting_since) >= at - NEWS,
                col(Case.id).in_([int(key.partition(":")[2]) for key in standing]),
            ),
            sa.or_(*grave),
        )
    ).all()
    return [
        finding
        for case, post in sorted(rows, key=lambda row: row[0].id)
        if (finding := _grave(session, case, post, config, words)) is not None
    ]


def _grave(
    session: Session, case: Case, post: Post, config: Config, words: list[str]
) -> Finding | None:
    said = _critical(session, case, words)
    if case.vip:
        kind, why = AlertKind.VIP, "a VIP complains"
    elif case.reach >= config.alerts.reach:
        kind, why = AlertKind.REACH, f"a complaint that {case.reach:,} people may read"
    elif said:
        kind, why = AlertKind.WORD, f"a complaint says “{said}”"
    else:
        return None  # the letters are only a part of another word
    more = f" It says “{said}”." if said and kind is not AlertKind.WORD else ""
    quoted = alert_words.quote(post.text, names=config.alerts.show_handles)
    return Finding(
        key=f"case:{case.id}",
        kind=kind,
        severity=Severity.PAGE,
        title=f"{config.company.name}: {why}",
        text=f"Nobody has taken case {case.id} yet.{more}\n“{quoted}” ({post.network})",
        address=f"case?id={case.id}",
        posts=[post.id],
        value=case.reach,
    )


def _critical(session: Session, case: Case, words: list[str]) -> str | None:
    """The first critical word in what the customer waits with, as a word of its own."""
    if not words:
        return None
    texts = session.exec(
        select(Post.text).where(
            col(Post.case_id) == case.id, col(Post.created_at) >= case.waiting_since
        )
    ).all()
    for word in words:
        whole = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)", re.IGNORECASE)
        if any(whole.search(text) for text in texts):
            return word
    return None
