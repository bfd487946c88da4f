"""Filters of the queue that people gave a name: for themselves, or for everybody."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from monitor.desk.cases import CaseError
from monitor.store.db import row_count
from monitor.store.models import SavedView

LONGEST = 40


def save(
    session: Session, owner: str, name: str, address: str, *, shared: bool = False
) -> SavedView:
    """Keep an address of the queue under a name. Raises CaseError for an empty or taken name."""
    view = SavedView(owner=owner, name=_name(name), address=address, shared=shared)
    session.rollback()
    try:
        session.add(view)
        session.commit()
    except IntegrityError as error:
        session.rollback()
        raise _taken(name) from error
    return view


def rename(session: Session, view_id: int, owner: str, name: str) -> None:
    """Give a view of `owner` another name. Raises CaseError."""
    try:
        _change(session, view_id, owner, {"name": _name(name)})
    except IntegrityError as error:
        session.rollback()
        raise _taken(name) from error


def share(session: Session, view_id: int, owner: str, *, shared: bool) -> None:
    """Let everybody see a view of `owner`, or only them again. Raises CaseError."""
    _change(session, view_id, owner, {"shared": shared})


def delete(session: Session, view_id: int, owner: str) -> SavedView:
    """Forget a view of `owner`. Returns it, so that it can be saved again. Raises CaseError."""
    session.rollback()
    view = session.get(SavedView, view_id)
    if view is None or view.owner != owner:
        session.rollback()
        raise _not_yours()
    gone = SavedView(**view.model_dump())
    session.delete(view)
    session.commit()
    return gone


def views(session: Session, person: str | None) -> Sequence[SavedView]:
    """The views that a person sees: their own, then those that others share."""
    own = col(SavedView.owner) == (person or "")
    return session.exec(
        select(SavedView)
        .where(sa.or_(own, col(SavedView.shared)))
        .order_by(sa.case((own, 0), else_=1), col(SavedView.name), col(SavedView.owner))
    ).all()


def _change(session: Session, view_id: int, owner: str, values: dict[str, object]) -> None:
    session.rollback()
    changed = session.execute(
        sa.update(SavedView)
        .where(col(SavedView.id) == view_id, col(SavedView.owner) == owner)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if row_count(changed) == 0:
        session.rollback()
        raise _not_yours()
    session.commit()


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not name or not name.isprintable():
        raise CaseError("Give the view a name first.")
    if len(name) > LONGEST:
        raise CaseError(f"A name has at most {LONGEST} letters: this one has {len(name)}.")
    return name


def _taken(name: str) -> CaseError:
    return CaseError(
        f"You have a view named {' '.join(name.split())} already. Choose another name."
    )


def _not_yours() -> CaseError:
    return CaseError("There is no such view of yours: only who saved a view can change it.")
