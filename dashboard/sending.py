"""What came of sending an answer, told once, in the same words wherever it was sent from."""

from dashboard import actions
from monitor.config import SourceConfig
from monitor.store.models import Reply, ReplyStatus

PRETENDER = "demo"
"""The connector that has no network behind it."""


def tell_sent(reply: Reply, source: SourceConfig) -> None:
    """Tell how a reply stands that was just given to the network."""
    if reply.status == ReplyStatus.SENT:
        sent = "The demo pretended to send it." if source.connector.name == PRETENDER else "Sent."
        actions.tell(sent, good=True)
    elif reply.status == ReplyStatus.FAILED:
        actions.tell("It was not sent: see below.", good=False)
    else:
        actions.tell("We do not know yet whether it arrived: see below.", good=False)
