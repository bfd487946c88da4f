"""How SQLite would find the rows of the statements that a test executed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session


@contextmanager
def statements(database: sa.Engine) -> Iterator[list[tuple[str, Any]]]:
    """What is executed meanwhile, with its parameters."""
    seen: list[tuple[str, Any]] = []

    def note(*call: Any) -> None:
        seen.append((call[2], call[3]))

    sa.event.listen(database, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(database, "before_cursor_execute", note)


def plans(session: Session, seen: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    """Each SELECT with its plan; without one on PostgreSQL, which reads small tables whole."""
    if session.get_bind().dialect.name != "sqlite":
        return [(sql, "") for sql, _ in seen if sql.startswith("SELECT")]
    connection = session.connection()
    found = []
    for sql, parameters in seen:
        if sql.startswith("SELECT"):
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)
            found.append((sql, "\n".join(row[3] for row in rows)))
    return found
