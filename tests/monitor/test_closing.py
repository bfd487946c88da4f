"""How cases end, and what is refused as an end."""

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from monitor.desk import cases, closing
from monitor.desk.cases import CaseConflictError, CaseError
from monitor.desk.closing import Ending
from monitor.store.models import (
    CannotHelp,
    Case,
    CaseEvent,
    CaseStatus,
    Dismissal,
    Outcome,
    now,
)
from tests.conftest import ALICE, BOB, make_post
from tests.monitor.test_desk import Desk, desk

__all__ = ["desk"]


@pytest.fixture
def case(desk: Desk) -> Case:
    """Somebody waits for a refund."""
    (found,) = desk.receive(make_post("1", "acme refund"))
    return found


def fresh(session: Session, case: Case) -> Case:
    return session.get_one(Case, case.id, populate_existing=True)


def test_an_ending_keeps_all_its_parts(session: Session, case: Case) -> None:
    got = now() - timedelta(hours=1)
    ending = Ending(
        Outcome.SOLVED,
        wanted=" 40 euros back ",
        delivered_at=got,
        remedy="Refunded 40 euros",
        goodwill="A voucher",
    )
    closing.resolve_with(session, case.id, ALICE, ending)
    found = fresh(session, case)
    assert (found.status, found.outcome, found.waiting_since) == (
        CaseStatus.RESOLVED,
        Outcome.SOLVED,
        None,
    )
    assert (found.wanted, found.remedy, found.goodwill) == (
        "40 euros back",
        "Refunded 40 euros",
        "A voucher",
    )
    assert found.delivered_at == got
    cases.reopen(session, case.id, ALICE)
    assert fresh(session, case).remedy == "Refunded 40 euros", "the next ending begins with it"
    closing.resolve_with(session, case.id, ALICE, Ending(Outcome.DISMISSED, Dismissal.SPAM))
    found = fresh(session, case)
    assert (found.remedy, found.goodwill) == ("", ""), "a dismissal has no remedy"
    assert (found.wanted, found.delivered_at) == ("40 euros back", got), "these are facts"


def test_goodwill_alone_is_no_refusal(session: Session, case: Case) -> None:
    closing.resolve_with(session, case.id, ALICE, Ending(Outcome.SOLVED, goodwill="A voucher"))
    assert fresh(session, case).goodwill == "A voucher"


def test_cannot_help_says_what_is_missing(session: Session, case: Case) -> None:
    bare = Ending(Outcome.CANNOT_HELP)
    with pytest.raises(CaseError) as refused:
        closing.resolve_with(session, case.id, ALICE, bare)
    assert str(refused.value) == (
        "Still missing: why we cannot help, the part that we can do, who takes the rest."
    )
    with pytest.raises(CaseError, match="missing: who takes the rest"):
        closing.resolve_with(
            session,
            case.id,
            ALICE,
            Ending(Outcome.CANNOT_HELP, cannot_help=CannotHelp.LAW, partial="A copy", wanted="x"),
        )
    assert fresh(session, case).status == CaseStatus.OPEN
    full = Ending(
        Outcome.CANNOT_HELP,
        cannot_help=CannotHelp.THIRD_PARTY,
        partial="We sent the papers on",
        referred_to="The carrier",
    )
    closing.resolve_with(session, case.id, ALICE, full)
    found = fresh(session, case)
    assert (found.cannot_help, found.partial, found.referred_to) == (
        CannotHelp.THIRD_PARTY,
        "We sent the papers on",
        "The carrier",
    )
    cases.reopen(session, case.id, ALICE)
    assert fresh(session, case).cannot_help is None


@pytest.mark.parametrize(
    "remedy", ["Works here.", "It WORKS  fine now", "works for me", "Restarted; works for us"]
)
def test_works_here_is_no_remedy(session: Session, case: Case, remedy: str) -> None:
    with pytest.raises(CaseError, match="Say what was done for the customer"):
        closing.resolve_with(session, case.id, ALICE, Ending(Outcome.SOLVED, remedy=remedy))
    assert fresh(session, case).status == CaseStatus.OPEN


def test_what_makes_no_sense_is_refused(session: Session, case: Case) -> None:
    for ending, words in (
        (Ending(Outcome.SOLVED, cannot_help=CannotHelp.LAW), "goes with that outcome only"),
        (Ending(Outcome.SOLVED, delivered_at=now() + timedelta(days=1)), "in the future"),
        (Ending(Outcome.DISMISSED), "why it needs no answer"),
        (Ending(Outcome.SOLVED, Dismissal.SPAM), "why it needs no answer"),
        (Ending(Outcome.MERGED), "into which case"),
    ):
        with pytest.raises(CaseError, match=words):
            closing.resolve_with(session, case.id, ALICE, ending)
    cases.claim(session, case.id, BOB)
    with pytest.raises(CaseConflictError, match="bob has it"):
        closing.resolve_with(session, case.id, ALICE, Ending(Outcome.PARTED))
    closing.resolve_with(session, case.id, BOB, Ending(Outcome.PARTED))
    with pytest.raises(CaseConflictError, match="it is resolved"):
        closing.resolve_with(session, case.id, BOB, Ending(Outcome.SOLVED))
    with pytest.raises(CaseConflictError, match="no such case"):
        closing.resolve_with(session, 999, BOB, Ending(Outcome.SOLVED))


def test_what_they_want_and_got_is_kept_before_the_end(session: Session, case: Case) -> None:
    closing.set_wanted(session, case.id, ALICE, "  a new\nkettle ")
    got = now()
    closing.delivered(session, case.id, ALICE, got)
    found = fresh(session, case)
    assert (found.wanted, found.delivered_at) == ("a new kettle", got)
    closing.delivered(session, case.id, ALICE, None)
    assert fresh(session, case).delivered_at is None
    whats = session.exec(select(CaseEvent.what).where(CaseEvent.case_id == case.id)).all()
    assert list(whats) == ["opened", "wanted", "delivered", "delivered"]
    with pytest.raises(CaseError, match="future"):
        closing.delivered(session, case.id, ALICE, now() + timedelta(days=1))
    cases.claim(session, case.id, BOB)
    with pytest.raises(CaseConflictError, match="bob has it"):
        closing.set_wanted(session, case.id, ALICE, "money")
    with pytest.raises(CaseConflictError, match="no such case"):
        closing.delivered(session, 999, ALICE, got)
