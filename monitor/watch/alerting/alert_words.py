"""What an alert says: short, plain, and without a person's data unless that is allowed."""

import re
import unicodedata
from datetime import datetime, timedelta
from urllib.parse import urlencode

from monitor.store.models import Alert, Message

BEGINNINGS = {
    Message.FIRED: "",
    Message.RAISED: "Worse now: ",
    Message.REPEATED: "Still: ",
    Message.ESCALATED: "Nobody has acknowledged: ",
    Message.REMINDED: "Acknowledged and still firing: ",
    Message.RESOLVED: "Over: ",
    Message.DIGEST: "",
}

QUOTED = 160
"""Letters of a post that a message shows."""

# Turns the direction of what follows, or shows nothing: no part of what somebody said.
_HIDDEN = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e"
                     "\u2060-\u2069\ufeff]")  # fmt: skip
_MAIL = re.compile(r"(?<![@\w.])[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
_ADDRESS = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
_HANDLE = re.compile(r"@[\w.-]+(?:@[\w.-]+)?")
"""Also right after a word: not every script has spaces."""
_NUMBER = re.compile(r"\+?\d[\d ()/.-]{5,}\d")
"""A telephone, customer or card number: seven digits or more, however they are grouped."""


def message(alert: Alert, which: Message, link: str, at: datetime) -> tuple[str, str]:
    """Title and text of one message. The last line tells the same message from another."""
    title = one_line(f"{BEGINNINGS[which]}{alert.title}")[:160]
    lines = [alert.text]
    if which is Message.RESOLVED:
        peak = f" At its peak: {alert.peak:,.0f}." if alert.peak else ""
        lines = [f"It is over after {span(at - alert.fired_at)}.{peak}"]
    elif which is Message.REMINDED and alert.acknowledged_at is not None:
        since = ago(at - alert.acknowledged_at)
        lines.append(f"Acknowledged by {alert.acknowledged_by} {since} and still firing.")
    elif which is not Message.FIRED:
        lines.append(f"It has been so for {span(at - alert.fired_at)}.")
    lines.append(f"{link_to(alert, link)}")
    lines.append(f"(alert {alert.id}.{alert.firings}, {which})")
    return title, "\n\n".join(line for line in lines if line)


def link_to(alert: Alert, link: str) -> str:
    """The address that opens an alert, and with it just those cases."""
    return f"{link.rstrip('/')}/alerts?{urlencode({'alert': alert.id})}"


def joined(letters: list[tuple[str, str]]) -> tuple[str, str]:
    """Several messages as one that lists them; one stays as it is."""
    if len(letters) == 1:
        return letters[0]
    titles = [title for title, _ in letters]
    text = "\n".join(f"- {title}" for title in titles)
    parts = [f"== {title}\n{said}" for title, said in letters[:10]]
    if len(letters) > 10:
        parts.append(f"... and {len(letters) - 10} more: see the list above.")
    return f"{len(letters)} alerts: {titles[0]}"[:160], "\n\n".join([text, *parts])


def quote(text: str, *, names: bool, most: int = QUOTED) -> str:
    """What somebody wrote, in one line of at most so many letters, without addresses and numbers,
    and without @names unless these are allowed. Nothing in it calls anybody: chats read @all and
    <!channel>."""
    # A wide @ is an @ to whoever reads it.
    plain = unicodedata.normalize("NFKC", _HIDDEN.sub("", one_line(text)))
    said = _MAIL.sub("(mail)", _ADDRESS.sub("(link)", one_line(plain)))
    if not names:
        said = _HANDLE.sub("(name)", said)
    said = _NUMBER.sub("(number)", said)
    said = said.replace("@", "＠").replace("<", "‹").replace(">", "›")
    return said if len(said) <= most else said[: most - 1].rstrip() + "…"


def one_line(text: str) -> str:
    """Without line breaks: a subject must not have any."""
    return " ".join(text.split())


def ago(length: timedelta) -> str:
    """How long ago, in whole hours: '12 hours ago'; in minutes where it is less than one."""
    hours = int(length.total_seconds() // 3600)
    if hours:
        return f"{hours} hours ago" if hours > 1 else "an hour ago"
    return f"{span(length)} ago"


def span(length: timedelta) -> str:
    """How long, roughly: '3 h 20 min'."""
    minutes = max(0, int(length.total_seconds() // 60))
    days, hours = minutes // 1440, minutes % 1440 // 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min"
