"""Who is at a case now: leases that end by themselves."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from sqlmodel import Session, select

from monitor.desk.page.presence import LEASE, here, others
from monitor.store.models import Presence
from tests.conftest import ALICE, BOB, NOON
from tests.monitor.people import open_case


@pytest.fixture
def case_id(session: Session) -> int:
    """A case."""
    return open_case(session, "carol")


def seen(session: Session, case_id: int, by: str | None) -> list[tuple[str, bool]]:
    return [(row.agent, row.writing) for row in others(session, case_id, by)]


def test_everybody_sees_the_others_and_what_they_do(session: Session, case_id: int) -> None:
    here(session, case_id, ALICE, writing=False)
    here(session, case_id, BOB, writing=True)
    assert seen(session, case_id, ALICE) == [(BOB, True)]
    assert seen(session, case_id, BOB) == [(ALICE, False)]
    assert seen(session, case_id, None) == [(ALICE, False), (BOB, True)]
    here(session, case_id, BOB, writing=False)
    assert seen(session, case_id, ALICE) == [(BOB, False)]


def test_a_lease_ends_by_itself_unless_it_is_renewed(session: Session, case_id: int) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        here(session, case_id, ALICE, writing=True)
        clock.shift(LEASE - timedelta(seconds=1))
        here(session, case_id, BOB, writing=False)
        assert seen(session, case_id, BOB) == [(ALICE, True)]
        clock.shift(timedelta(seconds=2))
        assert seen(session, case_id, BOB) == []
        assert seen(session, case_id, ALICE) == [(BOB, False)]


def test_own_leases_that_ended_are_taken_away(session: Session, case_id: int) -> None:
    other = open_case(session, "dave")
    with time_machine.travel(NOON, tick=False) as clock:
        here(session, case_id, ALICE, writing=False)
        here(session, case_id, BOB, writing=False)
        clock.shift(2 * LEASE)
        here(session, other, ALICE, writing=False)
    left = {(row.case_id, row.agent) for row in session.exec(select(Presence))}
    assert left == {(other, ALICE), (case_id, BOB)}


def test_a_case_that_is_gone_holds_nobody_up(session: Session, case_id: int) -> None:
    here(session, 999_999, ALICE, writing=False)
    assert session.exec(select(sa.func.count()).select_from(Presence)).one() == 0
    here(session, case_id, ALICE, writing=False)
    assert seen(session, case_id, BOB) == [(ALICE, False)]
