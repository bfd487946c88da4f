"""Canned replies: kept by name, filled in, and never sent with something left to fill in."""

import pytest
from sqlmodel import Session

from monitor.answer import canned, private, replies
from monitor.desk.cases import CaseConflictError, CaseError
from monitor.settings import Desk as DeskSettings
from monitor.store.models import Author, Case, ReplyStatus
from tests.conftest import ALICE, BOB, ScriptedNetwork
from tests.monitor.test_desk import Desk, desk
from tests.monitor.test_replies import case

__all__ = ["case", "desk"]

CONTACT = "Write to us in private: https://care.acme.example"


def test_kept_by_name_renamed_and_deleted(session: Session) -> None:
    outage = canned.add(session, ALICE, "  An  outage ", " We are on it, {customer}. ")
    canned.add(session, ALICE, "a bill", "We look at it.")
    assert [(one.name, one.text) for one in canned.all_canned(session)] == [
        ("a bill", "We look at it."),
        ("An outage", "We are on it, {customer}."),
    ]
    canned.change(session, outage.id, BOB, "Outage", "Soon, {customer}.")
    session.expire_all()
    assert (outage.name, outage.text, outage.agent) == ("Outage", "Soon, {customer}.", BOB)
    canned.delete(session, outage.id)
    assert [one.name for one in canned.all_canned(session)] == ["a bill"]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (" ", "Words", "Give it a name"),
        ("n" * 61, "Words", "at most 60"),
        ("Outage", " ", "Write its text"),
        ("Outage", "x" * 5001, "at most 5000"),
        ("Taken", "Words", "already"),
    ],
)
def test_what_cannot_be_kept(session: Session, name: str, text: str, told: str) -> None:
    canned.add(session, ALICE, "Taken", "First")
    other = canned.add(session, ALICE, "Other", "Second")
    with pytest.raises(CaseError, match=told):
        canned.add(session, ALICE, name, text)
    with pytest.raises(CaseError, match=told):
        canned.change(session, other.id, ALICE, name, text)
    assert [one.text for one in canned.all_canned(session)] == ["Second", "First"]


def test_what_is_gone_is_told(session: Session) -> None:
    with pytest.raises(CaseConflictError, match="gone already"):
        canned.delete(session, 7)
    with pytest.raises(CaseConflictError, match="deleted"):
        canned.change(session, 7, ALICE, "Outage", "Soon")


def test_filled_in_once_and_the_unknown_stays() -> None:
    author = Author(network="net", external_id="1", handle="@ben", name="Ben\n{agent} B")
    known = canned.values(author, 5, ALICE, "Acme", CONTACT)
    text = "{customer}, {handle}, {agent}, {company}, {case}, {link}, {Order}"
    assert canned.fill(text, known) == (
        "Ben {agent} B, @ben, alice, Acme, 5, https://care.acme.example, {Order}"
    )
    assert set(known) == set(canned.NAMES)
    nameless = Author(network="net", external_id="1", handle="ben")
    known = canned.values(nameless, 5, ALICE, "Acme", "")
    assert canned.fill("{customer} {link}", known) == "ben {link}"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("We are sorry.", []),
        ("A list [1], an empty {} and [] and :-{", []),
        ("Dear {customer}, by [date] or {customer}", ["{customer}", "[date]"]),
        ("Your order {order number}", ["{order number}"]),
        ("Until [Tag der Lieferung]", ["[Tag der Lieferung]"]),
        ("Bis [Übergabe]", ["[Übergabe]"]),
    ],
)
def test_what_is_left_to_fill_in(text: str, left: list[str]) -> None:
    assert canned.unfilled(text) == left


def test_an_unfilled_reply_is_not_sent(
    session: Session, case: Case, network: ScriptedNetwork
) -> None:
    draft = replies.save_draft(session, case.id, ALICE, "Dear {customer}, by [date]")
    with pytest.raises(CaseError, match=r"\{customer\}, \[date\]"):
        replies.send(session, draft.id, ALICE, network)
    session.refresh(draft)
    assert (draft.status, network.sent) == (ReplyStatus.DRAFT, {})


def test_public_then_private_is_one_reply_and_told(
    session: Session, case: Case, network: ScriptedNetwork, desk: Desk
) -> None:
    words = "Your refund of June went out this morning."
    text = private.with_contact(words, CONTACT)
    assert text == f"{words}\n\n{CONTACT}"
    assert private.with_contact(text, CONTACT) == text
    assert private.without_contact(text, CONTACT) == words
    assert private.with_contact(words, "") == words
    assert private.without_contact(words, " ") == words
    draft = replies.save_draft(session, case.id, ALICE, text)
    replies.send(session, draft.id, ALICE, network, DeskSettings(private_contact=CONTACT))
    assert list(network.sent.values()) == [text]
    assert ("reply is being sent", "public, then private") in desk.details(case)
