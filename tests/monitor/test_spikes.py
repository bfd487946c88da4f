"""Spikes and silence on made counts: what must page, and above all what must not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from monitor.watch.detection import silence, spikes
from monitor.watch.detection.silence import Silence
from monitor.watch.detection.spikes import Kind, Opening, Settings, Severity, State, Verdict
from monitor.watch.detection.usual import Bools, Counts, Ints, Seasons, live, log10_tail, usual

MONDAY = datetime(2026, 3, 16, tzinfo=UTC)
HOUR, DAY = 12, 288


def steady(rate: float, days: float, seed: int = 1) -> Ints:
    """So many posts an hour, with a daily rhythm, and no surge."""
    at = np.arange(int(days * DAY))
    rhythm = 1 + 0.6 * np.sin(2 * np.pi * at / DAY)
    made: Ints = np.random.default_rng(seed).poisson(rate / 12 * rhythm).astype(np.int64)
    return made


def surge(x: Ints, at: int, times: float, hours: float, rate: float) -> Ints:
    """The counts with so many times the rate from a bucket on."""
    y = x.copy()
    many = int(hours * HOUR)
    y[at : at + many] += np.random.default_rng(2).poisson(rate / 12 * (times - 1), many)
    return y


def pages(verdicts: list[Verdict]) -> list[int]:
    """The buckets in which a page opens."""
    open_now = [v.opening is not None and v.opening.severity is Severity.PAGE for v in verdicts]
    return [i for i in range(len(open_now)) if open_now[i] and (i == 0 or not open_now[i - 1])]


def alerts(verdicts: list[Verdict]) -> list[int]:
    """The buckets in which any alert opens."""
    opened = [v.opening is not None for v in verdicts]
    return [i for i in range(len(opened)) if opened[i] and (i == 0 or not opened[i - 1])]


def test_a_surge_is_paged_within_the_hour_and_says_by_how_much() -> None:
    at = 16 * DAY
    verdicts = spikes.run(Counts(MONDAY, surge(steady(30, 18), at, 6, 3, 30)))
    (first,) = pages(verdicts)
    assert at <= first < at + HOUR
    told = verdicts[first]
    assert told.state is State.FIRING
    assert told.at == MONDAY + timedelta(minutes=5 * (first + 1))
    assert told.opening == Opening(told.at, Severity.PAGE, Kind.FAST)
    assert told.ratio > 3
    assert told.probability < 10**-2.5


def test_a_steady_brand_is_left_alone() -> None:
    for rate in (0.5, 2, 30, 600):
        verdicts = spikes.run(Counts(MONDAY, steady(rate, 42)))
        assert pages(verdicts) == []
        assert verdicts[-1].state is State.QUIET


def test_a_slow_storm_is_found_though_no_hour_is_three_times_the_usual() -> None:
    at = 16 * DAY
    verdicts = spikes.run(Counts(MONDAY, surge(steady(30, 18), at, 2.6, 12, 30)))
    (first,) = pages(verdicts)
    assert at < first < at + 4 * HOUR
    opening = verdicts[first].opening
    assert opening is not None
    assert opening.kind is Kind.SLOW


def test_a_ticket_is_raised_to_a_page_and_keeps_its_beginning() -> None:
    judge_at = MONDAY + timedelta(days=16, hours=1)
    x = surge(steady(30, 18), 16 * DAY, 6, 2, 30)
    ticket = Opening(judge_at - timedelta(minutes=30), Severity.TICKET, Kind.SLOW)
    told = spikes.verdict(Counts(MONDAY, x[: 16 * DAY + HOUR]), ticket)
    assert told.opening == Opening(ticket.since, Severity.PAGE, Kind.FAST)


def test_an_alert_closes_after_a_quiet_hour_and_once() -> None:
    at = 16 * DAY
    x = surge(steady(60, 18), at, 8, 2, 60)
    verdicts = spikes.run(Counts(MONDAY, x))
    (first,) = pages(verdicts)
    closed = next(i for i in range(first, len(x)) if verdicts[i].opening is None)
    assert at + 3 * HOUR <= closed <= at + 6 * HOUR
    assert len(alerts(verdicts)) == 1


def closes(x: Ints) -> tuple[Kind, int]:
    """Which kind of alert opens, the only one, and the bucket in which it closes."""
    verdicts = spikes.run(Counts(MONDAY, x))
    (first,) = alerts(verdicts)
    opening = verdicts[first].opening
    assert opening is not None
    closed = next(i for i in range(first, len(x)) if verdicts[i].opening is None)
    return opening.kind, closed


@pytest.mark.parametrize("hours", [1, 3])
@pytest.mark.parametrize(("rate", "wait"), [(600, 1.25), (200, 1.5), (60, 3), (5, 4)])
def test_a_fast_surge_closes_soon_where_counts_can_tell_that_it_is_over(
    rate: int, hours: int, wait: float
) -> None:
    end = 16 * DAY + hours * HOUR
    kind, closed = closes(surge(steady(rate, 18), 16 * DAY, 8, hours, rate))
    assert kind is Kind.FAST
    assert end + HOUR <= closed <= end + wait * HOUR


def test_a_slow_storm_closes_by_its_three_hours() -> None:
    at = 16 * DAY
    kind, closed = closes(surge(steady(60, 18), at, 2.6, 12, 60))
    assert kind is Kind.SLOW
    assert closed > at + 13.5 * HOUR


def test_a_dip_in_the_middle_does_not_open_a_second_alert() -> None:
    at = 16 * DAY
    x = surge(surge(steady(60, 18), at, 8, 1, 60), at + 18, 8, 1, 60)
    assert len(alerts(spikes.run(Counts(MONDAY, x)))) == 1


def test_the_first_two_days_are_for_learning() -> None:
    x = surge(steady(60, 4), DAY, 20, 2, 60)
    verdicts = spikes.run(Counts(MONDAY, x))
    assert {v.state for v in verdicts[: 2 * DAY - HOUR]} == {State.LEARNING}
    assert verdicts[-1].state is State.QUIET
    assert alerts(verdicts) == []


def test_a_feed_that_begins_is_no_surge() -> None:
    x = np.concatenate([np.zeros(10 * DAY, np.int64), steady(100, 3)])
    x[[2 * DAY, 5 * DAY, 6 * DAY]] = 1  # stray posts from before
    verdicts = spikes.run(Counts(MONDAY, x))
    assert alerts(verdicts) == []
    assert verdicts[10 * DAY + HOUR].state is State.LEARNING


def test_a_brand_that_few_write_about_can_surge_if_the_beginning_is_known() -> None:
    x = np.zeros(20 * DAY, np.int64)
    x[17 * DAY : 17 * DAY + 6] = 5
    assert alerts(spikes.run(Counts(MONDAY, x))) == []
    (first,) = pages(spikes.run(Counts(MONDAY, x, since=MONDAY)))
    assert first < 17 * DAY + 6


@pytest.mark.parametrize(("count", "authors"), [(4, 4), (30, 2)])
def test_never_on_fewer_than_five_complaints_or_three_authors(count: int, authors: int) -> None:
    eager = Settings(
        fast_excess=0, slow_excess=0, fast_odds=0, slow_odds=0, ticket_odds=0, fast_ratio=1, doubt=0
    )
    x = np.zeros(20 * DAY, np.int64)
    people = x.copy()
    x[17 * DAY], people[17 * DAY] = count, authors
    few = Counts(MONDAY, x, authors=people, since=MONDAY)
    assert alerts(spikes.run(few, eager)) == []
    x[17 * DAY], people[17 * DAY] = 5, 3
    assert alerts(spikes.run(Counts(MONDAY, x, authors=people, since=MONDAY), eager)) != []


def test_a_joke_going_round_is_guarded_by_the_share_of_complaints() -> None:
    at = 16 * DAY
    complaints = surge(steady(30, 18), at, 4, 3, 30)
    mentions = 2 * steady(30, 18)
    assert pages(spikes.run(Counts(MONDAY, complaints))) != []
    joke = surge(mentions, at, 12, 3, 60)
    assert alerts(spikes.run(Counts(MONDAY, complaints, mentions=joke))) == []
    real = mentions + complaints - steady(30, 18)
    assert pages(spikes.run(Counts(MONDAY, complaints, mentions=real))) != []


def outage(x: Ints, at: int, hours: int) -> tuple[Ints, Bools]:
    """The counts without what was posted while the connector was down."""
    dead = np.zeros(len(x), bool)
    dead[at : at + hours * HOUR] = True
    return np.where(dead, 0, x), dead


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("by_post_time", [True, False])
def test_a_backlog_is_no_surge(by_post_time: bool, told: bool) -> None:
    at = 16 * DAY
    x = steady(120, 18)
    seen, dead = outage(x, at, 2)
    if by_post_time:
        seen = x.copy()  # the hole is filled afterwards
    else:
        seen[at + 2 * HOUR] += x[dead].sum()
    counts = Counts(MONDAY, seen, dead=dead if told else None)
    assert alerts(spikes.run(counts)) == []


def test_an_outage_does_not_spoil_the_usual() -> None:
    x = steady(60, 18)
    gone, dead = x.copy(), np.zeros(len(x), bool)
    for day in range(10, 15):  # five of the seven days that the median looks at
        gone, more = outage(gone, day * DAY + 100, 3)
        dead |= more
    with_mask, without = Counts(MONDAY, gone, dead=dead), Counts(MONDAY, gone)
    at = 15 * DAY + 110
    settings = Seasons()
    good = usual(with_mask, live(with_mask, settings), settings)[at]
    bad = usual(without, live(without, settings), settings)[at]
    assert good == pytest.approx(usual(Counts(MONDAY, x), dead < 1, settings)[at], rel=0.25)
    assert bad < good / 2


def test_an_alert_does_not_close_while_the_connector_is_down() -> None:
    at = 16 * DAY
    x, dead = outage(surge(steady(120, 18), at, 8, 2, 120), at + HOUR, 6)
    verdicts = spikes.run(Counts(MONDAY, x, dead=dead))
    (first,) = pages(verdicts)
    assert all(v.opening is not None for v in verdicts[first : at + 7 * HOUR])
    assert verdicts[-1].opening is None


def test_an_alert_of_a_feed_that_is_gone_closes_in_the_end() -> None:
    at = 16 * DAY
    x = surge(steady(120, 30), at, 8, 2, 120)
    x[at + HOUR :] = 0
    verdicts = spikes.run(Counts(MONDAY, x))
    assert verdicts[at + DAY].opening is not None
    assert verdicts[-1].opening is None


def test_a_new_level_is_the_usual_within_two_days() -> None:
    at = 20 * DAY
    x = steady(60, 30)
    x[at:] *= 3
    verdicts = spikes.run(Counts(MONDAY, x))
    assert 1 <= len(alerts(verdicts)) <= 3
    assert max(alerts(verdicts)) < at + 2 * DAY
    assert all(v.opening is None for v in verdicts[at + 2 * DAY :])


@pytest.fixture(scope="module")
def eventful() -> Counts:
    """Eight weeks with two surges, a storm, an outage and all the columns."""
    x = steady(40, 56, seed=5)
    for day, times, hours in ((20, 7, 2), (33, 2.6, 10), (50, 5, 3)):
        x = surge(x, day * DAY + 77, times, hours, 40)
    x, dead = outage(x, 41 * DAY, 4)
    return Counts(MONDAY, x, mentions=x + steady(20, 56, seed=6), authors=x // 2, dead=dead)


def until(counts: Counts, end: int) -> Counts:
    """What was known at the end of a bucket."""
    assert counts.mentions is not None
    assert counts.authors is not None
    assert counts.dead is not None
    return replace(
        counts,
        complaints=counts.complaints[: end + 1],
        mentions=counts.mentions[: end + 1],
        authors=counts.authors[: end + 1],
        dead=counts.dead[: end + 1],
    )


def test_a_back_test_says_what_was_said_at_the_time(eventful: Counts) -> None:
    verdicts = spikes.run(eventful)
    assert len(pages(verdicts)) >= 3
    busy = [i + step for i in alerts(verdicts) for step in range(-2, 40, 3)]
    for i in [*range(1, len(verdicts), 97), *busy]:
        assert spikes.verdict(until(eventful, i), verdicts[i - 1].opening) == verdicts[i]


def test_a_restart_remembers_only_the_opening(eventful: Counts) -> None:
    verdicts = spikes.run(eventful)
    begin = alerts(verdicts)[-1]
    opening = verdicts[begin - 1].opening
    for i in range(begin, begin + 60):
        told = spikes.verdict(until(eventful, i), opening)
        stored = told.opening
        opening = None if stored is None else Opening(stored.since, stored.severity, stored.kind)
        assert told == verdicts[i]


def test_summer_time_changes_nothing() -> None:
    # The clocks of Europe go forward on 29 March 2026: the same counts, the same verdicts.
    x = surge(steady(60, 18), 15 * DAY, 6, 2, 60)
    spring = spikes.run(Counts(MONDAY, x))
    winter = spikes.run(Counts(MONDAY - timedelta(weeks=8), x))
    assert [replace(v, at=MONDAY, opening=None) for v in spring] == [
        replace(v, at=MONDAY, opening=None) for v in winter
    ]


def test_buckets_of_a_quarter_of_an_hour_serve_too() -> None:
    x = surge(steady(60, 18), 16 * DAY, 6, 3, 60)
    quarters = x.reshape(-1, 3).sum(axis=1)
    (first,) = pages(spikes.run(Counts(MONDAY, quarters), Settings(bucket=15)))
    assert 16 * 96 <= first < 16 * 96 + 5


@pytest.mark.parametrize(
    ("count", "mean", "spread", "expected"),
    [
        (1, 0.5, 0.5, 1 - 1.25**-2),  # P(X = 0) is (1 + spread * mean) ** (-1 / spread)
        (2, 1.0, 1.0, 0.25),  # a geometric distribution
        (20, 4.0, 1.0, 0.8**20),
        (60000, 20000.0, 1.0, (20000 / 20001) ** 60000),
    ],
)
def test_the_tail_is_the_negative_binomials(
    count: int, mean: float, spread: float, expected: float
) -> None:
    assert 10 ** log10_tail(count, mean, spread) == pytest.approx(expected, rel=1e-6)


def feed(
    counts: Ints, ago: timedelta = timedelta(), every: timedelta = timedelta(minutes=5)
) -> silence.Feed:
    """How a feed stands at the end of its counts, fetched well until then unless told."""
    end = MONDAY + timedelta(minutes=5 * len(counts))
    return silence.silent(Counts(MONDAY, counts), end - ago, end, every)


def gone(x: Ints, buckets: int) -> Ints:
    """The counts with nothing in the last buckets."""
    y = x.copy()
    y[len(y) - buckets :] = 0
    return y


def test_a_busy_connector_that_brings_nothing_is_silent_within_a_quarter_of_an_hour() -> None:
    x = steady(200, 20)[: 19 * DAY + 6 * HOUR]  # the end lies in the busy part of the day
    assert feed(x).silence is Silence.FLOWING
    dead = feed(gone(x, 3))
    assert dead.silence is Silence.SILENT
    assert dead.silence in silence.PAGED
    assert dead.since == MONDAY + timedelta(minutes=5 * (len(x) - 3))
    assert dead.missing >= 10


def test_it_stays_silent_for_weeks() -> None:
    x = steady(200, 34)
    for days in (1, 2, 5, 9, 14):
        assert feed(gone(x, days * DAY)).silence is Silence.SILENT


def test_a_small_feed_is_stale_and_not_paged() -> None:
    x = steady(4, 25)
    assert feed(gone(x, 2 * HOUR)).silence is Silence.FLOWING
    stale = feed(gone(x, 30 * HOUR)).silence
    assert stale is Silence.STALE
    assert stale not in silence.PAGED


def test_the_connectors_own_health_comes_first() -> None:
    x = steady(200, 20)
    assert feed(x, ago=timedelta(minutes=20)).silence is Silence.DOWN
    assert feed(x, ago=timedelta(minutes=20), every=timedelta(hours=1)).silence is Silence.FLOWING
    assert silence.silent(Counts(MONDAY, x), None, MONDAY).silence is Silence.LEARNING


def test_what_came_after_the_last_fetch_is_not_missing_yet() -> None:
    x = gone(steady(200, 20), 9)
    waiting = feed(x, ago=timedelta(minutes=45), every=timedelta(hours=1))
    assert waiting.silence is Silence.FLOWING
    assert waiting.missing < 1


def test_a_new_feed_is_not_judged() -> None:
    assert feed(gone(steady(200, 1.5), 6)).silence is Silence.LEARNING
    assert feed(np.zeros(DAY, np.int64)).silence is Silence.LEARNING


def test_silence_in_a_back_test_is_what_was_said_at_the_time() -> None:
    x = steady(60, 30)
    x[20 * DAY : 20 * DAY + 3 * HOUR] = 0
    said = silence.run(Counts(MONDAY, x))
    assert said.sum() > HOUR
    assert not said[: 20 * DAY].any()
    assert not said[20 * DAY + 3 * HOUR + 1 :].any()
    for i in [*range(20 * DAY - 5, 20 * DAY + 4 * HOUR), *range(100, 30 * DAY, 501)]:
        assert (feed(x[: i + 1]).silence is Silence.SILENT) == said[i]
