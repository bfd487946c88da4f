"""The cases of a surge, found again from the address that its alert has."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.store.models import Case, IncidentCase, Post, Source


@dataclass(frozen=True)
class Place:
    """Where and since when complaints surged."""

    since: datetime
    network: str | None = None
    source: str | None = None
    incident: int | None = None


def place_of(address: Mapping[str, str]) -> Place | None:
    """What an address says; None where it names no time, or none that there is."""
    try:
        since = datetime.fromisoformat(address["since"]).astimezone(UTC)
        incident = int(address["incident"]) if "incident" in address else None
    except (KeyError, ValueError, OverflowError):
        return None
    return Place(since, address.get("network"), address.get("source"), incident)


def cases(
    session: Session, place: Place, until: datetime, threshold: float, limit: int
) -> list[int]:
    """The cases of a surge, the newest first: those with a complaint in its time and place."""
    where: list[sa.ColumnElement[bool]] = [
        col(Post.complaint) >= threshold,
        col(Post.created_at) >= place.since,
        col(Post.created_at) <= until,
        col(Post.repost_of).is_(None),
    ]
    if place.network is not None:
        where.append(col(Post.network) == place.network)
    if place.source is not None:
        named = sa.select(col(Source.id)).where(col(Source.name) == place.source)
        where.append(col(Post.source_id).in_(named))
    if place.incident is not None:
        where.append(col(Post.case_id).in_(cases_of(place.incident)))
    query = select(Case.id).join(Post, col(Post.case_id) == col(Case.id)).where(*where)
    return list(
        session.exec(query.group_by(col(Case.id)).order_by(col(Case.id).desc()).limit(limit))
    )


def cases_of(incident_id: int) -> sa.Select[int]:
    """The ids of the cases of an incident, as a query."""
    return sa.select(col(IncidentCase.case_id)).where(col(IncidentCase.incident_id) == incident_id)
