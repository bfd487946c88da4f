"""Notes that tell colleagues, and the notices they make."""

import pytest
from sqlmodel import Session, select

from monitor.desk.cases import CaseError
from monitor.desk.clock import notices
from monitor.desk.page import notes
from monitor.store.models import Note, NoticeKind
from tests.conftest import ALICE, BOB
from tests.monitor.people import open_case

PEOPLE = [ALICE, BOB, "Bob Marley", "o'no"]


@pytest.fixture
def case_id(session: Session) -> int:
    """A case."""
    return open_case(session, "carol")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("@bob please call", [BOB]),
        ("ask @Bob Marley, not @bob", ["Bob Marley", BOB]),
        ("@BOB marley?", ["Bob Marley"]),
        ("@bob @bob", [BOB]),
        ("(@alice)", [ALICE]),
        ("thanks @bob.", [BOB]),
        ("@bobby and @bob_ and @bob-x and @bob.example", []),
        ("write to ann@bob or a.@bob", []),
        ("bob", []),
        ("@", []),
        ("", []),
    ],
)
def test_whom_a_note_names(text: str, named: list[str]) -> None:
    assert notes.mentioned(text, PEOPLE) == named
    assert "".join(piece for piece, _ in notes.pieces(text, PEOPLE)) == text


def test_nobody_works_here() -> None:
    assert notes.mentioned("@bob", []) == []


def test_a_note_tells_those_whom_it_names_but_not_its_writer(
    session: Session, case_id: int
) -> None:
    told = notes.note(session, case_id, ALICE, "@bob, @alice: who called? ", PEOPLE)
    assert told == [BOB]
    (notice,) = notices.unseen(session, BOB)
    assert (notice.kind, notice.case_id) == (NoticeKind.NOTE, case_id)
    assert notice.text == "alice named you in a note: @bob, @alice: who called?"
    assert notices.unseen(session, ALICE) == []
    assert session.exec(select(Note.text)).all() == ["@bob, @alice: who called?"]


def test_two_notes_tell_twice(session: Session, case_id: int) -> None:
    for text in ("@bob one", "@bob two"):
        notes.note(session, case_id, ALICE, text, PEOPLE)
    assert [n.text[-3:] for n in notices.unseen(session, BOB)] == ["two", "one"]


def test_empty_notes_and_notes_of_no_case_are_refused(session: Session, case_id: int) -> None:
    with pytest.raises(CaseError, match="Write something first"):
        notes.note(session, case_id, ALICE, " \n", PEOPLE)
    with pytest.raises(CaseError, match="no such case"):
        notes.note(session, 999_999, ALICE, "@bob", PEOPLE)
    assert notices.unseen(session, BOB) == []


def test_the_same_key_is_told_once_to_each(session: Session, case_id: int) -> None:
    for _ in range(2):
        for name in (ALICE, BOB):
            notices.tell(session, name, "k", NoticeKind.SLA_SOON, "soon", case_id)
    session.commit()
    (first,) = notices.unseen(session, ALICE)
    (his,) = notices.unseen(session, BOB)
    notices.mark_seen(session, ALICE, [first.id, his.id])
    assert notices.unseen(session, ALICE) == []
    assert len(notices.unseen(session, BOB)) == 1, "nobody sees for somebody else"
    notices.tell(session, ALICE, "k", NoticeKind.SLA_SOON, "soon", case_id)
    session.commit()
    assert notices.unseen(session, ALICE) == [], "what was seen is not told again"
