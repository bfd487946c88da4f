"""Sending an answer: what came of it is told once, in the same words wherever it was sent from."""

from contextlib import closing

from sqlmodel import Session

from dashboard import actions, resources
from monitor.answer import replies
from monitor.config import SourceConfig
from monitor.store.models import Reply, ReplyStatus

PRETENDER = "demo"
"""The connector that has no network behind it."""


def send_reply(
    session: Session,
    agent: str,
    reply_id: int,
    source: SourceConfig,
    reasons: dict[str, str] | None = None,
) -> None:
    """Send a draft through its source and tell how it stands. Raises CaseError."""
    config = resources.config()
    with closing(source.open()) as connector:
        reply = replies.send(
            session,
            reply_id,
            agent,
            connector,
            config.desk,
            reasons,
            needs_approval=agent in config.needs_approval,
        )
    tell_sent(reply, source)


def tell_sent(reply: Reply, source: SourceConfig) -> None:
    """Tell how a reply stands that was just given to the network."""
    if reply.status == ReplyStatus.SENT:
        sent = "The demo pretended to send it." if source.connector.name == PRETENDER else "Sent."
        actions.tell(sent, good=True)
    elif reply.status == ReplyStatus.FAILED:
        actions.tell("It was not sent: see below.", good=False)
    else:
        actions.tell("We do not know yet whether it arrived: see below.", good=False)
