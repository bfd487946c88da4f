"""The shipped model is held to its order on sentences of our own, never to exact values."""

import importlib.util
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import numpy as np
import pytest

from monitor.model.hub import HubScorer, read_labels
from monitor.model.scorer import (
    WEIGHTS,
    ModelError,
    Score,
    Scorer,
    Sentiment,
    ShippedScorer,
    load_scorer,
    suggested_threshold,
)
from monitor.model.text import clean

COMPLAINTS = [
    "@acme my parcel was due on Monday and it is still not here. Nobody answers my emails.",
    "Third time this week that the app logs me out in the middle of a payment. Fix it!",
    "@acme I was charged twice for the same order and support keeps closing my ticket",
    "Been on hold for two hours with @acme. Worst customer service I have ever had.",
    "Your driver threw the package over the fence and the screen is smashed 😡",
    "@acme why was my flight cancelled without a word? Stuck at the airport all night.",
    "The heating you installed broke down again, two days after the repair",
    "Paid for next day delivery, got it nine days later. Never ordering from you again.",
    "@acme internet is down again in our street, fourth outage this month",
    "I have asked for a refund five times and all I get is an automated answer",
    "So the update deleted all my saved playlists. Thanks for nothing @acme",
    "Ordered a size M, received an XL, and now I have to pay for the return myself?!",
    "@acme your website does not accept my card and the error message says nothing",
    "The food arrived cold, half of it was missing, and nobody picks up the phone",
    "Lost my luggage on a direct flight and the desk was closed. Unbelievable, @acme",
    "@acme the new version crashes every time I open it, completely useless",
    "Really disappointed with the hotel, dirty room and rude staff",
    "You raised my bill by 20 percent without telling me. That is outrageous.",
    "My washing machine leaks since your engineer was here, and he will not come back",
    "@acme still waiting for the replacement you promised three weeks ago",
]
PRAISE = [
    "@acme thank you so much, the replacement came the next morning!",
    "Just want to say that the staff at the Leeds shop were wonderful today",
    "Loving the new app, so much faster than before 😍",
    "Best coffee in town, and always with a smile",
    "@acme you made my daughter's birthday, she is over the moon with the bike",
    "Great flight with a lovely crew, see you next time",
    "Shout out to @acme for sorting my refund in ten minutes. Brilliant service.",
    "Five stars, would buy again",
    "So happy with my new headphones, the sound is amazing",
    "Huge thanks to the driver who carried everything up to the fourth floor",
]
CHATTER = [
    "@acme do you deliver to Iceland?",
    "What time does the museum open on Sundays?",
    "We are going to the concert on Saturday, who else is coming?",
    "@acme is the blue jacket also made in children's sizes?",
    "New blog post: seven ways to cook rice http://example.org/rice",
    "The company will publish its results for the third quarter on Thursday",
    "@bob see you at the station at eight",
    "Watching the match with my brother tonight",
    "Could you tell me which bus goes to the airport?",
    "@acme announces a partnership with a bank in Norway",
]


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return load_scorer(threads=1)


@pytest.fixture(scope="module")
def scores(scorer: Scorer) -> dict[str, Score]:
    texts = [*COMPLAINTS, *PRAISE, *CHATTER]
    return dict(zip(texts, scorer(texts), strict=True))


def test_complaints_rank_above_praise_and_chatter(scores: dict[str, Score]) -> None:
    rest = [scores[text].complaint for text in (*PRAISE, *CHATTER)]
    pairs = [scores[text].complaint > other for text in COMPLAINTS for other in rest]
    assert mean(pairs) > 0.97


def test_suggested_threshold_tells_most_apart(scores: dict[str, Score]) -> None:
    threshold = suggested_threshold()
    opened = [text for text, score in scores.items() if score.complaint >= threshold]
    assert mean(text in opened for text in COMPLAINTS) >= 0.9
    assert mean(text in opened for text in PRAISE) <= 0.1


def test_sentiment_agrees_with_the_tone(scores: dict[str, Score]) -> None:
    assert mean(scores[text].sentiment is Sentiment.NEGATIVE for text in COMPLAINTS) >= 0.85
    assert mean(scores[text].sentiment is Sentiment.POSITIVE for text in PRAISE) >= 0.85
    assert mean(scores[text].negative for text in CHATTER) < 0.2


def test_severity_rises_with_anger(scorer: Scorer, scores: dict[str, Score]) -> None:
    mild, furious = scorer(
        [
            "@acme small thing, the label on the box is a bit crooked",
            "@acme you are the worst, I hate this disgusting company, absolute scum",
        ]
    )
    assert furious.severity > mild.severity
    assert mean(scores[t].severity for t in COMPLAINTS) > mean(scores[t].severity for t in PRAISE)


def test_vectors_of_one_cause_lie_together(scorer: Scorer) -> None:
    first, second, other = (
        unpacked(score)
        for score in scorer(
            [
                "@acme the app crashes when I open it",
                "your app keeps crashing at start, please fix",
                "my suitcase got lost between Rome and Oslo",
            ]
        )
    )
    assert first.shape == (384,)
    assert np.linalg.norm(first) == pytest.approx(127, abs=2)
    assert first @ second > first @ other


def unpacked(score: Score) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    assert score.vector is not None
    return np.frombuffer(score.vector, dtype=np.int8).astype(np.float32)


def test_every_number_is_a_share(scores: dict[str, Score]) -> None:
    for score in scores.values():
        assert all(0 <= n <= 1 for n in (score.complaint, score.negative, score.severity))


def test_order_is_kept_whatever_the_length_and_the_batch(
    scorer: Scorer, scores: dict[str, Score]
) -> None:
    texts = [*COMPLAINTS, *PRAISE, *CHATTER]
    backwards = scorer(texts[::-1])[::-1]
    alone = scorer([texts[7]])[0]
    found = [score.complaint for score in backwards]
    # Padding and batch mates move an int8 model a little: the same post stays the nearest.
    assert found == pytest.approx([scores[text].complaint for text in texts], abs=0.1)
    assert alone.complaint == pytest.approx(scores[texts[7]].complaint, abs=0.1)


def test_nothing_to_read_is_no_complaint(scorer: Scorer) -> None:
    assert scorer([]) == []
    for score in scorer(["", "   \n\t "]):
        assert (score.complaint, score.sentiment, score.vector) == (0.0, Sentiment.NEUTRAL, None)


def test_odd_texts_are_read(scorer: Scorer) -> None:
    odd = [
        "terrible service " * 300_000,  # 5 MB
        "a" * 5_000_000,
        "\ud83d broken in half",
        "z\u0301\u0327" * 2_000,
        "\x00\x01\u202e\ufeff",
        "服务太差了，等了三个小时" * 200,
        "😡" * 4_000,
        "&amp;" * 4_000,
        "@" * 4_000,
        "http://" * 4_000,
    ]
    scores = scorer(odd)
    assert len(scores) == len(odd)
    assert scores[0].complaint > scores[1].complaint


def test_text_is_read_without_names_and_links() -> None:
    assert clean("@alice &amp; @bob@example.social see https://example.org/x?y=1 now") == (
        "@user & @user see http now"
    )
    assert clean("write to help@example.org 👍🏽") == "write to help@example.org  thumbs up sign"


def test_name_says_model_and_version(scorer: Scorer) -> None:
    description = json.loads((WEIGHTS / "model.json").read_text())
    assert scorer.name == f"{description['name']}-{description['version']}"


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json"])
def test_altered_file_is_refused(tmp_path: Path, file: str) -> None:
    folder = tmp_path / "weights"
    shutil.copytree(WEIGHTS, folder)
    content = bytearray((folder / file).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / file).write_bytes(content)
    with pytest.raises(ModelError, match=f"{file} is not the one that was shipped"):
        ShippedScorer(folder)


def test_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="description cannot be read"):
        ShippedScorer(tmp_path)
    shutil.copy(WEIGHTS / "model.json", tmp_path)
    with pytest.raises(ModelError, match=r"model\.onnx cannot be read"):
        ShippedScorer(tmp_path)


@pytest.mark.parametrize(
    ("labels", "complaints"),
    [
        (["negative", "neutral", "positive"], [True, False, False]),
        (["POSITIVE", "NEGATIVE"], [False, True]),
        (["neu", "pos", "neg"], [False, False, True]),
        (["1 star", "2 stars", "3 stars", "4 stars", "5 stars"], [True, True, *[False] * 3]),
        (["Not_Complaint", "Complaint"], [False, True]),
        (["Very Negative", "Negative", "Neutral"], [True, True, False]),
    ],
)
def test_known_labels_are_understood(labels: list[str], complaints: list[bool]) -> None:
    meanings = read_labels("some/model", dict(enumerate(labels)))
    assert [meaning.complaint for meaning in meanings] == complaints


@pytest.mark.parametrize(
    "labels",
    [
        ["LABEL_0", "LABEL_1", "LABEL_2"],
        ["joy", "anger"],
        ["negative", "sarcasm"],
        ["neutral", "positive"],
        ["negative"],
    ],
)
def test_unknown_labels_are_refused_by_name(labels: list[str]) -> None:
    with pytest.raises(ModelError, match=labels[0]):
        read_labels("some/model", dict(enumerate(labels)))


def test_numbered_labels_of_the_family_whose_meaning_is_published() -> None:
    labels = {0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}
    meanings = read_labels("cardiffnlp/twitter-roberta-base-sentiment", labels)
    assert [meaning.sentiment for meaning in meanings] == list(Sentiment)


NO_TORCH = importlib.util.find_spec("torch") is None


@pytest.mark.skipif(not NO_TORCH, reason="torch is installed here")
def test_without_torch_the_extra_is_named() -> None:
    with pytest.raises(ModelError, match=r"pip install '\.\[hub\]'"):
        load_scorer("some/model")


def tiny_classifier(folder: Path, labels: Sequence[str]) -> Path:
    """Write a random two-layer BERT with `labels` and the shipped tokenizer to `folder`."""
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    config = BertConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]  # it ships no type
        tokenizer_file=str(WEIGHTS / "tokenizer.json"), pad_token="[PAD]"
    ).save_pretrained(folder)
    return folder


@pytest.mark.skipif(NO_TORCH, reason="needs torch, which is in the extra [hub]")
def test_local_classifier_is_run(tmp_path: Path) -> None:
    folder = tiny_classifier(tmp_path, ["positive", "neutral", "negative"])
    scorer = load_scorer(str(folder), threads=1)
    texts = [*COMPLAINTS, ""]
    scores = scorer(texts)
    assert scorer.name == str(folder)
    assert [scorer([text])[0].complaint for text in texts[:3]] == pytest.approx(
        [score.complaint for score in scores[:3]], abs=1e-4
    )
    assert all(0 < score.complaint < 1 and score.vector is None for score in scores[:-1])
    assert scores[-1].complaint == 0


@pytest.mark.skipif(NO_TORCH, reason="needs torch, which is in the extra [hub]")
def test_unusable_classifiers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="joy, anger"):
        HubScorer(str(tiny_classifier(tmp_path, ["joy", "anger"])))
    with pytest.raises(ModelError, match="cannot be loaded"):
        HubScorer(str(tmp_path / "nowhere"))


def test_copies_and_near_copies_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = ShippedScorer(WEIGHTS, threads=1)
    read: list[str] = []
    outputs = scorer.outputs

    def counting(cleaned: Sequence[str]) -> dict[str, object]:
        read.extend(cleaned)
        return outputs(cleaned)

    monkeypatch.setattr(scorer, "outputs", counting)
    flood = [
        "@acme your app is down again!",
        "@acme your app is down again!!!",
        "@bob @acme Your app is  DOWN again! https://t.co/x",
        "@acme your app is up again!",
    ]
    scores = scorer([*flood, flood[0]])
    assert len(read) == 2
    assert scores[0] == scores[1] == scores[2] == scores[4] != scores[3]
    # A later batch knows them too.
    assert scorer([flood[1]]) == scores[:1]
    assert len(read) == 2
