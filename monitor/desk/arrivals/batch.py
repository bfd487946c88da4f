"""What posts do to cases: some posts together, with what is known about their authors."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, func, select

from monitor.desk import group
from monitor.desk.arrivals import answers
from monitor.desk.arrivals.refresh import CONTACTS_WITHIN, stand
from monitor.desk.arrivals.turns import customer_wrote
from monitor.desk.cases import REOPEN_WITHIN, record
from monitor.desk.priority import complaint_points, rank
from monitor.store.models import (
    BY_HAND,
    Author,
    Case,
    CaseEvent,
    CaseStatus,
    Post,
    Sentiment,
    now,
)


class Batch:
    """Some posts with what is known about their authors, read in a few queries for all of them."""

    def __init__(
        self,
        session: Session,
        threshold: float,
        posts: Sequence[Post],
        leads: Sequence[str] = (),
    ) -> None:
        self.session = session
        self.leads = leads
        self.threshold = threshold
        self.posts = sorted(posts, key=lambda post: (post.created_at, post.id))
        author_ids = {post.author_id for post in posts}
        self.authors = {
            author.id: author
            for author in session.exec(select(Author).where(col(Author.id).in_(author_ids)))
        }
        self.cases = group.of_authors(session, author_ids)
        counts = (
            select(Post.author_id, func.count())
            .where(
                col(Post.author_id).in_(author_ids),
                col(Post.case_id).is_not(None),
                col(Post.created_at) > now() - CONTACTS_WITHIN,
            )
            .group_by(col(Post.author_id))
        )
        self.contacts = dict(session.exec(counts).all())
        self.opened: list[tuple[Case, Post]] = []
        self.new: list[Post] = []
        """Posts that this batch gave to a case."""

    def run(self) -> None:
        """Triage every post, in the order in which they were written.

        First complaints come first, together: their cases are stored in one statement.
        """
        with self.session.no_autoflush:
            others = []
            for post in self.posts:
                if self._is_first_complaint(post):
                    self._open(post, self.authors[post.author_id])
                else:
                    others.append(post)
            self._store_opened()
            for post in others:
                author = self.authors[post.author_id]
                if post.repost_of:
                    self._add_reach(post, author)
                elif author.own:
                    self.session.flush()
                    answers.attach(self.session, post, author, self.leads)
                elif not author.blocked:
                    self._customer(post, author)
            for post in self.posts:
                post.triaged_at = now()
                self.session.add(post)
            answers.triage_around(self.session, self.new)

    def by_hand(self, post: Post, agent: str) -> Case:
        """A person says that a post is a complaint: it opens a case, surely one, or joins one."""
        with self.session.no_autoflush:
            author = self.authors[post.author_id]
            case = self.cases.get(author.id)
            if case and self._again(case, post):
                self._join(case, post, author)
                record(
                    self.session, case.id, "added by hand", agent=agent, detail=f"post {post.id}"
                )
            else:
                self._open(post, author)
                case = self.cases[author.id]
                case.complaint, case.measured = 1.0, True
                case.rank = rank(case)
                self._store_opened("opened by hand", agent)
            post.triaged_at = post.triaged_at or now()
            self.session.add(post)
            answers.triage_around(self.session, self.new)
            return case

    def _is_first_complaint(self, post: Post) -> bool:
        author = self.authors[post.author_id]
        return (
            self._is_complaint(post)
            and author.id not in self.cases
            and not (post.repost_of or post.deleted_at or post.case_id or author.own)
            and not author.blocked
        )

    def _store_opened(self, what: str = "opened", agent: str | None = None) -> None:
        """Give new cases their ids, and their posts and histories these."""
        self.session.flush()
        events = []
        for case, post in self.opened:
            post.case_id = case.id
            self.new.append(post)
            events.append(
                {"case_id": case.id, "at": now(), "what": what, "agent": agent, "detail": ""}
            )
        if events:  # One statement: an import opens them by the thousand.
            self.session.execute(sa.insert(CaseEvent), events)
        self.opened.clear()

    def _is_complaint(self, post: Post) -> bool:
        return (post.complaint or 0.0) >= self.threshold

    def _customer(self, post: Post, author: Author) -> None:
        if post.case_id is not None:
            self._changed(post)
            return
        if post.deleted_at:
            return
        case = self.cases.get(author.id)
        if case and self._continues(case, post):
            self._join(case, post, author)
        elif self._is_complaint(post):
            if case and self._again(case, post):
                self._join(case, post, author)
            else:
                self._open(post, author)
                self._store_opened()

    def _continues(self, case: Case, post: Post) -> bool:
        """Whether a post goes on in the thread of its author's case, standing or just resolved."""
        if post.thread == post.external_id:
            return False
        ended = case.resolved_at if case.status == CaseStatus.RESOLVED else None
        if ended and not ended < post.created_at < ended + REOPEN_WITHIN:
            return False
        self.session.flush()
        same_thread = select(Post.id).where(
            col(Post.case_id).in_(group.ids(self.session, case.id)),
            col(Post.thread) == post.thread,
        )
        return self.session.exec(same_thread.limit(1)).first() is not None

    def _again(self, case: Case, post: Post) -> bool:
        """Whether a complaint belongs to this latest case of its author."""
        if case.status != CaseStatus.RESOLVED or case.resolved_at is None:
            return True
        return post.created_at < case.resolved_at + REOPEN_WITHIN

    def _open(self, post: Post, author: Author) -> None:
        self.contacts[author.id] = self.contacts.get(author.id, 0) + 1
        case = Case(
            author_id=author.id,
            network=post.network,
            post_id=post.id,
            opened_at=post.created_at,
            waiting_since=post.created_at,
            complaint=post.complaint or 0.0,
            severity=post.severity or 0.0,
            reach=author.followers or 0,
            contacts=self.contacts[author.id],
            measured=post.measured,
            vip=author.vip,
            by_hand=post.network == BY_HAND,
        )
        case.rank = rank(case)
        self.session.add(case)
        self.cases[author.id] = case
        self.opened.append((case, post))

    def _join(self, case: Case, post: Post, author: Author) -> None:
        post.case_id = case.id
        self.new.append(post)
        self.contacts[author.id] = self.contacts.get(author.id, 0) + 1
        own = author.id == case.author_id
        case.contacts = self.contacts[author.id] if own else case.contacts + 1
        case.reach = max(case.reach, author.followers or 0)
        if self._turns(case, post):
            self._speaks(case, post)
            case.severity = post.severity or 0.0
        else:
            self._raise_scores(case, post)
        customer_wrote(self.session, case, post)

    def _turns(self, case: Case, post: Post) -> bool:
        """Whether this post alone says how things stand: the first after our answer, or a glad one.

        A case otherwise stands as its worst unanswered post says.
        """
        if case.answered_at is not None and post.created_at <= case.answered_at:
            return False
        if case.waiting_since is None or post.sentiment != Sentiment.POSITIVE:
            return case.waiting_since is None
        return post.created_at >= self.session.get_one(Post, case.post_id).created_at

    def _speaks(self, case: Case, post: Post) -> None:
        """The case stands as this post says. The one that is shown stays the author's own."""
        case.complaint, case.measured = post.complaint or 0.0, post.measured
        if post.author_id == case.author_id:
            case.post_id = post.id

    def _raise_scores(self, case: Case, post: Post) -> None:
        # By points: in a language that counts half, a surer post must not lower its case.
        points = complaint_points(post.complaint or 0.0, post.measured)
        if points >= complaint_points(case.complaint, case.measured):
            self._speaks(case, post)
        case.severity = max(case.severity, post.severity or 0.0)

    def _changed(self, post: Post) -> None:
        """A post of a case came again, edited or deleted."""
        case = self.session.get(Case, post.case_id, with_for_update=True)
        if case is None:
            return
        case = group.goes_on(self.session, case)
        if post.deleted_at:
            record(self.session, case.id, "post deleted by its author")
        else:
            if case.status != CaseStatus.RESOLVED:
                self.session.flush()
                stand(self.session, case)
            record(self.session, case.id, "post edited by its author")
        self.session.add(case)

    def _add_reach(self, post: Post, author: Author) -> None:
        case = self._case_of(post.network, post.repost_of)
        if case and not post.deleted_at:
            case.reach = min(2_000_000_000, case.reach + (author.followers or 0))
            case.rank = rank(case)
            self.session.add(case)

    def _case_of(self, network: str, external_id: str | None) -> Case | None:
        """The case of a post, which may be one of this batch."""
        if external_id is None:
            return None
        self.session.flush()
        case_id = self.session.exec(
            select(Post.case_id).where(
                col(Post.network) == network, col(Post.external_id) == external_id
            )
        ).first()
        if case_id is None:
            return None
        case = self.session.get(Case, case_id, with_for_update=True)
        return group.goes_on(self.session, case) if case else None
