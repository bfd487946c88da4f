"""Trends count what happened, in the team's days; every number has the rows that it counts."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from sqlmodel import Session

from monitor.hours import Hours, business_time
from monitor.store.models import (
    BY_HAND,
    CaseTag,
    Dismissal,
    Incident,
    IncidentCase,
    Label,
    LabelOrigin,
    Outcome,
    SlaKind,
    SlaResult,
)
from monitor.watch.trends import response, topics, volumes, waits
from monitor.watch.trends.conditions import Rules
from monitor.watch.trends.counting import conditions, count, grouped, ids
from monitor.watch.trends.counting import rows as read_rows
from monitor.watch.trends.measures import DIMENSIONS, IN, MEASURES, NONE, OUT, Asked
from monitor.watch.trends.periods import (
    Period,
    last_days,
    midnight,
    name_of_week,
    week_named,
    week_of,
)
from tests.monitor.numbers import AT, OFFICE, RULES, VIENNA, WEEK, Rows, utc


@pytest.fixture
def rows(session: Session) -> Rows:
    """Nothing yet."""
    return Rows(session)


def week(measure: str) -> Asked:
    return Asked(measure, WEEK.begins, WEEK.ends)


@pytest.fixture
def filled(rows: Rows) -> Rows:
    """A week with something of everything, and a little of the week before."""
    session = rows.session
    solved = rows.case(
        utc(16, 9),
        "carol",
        answered=utc(16, 11),
        resolved=utc(18),
        outcome=Outcome.SOLVED,
        assignee="alice",
        language="en",
    )
    night = rows.case(utc(17, 22), "dave", answered=utc(18, 9), network="x", language="de")
    rows.again(night, utc(18, 10))
    rows.again(night, utc(18, 11))
    rows.reply(night, utc(18, 12), "bob")
    rows.case(utc(18), "erin", source="forum", assignee="bob")
    spam = rows.case(
        utc(19), "frank", resolved=utc(19, 13), outcome=Outcome.DISMISSED,
        dismissal=Dismissal.SPAM,
    )  # fmt: skip
    rows.case(utc(19, 14), "gus", resolved=utc(19, 15), outcome=Outcome.MERGED)
    rows.case(utc(9), "hal")
    nice = rows.post(utc(17), "ivy", "acme is nice", complaint=0.1)
    rows.post(utc(17), "jan", "", repost_of="p1")
    rows.post(utc(17), "acmehelp", own=True)
    incident = Incident(title="Outage", first_seen_at=utc(16), last_seen_at=utc(17))
    session.add(incident)
    session.commit()
    session.add_all(
        [
            CaseTag(case_id=solved.id, tag="billing"),
            CaseTag(case_id=solved.id, tag="router"),
            CaseTag(case_id=night.id, tag="router"),
            IncidentCase(case_id=night.id, incident_id=incident.id),
            SlaResult(
                case_id=solved.id, policy="all", kind=SlaKind.FIRST, due_at=utc(17), met=True
            ),
            SlaResult(
                case_id=night.id, policy="all", kind=SlaKind.FIRST, due_at=utc(18), met=False
            ),
            Label(
                post_id=spam.post_id,
                origin=LabelOrigin.DESK,
                complaint=False,
                labelled_at=utc(19),
            ),
            Label(
                post_id=nice.id,
                origin=LabelOrigin.DESK,
                complaint=True,
                labelled_at=utc(19),
            ),
        ]
    )
    session.commit()
    rows.promise(solved, utc(18), kept=utc(17))
    rows.promise(solved, utc(18), kept=utc(19))
    rows.promise(night, utc(20, 11))
    rows.promise(night, utc(21))
    rows.promise(night, utc(19), dropped_at=utc(17))
    return rows


@time_machine.travel(AT, tick=False)
def test_every_number_has_as_many_rows_as_it_says(filled: Rows) -> None:
    for measure in MEASURES:
        check_rows(filled.session, measure)


def check_rows(session: Session, measure: str) -> None:
    asked = week(measure)
    number = count(session, asked, RULES)
    found = ids(session, asked, RULES)
    assert number == len(found) == len(set(found))
    assert number > 0, "the week has something of everything"
    assert [row[0].id for row in read_rows(session, asked.kind, found)] == found
    assert Asked.of_address(asked.address) == asked
    assert ids(session, asked, RULES, 1, 0) == found[:1]
    for by in DIMENSIONS[asked.kind]:
        for value, part in grouped(session, asked, by, RULES).items():
            narrowed = asked.narrowed(by, value)
            assert part == count(session, narrowed, RULES) == len(ids(session, narrowed, RULES))
            assert Asked.of_address(narrowed.address) == narrowed
    if MEASURES[measure].wait:
        inside, outside = (asked.narrowed("hours", part) for part in (IN, OUT))
        both = ids(session, inside, RULES) + ids(session, outside, RULES)
        assert sorted(both) == sorted(found)
        assert count(session, inside, RULES) + count(session, outside, RULES) == number


@time_machine.travel(AT, tick=False)
def test_what_was_written_down_by_hand_is_a_case_and_no_post(filled: Rows) -> None:
    session = filled.session
    before = volumes.volumes(session, WEEK, "network", RULES, AT)
    filled.case(utc(18), "+43 1 23456", "my refund", network=BY_HAND, source=BY_HAND)
    told = volumes.volumes(session, WEEK, "network", RULES, AT)
    assert told.totals == before.totals
    assert told.totals.share == before.totals.share == 7 / 8
    assert told.parts[:2] == before.parts
    (by_hand,) = told.parts[2:]
    assert by_hand == volumes.Part(BY_HAND, 0, 0, 0, 0, 1, 0)
    assert by_hand.share is None
    assert response.response(session, WEEK.begins, WEEK.ends, RULES).found.cases == 5
    for measure in ("posts", "complaints", "authors"):
        assert count(session, week(measure).narrowed("network", BY_HAND), RULES) == 0
    for measure in MEASURES:
        check_rows(session, measure)


@time_machine.travel(AT, tick=False)
def test_numbers_of_a_week(filled: Rows) -> None:
    session = filled.session
    told = response.response(session, WEEK.begins, WEEK.ends, RULES)
    # Five opened, one of them was merged: it is counted where it goes on.
    assert told.found == response.Found(cases=4, answered=2, unanswered=1, dismissed=1)
    assert told.found.rate == 0.5
    assert told.dismissals == {"spam": 1}
    assert told.outcomes == {"solved": 1, "dismissed": 1}
    assert (told.met, told.missed) == ({"first response": 1}, {"first response": 1})
    assert told.sla_rate == 0.5
    assert told.kept == response.Kept(kept=1, late=1, broken=1, running=1)
    assert told.kept.rate == 1 / 3
    assert (told.said_complaint, told.said_fine) == (1, 1)
    work = {one.agent: one for one in response.workload(session, WEEK.begins, WEEK.ends, RULES)}
    assert (work["alice"].replies, work["alice"].resolved, work["alice"].held) == (2, 1, 0)
    assert (work["bob"].replies, work["bob"].held) == (1, 1)
    ages = {age.words: age.number for age in response.ages(session, AT, RULES)}
    assert ages["1 to 3 days"] == 1
    assert ages["7 to 30 days"] == 1
    assert [author.handle for _, author in response.never_answered(session)] == ["hal", "erin"]


@time_machine.travel(AT, tick=False)
def test_waits_are_medians_in_and_out_of_hours(filled: Rows) -> None:
    session = filled.session
    told = response.response(session, WEEK.begins, WEEK.ends, RULES).times
    first = told["first"]
    # By day 9 to 11 UTC; by night 22 to 9, of which one hour is working time (Vienna is UTC+1).
    assert (first.clock.number, first.clock.median) == (2, 6.5 * 3600)
    assert (first.inside.median, first.outside.median) == (2 * 3600, 11 * 3600)
    assert first.working.median == pytest.approx((2 + 1) / 2 * 3600)
    # Dave wrote at 10 and 11 and got his next answer at 12.
    assert told["next"].clock == waits.Spread(1, 2 * 3600, 2 * 3600)
    assert told["resolution"].clock.median == pytest.approx((24 + 27) * 3600)
    assert told["resolution"].clock.number == 1, "dismissed and merged ones tell nothing"


def test_medians_are_not_averages() -> None:
    import numpy as np

    lengths = np.array([1.0, 2.0, 3.0, 4.0, 1000.0])
    told = waits.spread(lengths)
    assert (told.number, told.median) == (5, 3.0)
    assert told.p90 == pytest.approx(601.6)
    assert waits.spread(np.zeros(0)) == waits.Spread(0, None, None)


def test_working_time_of_many_is_that_of_each() -> None:
    import numpy as np

    # Across the end of summer time, a weekend and a holiday.
    hours = Hours(VIENNA, OFFICE.week, frozenset({date(2026, 10, 26)}))
    start = datetime(2026, 10, 22, 3, tzinfo=UTC)
    pairs = [
        (start + timedelta(hours=7 * n), start + timedelta(hours=7 * n + 5 * n)) for n in range(30)
    ]
    begins = np.array([begin.timestamp() for begin, _ in pairs])
    ends = np.array([end.timestamp() for _, end in pairs])
    reckoned = waits.WorkTime(hours, begins, ends).between(begins, ends)
    assert reckoned.tolist() == [business_time(*pair, hours).total_seconds() for pair in pairs]
    around = waits.WorkTime(Hours(VIENNA), begins, ends).between(begins, ends)
    assert around.tolist() == (ends - begins).tolist()


def test_one_wait_of_years_takes_no_working_time_from_the_others() -> None:
    import numpy as np

    begins = np.array([utc(16, 9).replace(year=2015).timestamp(), utc(16, 9).timestamp()])
    ends = np.full(2, utc(16, 11).timestamp())
    reckoned = waits.WorkTime(OFFICE, begins, ends)
    assert reckoned.between(begins, ends)[1] == 2 * 3600
    assert reckoned.open_at(begins).tolist() == [True, True]


@time_machine.travel(AT, tick=False)
def test_volumes_by_day_and_by_part(filled: Rows) -> None:
    session = filled.session
    told = volumes.volumes(session, WEEK, "network", RULES, AT)
    assert told.totals == volumes.Totals(posts=8, complaints=7, authors=5)
    assert told.totals_before == volumes.Totals(posts=1, complaints=1, authors=1)
    assert sum(cell.complaints for cell in told.cells) == 7
    for cell in told.cells:
        narrowed = Asked("complaints", cell.begins, cell.ends).narrowed("network", cell.value)
        assert count(session, narrowed, RULES) == cell.complaints
    by_value = {part.value: part for part in told.parts}
    assert by_value["x"] == volumes.Part("x", 3, 3, 0, 1, 1, 1)
    assert by_value["net"] == volumes.Part("net", 5, 4, 1, 4, 3, 1)
    spoken = volumes.volumes(session, WEEK, "language", RULES, AT)
    assert {part.value for part in spoken.parts} == {"en", "de", NONE}
    assert spoken.totals == told.totals
    tagged = volumes.volumes(session, WEEK, "tag", RULES, AT)
    assert {part.value: part.complaints for part in tagged.parts} == {"router": 4, "billing": 1}
    assert tagged.totals == told.totals
    assert tagged.parts[0].posts is None
    hourly = volumes.volumes(session, WEEK, "source", RULES, AT, hourly=True)
    assert sum(cell.complaints for cell in hourly.cells) == 7
    assert {part.value for part in hourly.parts} == {"acme", "forum"}
    strict = volumes.volumes(session, WEEK, "network", Rules(0.95, OFFICE), AT)
    assert (strict.totals.posts, strict.totals.complaints) == (8, 0)


def test_where_there_is_nothing_nothing_is_claimed(session: Session) -> None:
    told = response.response(session, WEEK.begins, WEEK.ends, RULES)
    assert (told.found.rate, told.sla_rate, told.kept.rate) == (None, None, None)
    assert told.times["first"].clock == waits.Spread(0, None, None)
    empty = volumes.volumes(session, WEEK, "network", RULES, AT)
    assert (empty.totals.share, empty.parts, empty.cells) == (None, [], [])
    nothing = conditions(week("complaints"), RULES)
    assert topics.rising(session, nothing, nothing, RULES).topics == []


def test_days_are_the_teams(rows: Rows) -> None:
    # 23:30 UTC of the 19th is the 20th in Vienna.
    rows.post(datetime(2026, 11, 19, 23, 30, tzinfo=UTC))
    day = Period(date(2026, 11, 20), date(2026, 11, 20), VIENNA)
    for zone, number in ((VIENNA, 1), (ZoneInfo("UTC"), 0)):
        one = Period(day.first, day.last, zone)
        assert count(rows.session, Asked("posts", one.begins, one.ends), RULES) == number


def test_days_of_25_and_23_hours() -> None:
    autumn = Period(date(2026, 10, 25), date(2026, 10, 25), VIENNA)
    spring = Period(date(2026, 3, 29), date(2026, 3, 29), VIENNA)
    assert autumn.ends - autumn.begins == timedelta(hours=25)
    assert len(autumn.buckets(hourly=True)) == 25
    assert spring.ends - spring.begins == timedelta(hours=23)
    assert len(spring.buckets(hourly=True)) == 23
    weeks = Period(date(2026, 10, 19), date(2026, 11, 1), VIENNA)
    assert weeks.buckets(hourly=False)[6] == (autumn.begins, autumn.ends)
    assert weeks.before(AT).ends == weeks.begins
    assert len(weeks.before(AT).days) == 14
    # A zone of half hours.
    india = Period(date(2026, 10, 25), date(2026, 10, 25), ZoneInfo("Asia/Kolkata"))
    assert india.begins == datetime(2026, 10, 24, 18, 30, tzinfo=UTC)


def test_a_period_that_still_runs_is_compared_with_as_much() -> None:
    this = week_of(AT, VIENNA)
    assert this == WEEK
    before = this.before(AT)
    assert before.begins == midnight(date(2026, 11, 9), VIENNA)
    assert before.ends == AT - timedelta(days=7)
    over = week_of(AT, VIENNA, back=1)
    assert over.before(AT).ends == over.begins
    seven = last_days(7, VIENNA, AT)
    assert (seven.first, seven.last) == (date(2026, 11, 14), date(2026, 11, 20))
    # The clock went back between the two: the same time on the wall.
    monday = datetime(2026, 10, 26, 11, tzinfo=UTC)
    cut = last_days(2, VIENNA, monday).before(monday).ends
    assert cut == datetime(2026, 10, 24, 10, tzinfo=UTC)


def test_weeks_have_names() -> None:
    assert week_named("2026-W47", VIENNA) == WEEK
    assert name_of_week(WEEK) == "2026-W47"
    for wrong in ("2026-47", "2026-W60", "last"):
        with pytest.raises(ValueError, match="2026-W47"):
            week_named(wrong, VIENNA)


def test_addresses_that_ask_for_nothing_say_so() -> None:
    good = week("posts").narrowed("network", "x").address
    assert Asked.of_address(good | {"agent": "bob", "page": "2"}).where == (("network", "x"),)
    with pytest.raises(ValueError, match="no number"):
        Asked.of_address(good | {"measure": "secrets"})
    with pytest.raises(ValueError, match="from when"):
        Asked.of_address(good | {"from": "yesterday"})
    first = week("first").address
    assert Asked.of_address(first | {"hours": "in", "topic": "x"}).where == (("hours", "in"),)
    with pytest.raises(ValueError, match="hours"):
        Asked.of_address(first | {"hours": "zzz"})


@time_machine.travel(AT, tick=False)
@pytest.mark.parametrize("measure", ["cases", "posts", "authors", "held", "replies", "sla-met"])
def test_only_what_a_measure_has_narrows_it(filled: Rows, measure: str) -> None:
    asked = Asked.of_address(week(measure).address | {"hours": "in", "topic": "nobody said this"})
    number = count(filled.session, week(measure), RULES)
    assert count(filled.session, asked, RULES) == (0 if asked.where else number)
    assert bool(asked.where) == (measure in ("posts", "authors"))


def test_topics_that_rose_need_people_not_posts(rows: Rows) -> None:
    for number in range(8):
        rows.post(utc(10, number), f"old{number}", "my bill is wrong again")
        rows.post(utc(17, number), f"new{number}", "my bill is wrong again, router firmware @acme")
    newest = rows.post(utc(17, 8), "new7", "now the router firmware is broken")
    for number in range(20):
        rows.post(utc(18, 1, number), "loud", "winter tariff scandal https://x.example/winter")
    now_said, then_said = (
        conditions(Asked("complaints", period.begins, period.ends), RULES)
        for period in (WEEK, WEEK.before(AT))
    )
    ours = Rules(0.5, OFFICE, topics.own_words(("Acme", "@acmehelp")))
    told = topics.rising(rows.session, now_said, then_said, ours)
    assert (told.read, told.read_before) == (29, 8)
    (topic,) = told.topics
    assert (topic.words, topic.authors, topic.posts, topic.before) == ("router firmware", 8, 9, 0)
    assert topic.newest == newest.text
    asked = topics.asked_of(topic, week("complaints"))
    assert count(rows.session, asked, RULES) == topic.posts
    assert count(rows.session, asked.other("authors"), RULES) == topic.authors
    found = [
        row[0].text for row in read_rows(rows.session, asked.kind, ids(rows.session, asked, RULES))
    ]
    assert all("router firmware" in text for text in found)


def test_phrases_stand_together_and_say_something() -> None:
    found = topics.phrases("There is no refund for my broken router, 3 weeks!! www.a.example")
    assert {"no refund", "refund", "broken router"} <= found
    assert not found & {"no", "there", "refund broken", "www", "weeks"}


def test_a_phrase_that_everybody_says_does_not_rise() -> None:
    steady = {"bill": 50, "router": 3, "down": 20}
    assert topics._rank(steady, steady, 80, 80) == []
    (phrase, z), *_ = topics._rank(steady | {"firmware": 9}, steady, 80, 80)
    assert phrase == "firmware"
    assert z > topics.RISEN
    assert [one for one, _ in topics._rank({"new": 3}, {}, 80, 80)] == ["new"], "three will do"
    assert topics._rank({"new": 2}, {}, 80, 80) == []
    assert topics._rank({"bill": 3499}, {"bill": 3400}, 4000, 4000) == [], "sure, but no news"
    assert topics._rank({"all": 5}, {"all": 5}, 5, 5) == []
