"""Characters as people count them."""

import pytest

from connectors.graphemes import graphemes


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("Sorry", 5),
        ("e\N{COMBINING ACUTE ACCENT}", 1),
        ("\N{COMBINING ACUTE ACCENT}", 1),
        ("a\r\nb", 3),
        ("\n\N{COMBINING ACUTE ACCENT}", 2),
        ("👨‍👩‍👧‍👦", 1),
        ("👍🏽👍", 2),
        ("❤️‍🔥", 1),
        ("1️⃣", 1),
        ("🇩🇪🇫🇷", 2),
        ("🇩🇪🇫", 2),
        ("🏴󠁧󠁢󠁷󠁬󠁳󠁿", 1),
        ("x\N{ZERO WIDTH JOINER}🔥", 2),
        ("각가", 2),
        ("\u1100\u1161\u11a8\u1100\u1161", 2),
        ("ｶﾞ", 1),
        ("アクメ", 3),
        ("عربيّ", 4),
        ("ที่นี่", 2),
        # Unicode says 3 since 2023; older servers say 4, and 4 is never too long.
        ("नमस्ते", 4),
    ],
)
def test_graphemes(text: str, count: int) -> None:
    assert graphemes(text) == count
