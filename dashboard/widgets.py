"""What is drawn on more than one page: badges, the priority with its parts, a post."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from dashboard import edits, times
from dashboard.markup import Markup, foreign, join, link_out, tag
from monitor.desk import priority
from monitor.store.models import BY_HAND, Author, Case, CaseStatus, Post, Reply, ReplyStatus, now

LONG_WAIT = 4 * times.HOUR
"""From here a waiting customer is shown in amber, from a day in red."""

STATUS_WORDS = {
    CaseStatus.OPEN: ("Open", "blue"),
    CaseStatus.PENDING: ("Waiting for customer", "violet"),
    CaseStatus.SNOOZED: ("Snoozed", "gray"),
    CaseStatus.RESOLVED: ("Resolved", "green"),
}

REPLY_WORDS = {
    ReplyStatus.UNANSWERED: ("Unanswered", "gray", "Nobody has answered yet."),
    ReplyStatus.DRAFT: ("Draft", "amber", "An answer is being written; it is not sent."),
    ReplyStatus.WAITING: ("Waiting", "amber", "A lead has to approve the answer first."),
    ReplyStatus.SENDING: ("Sending", "amber", "It is on its way, or we do not know yet."),
    ReplyStatus.SENT: ("Sent", "blue", "The network took it; we have not seen it there yet."),
    ReplyStatus.SEEN: ("Seen", "green", "Our answer was found on the network."),
    ReplyStatus.FAILED: ("Failed", "red", "The network refused our answer: look at the case."),
    ReplyStatus.GONE: ("Gone", "red", "Our answer was deleted on the network."),
    ReplyStatus.CUSTOMER_ANSWERED: (
        "They answered",
        "amber",
        "The customer wrote after our answer.",
    ),
}

NOT_MEASURED = (
    "Nobody has measured how well the model reads this language. Its verdict may be wrong, so its "
    "complaint points count half: read the post yourself."
)

PART_WORDS = {
    "complaint": "Complaint",
    "severity": "Severity",
    "reach": "Reach",
    "repeat": "Repeat contact",
    "vip": "VIP",
    "waiting": "Waiting",
    "answered": "Answered",
}


def badge(text: str, colour: str, help_text: str | None = None) -> Markup:
    """A small word on a coloured ground."""
    return tag("span", text, cls=f"badge {colour}", title=help_text)


def status_badge(status: CaseStatus) -> Markup:
    """Where a case stands."""
    return badge(*STATUS_WORDS[status])


def reply_badge(status: ReplyStatus) -> Markup:
    """Where its latest answer stands."""
    return badge(*REPLY_WORDS[status])


def owner(name: str | None, me: str | None) -> Markup:
    """Who has a case, with an initial that the eye finds again."""
    if name is None:
        return tag("span", "unassigned", cls="muted")
    mine = " mine" if name == me else ""
    initial = tag("span", name[:1].upper(), cls=f"initial{mine}", aria_hidden="true")
    return tag("span", initial, "you" if mine else name, cls="owner", title=f"{name} has this case")


def notice(text: str, kind: str = "problem") -> Markup:
    """A message about what was just done: 'problem', 'good' or 'hint'."""
    return tag("div", text, cls=f"notice {kind}", role="alert" if kind == "problem" else "status")


def number(value: int) -> str:
    """A count as short as it can be read: 950, 12.4k, 1.2M."""
    if value < 1000:
        return str(value)
    if value < 1_000_000:
        return f"{value / 1000:.1f}".removesuffix(".0") + "k"
    return f"{value / 1_000_000:.1f}".removesuffix(".0") + "M"


def counted(value: int, noun: str) -> str:
    """'1 post', '2 posts'."""
    return f"{value:,} {noun}{'' if value == 1 else 's'}"


def priority_bar(parts: list[priority.Part]) -> Markup:
    """The points as a bar, a hundred being its full width."""
    total = max(100.0, sum(part.points for part in parts if part.points > 0))
    pieces = [
        tag("i", cls=f"part {part.name}", style=f"width:{100 * part.points / total:.1f}%")
        for part in parts
        if part.points > 0
    ]
    return tag("span", *pieces, cls="bar", aria_hidden="true")


def priority_table(parts: list[priority.Part]) -> Markup:
    """Every part with its points and the fact behind it; they add up to the last line."""
    lines = [
        tag(
            "tr",
            tag("td", tag("i", cls=f"part swatch {part.name}"), PART_WORDS[part.name]),
            tag("td", f"{part.points:+.1f}", cls="num"),
            tag("td", part.because, cls="muted"),
        )
        for part in parts
    ]
    total = tag(
        "tr",
        tag("td", "Priority"),
        tag("td", f"{sum(part.points for part in parts):.1f}", cls="num"),
        tag("td", ""),
        cls="total",
    )
    return tag("table", *lines, total, cls="parts")


def priority_cell(case: Case) -> Markup:
    """The priority's number with its bar; its parts appear under the mouse or the focus."""
    parts = priority.parts(case, now())
    points = sum(part.points for part in parts)
    return tag(
        "div",
        tag("b", f"{points:.0f}"),
        priority_bar(parts),
        tag("div", tag("b", "Why it ranks here"), priority_table(parts), cls="tip", role="tooltip"),
        cls="priority",
        tabindex=0,
        aria_label=f"Priority {points:.0f}: "
        + ", ".join(f"{PART_WORDS[part.name]} {part.points:+.0f}" for part in parts),
    )


def waiting(case: Case, zone: ZoneInfo) -> Markup:
    """How long the customer waits, in the colour of how bad that is; or when we answered."""
    if case.status == CaseStatus.SNOOZED and case.snoozed_until:
        return _two_lines("sleeps", times.clock(case.snoozed_until, zone), "", "until")
    if case.status == CaseStatus.RESOLVED and case.resolved_at:
        return _two_lines("resolved", times.ago(case.resolved_at, zone), "")
    if case.waiting_since is None:
        if case.answered_at is None:
            return Markup("")
        return _two_lines("answered", times.ago(case.answered_at, zone), "")
    seconds = (now() - case.waiting_since).total_seconds()
    colour = "too-long" if seconds >= times.DAY else "long" if seconds >= LONG_WAIT else ""
    waited = tag("time", times.span(seconds), title=times.full(case.waiting_since, zone))
    return _two_lines("waiting", waited, colour)


def _two_lines(word: str, value: Markup, colour: str, joint: str = "") -> Markup:
    below = f"{word} {joint}".strip()
    return tag("div", tag("b", value, cls=colour), tag("small", below, cls="muted"), cls="waiting")


def on_network(network: str) -> Markup:
    """Where somebody writes: 'on x' says it where a lone 'x' would not."""
    return foreign(network if network == BY_HAND else f"on {network}")


def author_line(author: Author, *facts: str | Markup, brief: bool = False) -> Markup:
    """Who writes, and what is worth knowing about them, in one line."""
    at = "" if author.network == BY_HAND else "@"
    known = [foreign(f"{at}{author.handle}", cls="handle")]
    if author.vip:
        known.insert(0, badge("★ VIP", "violet", "A colleague marked them as mattering more"))
    if author.blocked:
        known.append(badge("blocked", "red", "Their new posts make no case"))
    if not brief:
        known.append(on_network(author.network))
    if author.followers and not brief:
        followers = f"{author.followers:,} followers"
        known.append(tag("span", f"{number(author.followers)} followers", title=followers))
    known += [fact if isinstance(fact, Markup) else tag("span", fact) for fact in facts]
    name = foreign(author.name or author.handle, cls="author")
    return tag("div", name, *known, cls="who")


def language_fact(post: Post) -> list[Markup]:
    """The language where it is not English, and that the model may be worse in it."""
    language = (post.language or "").lower()
    facts = []
    if language and language.split("-")[0] != "en":
        facts.append(badge(language, "gray", "Language, as the network or the text tells it"))
    if not post.measured:
        facts.append(badge("language not measured", "amber", NOT_MEASURED))
    return facts


def post_card(
    post: Post,
    author: Author,
    zone: ZoneInfo,
    *,
    current: bool,
    of_case: bool,
    answered_at: datetime | None = None,
    more: Sequence[Markup] = (),
) -> Markup:
    """A post of a thread, as text, with what its author did to it since, also since our answer."""
    facts = [times.ago(post.created_at, zone), *language_fact(post), *more]
    link = link_out(post.url, "Open on the network ↗")
    if link:
        facts.append(link)
    body = [author_line(author, *facts, brief=True)]
    if post.deleted_at:
        body.append(edits.deleted(post, badge("Deleted", "red"), zone))
    else:
        body.append(foreign(post.text, cls="text", name="div") if post.text else _no_text())
    if post.previous_text is not None and not post.deleted_at:
        late = Markup("")
        if edits.after_answer(post, answered_at):
            help_text = "Our answer was to the earlier words: does it still fit?"
            late = join(" ", badge("edited after our reply", "red", help_text))
        body.append(edits.edited(post, badge("Edited", "amber"), late, zone))
    kinds = ["post", "ours" if author.own else "", "current" if current else ""]
    if not of_case and not author.own:
        kinds.append("other")
    return tag("article", *body, cls=" ".join(kind for kind in kinds if kind))


def _no_text() -> Markup:
    return tag("div", "No text (a picture or a link only).", cls="text muted")


def since(at: datetime | None, zone: ZoneInfo, never: str = "never") -> Markup:
    """A time relative to now, or a word where there is none."""
    return tag("span", never, cls="muted") if at is None else times.ago(at, zone)


def reply_card(reply: Reply, zone: ZoneInfo) -> Markup:
    """An answer of ours, as it stands."""
    at = reply.sent_at or reply.updated_at
    words, colour, meaning = REPLY_WORDS[reply.status]
    head: list[str | Markup] = [
        tag("b", reply.agent),
        tag("span", "answered on the network" if reply.elsewhere else "answered"),
        times.ago(at, zone),
        badge(words, colour, meaning),
    ]
    link = link_out(reply.url, "Open on the network ↗")
    if link:
        head.append(link)
    text = foreign(reply.text, cls="text", name="div") if reply.text else Markup("")
    error = tag("p", reply.error, cls="changed") if reply.error else Markup("")
    return tag("article", tag("div", *head, cls="who"), text, error, cls="post ours")
