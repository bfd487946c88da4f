"""The database's engine: what its errors tell, and how many connections there are."""

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from monitor.answer import replies, settling
from monitor.desk import cases
from monitor.store.models import Author, ReplyStatus
from tests.conftest import ALICE, ScriptedNetwork, make_post
from tests.monitor.test_desk import Desk, desk

__all__ = ["desk"]


def test_an_error_does_not_tell_customers_words(session: Session) -> None:
    for _ in range(2):
        session.add(Author(network="net", external_id="1", handle="carol, who is angry"))
    with pytest.raises(sa.exc.IntegrityError) as refused:
        session.flush()
    assert "carol" not in str(refused.value)


def test_no_thread_waits_for_the_connection_of_another(database: sa.Engine) -> None:
    together = threading.Barrier(24)

    def hold() -> None:
        with database.connect() as connection:
            connection.exec_driver_sql("SELECT 1")
            together.wait(timeout=20)

    threads = [threading.Thread(target=hold) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not together.broken, "all of them had one at the same time"


def test_no_connection_waits_for_an_answer_to_arrive(
    desk: Desk,
    session: Session,
    database: sa.Engine,
    network: ScriptedNetwork,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (case,) = desk.receive(make_post("1", "acme is down"))
    cases.claim(session, case.id, ALICE)
    held: list[int] = []
    reply, find_reply = network.reply, network.find_reply

    def count(call: Callable[..., object]) -> Callable[..., object]:
        def counted(*arguments: object) -> object:
            held.append(database.pool.checkedout())  # type: ignore[attr-defined]  # a QueuePool
            return call(*arguments)

        return counted

    monkeypatch.setattr(network, "reply", count(reply))
    monkeypatch.setattr(network, "find_reply", count(find_reply))
    draft = replies.save_draft(session, case.id, ALICE, "We are on it")
    sent = replies.send(session, draft.id, ALICE, network)
    assert sent.status == ReplyStatus.SENT
    assert settling.settle(session, lambda _: network) == 1
    assert held == [0, 0]
