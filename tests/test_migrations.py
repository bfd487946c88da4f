"""The schema's history builds what the models say, on both databases, and comes apart again."""

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import Session, SQLModel

from monitor.store import db, models


def test_migrations_build_the_models(database: sa.Engine) -> None:
    assert models.Post.metadata is SQLModel.metadata
    with database.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, SQLModel.metadata) == []
        indexes = {
            index["name"]
            for table in sa.inspect(connection).get_table_names()
            for index in sa.inspect(connection).get_indexes(table)
        }
    assert {"uq_case_standing", "uq_reply_unfinished", "ix_post_to_score"} <= indexes


def test_migrating_twice_changes_nothing_and_an_empty_database_is_refused(
    database: sa.Engine,
) -> None:
    db.migrate(database)
    db.check_version(database)
    with database.begin() as connection:
        connection.execute(sa.text("DELETE FROM alembic_version"))
    with pytest.raises(db.DatabaseError, match="monitor migrate"):
        db.check_version(database)


def test_down_and_up_again(database: sa.Engine) -> None:
    config = db._alembic()
    with database.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        connection.commit()
        assert sa.inspect(connection).get_table_names() == ["alembic_version"]
        command.upgrade(config, "head")
        connection.commit()
    db.check_version(database)


def test_an_older_version_gets_a_waiting_answer_as_a_draft(database: sa.Engine) -> None:
    with Session(database) as session:
        source = models.Source(name="s", connector="demo")
        author = models.Author(network="net", external_id="1", handle="ben")
        session.add_all((source, author))
        session.flush()
        post = models.Post(
            network="net",
            external_id="1",
            source_id=source.id,
            author_id=author.id,
            text="down",
            created_at=models.now(),
        )
        waiting = models.ReplyStatus.WAITING
        session.add(post)
        session.flush()
        case = models.Case(
            author_id=author.id, network="net", post_id=post.id, reply_status=waiting
        )
        session.add(case)
        session.flush()
        session.add(
            models.Reply(
                case_id=case.id, post_id=post.id, agent="a", text="t", key="k", status=waiting
            )
        )
        session.commit()
    config = db._alembic()
    with database.connect() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0002")
        connection.commit()
        assert connection.scalars(sa.text("SELECT status FROM reply")).all() == ["draft"]
        shown = connection.scalars(sa.text('SELECT reply_status FROM "case"')).all()
        assert shown == ["draft"]
