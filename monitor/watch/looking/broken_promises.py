"""Promises that are due or broken: those of the SLA, and those that people made."""

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from monitor.config import Config
from monitor.store.models import AlertKind, Case, CaseStatus, Commitment, Severity, SlaResult
from monitor.watch.alerting import alert_words
from monitor.watch.alerting.alert_rows import Finding

NEWS = timedelta(days=1)
"""A promise that was found to be broken later than so is no news."""


def broken_slas(session: Session, config: Config, at: datetime) -> list[Finding]:
    """Promises of the SLA that were broken and whose customers still wait: one alert a day."""
    rows = session.exec(
        select(SlaResult.due_at, SlaResult.at, Case.id)
        .join(Case, col(Case.id) == col(SlaResult.case_id))
        .where(
            col(SlaResult.met).is_(False),
            col(SlaResult.due_at) >= at - 2 * NEWS,
            col(Case.status) == CaseStatus.OPEN,
            col(Case.waiting_since).is_not(None),
        )
        .order_by(col(SlaResult.due_at))
    ).all()
    days: dict[str, list[int]] = {}
    for due_at, found_at, case_id in rows:
        if found_at > due_at + NEWS:
            continue
        days.setdefault(f"{due_at.astimezone(config.zone):%Y-%m-%d}", []).append(case_id)
    found = []
    for day, ids in days.items():
        cases = list(dict.fromkeys(ids))
        many = f"{len(cases)} promises" if len(cases) > 1 else "A promise"
        named = ", ".join(f"{case_id}" for case_id in cases[:10])
        found.append(
            Finding(
                key=f"sla:{day}",
                kind=AlertKind.SLA,
                severity=Severity.TICKET,
                title=f"{many} of {day} broken, and the customers still wait",
                text=f"Cases, the longest overdue first: {named}"
                f"{' ...' if len(cases) > 10 else '.'}",
                address="work_queue?breaching=true&sort=Due+soonest",
                value=len(cases),
            )
        )
    return found


def broken_promises(session: Session, config: Config, at: datetime) -> list[Finding]:
    """What was promised to a customer by a person and is due."""
    rows = session.exec(
        select(Commitment)
        .where(
            col(Commitment.due_at) <= at,
            col(Commitment.kept_at).is_(None),
            col(Commitment.dropped_at).is_(None),
        )
        .order_by(col(Commitment.due_at))
    ).all()
    return [
        Finding(
            key=f"promise:{row.id}",
            kind=AlertKind.PROMISE,
            severity=Severity.TICKET,
            title=f"A promise to a customer is due: case {row.case_id}",
            text=f"{row.owner} promised by {row.due_at.astimezone(config.zone):%a %d %b %H:%M}: "
            f"“{alert_words.quote(row.text, names=config.alerts.show_handles)}”",
            address=f"case?id={row.case_id}",
        )
        for row in rows
    ]
