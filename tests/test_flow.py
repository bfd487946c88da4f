"""One complaint, all the way: from the network to resolved, as the engine and the desk do it."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from connectors.demo import Demo
from monitor.answer import replies
from monitor.config import load
from monitor.desk import cases
from monitor.desk.page.case_file import case_file
from monitor.desk.queue.work_queue import Filter, queue
from monitor.schedule import Engine, check_queries
from monitor.store.models import Case, CaseStatus, Outcome, Post, ReplyStatus, now
from monitor.watch.trends.overview import rules_of
from monitor.watch.trends.periods import last_days
from monitor.watch.trends.response import Found, found
from monitor.watch.trends.volumes import volumes
from tests.conftest import ALICE, FakeScorer

CONFIG = """
[company]
name = "Acme"
query = "acme"
accounts = ["acmehelp"]
[desk]
threshold = 0.5
[[people]]
name = "alice"
[sources.demo]
connector = "demo"
"""


def test_a_complaint_from_the_network_to_resolved(
    database: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = tmp_path / "posts.jsonl"
    lines = [
        {"id": "1", "handle": "carol", "at": -90, "text": "acme, my line is down again"},
        {"id": "2", "handle": "dave", "at": -60, "text": "acme is great"},
        {"id": "3", "handle": "carol", "at": 500, "text": "works now, thanks", "reply_to": "1"},
    ]
    common = {"network": "net", "name": "", "followers": 5, "lang": "en"}
    text = "\n".join(json.dumps({**common, **line}) for line in lines)
    recording.write_text(text, encoding="utf-8")
    monkeypatch.setattr(Demo, "recording", recording)
    path = tmp_path / "config.toml"
    path.write_text(CONFIG, encoding="utf-8")
    config = load(path)
    engine = Engine(config, database, FakeScorer(), check_queries(config))
    with Session(database) as session:
        from monitor.intake.sources import sync_sources

        sync_sources(session, config)
    engine.collect("demo")
    assert sum(engine.work_through()) == 2

    with Session(database) as session:
        (row,) = queue(session, Filter())
        assert (row.author.handle, row.case.reply_status) == ("carol", ReplyStatus.UNANSWERED)
        cases.claim(session, row.case.id, ALICE)
        draft = replies.save_draft(session, row.case.id, ALICE, "We are on our way, carol.")
        connector = engine.open_connector("demo")
        assert connector is not None
        replies.send(session, draft.id, ALICE, connector)
        engine.settle()
        case = session.get_one(Case, row.case.id, populate_existing=True)
        assert (case.status, case.reply_status) == (CaseStatus.PENDING, ReplyStatus.SEEN)
        cases.resolve(session, case.id, ALICE, Outcome.SOLVED)
        assert not queue(session, Filter())

        file = case_file(session, case.id)
        assert file is not None
        assert [event.what for event in file.events] == [
            "opened",
            "claimed",
            "reply is being sent",
            "reply sent",
            "reply seen",
            "resolved",
        ]
        at = now()
        period = last_days(7, config.zone, at)
        rules = rules_of(config, 0.5)
        told = volumes(session, period, "network", rules, at)
        assert (told.totals.posts, told.totals.complaints) == (2, 1)
        assert found(session, period.begins, period.ends, rules) == Found(1, 1, 0, 0)
        assert session.exec(select(sa.func.count()).select_from(Post)).one() == 2
