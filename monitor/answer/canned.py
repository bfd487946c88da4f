"""Canned replies: answers to begin with, whose {name}s are filled in before they are sent."""

import re
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from monitor.desk.cases import CaseConflictError, CaseError
from monitor.store.db import row_count
from monitor.store.models import Author, Canned, now

NAMES = ("customer", "handle", "agent", "company", "case", "link")
"""What can be filled in."""

LONGEST_NAME, LONGEST_TEXT = 60, 5000

SLOT = re.compile(r"\{(\w+)\}")
UNFILLED = re.compile(r"\{[^{}\n]{1,40}\}|\[[^\W\d_][^\[\]\n]{0,39}\]")
"""{anything}, and [words in brackets] that somebody left to be written: "[1]" is none."""


def all_canned(session: Session) -> Sequence[Canned]:
    """Every canned reply, by name."""
    return session.exec(select(Canned).order_by(sa.func.lower(col(Canned.name)))).all()


def add(session: Session, agent: str, name: str, text: str) -> Canned:
    """Keep a new canned reply. Raises CaseError for an empty or taken name, or no text."""
    name, text = _checked(name, text)
    made = Canned(name=name, text=text, agent=agent)
    session.add(made)
    try:
        session.commit()
    except IntegrityError as error:
        session.rollback()
        raise _taken(name) from error
    return made


def change(session: Session, canned_id: int, agent: str, name: str, text: str) -> None:
    """Give a canned reply another name or text.

    Raises CaseError as `add` does, and CaseConflictError where it was deleted meanwhile.
    """
    name, text = _checked(name, text)
    session.rollback()
    try:
        changed = session.execute(
            sa.update(Canned)
            .where(col(Canned.id) == canned_id)
            .values(name=name, text=text, agent=agent, updated_at=now())
            .execution_options(synchronize_session=False)
        )
    except IntegrityError as error:
        session.rollback()
        raise _taken(name) from error
    if row_count(changed) == 0:
        session.rollback()
        raise CaseConflictError("Somebody deleted this canned reply meanwhile. Add it anew.")
    session.commit()


def delete(session: Session, canned_id: int) -> None:
    """Throw a canned reply away. Raises CaseConflictError where it is gone already."""
    deleted = session.execute(sa.delete(Canned).where(col(Canned.id) == canned_id))
    if row_count(deleted) == 0:
        session.rollback()
        raise CaseConflictError("This canned reply is gone already.")
    session.commit()


def values(
    author: Author, case_id: int, agent: str, company: str, private_contact: str
) -> dict[str, str]:
    """What the {name}s mean in one case; {link} is the one of the private contact."""
    link = re.search(r"https?://\S+", private_contact)
    found = {
        "customer": author.name or author.handle,
        "handle": f"@{author.handle.lstrip('@')}" if author.handle else "",
        "agent": agent,
        "company": company,
        "case": str(case_id),
        "link": link[0] if link else "",
    }
    # A customer's name is a stranger's word: it may not break the line.
    return {name: " ".join(value.split()) for name, value in found.items()}


def fill(text: str, known: Mapping[str, str]) -> str:
    """The text with its {name}s filled in; an unknown or empty one stays as it is."""
    return SLOT.sub(lambda slot: known.get(slot[1]) or slot[0], text)


def unfilled(text: str) -> list[str]:
    """The {name}s and [words in brackets] that still have to be written, each once."""
    return list(dict.fromkeys(UNFILLED.findall(text)))


def check_filled(text: str) -> None:
    """Raise CaseError, which names them, where something is left to be filled in."""
    left = unfilled(text)
    if left:
        raise CaseError(f"Fill in or take out {', '.join(left)} first.")


def _checked(name: str, text: str) -> tuple[str, str]:
    name, text = " ".join(name.split()), text.strip()
    if not name:
        raise CaseError("Give it a name.")
    if len(name) > LONGEST_NAME:
        raise CaseError(f"A name has at most {LONGEST_NAME} characters.")
    if not text:
        raise CaseError("Write its text.")
    if len(text) > LONGEST_TEXT:
        raise CaseError(f"A canned reply has at most {LONGEST_TEXT} characters.")
    return name, text


def _taken(name: str) -> CaseError:
    return CaseError(f"There is a canned reply “{name}” already. Choose another name.")
