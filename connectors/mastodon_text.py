"""What Mastodon's servers make of a text: quotes put into it, words in their own form."""

import re
import unicodedata

QUOTE = re.compile(r"<(\w+)\b[^<>]*\bquote-inline\b[^<>]*>")
MENTION = re.compile(r"(?<![=/\w])@\w+(?:[.-]+\w+)*(?:@\w+(?:[.-]+\w+)*(?::\d+)?)?")


def without_quote(content: str) -> str:
    """`content` without the "RE: link" that stands for a quoted post where it cannot be shown."""
    if quoted := QUOTE.search(content):
        depth = 0
        for tag in re.finditer(rf"<(/?){quoted[1]}\b[^<>]*>", content[quoted.start() :]):
            depth += -1 if tag[1] else 1
            if depth == 0:
                return content[: quoted.start()] + content[quoted.start() + tag.end() :]
    return content


def words(text: str) -> str:
    """Letters, digits and emoji: what of a text survives a server that formats it."""
    text = MENTION.sub("", text)
    return "".join(c for c in text if unicodedata.category(c) in ("So", "Mn", "Mc") or c.isalnum())
