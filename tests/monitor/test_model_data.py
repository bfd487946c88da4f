"""What the model is taught on stays apart from what it is judged by."""

from collections import Counter
from pathlib import Path

import pytest

from monitor.model import data

SHARED = Path(__file__).parents[3] / "shared" / "data"


def test_posts_that_tell_of_one_fault_come_in_groups_of_several_companies() -> None:
    rows = list(data.read_rows(data.FAULTS))
    texts = {row["text"].casefold() for row in rows}
    groups = Counter((row["company"], row["fault"]) for row in rows)
    assert len(texts) == len(rows) > 1_000
    assert min(groups.values()) >= 4
    taught, kept = (
        {example.fault.split()[0] for example in data.fault_posts(dev=dev)} for dev in (False, True)
    )
    assert len(taught) >= 30
    assert len(kept) >= 4
    assert taught.isdisjoint(kept)


def test_every_reading_is_of_another_post() -> None:
    ids = [row["id"] for row in data.read_rows(data.READINGS)]
    assert len(set(ids)) == len(ids) > 4_000


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="needs the shared data, which is not here")
def test_nothing_that_judges_is_taught() -> None:
    splits = data.load(SHARED)
    taught = {data.key(example.text) for example in (*splits.general, *splits.companies)}
    judged = {
        data.key(row["text"]) for row in data.read_rows(SHARED / "tweeteval" / "sentiment_val.tsv")
    }
    judged |= {data.key(example.text) for example in (*splits.test, *splits.dev)}
    judged |= {
        data.key(example.text)
        for industry, example in data.written_posts()
        if industry in data.HELD_OUT_INDUSTRIES
    }
    airlines = {data.key(row["text"]) for row in data.read_rows(SHARED / "airline" / "airline.csv")}
    # Nothing but a word or two, which anybody may have written: "still nothing".
    assert all(len(text) < 20 for text in taught & (judged | airlines))
    assert len(splits.companies) > 10_000
    assert len(splits.test) == 256
