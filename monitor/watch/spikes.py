"""Whether a surge of complaints is real: pure functions of counts, with no clock and no database.

The count of each window (a quarter of an hour, an hour, three hours) is held against the usual one
for that time of day and week, as the tail of a negative binomial whose spread is the brand's own.
What decides is a function of the last `Settings.history` buckets and of the alert that is open:
nothing else is remembered, so a restart changes nothing and a back-test decides as the engine did.
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Settings:
    """One configuration for every brand. Chosen on the five open brands; see tests/bench/spikes."""

    bucket: int = 5
    """Minutes in a bucket."""
    fast_ratio: float = 3.0
    """So many times the usual, in 15 minutes and in the hour: below it investors' and customers'
    everyday ups and downs begin."""
    fast_odds: float = 2.5
    """And in both as unlikely as 10 ** -2.5: what keeps a brand with wild days quiet."""
    fast_excess: int = 12
    """And so many complaints above the usual in the hour: fewer are not worth a night."""
    slow_ratio: float = 1.8
    """A storm is smaller and longer (two to three times over half a day)."""
    slow_odds: float = 3.0
    slow_excess: int = 20
    ticket_odds: float = 2.0
    """Too likely to wake a person, worth a look in the morning."""
    least: int = 5
    """Never an alert on fewer complaints in the hour ..."""
    authors: int = 3
    """... or fewer authors, whatever the odds."""
    share_below: float = 0.05
    """A joke goes round: many mentions, and so much smaller a share of them complains."""
    learning_hours: int = 48
    """A feed seen for less has no usual yet: two days give each hour a second opinion."""
    close_fast: float = 2.0
    close_slow: float = 1.4
    """Half way back to the usual; in between, an open alert stays open and none opens."""
    quiet_minutes: int = 60
    """So long below, and it closes: shorter dips do not close and reopen it."""
    spread_cap: float = 1.0
    """An excess of more than so many times the usual counts as this much in the spread: last
    week's surge must not hide this week's."""

    @property
    def day(self) -> int:
        """Buckets in a day."""
        return 1440 // self.bucket

    @property
    def history(self) -> int:
        """How many buckets a verdict looks back: four weeks of usual for each bucket of the week
        that gives the spread, and the week before that tells whether the feed had begun."""
        return 43 * self.day

    def window(self, minutes: int) -> int:
        """Buckets in a window of so many minutes."""
        return max(1, minutes // self.bucket)


DEFAULT = Settings()


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
    dead: Bools | None = None
    """True where the connector saw nothing because it was down: neither usual nor unusual."""


class State(StrEnum):
    """What the detector says of one bucket."""

    LEARNING = "learning"
    QUIET = "quiet"
    FIRING = "firing"


class Kind(StrEnum):
    """Which windows fired."""

    FAST = "fast"
    SLOW = "slow"


class Severity(StrEnum):
    """Whether a person is woken."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True)
class Opening:
    """What is stored of an open alert, and all that is."""

    since: datetime
    severity: Severity
    kind: Kind


@dataclass(frozen=True)
class Verdict:
    """The state after one bucket, with the numbers that a person is shown."""

    at: datetime
    """The end of the bucket."""
    state: State
    count: int
    """Complaints in the window: an hour, or three for a slow alert."""
    expected: float
    probability: float
    """Of so many on a usual day; 1.0 where nothing was unusual enough to ask."""
    opening: Opening | None = None
    """Present while firing; hand it to the next call."""

    @property
    def ratio(self) -> float:
        """How many times the usual."""
        return self.count / max(self.expected, 0.5)


def verdict(counts: Counts, opening: Opening | None, settings: Settings = DEFAULT) -> Verdict:
    """Say what the last bucket means, given the alert that is open.

    `counts` holds at least `settings.history` buckets, or all there are; more are not looked at.
    """
    skip = max(0, len(counts.complaints) - settings.history)
    if skip:
        counts = replace(
            counts,
            start=counts.start + timedelta(minutes=settings.bucket * skip),
            complaints=counts.complaints[skip:],
            **{
                name: None if (values := getattr(counts, name)) is None else values[skip:]
                for name in ("mentions", "authors", "dead")
            },
        )
    last = len(counts.complaints) - 1
    return _Judge(counts, settings, last).judge(last, opening)


def run(counts: Counts, settings: Settings = DEFAULT) -> list[Verdict]:
    """Every bucket's verdict in turn, as `verdict` would have said it at the time (a back-test)."""
    judge = _Judge(counts, settings, 0)
    verdicts: list[Verdict] = []
    opening: Opening | None = None
    for i in range(len(counts.complaints)):
        verdicts.append(judge.judge(i, opening))
        opening = verdicts[-1].opening
    return verdicts


class _Judge:
    """The windows that judge the buckets from `first` on."""

    def __init__(self, counts: Counts, settings: Settings, first: int) -> None:
        self.counts, self.settings = counts, settings
        s, x = settings, counts.complaints
        n, week = len(x), 7 * s.day
        hour = s.window(60)
        begin = max(0, first - hour)  # the hour before decides whether an open alert closes
        seen = live(counts, s)
        # What the spread and the level of the first bucket look back on.
        low = max(0, begin - week - s.day - hour * 3)
        base = usual(counts, seen, s, low)
        known = seen[low:] & ~np.isnan(base)
        expect = np.where(known, base, 0.0)
        was = np.where(known, x[low:], 0)
        level = self._level(was, expect)
        at = slice(begin - low, None)
        self.begin = begin
        self.learned = (_over(seen, week) >= s.learning_hours * hour)[begin:]
        self.windows: dict[int, tuple[Ints, Floats, Floats]] = {}
        for minutes in (15, 60, 180):
            w = s.window(minutes)
            obs, exp = _over(was, w), _over(expect, w) * level
            self.windows[minutes] = (obs[at], exp[at], self._spread(obs, exp + 0.5)[at])
        self.covered = (_over(known, hour) * 2 >= min(hour, 2))[at]
        self.fast, self.slow = self._candidates(begin, n)
        lasting = np.maximum(self._ratio(15), self._ratio(60)) >= s.close_fast
        lasting |= self._ratio(180) >= s.close_slow
        lasting |= ~self.covered  # what was not seen closes nothing
        steps = np.arange(n - begin)
        self.lasted = steps - np.maximum.accumulate(np.where(lasting, steps, -hour * 100))

    def _level(self, was: Ints, expect: Floats) -> Floats:
        """How far the whole of the last day lay above the usual, six hours at a time: a new
        keyword, or a storm that has become the weather, is the new usual after a day."""
        block = self.settings.day // 4
        ratio = (_over(was, block) + 1) / (_over(expect, block) + 1)
        level = ratio.copy()
        for k in (1, 2, 3):
            level[k * block :] = np.minimum(level[k * block :], ratio[: -k * block])
            level[: k * block] = 1.0
        return np.maximum(level, 1.0)

    def _spread(self, obs: Ints, exp: Floats) -> Floats:
        """How much more than chance the brand's counts stray: the negative binomial's 1/r, from the
        week before."""
        week = 7 * self.settings.day
        stray = np.minimum((obs - exp) ** 2, (self.settings.spread_cap * exp) ** 2 + exp) - exp
        past = _over(stray, week) / _over(exp**2, week)
        return np.concatenate([[1.0], np.clip(past[:-1], 0.02, 10.0)])

    def _ratio(self, minutes: int) -> Floats:
        obs, exp, _ = self.windows[minutes]
        return (obs + 1) / (exp + 2)

    def _candidates(self, begin: int, n: int) -> tuple[Bools, Bools]:
        """Where a fast and a slow alert would open if the odds are small enough."""
        s, c = self.settings, self.counts
        count, usual_count, _ = self.windows[60]
        may = self.learned & self.covered & (count >= s.least)
        if c.authors is not None:
            may &= _over(c.authors, s.window(60))[begin:] >= s.authors
        quarter, hour, three = (self._ratio(minutes) for minutes in (15, 60, 180))
        fast = may & (np.minimum(quarter, hour) >= s.fast_ratio)
        fast &= count - usual_count >= s.fast_excess
        slow = may & (np.minimum(hour, three) >= s.slow_ratio)
        slow &= self.windows[180][0] - self.windows[180][1] >= s.slow_excess
        return fast & self._serious(60, begin), slow & self._serious(180, begin)

    def _serious(self, minutes: int, begin: int) -> Bools:
        """False where so much smaller a share than usual complains that a joke is going round."""
        c, s = self.counts, self.settings
        if c.mentions is None:
            return np.ones(len(c.complaints) - begin, bool)
        w, week = s.window(minutes), 7 * s.day
        shares = [
            _over(c.complaints, size)[begin:] / np.maximum(_over(c.mentions, size)[begin:], 1)
            for size in (w, week)
        ]
        serious: Bools = shares[0] >= shares[1] - s.share_below
        return serious

    def odds(self, minutes: int, i: int) -> float:
        """Minus the decimal logarithm of the chance of so many in the window, usually."""
        obs, exp, spread = (values[i] for values in self.windows[minutes])
        return round(-log10_tail(int(obs), float(exp) + 0.5, float(spread)), 6)

    def judge(self, bucket: int, opening: Opening | None) -> Verdict:
        """The verdict after one bucket."""
        s, i = self.settings, bucket - self.begin
        at = self.counts.start + timedelta(minutes=s.bucket * (bucket + 1))
        found: tuple[Severity, Kind] | None = None
        if self.fast[i] and min(self.odds(15, i), self.odds(60, i)) >= s.fast_odds:
            found = (Severity.PAGE, Kind.FAST)
        elif self.slow[i] and self.odds(60, i) >= s.slow_odds / 2:
            odds = self.odds(180, i)
            if odds >= s.ticket_odds:
                found = (
                    Severity.PAGE if odds >= s.slow_odds else Severity.TICKET,
                    Kind.SLOW,
                )
        if opening is not None:
            age = (at - opening.since) // timedelta(minutes=s.bucket)
            if found is None and min(self.lasted[i], age) >= s.window(s.quiet_minutes):
                opening = None
            elif found is not None and found[0] is Severity.PAGE:
                if opening.severity is Severity.TICKET:
                    opening = Opening(opening.since, *found)
        elif found is not None:
            opening = Opening(at, *found)
        window = 180 if opening is not None and opening.kind is Kind.SLOW else 60
        obs, exp, _ = self.windows[window]
        quiet = State.QUIET if self.learned[i] else State.LEARNING
        return Verdict(
            at=at,
            state=quiet if opening is None else State.FIRING,
            count=int(obs[i]),
            expected=round(float(exp[i]), 3),
            probability=1.0 if opening is None else 10 ** -self.odds(window, i),
            opening=opening,
        )


def live(counts: Counts, settings: Settings = DEFAULT) -> Bools:
    """Which buckets say anything: the connector was not down, and the feed had begun (there was a
    post in the week before)."""
    posts = counts.complaints if counts.mentions is None else counts.mentions
    steps = np.arange(len(posts))
    last = np.maximum.accumulate(np.where(posts > 0, steps, -(10**9)))
    begun: Bools = steps - last < 7 * settings.day
    return begun if counts.dead is None else begun & ~counts.dead


def usual(counts: Counts, seen: Bools, settings: Settings = DEFAULT, first: int = 0) -> Floats:
    """The usual count of each bucket from `first` on, from earlier days alone; NaN if unknown.

    The median over seven days of the mean within half an hour of that time of day; with two weeks
    or more, the geometric mean of it and the same for that time of the week. One value for each
    quarter of an hour. UTC has no summer time.
    """
    x = counts.complaints
    day, n, half, step = settings.day, len(x), settings.window(30), settings.window(15)
    total = np.concatenate([[0], np.cumsum(np.where(seen, x, 0))])
    known = np.concatenate([[0], np.cumsum(seen)])
    # Quarters begin at the same times of day wherever the counts begin.
    phase = int(counts.start.timestamp()) // 60 // settings.bucket % step
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
    both = np.where(weeks >= 2, np.sqrt((daily + 0.05) * (weekly + 0.05)), daily)
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


def _over(x: npt.NDArray[np.generic], width: int) -> npt.NDArray[np.generic]:
    """The sum of the last `width` buckets, the bucket itself included."""
    total = np.cumsum(x)
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
