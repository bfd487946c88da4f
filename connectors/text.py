"""HTML of posts to plain text, for every connector whose network sends HTML.

One pass over the tags, in time that grows with the length and nothing else. A real HTML parser
builds a tree, and strangers know what hurts it: 100,000 nested <div> took lexbor 32 seconds.
"""

import html
import re

MAX_HTML = 600_000
"""Characters of HTML that are read. No post comes near it."""

# The alternatives never fail once their first letters match, and nothing is matched twice: that
# keeps the pass linear. What never ends (a comment, a script) lasts to the end, as in a browser.
MARKUP = re.compile(
    r"""
    (?P<unseen> <!--.*?(?:-->|\Z)
    | <(?P<raw>script|style|template|title)(?=[\s/>]).*?(?:</(?P=raw)\s*+>?|\Z) )
    | <[!?][^>]*+>?
    | </?+(?P<tag>[a-z][^\s/<>]*+)
      (?: = \s*+ (?: "[^"]*+" | '[^']*+' ) | = | [^<>=]++ )*+ >?
    """,
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
SPACE = re.compile(r"[ \t\r\n\f\v]+")
HUGE_NUMBER = re.compile(r"&#\d{9,};?")
SOFT = "\v"
"""A new line that is there once, however many blocks begin and end at it."""

BREAKS = (
    {"br": "\n", "td": " ", "th": " "}
    | dict.fromkeys(("dd", "div", "dt", "figcaption", "hr", "li", "tr"), SOFT)
    | dict.fromkeys(("article", "blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6"), "\n\n")
    | dict.fromkeys(("ol", "p", "pre", "section", "table", "ul"), "\n\n")
)


def html_to_text(markup: str) -> str:
    """What a reader sees of the first MAX_HTML characters of `markup`. Never raises.

    Paragraphs stand apart by an empty line, other blocks and <br> by a new line. Scripts, styles
    and comments are dropped. Pieces of one word in several tags are joined, which makes a link of
    Mastodon, cut into three spans, whole again. A `<` that opens no tag is text.
    """
    if len(markup) > MAX_HTML:
        markup = markup[: MAX_HTML - 1] + ">"  # ends a tag that the cut went through
    text = SPACE.sub(" ", markup.replace("\0", ""))
    text = MARKUP.sub(_text_of_tag, text)
    # int() refuses numbers of thousands of digits, and html.unescape asks it.
    text = html.unescape(HUGE_NUMBER.sub("\N{REPLACEMENT CHARACTER}", text))
    text = re.sub("[ \t\r\xa0]+", " ", text)
    text = re.sub(r"[ \n\v]*[\n\v][ \n\v]*", _one_break, text)
    return text.strip()


def _one_break(found: re.Match[str]) -> str:
    return "\n" * min(2, max(1, found[0].count("\n")))


def _text_of_tag(found: re.Match[str]) -> str:
    if found["unseen"]:
        return ""
    if not found[0].endswith(">"):
        return found[0]  # "a <b and so on": no tag, however it began
    return BREAKS.get((found["tag"] or "").lower(), "")
