"""The query language."""

import pytest

from monitor.intake.matching import QueryError, compile_query

ACME = '("acme power" OR @acmepower OR #acmefail OR アクメ) NOT climbing -mountain*'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("My order from Acme  Power never came", ["acme power"]),
        ("same here @acmepower@social.example", ["@acmepower"]),
        ("acme-power, #ACMEFAIL", ["acme power", "#acmefail"]),
        ("＃ａｃｍｅｆａｉｌ in wide letters", ["#acmefail"]),
        ("アクメパワーのアプリ", ["アクメ"]),
        ("acmepowerful", None),
        ("acme power and climbing", None),
        ("#acmefail mountaineers", None),
        ("", None),
    ],
)
def test_it_says_why_a_post_matched(text: str, found: list[str] | None) -> None:
    assert compile_query(ACME).match(text) == found


def test_and_binds_before_or_and_exclusions_reach_only_their_side() -> None:
    query = compile_query("acme refund OR acme outage NOT planned")
    assert query.match("acme owes me a refund for the planned walk") == ["acme", "refund"]
    assert query.match("planned acme outage") is None
    assert query.match("acme outage") == ["acme", "outage"]


def test_an_empty_query_matches_everything() -> None:
    assert compile_query(" ").match("anything") == []


@pytest.mark.parametrize(
    "text", ["a OR", "(a", "a)", '"a', "NOT a", "()", "AND", "a AND AND b", '""']
)
def test_a_query_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        compile_query(text)
