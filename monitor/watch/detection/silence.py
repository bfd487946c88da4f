"""Whether a connector that brings nothing is broken: pure functions, no clock and no database.

Its last successful fetch is asked first. Only a connector that fetches well and brings nothing is
judged by its counts, pooled over everything it watches: one quiet brand proves nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from monitor.watch.detection.usual import Bools, Counts, Seasons, live, over, usual


@dataclass(frozen=True)
class Settings(Seasons):
    """One configuration for every connector."""

    proof: float = 10.0
    """So many posts should have come since the last one. By chance alone that is one silence in
    22,000; at 100 posts an hour it takes a quarter of an hour."""
    part: float = 0.5
    """Should have come: this part of the usual, as a holiday or a quiet night is no outage."""
    least_an_hour: float = 10.0
    """A smaller feed cannot be told dead from quiet for hours: shown as stale, not paged."""
    stale_hours: int = 24
    """So long without a post, a small one is stale even if no more than a few are missing."""
    late: timedelta = timedelta(minutes=15)
    """Without a successful fetch for so long (or three turns, if longer) it is down."""


DEFAULT = Settings()


class Silence(StrEnum):
    """How a connector's feed stands."""

    LEARNING = "learning"
    FLOWING = "flowing"
    STALE = "stale"
    """Quiet, and too small to say that it is dead: shown, not paged."""
    SILENT = "silent"
    """It fetches well, and the posts that should be there are not."""
    DOWN = "down"
    """It has not fetched for too long."""


PAGED = frozenset({Silence.SILENT, Silence.DOWN})
"""These wake a person, and mute the spike alerts of all that the connector watches."""


@dataclass(frozen=True)
class Feed:
    """How a connector's feed stands, with the numbers that a person is shown."""

    silence: Silence
    since: datetime | None
    """The end of the last bucket that held a post; None where none did."""
    missing: float
    """Posts that should have come since, at half the usual rate."""
    an_hour: float
    """Posts an hour in the week before that."""


def silent(
    counts: Counts,
    fetched_at: datetime | None,
    at: datetime,
    every: timedelta = timedelta(minutes=5),
    settings: Settings = DEFAULT,
) -> Feed:
    """Say how a connector's feed stands at `at`.

    `counts` hold all it brought, whatever the brand (`mentions`, or `complaints` where those are
    all there is). It fetches once in `every`; its last success was at `fetched_at`, and what was
    posted since is not missing yet. None means never: there is nothing to judge.
    """
    posts = counts.complaints if counts.mentions is None else counts.mentions
    bucket = timedelta(minutes=settings.bucket)
    known = (
        0 if fetched_at is None else min(len(posts), max(0, (fetched_at - counts.start) // bucket))
    )
    posts = posts[max(0, known - settings.history) : known]
    start = counts.start + bucket * (known - len(posts))
    filled = np.flatnonzero(posts)
    if fetched_at is None or not len(filled):
        return Feed(Silence.LEARNING, None, 0.0, 0.0)
    last = int(filled[-1])
    pooled = Counts(start, posts, since=counts.since)
    seen = live(pooled, settings)
    seen[last + 1 :] = False  # the silence must not become the usual
    expected = np.nan_to_num(usual(pooled, seen, settings, last)[1:])
    missing = settings.part * float(expected.sum())
    hours = over(seen, 7 * settings.day)[last] / settings.window(60)
    an_hour = float(over(posts, 7 * settings.day)[last] / max(hours, 1.0))
    since = start + bucket * (last + 1)
    if at - fetched_at > max(settings.late, 3 * every):
        silence = Silence.DOWN
    elif hours < settings.learning_hours:
        silence = Silence.LEARNING
    elif an_hour >= settings.least_an_hour:
        silence = Silence.SILENT if missing >= settings.proof else Silence.FLOWING
    else:
        long = at - since >= timedelta(hours=settings.stale_hours)
        silence = Silence.STALE if long or missing >= settings.proof else Silence.FLOWING
    return Feed(silence, since, round(missing, 1), round(an_hour, 1))


def run(counts: Counts, settings: Settings = DEFAULT) -> Bools:
    """For each bucket, whether `silent` would have said SILENT with every fetch a success: a
    back-test, exact for silences of up to a day."""
    posts = counts.complaints if counts.mentions is None else counts.mentions
    pooled = replace(counts, complaints=posts, mentions=None, dead=None)
    seen = live(pooled, settings)
    should = np.cumsum(settings.part * np.nan_to_num(usual(pooled, seen, settings)))
    last = np.maximum.accumulate(np.where(posts > 0, np.arange(len(posts)), 0))
    hours = over(seen, 7 * settings.day)[last] / settings.window(60)
    an_hour = over(posts, 7 * settings.day)[last] / np.maximum(hours, 1.0)
    proved = should - should[last] >= settings.proof
    silences: Bools = (
        proved & (hours >= settings.learning_hours) & (an_hour >= settings.least_an_hour)
    )
    return silences
