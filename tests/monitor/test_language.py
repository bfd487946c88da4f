"""The language is told from the text, or not at all; one the model does not know is marked."""

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from monitor.intake.scoring import score_new
from monitor.model.language import languages
from monitor.store.models import Author, Post, Source, now
from tests.conftest import FakeScorer


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("@acme my order has not arrived yet, can you look into it please", "en"),
        ("@acme der Zug ist schon wieder zu spät, was soll das?", "de"),
        ("pas content du tout de votre service client @acme", "fr"),
        ("@acme llevo tres semanas esperando mi pedido y nadie contesta", "es"),
        ("lol", None),
        ("@acme ok https://t.co/abc", None),
        ("😀😀😀 #winning #verylongtagthatsaysnothing", None),
        ("", None),
    ],
)
def test_language_of_a_text(text: str, language: str | None) -> None:
    assert languages([text]) == [language]


def test_a_post_in_a_language_not_measured_is_marked(session: Session, source: Source) -> None:
    author = Author(network="net", external_id="a", handle="carol")
    session.add(author)
    session.flush()
    texts = {
        "english": ("@acme my order has not arrived yet, this is broken", "de"),
        "german": ("@acme der Zug ist schon wieder zu spät, was soll das?", "en"),
        "short": ("lol", "pt"),
    }
    for name, (text, told) in texts.items():
        session.add(
            Post(
                network="net",
                external_id=name,
                source_id=source.id,
                author_id=author.id,
                text=text,
                language=told,
                created_at=now() - timedelta(hours=1),
            )
        )
    session.commit()
    score_new(session, FakeScorer())
    found = {
        post.external_id: (post.language, post.measured) for post in session.exec(select(Post))
    }
    # The text's own word is taken before the network's; where it says nothing, that stays.
    assert found == {"english": ("en", True), "german": ("de", False), "short": ("pt", True)}
