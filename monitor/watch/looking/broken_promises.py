"""Promises that are due or broken: those of the SLA, and those that people made."""

from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from sqlmodel import Session, col, select

from monitor.config import Config
from monitor.store.models import AlertKind, Case, CaseStatus, Commitment, Severity, SlaResult
from monitor.watch.alerting import alert_words
from monitor.watch.alerting.alert_rows import Finding
from monitor.watch.trends.measures import Asked
from monitor.watch.trends.periods import midnight

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
    days: dict[date, list[int]] = {}
    for due_at, found_at, case_id in rows:
        if found_at > due_at + NEWS:
            continue
        days.setdefault(due_at.astimezone(config.zone).date(), []).append(case_id)
    found = []
    for day, ids in days.items():
        cases = list(dict.fromkeys(ids))
        many = f"{len(cases)} cases still wait" if len(cases) > 1 else "a case still waits"
        named = ", ".join(f"{case_id}" for case_id in cases[:10])
        begins, ends = (midnight(day + NEWS * n, config.zone) for n in range(2))
        found.append(
            Finding(
                key=f"sla:{day}",
                kind=AlertKind.SLA,
                severity=Severity.TICKET,
                title=f"SLA promises of {day:%a %d %b} broken: {many}",
                text=f"Cases, the longest overdue first: {named}"
                f"{' ...' if len(cases) > 10 else '.'}",
                address=f"rows?{urlencode(Asked('sla-missed', begins, ends).address)}",
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
