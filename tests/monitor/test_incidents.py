"""Incidents: who proposes them, who may close them, and who is told when it is fixed."""

import threading
from datetime import timedelta
from itertools import count, product

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.answer import replies
from monitor.desk import cases
from monitor.desk.arrivals.triage import triage_new
from monitor.desk.cases import CaseConflictError, CaseError
from monitor.store.models import (
    Author,
    Case,
    CaseEvent,
    Dismissal,
    Incident,
    IncidentCase,
    IncidentStatus,
    Outcome,
    Post,
    Reproduced,
    Source,
    now,
)
from monitor.watch.incident import grouping, incident_card, incident_cases, incidents
from monitor.watch.incident.proposing import propose
from tests.conftest import ALICE, BOB

WINDOW = timedelta(hours=72)
NUMBERS = count(1)
CHATTER = (
    "my internet is slow again",
    "the bill is wrong and you never answer me",
    "no engineer came since the morning",
    "has it only been two days",
)
RED = "Eastmoor: no internet since six, the hub blinks red"
ALSO = "is it only me or has the hub gone red in eastmoor"
THIRD = "red light on our hub too, Eastmoor, brook street"
BILL = "you billed me twice for the tablet, refund please"
SAME_BILL = "refund the tablet that was billed twice"


@pytest.fixture(autouse=True)
def _weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights of these tests, whatever is fitted to the next model."""
    weights = grouping.Weights(meaning=2.0, words=0.3, thread=1.5, hours=1.2, pair=2.0, join=1.2)
    monkeypatch.setattr(grouping, "WEIGHTS", weights)


@pytest.fixture(autouse=True)
def _chatter(session: Session, source: Source) -> None:
    """A fortnight in which people wrote of this and that, so that words have a rarity."""
    quiet = Author(network="net", external_id="chatter", handle="chatter")
    session.add(quiet)
    session.flush()
    for day, text in product(range(2, 14), CHATTER):
        session.add(
            Post(
                network="net",
                external_id=f"c{next(NUMBERS)}",
                source_id=source.id,
                author_id=quiet.id,
                text=text,
                created_at=now() - timedelta(days=day),
                scorer="t",
                complaint=0.1,
                triaged_at=now(),
            )
        )
    session.commit()


def post(session: Session, who: str, text: str, hours: float = 1.0, **values: object) -> int:
    """Somebody posts a complaint and triage sees it. Returns the case, 0 for none."""
    author = session.exec(select(Author).where(Author.handle == who)).first()
    if author is None:
        author = Author(network="net", external_id=who, handle=who, name=who.capitalize())
        session.add(author)
        session.flush()
    number = f"n{next(NUMBERS)}"
    made = Post(
        network="net",
        external_id=number,
        source_id=session.exec(select(Source.id)).one(),
        author_id=author.id,
        text=text,
        created_at=now() - timedelta(hours=hours),
        thread=number,
        ref=number,
        scorer="t",
        complaint=0.9,
        severity=0.5,
    )
    made.sqlmodel_update(values)
    session.add(made)
    session.commit()
    triage_new(session, 0.5)
    session.refresh(made)
    return made.case_id or 0


def run(session: Session) -> None:
    while propose(session, 0.5, WINDOW):
        pass


def found(session: Session) -> list[tuple[IncidentStatus, set[int]]]:
    """The incidents with their cases."""
    session.expire_all()
    rows = session.exec(select(Incident).order_by(col(Incident.id))).all()
    return [(row.status, cases_of(session, row.id)) for row in rows]


def cases_of(session: Session, incident_id: int) -> set[int]:
    query = select(IncidentCase.case_id).where(IncidentCase.incident_id == incident_id)
    return set(session.exec(query))


def history(session: Session, case_id: int) -> list[str]:
    query = select(CaseEvent.what).where(CaseEvent.case_id == case_id).order_by(col(CaseEvent.id))
    return list(session.exec(query))


def outage(session: Session) -> tuple[int, list[int]]:
    """An incident of three customers that alice confirmed."""
    ids = [post(session, who, text) for who, text in (("a", RED), ("b", ALSO), ("c", THIRD))]
    run(session)
    (incident,) = session.exec(select(Incident)).all()
    incidents.confirm(session, incident.id, ALICE)
    assert cases_of(session, incident.id) == set(ids)
    return incident.id, ids


# ---- proposed ----


def test_two_customers_who_tell_of_one_fault_suffice(session: Session) -> None:
    one, other = post(session, "a", RED), post(session, "b", ALSO)
    bill = post(session, "c", BILL)
    run(session)
    assert found(session) == [(IncidentStatus.PROPOSED, {one, other})]
    (incident,) = session.exec(select(Incident)).all()
    assert "eastmoor" in incident.words
    assert incident.title[0].isupper()
    assert incident.reporter is None
    assert history(session, one) == ["opened"], "it is only proposed"
    compared = session.exec(select(Case.compared_at).where(Case.id == bill)).one()
    assert compared is not None
    assert propose(session, 0.5, WINDOW) == 0


def test_one_persons_posts_are_one(session: Session) -> None:
    for text in (RED, ALSO, THIRD, "red hub eastmoor again", "eastmoor hub red still"):
        case_id = post(session, "a", text)
        cases.resolve(session, case_id, ALICE, Outcome.EXPLAINED)
        session.execute(sa.update(Case).values(resolved_at=now() - timedelta(days=20)))
        session.commit()
    assert len(session.exec(select(Case)).all()) == 5
    run(session)
    assert found(session) == []


def test_reposts_and_copies_do_not_count(session: Session) -> None:
    post(session, "a", RED, external_id="first")
    assert post(session, "b", RED, repost_of="first") == 0
    post(session, "c", RED.upper() + "!!")
    run(session)
    assert found(session) == []
    post(session, "d", ALSO)
    run(session)
    (incident,) = session.exec(select(Incident)).all()
    known = incident_card.card(session, incident.id)
    assert known is not None
    assert (known.authors, len(known.members)) == (2, 3)


def test_later_cases_join_and_confirmed_ones_say_so(session: Session) -> None:
    incident_id, ids = outage(session)
    late = post(session, "d", "eastmoor hub red here as well", 0.2)
    run(session)
    assert cases_of(session, incident_id) == {*ids, late}
    assert history(session, late) == ["opened", "joined an incident"]
    assert history(session, ids[0]) == ["opened", "joined an incident"]
    row = session.get_one(Incident, incident_id)
    assert row.last_seen_at > now() - timedelta(minutes=30)


def test_a_customer_who_writes_more_is_compared_again(session: Session) -> None:
    bill = post(session, "c", BILL)
    post(session, "a", RED)
    run(session)
    assert found(session) == []
    assert post(session, "c", "and now the hub is red, all of eastmoor is", 0.5) == bill
    run(session)
    ((_, ids),) = found(session)
    assert bill in ids
    link = session.exec(select(IncidentCase).where(IncidentCase.case_id == bill)).one()
    assert session.exec(select(Post.text).where(Post.id == link.post_id)).one().startswith("and")


def test_old_and_dismissed_cases_are_not_compared(session: Session) -> None:
    post(session, "a", RED, hours=80)
    post(session, "b", ALSO, hours=79)
    spam = post(session, "c", THIRD)
    cases.resolve(session, spam, ALICE, Outcome.DISMISSED, Dismissal.SPAM)
    post(session, "d", "eastmoor hub red here as well")
    run(session)
    assert found(session) == []


def test_a_thread_below_our_post_is_no_thread_of_customers(session: Session) -> None:
    own = Author(network="net", external_id="us", handle="us", own=True)
    session.add(own)
    session.commit()
    post(session, "us", "New prices!", external_id="ours", thread="ours", complaint=0.0)
    post(session, "a", "not happy with that at all", thread="ours")
    post(session, "b", "my parcel is broken", thread="ours")
    run(session)
    assert found(session) == []


def test_two_engines_propose_it_once(database: sa.Engine, session: Session) -> None:
    for number in range(6):
        post(session, f"p{number}", f"{ALSO} {number}")
    problems: list[Exception] = []

    def engine() -> None:
        try:
            with Session(database) as own:
                run(own)
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=engine) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    ((status, ids),) = found(session)
    assert status == IncidentStatus.PROPOSED
    assert len(ids) == 6


# ---- confirmed or not ----


def test_confirmed_once(session: Session) -> None:
    incident_id, _ = outage(session)
    assert session.get_one(Incident, incident_id).reporter == ALICE
    with pytest.raises(CaseConflictError, match="it is open"):
        incidents.confirm(session, incident_id, BOB)
    with pytest.raises(CaseConflictError, match="no such incident"):
        incidents.confirm(session, 999, BOB)


def test_what_was_rejected_is_not_proposed_again(session: Session) -> None:
    one, other = post(session, "a", RED), post(session, "b", ALSO)
    run(session)
    (incident,) = session.exec(select(Incident)).all()
    incidents.reject(session, incident.id, BOB)
    session.execute(sa.update(Case).values(compared_at=None))
    session.commit()
    post(session, "c", THIRD)
    run(session)
    assert found(session) == [(IncidentStatus.REJECTED, {one, other})]
    incidents.propose_again(session, incident.id)
    assert found(session) == [(IncidentStatus.PROPOSED, {one, other})]


def test_renamed(session: Session) -> None:
    incident_id, _ = outage(session)
    incidents.rename(session, incident_id, "  Eastmoor   exchange ")
    assert session.get_one(Incident, incident_id).title == "Eastmoor exchange"
    with pytest.raises(CaseError, match="title"):
        incidents.rename(session, incident_id, " ")


# ---- split, merged, added ----


def test_what_was_split_off_is_not_proposed_there_again(session: Session) -> None:
    incident_id, ids = outage(session)
    incident_cases.split(session, incident_id, ids[:1], BOB)
    session.execute(sa.update(Case).values(compared_at=None))
    session.commit()
    run(session)
    assert found(session) == [(IncidentStatus.OPEN, set(ids[1:]))]
    assert history(session, ids[0])[-1] == "taken out of an incident"
    with pytest.raises(CaseConflictError, match="not in this incident"):
        incident_cases.split(session, incident_id, ids[:1], BOB)
    incident_cases.add(session, incident_id, ids[0], BOB)
    assert found(session) == [(IncidentStatus.OPEN, set(ids))]


def test_split_into_one_of_its_own(session: Session) -> None:
    incident_id, ids = outage(session)
    made = incident_cases.split(session, incident_id, ids[1:], BOB, "Brook Street")
    assert found(session) == [
        (IncidentStatus.OPEN, {ids[0]}),
        (IncidentStatus.OPEN, set(ids[1:])),
    ]
    row = session.get_one(Incident, made)
    assert (row.title, row.reporter) == ("Brook Street", BOB)
    with pytest.raises(CaseError, match="needs a case"):
        incident_cases.split(session, incident_id, ids[:1], BOB)
    with pytest.raises(CaseError, match="Choose"):
        incident_cases.split(session, incident_id, [], BOB)


def test_merged_into_another(session: Session) -> None:
    incident_id, ids = outage(session)
    case_id = post(session, "z", BILL)
    run(session)
    other = incident_cases.open_by_hand(session, BOB, "Tablets", case_id)
    incident_cases.merge(session, other, incident_id, ALICE)
    assert found(session) == [
        (IncidentStatus.OPEN, {*ids, case_id}),
        (IncidentStatus.MERGED, set()),
    ]
    with pytest.raises(CaseConflictError, match=f"goes on in incident {incident_id}"):
        incident_cases.add(session, other, case_id, ALICE)
    with pytest.raises(CaseError, match="another"):
        incident_cases.merge(session, incident_id, incident_id, ALICE)
    with pytest.raises(CaseConflictError, match="no such incident"):
        incident_cases.merge(session, incident_id, 999, ALICE)


def test_a_case_is_in_one_standing_incident(session: Session) -> None:
    incident_id, ids = outage(session)
    with pytest.raises(CaseConflictError, match=f"in incident {incident_id} already"):
        incident_cases.open_by_hand(session, BOB, "Mine", ids[0])
    with pytest.raises(CaseError, match="no such case"):
        incident_cases.open_by_hand(session, BOB, "Mine", 999)
    assert len(found(session)) == 1, "nothing is left of what was refused"


# ---- closed ----


def test_no_fault_needs_another_person_and_evidence(session: Session) -> None:
    incident_id, _ = outage(session)
    with pytest.raises(CaseError, match="You reported it"):
        incidents.no_fault(session, incident_id, ALICE)
    with pytest.raises(CaseError, match="Add the evidence first"):
        incidents.no_fault(session, incident_id, BOB)
    with pytest.raises(CaseError, match="https://"):
        incidents.set_evidence(session, incident_id, BOB, "javascript:alert(1)", "3")
    with pytest.raises(CaseError, match="begins with"):
        incidents.set_evidence(session, incident_id, BOB, "https://[x/1", "3")
    with pytest.raises(CaseError, match="number"):
        incidents.set_evidence(session, incident_id, BOB, "https://graphs.example/1", "fine")
    incidents.set_evidence(session, incident_id, BOB, "https://graphs.example/1", "0 errors")
    with pytest.raises(CaseError, match="You reported it"):
        incidents.no_fault(session, incident_id, ALICE)
    incidents.no_fault(session, incident_id, BOB)
    row = session.get_one(Incident, incident_id)
    assert (row.status, row.closed_by) == (IncidentStatus.NO_FAULT, BOB)
    assert (row.evidence_by, row.evidence_value) == (BOB, "0 errors")
    with pytest.raises(CaseError, match="is no fault"):
        incidents.no_fault(session, incident_id, BOB)
    incidents.reopen(session, incident_id)
    assert session.get_one(Incident, incident_id, populate_existing=True).closed_at is None


def test_one_customers_word_can_be_closed_without_evidence_by_another(session: Session) -> None:
    case_id = post(session, "a", BILL)
    made = incident_cases.open_by_hand(session, ALICE, "Tablets", case_id)
    incidents.no_fault(session, made, BOB)
    assert session.get_one(Incident, made).status == IncidentStatus.NO_FAULT


def test_watched_fixed_and_opened_again(session: Session) -> None:
    incident_id, _ = outage(session)
    incidents.describe(session, incident_id, "Exchange down", "Power", Reproduced.YES)
    incidents.watch(session, incident_id)
    with pytest.raises(CaseConflictError, match="it is watching"):
        incidents.watch(session, incident_id)
    incidents.fix(session, incident_id, ALICE)
    with pytest.raises(CaseConflictError, match="it is fixed"):
        incidents.fix(session, incident_id, BOB)
    incidents.reopen(session, incident_id)
    row = session.get_one(Incident, incident_id, populate_existing=True)
    assert (row.status, row.cause, row.reproduced) == (
        IncidentStatus.OPEN,
        "Power",
        Reproduced.YES,
    )


# ---- told ----


def test_everybody_is_told_that_it_is_fixed(session: Session) -> None:
    incident_id, ids = outage(session)

    def waiting() -> list[int]:
        session.expire_all()
        known = incident_card.card(session, incident_id)
        assert known is not None
        found = incident_card.follow_up(session, known.incident, 100)
        assert incident_card.untold(session, known.incident) == len(found)
        return [member.case.id for member in found]

    cases.claim(session, ids[1], ALICE)
    replies.record_elsewhere(session, ids[1], ALICE, "https://net.example/early")
    assert waiting() == []
    incidents.fix(session, incident_id, ALICE)
    assert waiting() == ids, "an answer from before does not tell it"
    replies.record_elsewhere(session, ids[1], ALICE, "https://net.example/late")
    assert waiting() == [ids[0], ids[2]]
    incidents.mark_followed_up(session, incident_id, ids[0], BOB)
    assert waiting() == [ids[2]]
    assert history(session, ids[0])[-1] == "told that it is fixed"
    with pytest.raises(CaseConflictError, match="meanwhile"):
        incidents.mark_followed_up(session, incident_id, ids[0], ALICE)
    with pytest.raises(CaseConflictError, match="not you"):
        incidents.unmark_followed_up(session, incident_id, ids[0], ALICE)
    assert history(session, ids[0])[-1] == "told that it is fixed", "only bob takes back his word"
    assert waiting() == [ids[2]]
    incidents.unmark_followed_up(session, incident_id, ids[0], BOB)
    assert history(session, ids[0])[-1] == "not told yet that it is fixed"
    assert waiting() == [ids[0], ids[2]]


def test_a_card_counts_all_its_cases_and_lists_the_newest(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    incident_id, ids = outage(session)
    cases.claim(session, ids[0], ALICE)
    replies.record_elsewhere(session, ids[0], ALICE, "https://net.example/early")
    incidents.fix(session, incident_id, ALICE)
    before = incident_card.card(session, incident_id)
    monkeypatch.setattr(incident_card, "SHOWN", 1)
    known = incident_card.card(session, incident_id)
    assert known is not None
    assert before is not None
    assert (known.number, known.authors, known.unresolved, known.answered) == (3, 3, 3, 1)
    assert (known.first_seen, known.networks) == (before.first_seen, [("net", 3)])
    assert (len(known.growth), known.silent(2, 5)) == (3, (6, 15))
    assert [one.case.id for one in known.members] == [ids[2]]
    assert incident_card.untold(session, known.incident) == 3
    first = incident_card.follow_up(session, known.incident, 2)
    assert [one.case.id for one in first] == ids[:2], "who waits longest is told first"


def test_the_reply_to_write_has_the_update_and_the_name(session: Session) -> None:
    incident_id, ids = outage(session)
    row = session.get_one(Incident, incident_id)
    author = session.exec(select(Author).where(Author.handle == "a")).one()
    assert incident_card.draft(row, author) == ""
    incidents.set_update(session, incident_id, BOB, " all lines in Eastmoor are back. ")
    session.refresh(row)
    assert incident_card.draft(row, author) == "Hello A, all lines in Eastmoor are back."
    assert (row.update_by, row.update_at is not None) == (BOB, True)
    shown = incident_card.of_case(session, ids[0])
    assert shown is not None
    assert (shown.incident.id, shown.authors) == (incident_id, 3)
    incidents.fix(session, incident_id, ALICE)
    incidents.set_update(session, incident_id, BOB, "")
    session.refresh(row)
    assert "is fixed now" in incident_card.draft(row, author)


def test_a_proposal_is_not_shown_in_its_cases(session: Session) -> None:
    one, _ = post(session, "a", RED), post(session, "b", ALSO)
    run(session)
    assert incident_card.of_case(session, one) is None
    assert [len(known.members) for known in incident_card.proposed(session)] == [2]


def test_who_tells_of_it_after_it_was_fixed_is_counted(session: Session) -> None:
    incident_id, _ = outage(session)
    session.execute(sa.update(Incident).values(closed_at=now() - timedelta(hours=1)))
    incidents.fix(session, incident_id, ALICE)
    session.execute(sa.update(Incident).values(closed_at=now() - timedelta(minutes=40)))
    session.commit()
    post(session, "d", "eastmoor hub red here as well", 0.1)
    run(session)
    session.expire_all()
    known = incident_card.card(session, incident_id)
    assert known is not None
    assert (known.authors, known.since_fixed) == (4, 1)
    assert [people for _, people in known.growth] == [1, 2, 3, 4]


def test_the_card_quotes_customers_whose_words_differ(session: Session) -> None:
    incident_id, ids = outage(session)
    copied = post(session, "e", RED + "!")
    incident_cases.add(session, incident_id, copied, BOB)
    known = incident_card.card(session, incident_id)
    assert known is not None
    assert {one.case.id for one in known.quotes} == set(ids)
    assert known.silent(25, 50) == (75, 150)
    assert known.networks == [("net", 4)]
    assert (known.unresolved, known.answered) == (4, 0)
