"""Fills a database through the monitor's own functions, for pages to show."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from monitor.desk.arrivals.triage import triage_new
from monitor.store.db import connect, migrate
from monitor.store.models import (
    Author,
    Case,
    Fetch,
    Post,
    Sentiment,
    Source,
    SourceState,
    now,
)
from monitor.watch.alerting.health import beat

CONFIG = """\
database_url = "sqlite:///monitor.db"
timezone = "Europe/Vienna"

[company]
name = "Halewick"
accounts = ["halewick"]

[desk]
threshold = 0.5

[[people]]
name = "alice"

[[people]]
name = "bob"

[sources.{source}]
connector = "{connector}"
"""

NUMBERS = count(1)


@dataclass
class Desk:
    """A configured monitor in a folder, without an engine: its state is what was put there."""

    folder: Path
    source: str = "demo"
    connector: str = "demo"
    engine: sa.Engine = field(init=False)

    def __post_init__(self) -> None:
        text = CONFIG.format(source=self.source, connector=self.connector)
        self.config.write_text(text, encoding="utf-8")
        self.engine = connect(f"sqlite:///{self.folder / 'monitor.db'}")
        if not (self.folder / "monitor.db").exists():
            migrate(self.engine)
        with Session(self.engine) as session:
            session.add(Source(name=self.source, connector=self.connector, last_success_at=now()))
            session.commit()
            beat(session)

    @property
    def config(self) -> Path:
        """The settings' file."""
        return self.folder / "config.toml"

    def complaint(
        self,
        handle: str,
        text: str,
        *,
        hours: float = 1.0,
        probability: float = 0.9,
        severity: float = 0.4,
        followers: int = 100,
        name: str = "",
        network: str = "mastodon",
        language: str = "en",
        url: str = "",
        reply_to: str | None = None,
        own: bool = False,
        at: datetime | None = None,
        triage: bool = True,
    ) -> int:
        """Somebody posts, the model reads it, triage looks at it: the case's id, or 0."""
        with Session(self.engine) as session:
            author = self._author(session, network, handle, name or handle, followers, own)
            number = f"p{next(NUMBERS)}"
            parent = session.exec(select(Post).where(Post.external_id == reply_to)).first()
            post = Post(
                network=network,
                external_id=number,
                source_id=session.exec(select(Source.id).where(Source.name == self.source)).one(),
                author_id=author.id,
                text=text,
                url=url or f"https://social.invalid/@{handle.strip('@')}/{number}",
                language=language,
                created_at=at or now() - timedelta(hours=hours),
                reply_to=reply_to,
                thread=parent.thread if parent else number,
                ref=number,
                scorer="test-1",
                complaint=probability,
                sentiment=Sentiment.NEGATIVE if probability > 0.5 else Sentiment.NEUTRAL,
                severity=severity,
            )
            session.add(post)
            session.commit()
            if triage:
                triage_new(session, 0.5)
            session.refresh(post)
            return post.case_id or 0

    def triage(self) -> None:
        """Look at everything that waits."""
        with Session(self.engine) as session:
            while triage_new(session, 0.5):
                pass

    def case(self, case_id: int) -> Case:
        """A case as it is now."""
        with Session(self.engine) as session:
            return session.get_one(Case, case_id)

    def fetched(self, **values: Any) -> None:
        """A line of the ledger."""
        with Session(self.engine) as session:
            source_id = session.exec(select(Source.id).where(Source.name == self.source)).one()
            session.add(Fetch(source_id=source_id, finished_at=now(), **values))
            session.commit()

    def fail_source(self, error: str, state: SourceState = SourceState.ACTIVE) -> None:
        """The source's last fetch failed."""
        with Session(self.engine) as session:
            source = session.exec(select(Source).where(Source.name == self.source)).one()
            source.failures, source.last_error, source.state = 2, error, state
            session.add(source)
            session.commit()

    @contextmanager
    def counting(self) -> Iterator[list[str]]:
        """The statements that any engine executes meanwhile."""
        seen: list[str] = []

        def note(*call: Any) -> None:
            seen.append(call[2])

        sa.event.listen(sa.Engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", note)

    def _author(
        self, session: Session, network: str, handle: str, name: str, followers: int, own: bool
    ) -> Author:
        known = session.exec(
            select(Author).where(col(Author.network) == network, col(Author.handle) == handle)
        ).first()
        if known:
            return known
        author = Author(
            network=network,
            external_id=handle,
            handle=handle,
            name=name,
            followers=followers,
            own=own,
        )
        session.add(author)
        session.flush()
        return author
