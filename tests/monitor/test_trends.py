"""Trends count what happened, in the team's days."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import time_machine
from sqlmodel import Session

from connectors.base import FetchedPost
from monitor.answer import replies
from monitor.desk import cases
from monitor.intake.collect import Watch
from monitor.store.models import Dismissal, Outcome, Source
from monitor.watch import trends
from tests.conftest import ALICE, ScriptedNetwork, make_post
from tests.monitor.test_desk import Desk

VIENNA = ZoneInfo("Europe/Vienna")
NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)


def at(external_id: str, hour: int, text: str, author: str, **changes: object) -> FetchedPost:
    created = datetime(2026, 11, 20, hour, 30, tzinfo=UTC)
    return make_post(external_id, text, author, created_at=created, **changes)


@time_machine.travel(NOW, tick=False)
def test_days_are_the_teams_and_figures_agree(
    session: Session, watch: Watch, network: ScriptedNetwork, source: Source
) -> None:
    desk = Desk(session, watch, network, source)
    found = desk.receive(
        at("1", 10, "acme is down", "carol"),
        at("2", 11, "acme is broken", "dave"),
        at("3", 12, "acme is nice", "erin"),
        at("4", 13, "", "frank", repost_of="1"),
        at("5", 14, "acme answers", "acmehelp"),
        make_post("6", "acme down", "gus", created_at=datetime(2026, 11, 19, 23, 30, tzinfo=UTC)),
        make_post("7", "acme down", "hal", created_at=datetime(2026, 10, 1, tzinfo=UTC)),
    )
    assert len(found) == 4
    by_author = {case.author_id: case for case in found}
    carol, dave, *_ = sorted(by_author.values(), key=lambda case: case.opened_at, reverse=True)
    cases.claim(session, carol.id, ALICE)
    replies.record_elsewhere(session, carol.id, ALICE, "https://net.example/reply")
    cases.resolve(session, dave.id, ALICE, Outcome.DISMISSED, Dismissal.SPAM)

    # 23:30 UTC of the 19th is the 20th in Vienna.
    (day,) = trends.by_day(session, VIENNA, 1, 0.5)
    assert (day.day, day.network) == (date(2026, 11, 20), "net")
    assert (day.posts, day.complaints, day.answered) == (4, 3, 1)
    utc = trends.by_day(session, ZoneInfo("UTC"), 2, 0.5)
    assert [(d.day.day, d.complaints) for d in utc] == [(19, 1), (20, 2)]

    figures = trends.summary(session, VIENNA, 1, 0.5)
    assert (figures.posts, figures.complaints, figures.cases) == (4, 3, 3)
    assert (figures.answered, figures.dismissed) == (1, 1)
    assert figures.response_rate == 1 / 3
    assert figures.median_first_response is not None
    oldest = [author.handle for _, author in trends.never_answered(session)]
    assert oldest == ["hal", "gus"]


def test_where_there_is_nothing_nothing_is_claimed(session: Session) -> None:
    figures = trends.summary(session, VIENNA, 7, 0.5)
    assert (figures.response_rate, figures.median_first_response) == (None, None)
    assert trends.by_day(session, VIENNA, 7, 0.5) == []
