"""Sends one message through Apprise: mail, Slack, Teams, PagerDuty, a webhook and many more."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Letter:
    """One message as it goes out."""

    title: str
    text: str
    urgent: bool
    over: bool
    """It tells only of what has ended."""
    key: str
    """What it is about, for a network that keeps one incident per key itself."""


Send = Callable[[str, Letter], str | None]
"""Sends to an address; what went wrong, or None."""

APART = ("pagerduty://",)
"""Joins by itself, by key: each alert is sent alone there, and its end closes it."""


def send(address: str, letter: Letter) -> str | None:
    """Send a message to an Apprise address. Returns what went wrong, or None.

    Never raises, and never tells the address, which is a secret.
    """
    import apprise  # it takes a while to load, and most commands send nothing

    # Its own words may name who is told; ours do not.
    logging.getLogger("apprise").propagate = False
    capture: Any = apprise.LogCapture  # it has no types
    try:
        server: Any = apprise.Apprise.instantiate(address, suppress_exceptions=False)
    except Exception as error:
        return f"The address cannot be used: {hidden(str(error), address)}"
    kind = apprise.NotifyType.WARNING
    if letter.over:
        kind = apprise.NotifyType.SUCCESS
    elif letter.urgent:
        kind = apprise.NotifyType.FAILURE
    if address.startswith(APART):
        server.dedup, server.action = letter.key, "map"
    with capture(level=logging.WARNING, fmt="%(message)s") as told:
        try:
            went = server.notify(
                body=letter.text,
                title=letter.title,
                notify_type=kind,
                body_format=apprise.NotifyFormat.TEXT,
            )
        except Exception as error:
            return hidden(f"{type(error).__name__}: {error}", address)
        if went:
            return None
        return hidden(" ".join(told.getvalue().split()) or "It did not go.", address)


def hidden(text: str, address: str) -> str:
    """A text without the parts of an address that may be secret."""
    _, _, rest = address.partition("://")
    for part in sorted(re.split(r"[/:@?&=,\s]+", rest), key=len, reverse=True):
        if len(part) >= 5:
            text = text.replace(part, "…")
    return text[:500]
