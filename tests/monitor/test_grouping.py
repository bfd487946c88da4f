"""Which posts tell of one fault: by words, thread, meaning and time; never by a chain."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from monitor.watch.incident.grouping import Group, Grouping, Item, Rarity, Weights, voices, words

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
WEIGHTS = Weights(meaning=2.0, words=0.3, thread=2.0, hours=1.0, pair=2.0, join=1.0)
CHATTER = [
    (NOON - timedelta(days=day), text)
    for day in range(1, 9)
    for text in (
        "my internet is slow again and nobody answers the phone",
        "the bill is wrong again this month and the chat is a joke",
        "waited all day for the engineer who never came to my house",
        "thank you for the quick answer and the new router works",
    )
]


def item(number: int, text: str, hours: float = 0.0, author: int = 0, **values: object) -> Item:
    at = NOON + timedelta(hours=hours)
    return Item(number, number, author or number, at, text, **values)  # type: ignore[arg-type]  # of any kind


def grouped(*items: Item, weights: Weights = WEIGHTS) -> list[set[int]]:
    """The groups of two and more that these posts make, one after the other."""
    grouping = Grouping(Rarity(CHATTER), weights)
    for one in items:
        grouping.place(one)
    found = [{one.id for one in group.items} for group in grouping.groups]
    return [group for group in found if len(group) > 1]


FIRST = item(1, "no internet in Eastmoor since six, hub shows a red light")
SECOND = item(2, "Eastmoor here, the hub went red as well and everything is gone", 0.5)


def test_rare_words_in_common_make_a_group_and_common_ones_do_not() -> None:
    bill = item(3, "the bill is wrong again this month, nobody answers the phone", 0.6)
    slow = item(4, "the bill is slow again and nobody came", 0.7)
    assert grouped(FIRST, SECOND, bill, slow) == [{1, 2}]


def test_the_same_words_days_later_are_another_fault() -> None:
    later = item(2, SECOND.text, 60)
    assert grouped(FIRST, later) == []


def test_words_are_no_less_rare_because_everybody_says_them_today() -> None:
    today = [(NOON + timedelta(minutes=n), "Eastmoor hub red") for n in range(40)]
    rarity = Rarity([*CHATTER, *today])
    assert rarity.of("eastmoor", NOON) > 1
    assert rarity.of("again", NOON) == 0
    assert rarity.of("eastmoor", NOON + timedelta(days=1)) == 0


def test_vectors_count_where_there_are_some() -> None:
    chance = np.random.default_rng(1)
    near = chance.normal(size=384)
    far = chance.normal(size=384)

    def packed(vector: Any) -> bytes:
        unit = vector / np.linalg.norm(vector)
        return bytes((unit * 127).round().astype(np.int8).tobytes())

    one = item(1, "it is gone", vector=packed(near))
    other = item(2, "nothing loads here", 0.2, vector=packed(near + 0.2 * far))
    third = item(3, "who do I call", 0.3, vector=packed(far))
    bare = item(4, "no luck", 0.4)
    strict = Weights(meaning=4.0, words=0.3, thread=2.0, hours=1.0, pair=2.0, join=1.0)
    assert grouped(one, other, third, bare, weights=strict) == [{1, 2}]


def test_same_here_counts_in_a_thread_of_customers() -> None:
    alone = item(2, "same here, all of it", 0.2)
    assert grouped(FIRST, alone) == []
    assert grouped(
        item(1, FIRST.text, thread="t"), item(2, "same here, all of it", 0.2, thread="t")
    ) == [{1, 2}]


def test_a_chain_of_neighbours_does_not_tie_two_faults() -> None:
    # Each is like the one before it; the first and the last have nothing in common.
    chain = [
        item(1, "arkel brannoc corvel"),
        item(2, "brannoc corvel dremmel", 0.1),
        item(3, "dremmel eskaver fennick", 0.2),
        item(4, "eskaver fennick garrod", 0.3),
    ]
    weak = replace(WEIGHTS, words=0.17)
    assert grouped(*chain, weights=weak) == [{1, 2}, {3, 4}]


def test_a_standing_group_takes_in_but_not_what_a_person_took_out() -> None:
    def placed(apart: frozenset[int]) -> int | None:
        grouping = Grouping(Rarity(CHATTER), WEIGHTS)
        grouping.stand(Group([FIRST, SECOND], key=7, apart=apart))
        return grouping.place(item(3, "red light on the hub, Eastmoor", 1)).group.key

    assert placed(frozenset()) == 7
    assert placed(frozenset({3})) is None


def test_lone_posts_are_looked_at_again_once_there_is_a_group() -> None:
    grouping = Grouping(Rarity(CHATTER), replace(WEIGHTS, words=0.25))
    early = item(9, "Eastmoor?", -0.5)
    grouping.place(early)
    grouping.place(FIRST)
    group = grouping.place(SECOND).group
    found = grouping.gather(group)
    assert [one.item.id for one in found] == [9]
    assert 0.5 <= found[0].likeness <= 1
    assert {one.id for one in group.items} == {1, 2, 9}
    assert grouping.gather(group) == []


@pytest.mark.parametrize(
    ("told", "people"),
    [
        ([(1, "hub red"), (2, "no internet")], 2),
        ([(1, "hub red"), (1, "still red"), (1, "day two")], 1),
        # Copied, with another address and a link: the one who wrote it first counts.
        ([(1, "Hub red!!"), (2, "@acme hub red! https://x.example"), (3, "hub  RED!")], 1),
        ([(1, "hub red"), (2, "hub red"), (2, "my phone too")], 2),
        ([(1, ""), (2, "")], 2),
        ([], 0),
    ],
)
def test_copies_and_many_posts_of_one_person_count_once(
    told: list[tuple[int, str]], people: int
) -> None:
    posts = [item(n, text, author=author) for n, (author, text) in enumerate(told, 1)]
    assert voices(posts) == people


def test_words_are_folded_and_links_left_out() -> None:
    found = words("ＨＵＢ red!! see https://x.example/abc #HalewickDown @Carol it's 4.11")
    assert found == {"hub", "red", "see", "#halewickdown", "@carol", "it's", "4.11"}
