"""Whether a surge of complaints is real: pure functions of counts, with no clock and no database.

The count of each window (a quarter of an hour, an hour, three hours) is held against the usual one
for that time of day and week, as the tail of a negative binomial whose spread is the brand's own.
What decides is a function of the last `Settings.history` buckets and of the alert that is open:
nothing else is remembered, so a restart changes nothing and a back-test decides as the engine did.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from monitor.watch.detection.usual import (
    Bools,
    Counts,
    Floats,
    Ints,
    Seasons,
    hole,
    level,
    live,
    log10_tail,
    over,
    usual,
)


@dataclass(frozen=True)
class Settings(Seasons):
    """One configuration for every brand, chosen on the open brands: `make bench-spikes` prints what
    it reaches and what its neighbours reach. Odds are powers of ten: 2.5 is once in 316."""

    fast_ratio: float = 2.9
    """So many times the usual, in the quarter of an hour and in the hour: lower, and everyday ups
    and downs page; at 3.1 a surge of five times is told five minutes later."""
    fast_odds: float = 2.5
    """And so unlikely in both, which keeps a brand of wild days quiet."""
    fast_excess: int = 11
    """And so many above the usual in the hour: fewer are not worth a night."""
    slow_ratio: float = 1.9
    """In the hour and in three hours: a storm is smaller and longer (2-3 times over half a day)."""
    slow_odds: float = 2.0
    """In three hours; half as much in the hour, so that it is still going on."""
    slow_excess: int = 25
    """In three hours."""
    ticket_odds: float = 1.7
    """Too likely to wake a person, but worth a look: the same storm with a weaker proof."""
    least: int = 5
    """Never an alert on fewer complaints in the window ..."""
    authors: int = 3
    """... or fewer authors, whatever the odds."""
    share_below: float = 0.05
    """When a joke goes round there are many posts, and a so much smaller share complains."""
    doubt: float = 0.75
    """Complaints an hour that any brand is granted: the usual of a small one is a guess."""
    hole: float = 10.0
    """So many posts missing in a row are no chance but a dead feed; its backlog is no surge."""
    close_fast: float = 2.0
    close_slow: float = 1.4
    """Half way back to the usual. In between, an open alert stays open and none opens."""
    calm_quarter: float = 1.25
    calm_hour: float = 1.1
    calm_least: float = 10.0
    """A fast one closes sooner, by each quarter of `quiet_minutes` and by the last hour: not where
    fewer are usual in an hour, as a quarter without any says nothing there."""
    quiet_minutes: int = 60
    """So long below, and it closes: a shorter dip does not close and reopen it."""
    spread_cap: float = 2.0
    """An excess of more than so many times the usual counts as this much in the spread: last
    week's surge must not hide this week's."""


DEFAULT = Settings()


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
        # Dead buckets are no part of what is usual; in a window they count as they are, so that a
        # backlog fills its own hole and is no surge.
        expect = np.nan_to_num(base + s.doubt * s.bucket / 60)
        was: Ints = np.where(np.isnan(base), 0, x[low:])
        known = seen[low:] & ~np.isnan(base)
        raised = level(was, expect, s.day)
        at = slice(begin - low, None)
        self.begin = begin
        self.learned = (over(seen[low:], week) >= s.learning_hours * hour)[at]
        self.windows: dict[int, tuple[Ints, Floats, Floats]] = {}
        for minutes in (15, 60, 180):
            w = s.window(minutes)
            obs, exp = over(was, w), over(expect, w) * raised
            spread = self._spread(obs, exp + 0.5, over(known, w) == w)
            self.windows[minutes] = (obs[at], exp[at], spread[at])
        # What follows a hole within the hour is taken for its backlog, not for a surge.
        holes = hole((x if counts.mentions is None else counts.mentions)[low:], base, s.hole)
        self.covered = ((over(known, hour) * 2 > hour) & (over(holes, hour) == 0))[at]
        self.fast, self.slow = self._candidates(begin, n)
        quarter, one, three = (self._ratio(minutes) for minutes in (15, 60, 180))
        # What was not seen closes nothing, for the days in which there still is a usual.
        unseen = ~self.covered & self.learned
        lasting = (np.maximum(quarter, one) >= s.close_fast) | (three >= s.close_slow)
        self.calm = self._calm(lasting | unseen)
        # Three hours hold a fast surge long after it: quarters tell sooner that it is over.
        usual_again = self._calm((quarter >= s.calm_quarter) | unseen)
        sure = (one < s.calm_hour) & (self.windows[60][1] >= s.calm_least)
        self.calm_fast = np.maximum(self.calm, np.where(sure, usual_again, 0))

    def _calm(self, lasting: Bools) -> Ints:
        """For how many buckets it has not lasted."""
        steps = np.arange(len(lasting))
        last = np.where(lasting, steps, -self.settings.window(60) * 100)
        calm: Ints = steps - np.maximum.accumulate(last)
        return calm

    def _spread(self, obs: Ints, exp: Floats, whole: Bools) -> Floats:
        """How much more than chance the brand's counts stray: the negative binomial's 1/r, from the
        week before."""
        week, cap = 7 * self.settings.day, self.settings.spread_cap
        stray = np.minimum((obs - exp) ** 2, (cap * exp) ** 2 + exp) - exp
        weight = over(np.where(whole, exp**2, 0.0), week)
        past = over(np.where(whole, stray, 0.0), week) / np.maximum(weight, 1e-9)
        past = np.where(weight > 0, np.clip(past, 0.02, 10.0), 1.0)
        return np.concatenate([[1.0], past[:-1]])

    def _ratio(self, minutes: int) -> Floats:
        """How many times the usual, held back where the counts are small."""
        obs, exp, _ = self.windows[minutes]
        part = min(1.0, minutes / 60)  # of the doubt that small counts deserve
        return (obs + part) / (exp + 2 * part)

    def _candidates(self, begin: int, n: int) -> tuple[Bools, Bools]:
        """Where a fast and a slow alert would open if the odds are small enough."""
        s, c = self.settings, self.counts
        count, usual_count, _ = self.windows[60]
        may = self.learned & self.covered & (count >= s.least)
        if c.authors is not None:
            may &= over(c.authors, s.window(60))[begin:] >= s.authors
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
        low = max(0, begin - week)
        complaints, mentions = c.complaints[low:], c.mentions[low:]
        now, usually = (
            (over(complaints, size) / np.maximum(over(mentions, size), 1))[begin - low :]
            for size in (w, week)
        )
        serious: Bools = now >= usually - s.share_below
        return serious

    def odds(self, minutes: int, i: int) -> float:
        """Minus the decimal logarithm of the chance of so many in the window, usually."""
        obs, exp, spread = (values[i] for values in self.windows[minutes])
        return round(-log10_tail(int(obs), float(exp) + 0.5, float(spread)), 6)

    def _found(self, i: int) -> tuple[Severity, Kind] | None:
        """What would open now."""
        s = self.settings
        if self.fast[i] and min(self.odds(15, i), self.odds(60, i)) >= s.fast_odds:
            return Severity.PAGE, Kind.FAST
        if self.slow[i] and self.odds(60, i) >= s.slow_odds / 2:
            odds = self.odds(180, i)
            if odds >= s.ticket_odds:
                return (Severity.PAGE if odds >= s.slow_odds else Severity.TICKET), Kind.SLOW
        return None

    def judge(self, bucket: int, opening: Opening | None) -> Verdict:
        """The verdict after one bucket."""
        s, i = self.settings, bucket - self.begin
        at = self.counts.start + timedelta(minutes=s.bucket * (bucket + 1))
        found = self._found(i)
        if opening is not None:
            age = (at - opening.since) // timedelta(minutes=s.bucket)
            calm = (self.calm_fast if opening.kind is Kind.FAST else self.calm)[i]
            if found is None and min(calm, age) >= s.window(s.quiet_minutes):
                opening = None
            elif found and found[0] is Severity.PAGE and opening.severity is Severity.TICKET:
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
