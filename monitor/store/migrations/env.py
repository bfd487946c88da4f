"""Alembic's entry: runs the history on the connection that `migrate` hands over."""

from alembic import context

from monitor.store import models

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=models.SQLModel.metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
