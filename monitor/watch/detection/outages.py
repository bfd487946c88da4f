"""When nothing could be seen, from the ledger of fetches: such a time is no part of what is usual.

Else an engine that was off for five days would take the sixth for a surge.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.store.models import Fetch, Source
from monitor.watch.alerting.health import LEDGER_DAYS
from monitor.watch.detection import silence
from monitor.watch.detection.usual import Bools, Counts, Ints

Span = tuple[datetime, datetime]


def dead(
    session: Session,
    posts: Mapping[int, Ints],
    members: Mapping[str, AbstractSet[int]],
    start: datetime,
    at: datetime,
    every: Mapping[str, timedelta],
) -> dict[str, Bools]:
    """For each series the buckets from `start` on in which none of its sources (`members`) was
    seen: it was not fetched, every fetch failed, or it was silent. `posts` are those of each
    source, from `start` on; `every` says how often each is fetched, by name.

    Posts of such a time that came later, as most networks give them, say that it was seen after
    all. A source of which the ledger knows no good fetch, as what is written down by hand, is not
    asked. The ledger is whole for `LEDGER_DAYS`: nothing is said of earlier times.
    """
    unseen: dict[int, Bools] = {}
    for source_id, spans in gaps(session, start, at, every).items():
        if source_id in posts:
            counts = Counts(start, posts[source_id])
            unseen[source_id] = _empty(counts, spans) | silence.run(counts)
    found = {}
    for series, source_ids in members.items():
        masks = [unseen[source_id] for source_id in source_ids if source_id in unseen]
        if masks:
            every_one: Bools = np.logical_and.reduce(masks)
            found[series] = every_one
    return found


def gaps(
    session: Session, since: datetime, at: datetime, every: Mapping[str, timedelta]
) -> dict[int, list[Span]]:
    """For each source with a good fetch in the ledger, the times without one that were longer than
    a connector may be late; the last one may still run."""
    since = max(since, at - timedelta(days=LEDGER_DAYS - 1))
    names = dict(session.exec(select(Source.id, Source.name)).all())
    late = {
        source_id: max(silence.DEFAULT.late, 3 * every.get(name, timedelta(minutes=5)))
        for source_id, name in names.items()
    }
    good = (
        col(Fetch.started_at) >= since,
        col(Fetch.finished_at).is_not(None),
        col(Fetch.error).is_(None),
    )
    begun: Any = col(Fetch.started_at)
    until = sa.func.lead(begun, type_=begun.type).over(
        partition_by=col(Fetch.source_id), order_by=col(Fetch.started_at)
    )
    rows = sa.select(
        col(Fetch.source_id), col(Fetch.finished_at), until.label("until")
    ).where(*good).subquery()  # fmt: skip
    # Weeks of fetches are many rows, and hardly any of them ends in a gap.
    wait = sa.extract("epoch", rows.c.until) - sa.extract("epoch", rows.c.finished_at)
    long = wait > silence.DEFAULT.late.total_seconds()
    found: dict[int, list[Span]] = {}
    told = session.execute(sa.select(rows).where(sa.or_(rows.c.until.is_(None), long)))
    for source_id, begin, end in told:
        spans = found.setdefault(source_id, [])
        end = at if end is None else end
        if end - begin > late[source_id]:
            spans.append((begin, end))
    session.rollback()
    return found


def _empty(counts: Counts, spans: Sequence[Span]) -> Bools:
    """The buckets of the spans up to the first post in them: what comes late comes to an end."""
    posts, bucket = counts.complaints, timedelta(minutes=silence.DEFAULT.bucket)
    mask = np.zeros(len(posts), bool)
    least = silence.DEFAULT.late // bucket
    for begin, end in spans:
        first = max(0, -((counts.start - begin) // bucket))
        last = max(first, min(len(posts), (end - counts.start) // bucket))
        filled = np.flatnonzero(posts[first:last])
        stop = first + int(filled[0]) if len(filled) else last
        if stop - first >= least:
            mask[first:stop] = True
    return mask
