"""The reply status of real conversations, replayed, ends as it should; see tests.bench.replay."""

from datetime import UTC, datetime

import pytest
from sqlmodel import Session

from connectors.base import FetchedPost
from monitor.store.models import ReplyStatus
from tests.bench import replay
from tests.bench.replay import Replay, Turn, should_be

there = pytest.mark.skipif(
    not replay.CONVERSATIONS.exists(), reason="the conversations are not beside this repository"
)


@there
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("shuffled", [False, True], ids=["in order", "in no order"])
@pytest.mark.parametrize("strangers", [False, True], ids=["as told", "strangers"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_conversation_ends_as_it_should(
    session: Session, shuffled: bool, strangers: bool
) -> None:
    told = replay.read(replay.CONVERSATIONS, strangers)
    results = replay.run(session, told, 100, shuffled)
    assert results["at the end"].misses == []
    assert results["at the end"].right.total() == 525
    if not strangers:
        assert results["at the end"].of == {ReplyStatus.SEEN: 525}


@there
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_other_database_ends_them_so_too(session: Session) -> None:
    told = replay.read(replay.CONVERSATIONS, nameless_are_strangers=True)
    results = replay.run(session, told, 100, shuffled=True)
    assert results["at the end"].misses == []
    assert results["at the end"].right.total() == 525


@there
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_at_every_moment_the_status_says_who_wrote_last(session: Session) -> None:
    told = replay.read(replay.CONVERSATIONS, nameless_are_strangers=False)
    results = replay.run(session, told)
    assert [miss for result in results.values() for miss in result.misses] == []
    assert results["before the end"].of == {
        ReplyStatus.UNANSWERED: 465,
        ReplyStatus.CUSTOMER_ANSWERED: 43,
        ReplyStatus.SEEN: 17,
    }


def test_what_should_be_is_read_from_who_wrote_last() -> None:
    def turn(key: str, above: str | None, handle: str) -> Turn:
        post = FetchedPost(
            network="x",
            external_id=key,
            author_id=handle,
            author_handle=handle,
            text=key,
            created_at=datetime(2020, 1, 1, tzinfo=UTC),
            reply_to=above,
        )
        return Turn(post, handle == "acmehelp")

    turns = [
        turn("1", None, "ana"),
        turn("2", "1", "acmehelp"),
        turn("3", "2", "ana"),
        turn("4", "3", "ben"),
        turn("5", "4", "acmehelp"),
        turn("6", "3", "acmehelp"),
    ]
    told = Replay({each.post.external_id: each for each in turns}, {}, {}, frozenset())
    found = [should_be(told, "ana", "123456"[:length]) for length in range(7)]
    assert found == [
        ReplyStatus.UNANSWERED,
        ReplyStatus.UNANSWERED,
        ReplyStatus.SEEN,
        *[ReplyStatus.CUSTOMER_ANSWERED] * 3,
        ReplyStatus.SEEN,
    ]
