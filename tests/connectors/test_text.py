"""HTML to text: what a reader sees, whatever strangers send."""

import time

import pytest

from connectors.text import MAX_HTML, html_to_text


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One.</p><p>Two.</p>", "One.\n\nTwo."),
        ("<p>One.<p>Two.", "One.\n\nTwo."),
        ("one<br>two<br/>three<BR />four", "one\ntwo\nthree\nfour"),
        ("<p>\n  spread over\n  lines\n</p>", "spread over lines"),
        ("<ul><li>late</li><li>lost</li></ul>", "late\nlost"),
        ("<div>late<br></div><div><div>lost</div></div>", "late\nlost"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ("Tom &amp; Jerry &lt;3 &quot;caf&eacute;&quot; &#128557;", 'Tom & Jerry <3 "café" 😭'),
        ("lost&nbsp;&nbsp;luggage", "lost luggage"),
        ("<b>wait</b><i>ing</i>", "waiting"),
        ("seen<script>alert('<p>')</script><style>p{}</style><!-- no -->", "seen"),
        ("seen<SCRIPT src=x>never closed <p>hidden", "seen"),
        ("<a title='a > b'>kept</a>", "kept"),
        ("<p class=x don't>kept</p>", "kept"),
        ("I <3 you, 5 < 6 and a <b", "I <3 you, 5 < 6 and a <b"),
        ("wow <!!", "wow <!!"),
        ("a&#0;b\0c", "a\N{REPLACEMENT CHARACTER}bc"),
        ("", ""),
    ],
)
def test_what_a_reader_sees(markup: str, text: str) -> None:
    assert html_to_text(markup) == text


def test_a_link_of_mastodon_is_whole_again() -> None:
    markup = (
        '<p><span class="h-card"><a href="https://a.example/@acme" class="u-url mention">@<span>'
        'acme</span></a></span> see <a href="https://www.example.com/a/long/path?x=1&amp;y=2">'
        '<span class="invisible">https://www.</span>'
        '<span class="ellipsis">example.com/a/long</span>'
        '<span class="invisible">/path?x=1&amp;y=2</span></a></p>'
    )
    assert html_to_text(markup) == "@acme see https://www.example.com/a/long/path?x=1&y=2"


@pytest.mark.parametrize(
    "piece",
    [
        *("<div>", "<ul><li>", "<b>", "<", "<!", "<!--", "<script>", "</script", "<title "),
        *('<a ="', "<b '='", "<a b=c ", "= ", "&amp;", "&", "&#1;", "&nbsp;\n", " \n", "\0"),
        *("<p>hello</p>", "x"),
    ],
)
def test_five_megabytes_of_anything_are_quick(piece: str) -> None:
    started = time.perf_counter()
    text = html_to_text(piece * (5_000_000 // len(piece)))
    assert time.perf_counter() - started < 2
    assert len(text) <= MAX_HTML


def test_a_hundred_thousand_nested_tags_do_no_harm() -> None:
    assert html_to_text("<div>" * 100_000 + "help" + "</div>" * 100_000) == "help"


def test_a_number_too_long_for_python_does_not_raise() -> None:
    assert html_to_text("&#" + "9" * 10_000 + ";!") == "\N{REPLACEMENT CHARACTER}!"
