"""Collecting: nothing lost, nothing doubled, errors on the row and in the ledger."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from connectors.base import MAX_TEXT, FatalError, Page, Quota, RetryableError
from monitor.intake import sources
from monitor.intake.collect import Watch, collect
from monitor.store.models import Author, Fetch, Post, Source, SourceState, now
from tests.conftest import ScriptedNetwork, make_post
from tests.monitor.plans import plans, statements


def texts(session: Session) -> list[str]:
    return list(session.exec(select(Post.text).order_by(sa.text("id"))))


def due(session: Session, source: Source) -> None:
    source.next_fetch_at = now() - timedelta(seconds=1)
    session.add(source)
    session.commit()


def run(session: Session, watch: Watch) -> Fetch:
    fetch = collect(session, watch)
    assert fetch is not None
    return fetch


def test_posts_and_cursor_move_together(
    session: Session, watch: Watch, network: ScriptedNetwork, source: Source
) -> None:
    network.script = [
        Page([make_post("1", "acme is down")], "c1", quota=Quota(9, 10, None)),
        Page([make_post("2", "acme again"), make_post("3", "something else")], "c2"),
    ]
    fetch = run(session, watch)
    assert texts(session) == ["acme is down", "acme again"]
    assert source.cursor == "c2"
    assert (fetch.received, fetch.new, fetch.unmatched, fetch.quota_remaining) == (3, 2, 1, 9)
    assert fetch.finished_at is not None
    assert source.next_fetch_at > now() + timedelta(minutes=1)


def test_what_comes_again_is_stored_once(
    session: Session, watch: Watch, network: ScriptedNetwork, source: Source
) -> None:
    page = Page([make_post("1", "acme is down")], "c1")
    network.script = [page, page]
    fetch = run(session, watch)
    assert (fetch.received, fetch.new) == (2, 1)
    assert len(texts(session)) == 1


def test_an_error_keeps_the_pages_before_it_and_waits(
    session: Session, watch: Watch, network: ScriptedNetwork, source: Source
) -> None:
    network.script = [
        Page([make_post("1", "acme is down")], "c1"),
        RetryableError("net answered 429", retry_after=900),
    ]
    fetch = run(session, watch)
    assert texts(session) == ["acme is down"]
    assert source.cursor == "c1"
    assert (source.failures, source.last_error, fetch.error) == (
        1,
        "net answered 429",
        "net answered 429",
    )
    assert timedelta(minutes=14) < source.next_fetch_at - now() < timedelta(minutes=16)
    assert collect(session, watch) is None
    due(session, source)
    network.script = [Page([], "c1")]
    run(session, watch)
    assert network.cursors == [None, "c1"]
    assert (source.failures, source.last_error) == (0, None)


def test_back_off_doubles_up_to_an_hour(
    session: Session, watch: Watch, network: ScriptedNetwork, source: Source
) -> None:
    waits = []
    for _ in range(8):
        due(session, source)
        network.script = [RetryableError("net is away")]
        run(session, watch)
        waits.append(round((source.next_fetch_at - now()).total_seconds() / 60))
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]


def test_a_fatal_error_switches_the_source_off_until_the_next_start(
    session: Session, watch: Watch, network: ScriptedNetwork, source: Source
) -> None:
    network.script = [FatalError("net answered 401")]
    run(session, watch)
    assert source.state == SourceState.OFF
    due(session, source)
    assert collect(session, watch) is None
    sources.try_again(source)
    session.commit()
    network.script = [Page([make_post("1", "acme is down")], "c1")]
    assert run(session, watch).new == 1


def test_a_bug_is_raised_but_cannot_loop(
    session: Session, watch: Watch, network: ScriptedNetwork, source: Source
) -> None:
    network.script = [ZeroDivisionError("secret detail")]
    with pytest.raises(ZeroDivisionError):
        collect(session, watch)
    assert source.next_fetch_at > now()
    assert source.last_error is not None
    assert "secret" not in source.last_error


def test_an_engine_that_lost_its_lease_stores_nothing_more(
    database: sa.Engine, session: Session, watch: Watch, network: ScriptedNetwork, source: Source
) -> None:
    def steal() -> None:
        with Session(database) as other:
            row = other.exec(select(Source)).one()
            row.next_fetch_at = now() + timedelta(minutes=9)
            other.add(row)
            other.commit()

    def pages(cursor: str | None):  # type: ignore[no-untyped-def]  # stands in for fetch
        yield Page([make_post("1", "acme one")], "c1")
        steal()
        yield Page([make_post("2", "acme two")], "c2")

    network.fetch = pages  # type: ignore[method-assign]  # a fake
    fetch = run(session, watch)
    assert texts(session) == ["acme one"]
    assert fetch.error == "Another engine went on with this source."
    session.refresh(source)
    assert source.cursor == "c1"


def test_odd_posts_are_kept_altered_or_left_out_and_counted(
    session: Session, watch: Watch, network: ScriptedNetwork, source: Source
) -> None:
    network.script = [
        Page(
            [
                make_post("big", "acme " + "x" * 5_000_000),
                make_post("nul", "acme \0 \ud83d half"),
                make_post("late", "acme tomorrow", created_at=datetime(2099, 1, 1, tzinfo=UTC)),
                make_post("private", "acme in private", public=False),
                make_post("fine", "acme is fine"),
            ],
            "c1",
            skipped=["text: missing"],
        )
    ]
    fetch = run(session, watch)
    posts = {post.external_id: post for post in session.exec(select(Post))}
    assert set(posts) == {"big", "nul", "late", "fine"}
    assert len(posts["big"].text) == MAX_TEXT
    assert posts["late"].created_at <= now()
    assert "\0" not in posts["nul"].text
    assert (fetch.received, fetch.new, fetch.skipped) == (6, 4, 2)
    assert fetch.notes is not None
    for told in ("private", "future", "cut at", "text: missing"):
        assert told in fetch.notes


def test_threads_reposts_and_our_own_posts_are_ours_without_the_word(
    session: Session, watch: Watch, network: ScriptedNetwork, source: Source
) -> None:
    network.script = [
        Page([make_post("1", "acme is down")], "c1"),
        Page(
            [
                make_post("2", "same here", "dave", reply_to="1", thread="1"),
                make_post("3", "", "erin", repost_of="1"),
                make_post("4", "We are sorry", "acmehelp", reply_to="9"),
                make_post("5", "unrelated", "frank"),
            ],
            "c2",
        ),
    ]
    fetch = run(session, watch)
    assert (fetch.new, fetch.unmatched) == (4, 1)
    own = session.exec(select(Author).where(Author.own == sa.true())).one()
    assert own.handle == "acmehelp"


def test_edits_and_deletions_change_the_known_post(
    session: Session, watch: Watch, network: ScriptedNetwork, source: Source
) -> None:
    network.script = [
        Page([make_post("1", "acme is fine"), make_post("2", "acme is down")], "c1"),
        Page(
            [
                make_post("1", "acme is broken", edited_at=now()),
                make_post("2", "", deleted=True),
            ],
            "c2",
        ),
    ]
    fetch = run(session, watch)
    assert (fetch.new, fetch.changed) == (2, 2)
    edited, deleted = session.exec(select(Post).order_by(sa.text("id")))
    assert (edited.text, edited.previous_text, edited.scorer) == (
        "acme is broken",
        "acme is fine",
        None,
    )
    assert (deleted.text, deleted.deleted_at is not None) == ("", True)


@pytest.mark.parametrize("error", [None, FatalError("net answered 401")])
def test_an_engine_that_lost_its_lease_says_nothing_of_the_source(
    database: sa.Engine,
    session: Session,
    watch: Watch,
    network: ScriptedNetwork,
    source: Source,
    error: Exception | None,
) -> None:
    theirs = now() + timedelta(minutes=9)

    def pages(cursor: str | None):  # type: ignore[no-untyped-def]  # stands in for fetch
        with Session(database) as other:
            other.execute(sa.update(Source).values(next_fetch_at=theirs, failures=1))
            other.commit()
        if error:
            raise error
        yield from ()

    network.fetch = pages  # type: ignore[method-assign]  # a fake
    fetch = run(session, watch)
    session.refresh(source)
    assert (source.state, source.failures, source.next_fetch_at) == (SourceState.ACTIVE, 1, theirs)
    assert (fetch.error, fetch.finished_at is not None) == (error and str(error), True)


def test_no_connection_waits_for_the_network(
    database: sa.Engine, session: Session, watch: Watch, network: ScriptedNetwork, source: Source
) -> None:
    held = []

    def pages(cursor: str | None):  # type: ignore[no-untyped-def]  # stands in for fetch
        for number in (1, 2):
            held.append(database.pool.checkedout())  # type: ignore[attr-defined]  # a QueuePool
            yield Page([make_post(str(number), "acme is down")], "c1")

    network.fetch = pages  # type: ignore[method-assign]  # a fake
    assert run(session, watch).new == 2
    assert held == [0, 0]


def test_known_posts_are_looked_up_by_their_key(
    database: sa.Engine, session: Session, watch: Watch, network: ScriptedNetwork, source: Source
) -> None:
    network.script = [Page([make_post("1", "acme is down")], "c1")]
    with statements(database) as seen:
        run(session, watch)
        due(session, source)
        network.script = [Page([make_post("2", "more of it", reply_to="1", thread="1")], "c1")]
        assert run(session, watch).new == 1
    looked_up = [plan for sql, plan in plans(session, seen) if "FROM post" in sql]
    assert looked_up
    assert not [plan for plan in looked_up if "SCAN post" in plan]
