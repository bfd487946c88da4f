"""Notes that tell colleagues, the notices they make, and tags."""

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from monitor.desk import notes, notices, tags
from monitor.desk.cases import CaseError
from monitor.store.models import Note, NoticeKind
from tests.conftest import ALICE, BOB
from tests.monitor.people import history, open_case

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


def test_tags_are_kept_small_once_and_in_the_history(session: Session, case_id: int) -> None:
    other = open_case(session, "dave")
    tags.add(session, case_id, ALICE, "  Late   Refund ")
    tags.add(session, case_id, BOB, "late refund")
    tags.add(session, case_id, BOB, "app")
    tags.add(session, other, BOB, "app")
    assert tags.of_cases(session, [case_id, other, 7]) == {
        case_id: ["app", "late refund"],
        other: ["app"],
        7: [],
    }
    assert tags.all_tags(session) == [("app", 2), ("late refund", 1)]
    tags.remove(session, case_id, ALICE, "LATE refund")
    tags.remove(session, case_id, ALICE, "late refund")
    assert tags.of_cases(session, [case_id])[case_id] == ["app"]
    assert history(session, case_id) == [
        ("tagged", "late refund"),
        ("tagged", "app"),
        ("tag removed", "late refund"),
    ]


@pytest.mark.parametrize("tag", ["", "  ", "x" * 31])
def test_a_tag_that_is_none(session: Session, case_id: int, tag: str) -> None:
    with pytest.raises(CaseError, match="1 to 30 characters"):
        tags.add(session, case_id, ALICE, tag)
    with pytest.raises(CaseError, match="no such case"):
        tags.add(session, 999_999, ALICE, "app")
    assert session.execute(sa.text("SELECT count(*) FROM casetag")).scalar() == 0
