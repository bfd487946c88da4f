"""What a post looks like to the model: the same in training, measuring and running."""

import html
import re
import unicodedata

MAX_CHARACTERS = 4_000  # Far more than the model reads; it keeps a huge post from costing seconds.
MAX_TOKENS = 128

_URL = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_HANDLE = re.compile(r"(?<!\w)@\w+(?:@[\w-]+(?:\.[\w-]+)+)?")
_PLACEHOLDER = re.compile(r"@user|\bhttp\b")
_REPEATED = re.compile(r"([^\w\s])\1+")
_EMOJI = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")
_EMOJI_LOOKS = re.compile("[\ufe0f\U0001f3fb-\U0001f3ff]")  # colour of skin, style of drawing


def clean(text: str) -> str:
    """Return `text` as the model was taught to read it.

    It is cut and unescaped, people are @user, links are http, and emoji are spelled out. Half a
    surrogate pair, which the tokenizer would refuse, becomes a question mark.
    """
    text = text[:MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
    text = _HANDLE.sub("@user", _URL.sub("http", html.unescape(text)))
    return _EMOJI.sub(_in_words, _EMOJI_LOOKS.sub("", text)).strip()


def gist(cleaned: str) -> str:
    """Return what posts have in common that say the same: equal for copies and near-copies.

    Capitals, spaces, whom they are addressed to, links and doubled marks make no difference.
    """
    return " ".join(_REPEATED.sub(r"\1", _PLACEHOLDER.sub(" ", cleaned)).casefold().split())


def _in_words(emoji: re.Match[str]) -> str:
    # The vocabulary has no emoji: an angry face would be an unknown token like a happy one.
    return f" {unicodedata.name(emoji[0], '').lower()} "
