"""The promises that only a real browser can check."""

import http.client
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlmodel import Session

from monitor.desk import cases
from monitor.desk.page import notes
from monitor.desk.queue.work_queue import PAGE
from monitor.store.models import CaseStatus, ReplyStatus
from tests.browser.conftest import Site
from tests.dashboard.test_hostile import HOSTILE

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROW = ".row:not(.head)"


def queue(
    site: Site, person: str | None = "alice", address: str = "/", rows: int = 1, **look: Any
) -> Any:
    """Somebody's page of the queue, with as many rows as it is to have."""
    page = site.sit(person, **look)
    page.goto(site.address + address)
    wait_for_rows(page, rows)
    return page


def wait_for_rows(page: Any, number: int) -> None:
    """Wait for the last row, and until the browser has made its links and keys work."""
    page.wait_for_function(f"document.querySelectorAll('{ROW}').length === {number}")
    page.wait_for_selector(".stApp[data-test-script-state=notRunning]")
    page.wait_for_timeout(700)


def told(page: Any, words: str) -> None:
    """Wait for the outcome of a click."""
    page.locator(".notice", has_text=words).wait_for()


def test_two_people_claim_one_case(site: Site) -> None:
    case_id = site.desk.complaint("ben", "No refund for weeks")
    alice, bob = queue(site, "alice"), queue(site, "bob")
    alice.locator(f".st-key-claim-{case_id} button").click()
    told(alice, "You have the case of @ben")
    bob.locator(f".st-key-claim-{case_id} button").click()
    told(bob, "alice has it")
    bob.locator(f"{ROW} >> text=No refund").wait_for()
    bob.locator(".owner", has_text="alice").wait_for()
    assert site.desk.case(case_id).assignee == "alice"
    assert site.complaints == []


def test_hostile_posts_do_nothing(site: Site) -> None:
    ids = [
        site.desk.complaint(text[:60], text, name=text[:60], network=text[:20]) for text in HOSTILE
    ]
    site.desk.complaint("rtl", "\u202e gnp.exe refund \u0301" + "\u0301" * 60, name="\u202eevil")
    site.desk.complaint("long", "x" * 3000, name="y" * 200)
    with Session(site.desk.engine) as session:
        for case_id in ids:
            cases.claim(session, case_id, "alice")
            notes.note(session, case_id, "alice", HOSTILE[ids.index(case_id)])
    page = queue(site, width=800, rows=len(HOSTILE) + 2)
    shown = page.inner_text("[data-testid=stMain]")
    for text in HOSTILE:
        assert text.splitlines()[0] in shown
    assert _overflow(page) == 0
    for case_id, text in zip(ids, HOSTILE, strict=True):
        page.goto(f"{site.address}/case?id={case_id}")
        page.wait_for_selector(".case-head")
        page.wait_for_selector(".history")
        assert text.splitlines()[-1] in page.inner_text(".thread")
        assert _overflow(page) == 0
    page.goto(f"{site.address}/trends")
    page.wait_for_selector(".never")
    page.wait_for_selector("[data-testid=stVegaLiteChart] svg")
    page.locator("[data-testid=stSelectbox]").first.click()
    page.keyboard.press("Escape")
    page.goto(site.address)
    page.wait_for_selector(ROW)
    page.locator(".st-key-network input").click()
    page.get_by_role("option").nth(1).wait_for()
    assert page.locator("[data-testid=stMain] img, [role=listbox] img").count() == 0
    hosts = {urlsplit(url).hostname for url in site.requests if not url.startswith("data:")}
    assert hosts == {"127.0.0.1"}
    assert site.complaints == []


def _overflow(page: Any) -> int:
    """Pixels by which the page is wider than its window."""
    main = "document.querySelector('[data-testid=stMain]')"
    return int(page.evaluate(f"Math.max(0, {main}.scrollWidth - {main}.clientWidth)"))


def test_a_link_with_filters_opens_the_same_list(site: Site) -> None:
    site.desk.complaint("ben", "No refund for weeks", network="mastodon")
    eva = site.desk.complaint("eva", "The bill is wrong", network="bluesky")
    page = queue(site, rows=2)
    page.locator(".st-key-network input").click()
    page.get_by_role("option", name="bluesky").click()
    page.wait_for_url("**/?network=bluesky")
    page.locator(".st-key-tab-all button").click()
    page.wait_for_url(re.compile("status=all"))
    bob = queue(site, "bob", page.url.removeprefix(site.address))
    assert [row.get_attribute("id") for row in bob.locator(ROW).all()] == [f"case-{eva}"]
    # To the case and back: the filters are still there.
    bob.locator("[class*=st-key-row-] a").first.click()
    bob.wait_for_selector(".case-head")
    bob.locator("[data-testid=stMain] a", has_text="Queue").click()
    bob.wait_for_url(re.compile("network=bluesky"))
    wait_for_rows(bob, 1)
    assert "bob" not in bob.url


def test_the_whole_of_a_row_opens_its_case(site: Site) -> None:
    case_id = site.desk.complaint("ben", "No refund for weeks")
    page = queue(site)
    box = page.locator(f"{ROW} .text").bounding_box()
    page.mouse.click(box["x"] + 300, box["y"] + 5)
    page.wait_for_url(f"**/case?id={case_id}")


def test_the_reasons_of_a_priority_are_not_hidden_by_the_rows_below(site: Site) -> None:
    for name in ("ann", "ben", "cas", "dan"):
        site.desk.complaint(name, "It broke")
    page = queue(site, rows=4)
    page.locator(".priority").first.hover()
    box = page.locator(".tip").first.bounding_box()
    for part in (0.1, 0.5, 0.9):
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] * part
        assert page.evaluate(f"!!document.elementFromPoint({x}, {y}).closest('.tip')"), part


def test_a_whole_case_with_the_keyboard(site: Site) -> None:
    first = site.desk.complaint("ben", "No refund for weeks", hours=9)
    second = site.desk.complaint("eva", "The bill is wrong")
    page = queue(site, rows=2)
    page.keyboard.press("j")
    page.locator(f"#case-{second}.cursor").wait_for()
    page.keyboard.press("k")
    page.locator(f"#case-{first}.cursor").wait_for()
    page.keyboard.press("m")
    told(page, "You have the case of @ben")
    page.keyboard.press("o")
    page.wait_for_selector(".case-head")
    box = page.get_by_label("Your answer")
    box.click()
    # Letters typed into the answer are letters, not commands.
    page.keyboard.type("sorry, we mend it now")
    page.locator(".st-key-send button").click()
    told(page, "The demo pretended to send it")
    assert site.desk.case(first).reply_status == ReplyStatus.SENT
    assert site.desk.case(first).status == CaseStatus.PENDING
    page.keyboard.press("n")
    page.wait_for_url(f"**/case?id={second}")
    assert site.complaints == []


def test_resolve_and_take_it_back(site: Site) -> None:
    case_id = site.desk.complaint("ben", "No refund for weeks")
    page = site.sit()
    page.goto(f"{site.address}/case?id={case_id}")
    page.get_by_role("button", name="Resolve").click()
    form = page.get_by_test_id("stPopoverBody")
    form.get_by_label("What was done for the customer").fill("Refunded today")
    form.get_by_role("button", name="Resolve", exact=True).click()
    told(page, "Resolved: solved")
    assert site.desk.case(case_id).status == CaseStatus.RESOLVED
    page.keyboard.press("u")
    told(page, "Undone")
    assert site.desk.case(case_id).status == CaseStatus.OPEN


def test_what_is_being_typed_survives_a_colleague_s_note(site: Site) -> None:
    case_id = site.desk.complaint("ben", "No refund for weeks")
    with Session(site.desk.engine) as session:
        cases.claim(session, case_id, "alice")
    page = site.sit()
    page.goto(f"{site.address}/case?id={case_id}")
    page.get_by_label("Your answer").click()
    page.keyboard.type("half a sen")
    with Session(site.desk.engine) as session:
        notes.note(session, case_id, "bob", "I know this customer")
    page.get_by_text("I know this customer").wait_for()
    assert page.get_by_label("Your answer").input_value() == "half a sen"


def test_new_work_is_announced_and_moves_nothing(site: Site) -> None:
    for number in range(PAGE + 2):
        site.desk.complaint(f"user{number}", "It broke", hours=number + 1, triage=False)
    site.desk.triage()
    page = queue(site, rows=PAGE)
    before = [row.get_attribute("id") for row in page.locator(ROW).all()]
    new = site.desk.complaint("urgent", "Fire in the meter box", hours=400, severity=1.0)
    page.locator(".st-key-show-news button").wait_for()
    assert [row.get_attribute("id") for row in page.locator(ROW).all()] == before
    page.locator(".st-key-show-news button").click()
    page.locator(f"#case-{new}").wait_for()
    page.keyboard.press("n")
    wait_for_rows(page, 3)
    assert site.complaints == []


def test_the_name_outlives_a_reload_and_stays_out_of_links(site: Site) -> None:
    site.desk.complaint("ben", "No refund for weeks")
    page = queue(site, None)
    page.locator("[data-testid=stSidebar] input").click()
    page.get_by_role("option", name="bob").click()
    page.wait_for_function("document.cookie.includes('monitor_person=bob')")
    page.reload()
    page.wait_for_selector(ROW)
    page.wait_for_function(
        "document.querySelector('[data-testid=stSidebar] input')?.value === 'bob'"
    )
    assert "bob" not in page.url


def test_a_page_of_another_name_gets_no_connection(site: Site) -> None:
    """A web page can point its own name at this machine; there is no sign-in to stop it."""
    port = urlsplit(site.address).port
    for name, status in (("127.0.0.1", 101), ("localhost", 101), ("evil.invalid", 403)):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        headers = {
            "Host": f"{name}:{port}",
            "Origin": f"http://{name}:{port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Version": "13",
        }
        connection.request("GET", "/_stcore/stream", headers=headers)
        assert connection.getresponse().status == status, name
        connection.close()


def test_every_page_fits_and_is_quiet(site: Site) -> None:
    case_id = site.desk.complaint("ben", "No refund for weeks " * 30, language="de")
    site.desk.fail_source("mastodon.example answered 503.")
    pages = (
        ("/", ROW),
        (f"/case?id={case_id}", ".history"),
        ("/trends", "[data-testid=stVegaLiteChart] svg"),
        ("/sources", ".facts"),
    )
    for width, scheme in ((1440, "light"), (800, "dark")):
        page = site.sit(width=width, scheme=scheme)
        for address, mark in pages:
            page.goto(site.address + address)
            page.wait_for_selector(mark)
            assert _overflow(page) == 0, (address, width)
            colour = page.evaluate("getComputedStyle(document.querySelector('.stApp')).colorScheme")
            assert colour == scheme
    assert site.complaints == []
