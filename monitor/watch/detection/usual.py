"""What is usual: how many posts this time of the day and of the week holds, and how odd more are.

Pure functions of counts, with no clock and no database; `spikes` and `silence` stand on them.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast, overload

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Seasons:
    """How counts are laid out, and when they begin to mean something."""

    bucket: int = 5
    """Minutes in a bucket: 5 or 15."""
    learning_hours: int = 48
    """A feed seen for less has no usual yet: two days give each hour a second opinion."""
    begun: int = 5
    """So many posts in a week make a feed; a stray one before the collection began does not."""

    @property
    def day(self) -> int:
        """Buckets in a day."""
        return 1440 // self.bucket

    @property
    def history(self) -> int:
        """How many buckets anything looks back: four weeks of usual for each bucket of the week
        that gives the spread, and the week before that tells whether the feed had begun."""
        return 43 * self.day

    def window(self, minutes: int) -> int:
        """Buckets in a window of so many minutes."""
        return max(1, minutes // self.bucket)


@dataclass(frozen=True)
class Counts:
    """What was counted of one brand, incident, query or network, in regular buckets by the posts'
    own time, in UTC. Near-copies are folded and an author counts once an hour."""

    start: datetime
    """When the first bucket begins; aware, UTC."""
    complaints: Ints
    mentions: Ints | None = None
    """All posts, complaints included. Without them there is no guard against jokes, and a feed is
    known to be alive from its complaints alone."""
    authors: Ints | None = None
    """In each bucket the people who had not complained in the three hours before it, so that a sum
    never counts one twice."""
    since: datetime | None = None
    """When the collection began, if known; else the posts tell."""
    dead: Bools | None = None
    """True where the connector saw nothing because it was down: neither usual nor unusual."""


def live(counts: Counts, seasons: Seasons) -> Bools:
    """Which buckets say anything: the connector was not down, and the feed had begun (it is known
    since when, or there were `seasons.begun` posts in the week before)."""
    posts = counts.complaints if counts.mentions is None else counts.mentions
    if counts.since is None:
        begun: Bools = over(posts, 7 * seasons.day) >= seasons.begun
    else:
        bucket = timedelta(minutes=seasons.bucket)
        begun = np.arange(len(posts)) >= (counts.since - counts.start) / bucket
    return begun if counts.dead is None else begun & ~counts.dead


def usual(counts: Counts, seen: Bools, seasons: Seasons, first: int = 0) -> Floats:
    """The usual count of each bucket from `first` on, from earlier days alone; NaN if unknown.

    The median over seven days of the mean within half an hour of that time of day; with two weeks
    or more, the geometric mean of it and the same for that time of the week. One value for each
    quarter of an hour. UTC has no summer time.
    """
    x = counts.complaints
    day, n, half, step = seasons.day, len(x), seasons.window(30), seasons.window(15)
    total = np.concatenate([[0], np.cumsum(np.where(seen, x, 0))])
    known = np.concatenate([[0], np.cumsum(seen)])
    # Quarters begin at the same times of day wherever the counts begin.
    phase = int(counts.start.timestamp()) // 60 // seasons.bucket % step
    middle = np.arange((n - 1 + phase) // step + 1) * step - phase + step // 2
    left, right = np.clip(middle - half, 0, n), np.clip(middle + half + 1, 0, n)
    many = known[right] - known[left]
    mean = (total[right] - total[left]) / np.maximum(many, 1)
    # With four weeks of nothing before it, every quarter has its earlier days.
    month = 28 * day // step
    near = np.concatenate([np.full(month, np.nan), np.where(many > half // 2, mean, np.nan)])
    begin = month + (first + phase) // step
    back = range(day // step, 8 * day // step, day // step)
    daily, _ = _median([near[begin - k : len(near) - k] for k in back])
    weekly, weeks = _median([near[begin - k : len(near) - k] for k in (7 * b for b in back[:4])])
    both = np.where(weeks >= 2, np.sqrt((daily + 0.05) * (weekly + 0.05)) - 0.05, daily)
    # In steps of 1/1024 sums are exact, so that a window is the same wherever a sum began.
    skip = (first + phase) % step
    fine: Floats = np.repeat(np.round(both * 1024) / 1024, step)[skip : skip + n - first]
    return fine


def _median(columns: list[Floats]) -> tuple[Floats, Ints]:
    """The median of each row and how many numbers it has, without the NaN."""
    rows = np.stack(columns, axis=1)
    many = len(columns) - np.isnan(rows).sum(axis=1)
    rows.sort(axis=1)  # NaN last
    index = np.arange(len(rows))
    low = rows[index, np.maximum(many - 1, 0) // 2]
    return (low + rows[index, np.minimum(many // 2, len(columns) - 1)]) / 2, many


def hole(posts: Ints, expected: Floats, least: float) -> Bools:
    """Where nothing came for so long that the feed must have been dead: so many posts should have
    come since the last one. NaN expects none."""
    should = np.cumsum(np.nan_to_num(expected))
    last = np.maximum.accumulate(np.where(posts > 0, np.arange(len(posts)), 0))
    holes: Bools = should - should[last] >= least
    return holes


def level(counts: Ints, expected: Floats, day: int) -> Floats:
    """How far both halves of the last `day` lay above the usual: a new keyword, or a storm that has
    become the weather, is the new usual after a day."""
    half = day // 2
    ratio = (over(counts, half) + 1) / (over(expected, half) + 1)
    raised = np.ones(len(counts))
    raised[half:] = np.maximum(np.minimum(ratio[half:], ratio[:-half]), 1.0)
    return raised


@overload
def over(x: Floats, width: int) -> Floats: ...
@overload
def over(x: Ints | Bools, width: int) -> Ints: ...
def over(x: Floats | Ints | Bools, width: int) -> Floats | Ints:
    """The sum of the last `width` buckets, the bucket itself included."""
    total = cast(Floats, np.cumsum(x))
    total[width:] = total[width:] - total[:-width]
    return total


def log10_tail(count: int, mean: float, spread: float) -> float:
    """The decimal logarithm of a negative binomial's P(X >= count); its variance is
    mean + spread * mean ** 2. Zero at or below the mean, where nobody asks.

    The regularised incomplete beta function by its continued fraction (Lentz).
    """
    if count <= mean:
        return 0.0
    a, b = float(count), 1.0 / spread
    x = mean / (b + mean)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front += a * math.log(x) + b * math.log1p(-x) - math.log(a)
    c, d = 1.0, 1.0 / (1.0 - (a + b) * x / (a + 1.0))
    fraction = d
    for m in range(1, 1000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / (1.0 + term * d)
            c = 1.0 + term / c
            fraction *= d * c
        if abs(d * c - 1.0) < 1e-10:
            break
    return min(0.0, (front + math.log(fraction)) / math.log(10))
