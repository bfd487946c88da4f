"""Internal remarks. An @name in one tells that colleague."""

import re
from collections.abc import Sequence

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from monitor.desk.cases import CaseError
from monitor.desk.clock import notices
from monitor.store.models import Note, NoticeKind

LONGEST = 20_000
"""Characters of a note that are kept."""

TOLD = 300
"""Characters of a note that stand in the notice of it."""


def note(
    session: Session, case_id: int, agent: str, text: str, people: Sequence[str] = ()
) -> list[str]:
    """Keep an internal remark, and tell the people whose @name stands in it. Returns these.

    Nobody is told of a note of their own. Raises CaseError for an empty one or an unknown case.
    """
    text = text.strip()[:LONGEST]
    if not text:
        raise CaseError("Write something first.")
    kept = Note(case_id=case_id, agent=agent, text=text)
    session.add(kept)
    try:
        session.flush()
    except IntegrityError as error:
        session.rollback()
        raise CaseError("There is no such case any more.") from error
    told = [name for name in mentioned(text, people) if name != agent]
    for name in told:
        words = f"{agent} named you in a note: {text[:TOLD]}"
        notices.tell(session, name, f"note:{kept.id}", NoticeKind.NOTE, words, case_id)
    session.commit()
    return told


def mentioned(text: str, people: Sequence[str]) -> list[str]:
    """The people whose @name stands in a text, once each, in their order there."""
    return list(dict.fromkeys(name for _, name in pieces(text, people) if name))


def pieces(text: str, people: Sequence[str]) -> list[tuple[str, str | None]]:
    """A text cut at the @names in it: each piece with the person whom it names, or None.

    Case does not matter; of two names that fit, the longer counts; an e-mail address names nobody.
    """
    if not people:
        return [(text, None)]
    known = {name.casefold(): name for name in people}
    longest_first = sorted(people, key=len, reverse=True)
    names = "|".join(re.escape(name) for name in longest_first)
    cut = re.split(rf"(?<![\w.@-])(@(?:{names}))(?!\w|[.@-]\w)", text, flags=re.IGNORECASE)
    found = [(piece, known[piece[1:].casefold()] if odd % 2 else None)
             for odd, piece in enumerate(cut)]  # fmt: skip
    return [(piece, name) for piece, name in found if piece]
