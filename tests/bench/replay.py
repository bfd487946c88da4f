"""Real conversations replayed in their own times: does the reply status end as it should?

    python -m tests.bench.replay [conversations.jsonl]

Every turn, and the company's last reply at the time that its id tells, goes in order of time
through a source: collected, scored and triaged in batches. A stand-in for the model calls each
customer's first post of a conversation a complaint, so that a case exists. Then three questions:

  at the end       the company's last reply is in. Seen?
  before the end   as it stood just before that reply. Where the company had answered and the
                   customer wrote last: customer answered? Where nobody had answered: unanswered?
  after each post  of a case, whoever wrote it. As whoever wrote last in it says?

What should be is worked out here from the file alone. The file calls 19 turns the company's that
have no handle. Their words, and whom the company answers next, show that strangers wrote them. They
are read as the file says, and in a second run as those strangers'.
"""

import json
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import Session, col, select

from connectors.base import FetchedPost, NoSettings, Page
from monitor.config import SourceConfig
from monitor.desk.arrivals.triage import triage_new
from monitor.intake.collect import Watch, collect
from monitor.intake.matching import compile_query
from monitor.intake.scoring import score_new
from monitor.model.scorer import Score, Sentiment
from monitor.store.db import connect, migrate
from monitor.store.models import Author, Case, ReplyStatus, Source, now
from tests.conftest import ScriptedNetwork

CONVERSATIONS = (
    Path(__file__).parents[3] / "shared" / "data" / "conversations" / "conversations.jsonl"
)
TWITTER_EPOCH = 1_288_834_974_657
COMPLAINT = "[first post] "
"""Marks for the stand-in what is a complaint."""


@dataclass(frozen=True)
class Turn:
    """One post, and the conversations that it belongs to: two may begin with the same posts."""

    post: FetchedPost
    own: bool
    sessions: list[str] = field(default_factory=list)


@dataclass
class Replay:
    """What is replayed: the posts in order of time, each conversation's turns, our accounts."""

    turns: dict[str, Turn]
    sessions: dict[str, list[str]]
    customers: dict[str, str]
    accounts: frozenset[str]


def read(path: Path, nameless_are_strangers: bool) -> Replay:
    """Every conversation of the file as posts."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    accounts = frozenset(line["company"].casefold() for line in lines)
    replay = Replay({}, {}, {}, accounts)
    for line in lines:
        session, company = line["session"], line["company"]
        last = {"from": "company", "handle": company, **line["last_reply"]}
        told = [*line["turns"], {**last, "created_at": _time_of_id(last["id"])}]
        replay.sessions[session] = []
        replay.customers[session] = line["turns"][0]["handle"]
        above = None
        for number, turn in enumerate(told):
            own, handle = turn["from"] == "company", turn["handle"] or company
            if nameless_are_strangers and turn["handle"] is None:
                own, handle = False, _addressed(told[number + 1]["text"], turn["id"])
            post = FetchedPost(
                network="x",
                external_id=turn["id"],
                author_id=handle.casefold(),
                author_handle=handle,
                text=(COMPLAINT if number == 0 else "") + turn["text"],
                created_at=turn["created_at"],
                reply_to=above,
                thread=told[0]["id"],
                ref=turn["id"],
            )
            replay.turns.setdefault(post.external_id, Turn(post, own)).sessions.append(session)
            replay.sessions[session].append(post.external_id)
            above = post.external_id
    return replay


def _time_of_id(post_id: str) -> datetime:
    """When a post was made, which its id tells; so it is for all 686 turns that have a time too."""
    return datetime.fromtimestamp(((int(post_id) >> 22) + TWITTER_EPOCH) / 1000, UTC)


def _addressed(text: str, post_id: str) -> str:
    """Whom a reply speaks to: they wrote what it answers."""
    named = re.match(r"@(\w+)", text)
    return named[1] if named else f"nameless{post_id}"


def should_be(replay: Replay, customer: str, until: Sequence[str]) -> ReplyStatus:
    """The status of a customer's case after these posts, by who wrote last in it.

    An answer counts where it stands below what the customer wrote, or below another answer of ours
    to it; one to a stranger does not.
    """
    theirs: set[str] = set()
    status = ReplyStatus.UNANSWERED
    for post_id in until:
        turn = replay.turns[post_id]
        if turn.post.author_handle == customer:
            theirs.add(post_id)
            if status == ReplyStatus.SEEN:
                status = ReplyStatus.CUSTOMER_ANSWERED
        elif turn.own and turn.post.reply_to in theirs:
            theirs.add(post_id)
            status = ReplyStatus.SEEN
    return status


class Reader:
    """Stands for the model."""

    name = "replay"
    languages = frozenset({"en"})

    def __call__(self, texts: Sequence[str]) -> list[Score]:
        """A complaint where the replay marked one."""
        return [
            Score(0.9, Sentiment.NEGATIVE, 0.9, 0.5, None)
            if text.startswith(COMPLAINT)
            else Score(0.05, Sentiment.NEUTRAL, 0.1, 0.0, None)
            for text in texts
        ]


class Monitor:
    """Collects, scores and triages what the replay gives it."""

    def __init__(self, session: Session, replay: Replay) -> None:
        self.session = session
        self.network = ScriptedNetwork()
        config = SourceConfig(
            name="replay",
            connector=ScriptedNetwork,
            settings=NoSettings(),
            query="",
            every=timedelta(minutes=2),
            enabled=True,
        )
        object.__setattr__(config, "open", lambda: self.network)
        self.watch = Watch(config, compile_query(""), replay.accounts)
        session.add(Source(name="replay", connector="scripted"))
        session.commit()

    def receive(self, posts: list[FetchedPost]) -> None:
        """One fetch and all that follows from it."""
        self.session.execute(sa.update(Source).values(next_fetch_at=now() - timedelta(hours=1)))
        self.session.commit()
        self.network.script = [Page(posts, "c")]
        fetch = collect(self.session, self.watch)
        if fetch is None or fetch.error:
            raise RuntimeError(f"not collected: {fetch and fetch.error}")
        while score_new(self.session, Reader()) or triage_new(self.session, 0.5):
            pass

    def status(self, customer: str) -> str:
        """The reply status of a customer's newest case."""
        newest = (
            select(Case.reply_status)
            .where(col(Author.id) == col(Case.author_id), col(Author.handle) == customer)
            .order_by(col(Case.id).desc())
        )
        return self.session.exec(newest.limit(1)).first() or "no case"


@dataclass
class Result:
    """How many ended right, of how many, by what they should be; and every miss in words."""

    right: Counter[str] = field(default_factory=Counter)
    of: Counter[str] = field(default_factory=Counter)
    misses: list[str] = field(default_factory=list)

    def count(self, wanted: str, found: str, where: str) -> None:
        """Count one, or say why not."""
        self.of[wanted] += 1
        if wanted == found:
            self.right[wanted] += 1
        else:
            self.misses.append(f"{where}: should be {wanted}, is {found}")

    def __str__(self) -> str:
        """In a line."""
        parts = ", ".join(f"{self.right[each]} of {self.of[each]} {each}" for each in self.of)
        return f"{self.right.total()} of {self.of.total()} ({parts})"


def run(
    session: Session, replay: Replay, batch: int = 1, shuffled: bool = False
) -> dict[str, Result]:
    """Replay everything, `batch` posts at a time. Only one at a time answers all three questions.

    `shuffled` gives the posts in no order, as pages that run backwards and threads told late do.

    A customer has one standing case, so what a conversation should be counts everything that they
    and the company wrote by then, be it in another conversation.
    """
    ends, before, each = Result(), Result(), Result()
    last = {posts[-1] for posts in replay.sessions.values()}
    order = sorted(replay.turns.values(), key=lambda turn: (turn.post.created_at, turn.post.ref))
    whole = [turn.post.external_id for turn in order]
    if shuffled:
        random.Random(525).shuffle(order)
    monitor = Monitor(session, replay)

    def check(result: Result, session_id: str, until: Sequence[str]) -> None:
        customer = replay.customers[session_id]
        wanted = should_be(replay, customer, until)
        result.count(wanted, monitor.status(customer), f"{session_id}, @{customer}")

    for start in range(0, len(order), batch):
        group = order[start : start + batch]
        by_then = whole[:start]
        ending = [s for turn in group for s in turn.sessions if turn.post.external_id in last]
        if batch == 1:
            for session_id in ending:
                check(before, session_id, by_then)
        monitor.receive([turn.post for turn in group])
        if batch == 1:
            by_then = whole[: start + 1]
            check(each, group[0].sessions[0], by_then)
            for session_id in ending:
                check(ends, session_id, by_then)
    if batch > 1:
        for session_id in replay.sessions:
            check(ends, session_id, whole)
    return {"at the end": ends, "before the end": before, "after each post": each}


def main() -> None:
    """Print the figures and every miss."""
    path = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else CONVERSATIONS
    if not path.exists():
        sys.exit(f"There is no {path}: name a file of conversations.")
    for strangers in (False, True):
        replay = read(path, strangers)
        nameless = "strangers'" if strangers else "the company's, as the file says"
        print(f"{len(replay.sessions)} conversations, {len(replay.turns)} posts; ", end="")
        print(f"turns without a handle are {nameless}")
        for batch, shuffled in ((1, False), (100, False), (100, True)):
            with tempfile.TemporaryDirectory() as folder:
                engine = connect(f"sqlite:///{folder}/replay.db")
                migrate(engine)
                with Session(engine) as session:
                    results = run(session, replay, batch, shuffled)
                engine.dispose()
            for question, result in results.items():
                if result.of:
                    how = f"{batch} at a time{', in no order' if shuffled else ''}"
                    print(f"  {question}, {how}: {result}")
                for miss in result.misses:
                    print(f"    {miss}")


if __name__ == "__main__":
    main()
