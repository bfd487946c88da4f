"""Opens the database: SQLite in WAL mode or PostgreSQL, and brings its schema up to date."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlmodel import Session, SQLModel

MIGRATIONS = Path(__file__).parent / "migrations"


POOL: dict[str, Any] = {"pool_size": 20, "max_overflow": -1}
"""No thread waits for another's connection: there are as many as there are threads at work."""


class DatabaseError(Exception):
    """The database cannot be used. The text says what to do."""


def connect(url: str) -> sa.Engine:
    """An engine for `url`: sqlite:///file.db or postgresql+psycopg://user@host/name.

    Its errors never tell what was to be stored: that is customers' words, and errors are logged.

    Raises DatabaseError for another kind of address.
    """
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError as error:
        raise DatabaseError("database_url is not an address of a database.") from error
    if parsed.drivername == "postgresql+psycopg":
        return sa.create_engine(parsed, pool_pre_ping=True, hide_parameters=True, **POOL)
    if parsed.drivername != "sqlite":
        raise DatabaseError(
            f"database_url starts with {parsed.drivername}:, "
            "but only sqlite:/// and postgresql+psycopg:// are supported."
        )
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    in_a_file = parsed.database and parsed.database != ":memory:"
    engine = sa.create_engine(
        parsed,
        connect_args={"timeout": 30},
        hide_parameters=True,
        **(POOL if in_a_file else {}),
    )
    sa.event.listen(engine, "connect", _sqlite_pragmas)
    return engine


def _sqlite_pragmas(connection: Any, _record: object) -> None:
    """WAL lets readers go on while one writes; NORMAL loses nothing when a process is killed."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def migrate(engine: sa.Engine) -> None:
    """Bring the schema to the newest version. Two processes that start at once take turns.

    Raises DatabaseError where the database cannot be opened.
    """
    with _opened(engine) as connection:
        if connection.dialect.name == "sqlite":
            # Take the write lock first, so that a second process waits for the whole migration.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(20261123)")
        config = _alembic()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def check_version(engine: sa.Engine) -> None:
    """Raise DatabaseError unless the schema is the one that this version needs."""
    with _opened(engine) as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    wanted = ScriptDirectory.from_config(_alembic()).get_current_head()
    if found != wanted:
        raise DatabaseError(
            f"The database has schema {found or 'none'}, this version needs {wanted}. "
            "Run `monitor migrate`."
        )


def _opened(engine: sa.Engine) -> sa.Connection:
    try:
        return engine.connect()
    except sa.exc.OperationalError as error:
        where = engine.url.render_as_string(hide_password=True)
        raise DatabaseError(
            f"The database at {where} cannot be opened. Is it running, and may we write there?"
        ) from error


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def lock_writes(session: Session) -> None:
    """Take SQLite's write lock now, so that what is read next is still true when it is written.

    On PostgreSQL rows are locked where they are read, with FOR UPDATE. Within a transaction that
    holds the lock already nothing happens.
    """
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        return
    if not getattr(connection.connection.dbapi_connection, "in_transaction", False):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def count_anew(session: Session) -> None:
    """Let SQLite look at samples of its tables, without which it often picks the wrong index.

    PostgreSQL does so by itself.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA analysis_limit = 1000")
        connection.exec_driver_sql("ANALYZE")
    session.commit()


@contextmanager
def inside(session: Session) -> Iterator[Session]:
    """A session whose commits and rollbacks stay inside the transaction of `session`.

    What commits by itself for one row is so done for many in one commit, or under a lock that the
    caller holds: it calls `lock_writes` first, and commits `session` at the end.
    """
    with Session(session.connection(), join_transaction_mode="create_savepoint") as inner:
        yield inner
    session.expire_all()


def insert(session: Session, table: type[SQLModel]) -> Any:
    """An INSERT that can say ON CONFLICT, in the dialect of the database behind `session`."""
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def row_count(result: sa.Result[Any]) -> int:
    """How many rows an UPDATE or DELETE changed: none means that somebody else was first."""
    if not isinstance(result, sa.CursorResult):
        raise TypeError("only a statement that writes has a row count")
    return result.rowcount
