"""Posts in a language that the model was not measured on: what their case keeps of it."""

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from monitor.desk.arrivals.triage import triage_new
from monitor.store.models import Author, Case, Post, Sentiment, Source, now


class Writer:
    """One customer, who writes complaints in whatever language."""

    def __init__(self, session: Session) -> None:
        self.session, self.number = session, 0
        source, author = Source(name="s", connector="demo"), _author()
        session.add_all([source, author])
        session.commit()
        self.source_id, self.author_id = source.id, author.id

    def write(
        self, complaint: float, *, measured: bool, tone: Sentiment = Sentiment.NEGATIVE
    ) -> Case:
        """A post that is scored and triaged; the writer's case as it stands then."""
        self.number += 1
        self.session.add(
            Post(
                network="net",
                external_id=str(self.number),
                source_id=self.source_id,
                author_id=self.author_id,
                text="words",
                created_at=now() - timedelta(hours=9 - self.number),
                thread="1",
                scorer="m",
                complaint=complaint,
                sentiment=tone,
                measured=measured,
            )
        )
        self.session.commit()
        triage_new(self.session, 0.5)
        self.session.expire_all()
        return self.session.exec(select(Case)).one()


def _author() -> Author:
    return Author(network="net", external_id="1", handle="ben")


@pytest.fixture
def writer(session: Session) -> Writer:
    """A customer without a case."""
    return Writer(session)


@pytest.mark.parametrize("measured", [True, False])
def test_a_case_takes_it_from_the_post_that_opens_it(writer: Writer, measured: bool) -> None:
    case = writer.write(0.9, measured=measured)
    assert (case.complaint, case.measured) == (0.9, measured)


def test_a_worse_post_in_a_measured_language_is_shown_and_counts_in_full(writer: Writer) -> None:
    before = writer.write(0.9, measured=False).rank
    case = writer.write(0.6, measured=True)
    assert (case.complaint, case.measured) == (0.6, True)
    assert case.rank > before


def test_writing_again_in_another_language_lowers_no_case(writer: Writer) -> None:
    shown, before = (case := writer.write(0.8, measured=True)).post_id, case.rank
    case = writer.write(0.95, measured=False)
    assert (case.post_id, case.complaint, case.measured) == (shown, 0.8, True)
    assert case.rank > before


def test_a_glad_last_word_says_how_things_stand_in_its_own_language(writer: Writer) -> None:
    writer.write(0.9, measured=True)
    case = writer.write(0.1, measured=False, tone=Sentiment.POSITIVE)
    assert (case.complaint, case.measured) == (0.1, False)
