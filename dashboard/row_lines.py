"""One row of a number, as a line that says who, when and what, and leads to its case."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from dashboard import times, widgets
from dashboard.markup import Markup, foreign, join, link_out, tag
from monitor.store.models import Author, Case, Commitment, Post, Reply, SlaResult
from monitor.watch.reports.wording import length
from monitor.watch.trends.measures import Kind

CUT = 300
"""Characters of a text that are shown here; the case has all of it."""


def line(kind: Kind, row: tuple[Any, ...], zone: ZoneInfo) -> Markup:
    """A row as `counting.rows` finds it."""
    return tag("div", *_LINES[kind](row, zone), cls="found-row", id=f"row-{row[0].id}")


def _case_link(case: Case | None) -> Markup:
    if case is None:
        return tag("span", "no case", cls="muted")
    return tag("a", f"Case {case.id}", href=f"case?id={case.id}", target="_self")


def _head(case: Case | None, author: Author, *more: str | Markup) -> Markup:
    network = case.network if case is not None else author.network
    who = foreign(f"@{author.handle}", cls="handle")
    facts = [tag("span", one) for one in more if one]
    return tag("div", _case_link(case), who, widgets.on_network(network), *facts, cls="who")


def _body(text: str) -> Markup:
    plain = " ".join(text.split())
    return foreign(plain if len(plain) <= CUT else plain[: CUT - 1] + "…", cls="text", name="div")


def _case(row: tuple[Any, ...], zone: ZoneInfo) -> list[Markup]:
    case: Case
    post: Post
    author: Author
    case, post, author = row
    facts: list[str | Markup] = [
        times.clock(case.opened_at, zone),
        widgets.status_badge(case.status),
    ]
    if case.first_answered_at is not None:
        waited = (case.first_answered_at - case.opened_at).total_seconds()
        facts.append(f"answered after {length(max(0.0, waited))}")
    if case.resolved_at is not None:
        lasted = (case.resolved_at - case.opened_at).total_seconds()
        facts.append(f"ended after {length(max(0.0, lasted))}")
        facts.append(str(case.dismissal or case.outcome or ""))
    facts.append(widgets.owner(case.assignee, None))
    return [_head(case, author, *facts), _body(post.text)]


def _post(row: tuple[Any, ...], zone: ZoneInfo) -> list[Markup]:
    post: Post
    post, case, author = row
    facts: list[str | Markup] = [times.clock(post.created_at, zone)]
    if post.complaint is not None:
        facts.append(f"complaint {post.complaint:.2f}")
    facts.append(link_out(post.url, "Open on the network ↗"))
    return [_head(case, author, *facts), _body(post.text)]


def _author(row: tuple[Any, ...], _: ZoneInfo) -> list[Markup]:
    author: Author = row[0]
    parts = [
        foreign(f"@{author.handle}", cls="author"),
        foreign(author.name),
        widgets.on_network(author.network),
    ]
    if author.followers is not None:
        parts.append(tag("span", widgets.counted(author.followers, "follower"), cls="muted"))
    return [tag("div", *parts, cls="who")]


def _sla(row: tuple[Any, ...], zone: ZoneInfo) -> list[Markup]:
    result: SlaResult
    result, case, author = row
    colour, word = ("green", "met") if result.met else ("red", "missed")
    due = join("due ", times.clock(result.due_at, zone))
    facts = (str(result.kind), due, widgets.badge(word, colour), result.policy)
    return [_head(case, author, *facts, widgets.owner(case.assignee, None))]


def _promise(row: tuple[Any, ...], zone: ZoneInfo) -> list[Markup]:
    made: Commitment
    made, case, author = row
    facts: list[str | Markup] = [join("due ", times.clock(made.due_at, zone))]
    if made.kept_at is not None:
        facts.append(join("kept ", times.clock(made.kept_at, zone)))
    return [_head(case, author, *facts, widgets.owner(made.owner, None)), _body(made.text)]


def _reply(row: tuple[Any, ...], zone: ZoneInfo) -> list[Markup]:
    reply: Reply
    reply, case, author = row
    sent = times.clock(reply.sent_at, zone) if reply.sent_at else Markup("")
    by = tag("b", reply.agent)
    return [_head(case, author, sent, by, widgets.reply_badge(reply.status)), _body(reply.text)]


_LINES: dict[Kind, Callable[[tuple[Any, ...], ZoneInfo], list[Markup]]] = {
    Kind.CASE: _case,
    Kind.POST: _post,
    Kind.AUTHOR: _author,
    Kind.SLA: _sla,
    Kind.PROMISE: _promise,
    Kind.REPLY: _reply,
}
