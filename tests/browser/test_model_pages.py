"""The truth about the model in a real browser: why a score, one key on the check page, figures."""

import pytest

from tests.browser.conftest import Site
from tests.browser.test_dashboard import told
from tests.dashboard.test_quality_pages import a_sample

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_case_shows_what_drove_its_score(site: Site) -> None:
    text = "My parcel was due on Monday and nobody answers my emails"
    case_id = site.desk.complaint("ben", text)
    page = site.sit("alice")
    page.goto(f"{site.address}/case?id={case_id}")
    page.get_by_role("button", name="Show what weighs in the text").click()
    page.locator(".weighed").wait_for()
    assert page.locator(".weighed").inner_text() == text
    assert page.locator(".weighed [title]").count() > 5
    assert site.complaints == []


def test_a_doubtful_post_is_answered_with_one_key(site: Site) -> None:
    site.desk.complaint("mia", "Well, that went as it always goes", probability=0.4)
    page = site.sit("alice")
    page.goto(f"{site.address}/check")
    page.get_by_text("Well, that went as it always goes").wait_for()
    page.wait_for_selector(".stApp[data-test-script-state=notRunning]")
    page.wait_for_timeout(700)
    page.keyboard.press("y")
    told(page, "case")
    page.get_by_text("Nothing is uncertain").wait_for()
    assert site.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_quality_page_draws_its_curve(site: Site, scheme: str) -> None:
    for number in range(60):
        site.desk.complaint(f"p{number}", f"post {number}", probability=0.1 if number < 40 else 0.9)
    a_sample(site.desk, *([False] * 38 + [True] * 2 + [True] * 18 + [False] * 2))
    page = site.sit("alice", scheme=scheme)
    page.goto(f"{site.address}/quality")
    page.get_by_text("What another threshold would do").wait_for()
    page.locator("canvas, svg.marks").first.wait_for()
    assert page.get_by_text("not measured").count() == 0
    assert site.complaints == []
