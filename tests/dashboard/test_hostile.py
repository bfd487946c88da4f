"""What strangers write appears as their text, on every page, and does nothing else."""

import html

import pytest
from sqlmodel import Session, select

from dashboard.markup import foreign, harmless, link_out, tag
from monitor.desk import cases
from monitor.desk.page import notes
from monitor.store.models import Source
from tests.dashboard.conftest import Seat
from tests.dashboard.seed import Desk

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=https://tracker.invalid/pixel.gif onerror=alert(1)>",
    "**bold** _it_ ~~gone~~ `code` # title",
    "![image](https://tracker.invalid/pixel.gif) [link](https://evil.invalid)",
    "$\\frac{1}{2}$ and $$x^2$$",
    ":smile: :red[danger] :material/home: :blue-badge[x]",
    "</div></span></article><h1>out</h1>",
    '" onmouseover="alert(1)',
    "{{7*7}} %s {0}",
    "&lt;b&gt; &amp; &#x3C;",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "> quote\n- list\n1. first",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_post_is_its_text_on_every_page(desk: Desk, text: str) -> None:
    case_id = desk.complaint(text[:80], text, name=text[:80], network="mastodon", language="<b>")
    desk.complaint(f"{text[:70]} 2", "It broke too", reply_to=None, network=text[:20])
    with Session(desk.engine) as session:
        cases.claim(session, case_id, "alice")
        notes.note(session, case_id, "alice", text)
        source = session.exec(select(Source)).one()
        source.last_error, source.failures = text, 1
        session.add(source)
        session.commit()
    desk.fetched(received=1, error=text, gap=text, notes=text)
    written = html.escape(" ".join(text.split()))
    for page, address in (
        ("work_queue", {}),
        ("case", {"id": str(case_id)}),
        ("sources", {}),
        ("trends", {}),
    ):
        seat = Seat().open(page, **address)
        if page == "sources":
            seat.app.session_state["ledger-1"] = True
            seat.look()
        assert written in " ".join(seat.html.split()), page
        assert "<script>alert" not in seat.html
        assert "<img" not in seat.html
        assert 'onmouseover="' not in seat.html
        for element in [*seat.app.markdown, *seat.app.caption, *seat.app.error, *seat.app.toast]:
            assert text[:10] not in element.value
        for labelled in [*seat.app.button, *seat.app.page_link, *seat.app.metric]:
            assert text[:10] not in str(labelled)


def test_direction_marks_do_not_reach_the_page() -> None:
    turned = "refund \u202eevil\u202c \u2066x\u2069 ok"
    assert harmless(turned) == "refund evil x ok"
    assert 'dir="auto"' in foreign(turned)
    assert harmless("مرحبا \u200f!") == "مرحبا \u200f!", "honest marks stay"


def test_piled_marks_and_control_characters_go() -> None:
    assert harmless("a" + "\u0301" * 50) == "a" + "\u0301" * 3
    assert harmless("a\x00b\x1b[31mc\u0085") == "ab[31mc"
    assert harmless("line\nnext\ttab") == "line\nnext\ttab"


def test_attributes_are_escaped() -> None:
    made = tag("a", "x", title='"><script>', href="x' y")
    assert made == '<a title="&quot;&gt;&lt;script&gt;" href="x&#x27; y">x</a>'


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "//evil.invalid", "", "https://", "http://[bad"],
)
def test_only_addresses_of_the_web_become_links(url: str) -> None:
    assert link_out(url, "Open") == ""


def test_links_say_nothing_about_us() -> None:
    assert 'rel="noopener noreferrer"' in link_out("https://social.invalid/1", "Open")
