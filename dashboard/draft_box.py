"""What the draft check finds in the answer that is being written; it changes nothing by itself."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from zlib import crc32

import streamlit as st

from dashboard import resources
from dashboard.markup import Markup, draw, foreign, join, plain, tag
from dashboard.promise_box import draw_form
from monitor.answer.checking import draft_check
from monitor.answer.checking.drafts import Finding, Level, Rule, all_rules
from monitor.answer.checking.due_words import due_in
from monitor.answer.checking.plain import sentence_at
from monitor.desk.page.case_file import CaseFile
from monitor.store.models import now

NAMES = {rule.id: rule.name for rule in all_rules()}


@dataclass(frozen=True)
class Checked:
    """What came of the check, for the button that sends."""

    blocked: bool = False
    reasons: dict[str, str] = field(default_factory=dict)
    """Why each warning is overridden, by the rule's id."""


def draw_draft_box(file: CaseFile, text: str, key: str) -> Checked:
    """The findings under the box in which the answer is written, and what is checked at all."""
    found: list[Finding] = []
    if text.strip():
        with resources.session() as session:
            found = draft_check.findings(session, file.case.id, text, resources.config().desk)
    if not found:
        _what_is_checked()
        return Checked()
    blocked = any(finding.blocks for finding in found)
    warnings = {finding.rule for finding in found if not finding.blocks}
    with st.container(key="draft-check", gap="small"):
        draw(_marked(text, found), tag("ul", *[_line(one) for one in found], cls="findings"))
        _offer_promises(file.case.id, text, found)
        reason = ""
        if blocked:
            draw(tag("p", "It cannot be sent before that is mended.", cls="small too-long"))
        else:
            reason = st.text_input(
                "Send it all the same, because …",
                key=f"why-{key}",
                max_chars=500,
                help="Kept with the answer. Without a reason it is not sent.",
            )
        _what_is_checked()
    return Checked(blocked, dict.fromkeys(warnings, reason))


def _line(finding: Finding) -> Markup:
    kind = "block" if finding.blocks else "warn"
    word = "Stop" if finding.blocks else "Look again"
    return tag(
        "li",
        tag("span", word, cls=f"badge {'red' if finding.blocks else 'amber'}"),
        " ",
        tag("b", NAMES[finding.rule]),
        ": ",
        finding.reason,
        tag("div", tag("span", "Better: ", cls="muted"), finding.better),
        cls=kind,
    )


def _offer_promises(case_id: int, text: str, found: Sequence[Finding]) -> None:
    """For each sentence that promises something, the form that records it, filled in."""
    promised = {
        sentence_at(text, one.start, one.end): None
        for one in found
        if one.offer == draft_check.PROMISE
    }
    for sentence in promised:
        # Other words make another form: a field of one that is drawn already keeps what it says.
        key = f"draft-{case_id}-{crc32(sentence.encode()):08x}"
        label = "Record this promise"
        if len(promised) > 1:
            label += f": {' '.join(sentence.split()[:4])} …"
        with st.popover(plain(label), icon=":material/handshake:", key=f"open-{key}"):
            draw_form(case_id, key, sentence, due_in(sentence, now(), resources.config().zone))


def _marked(text: str, found: Sequence[Finding]) -> Markup:
    """The draft with the phrases marked; nothing where the whole of it is meant."""
    part = [f for f in found if (f.start, f.end) != (0, len(text))]
    if not part:
        return Markup("")
    pieces: list[str] = []
    at = 0
    for finding in sorted(part, key=lambda f: (f.start, -f.end)):
        if finding.start < at:
            continue
        kind = "block" if finding.blocks else "warn"
        pieces.append(text[at : finding.start])
        pieces.append(tag("mark", finding.phrase, cls=kind, title=NAMES[finding.rule]))
        at = finding.end
    return foreign(join(*pieces, text[at:]), cls="text draft", name="div")


def _what_is_checked() -> None:
    with st.popover("What is checked", icon=":material/rule:", key="draft-rules", type="tertiary"):
        draw(
            tag(
                "p",
                "English answers, on this machine. Nothing is rewritten and nothing is sent by "
                "itself. A rule of which less than 80 % of the hits were right is off.",
                cls="small muted",
            ),
            tag(
                "table",
                tag("tr", *[tag("th", word, scope="col") for word in ("Rule", "Finds", "State")]),
                *[_rule(rule) for rule in all_rules()],
                cls="parts rules",
            ),
        )


def _rule(rule: Rule) -> Markup:
    of = f"{rule.n} hits in {'real' if rule.measured == 'real' else 'written'} answers"
    does = "stops the answer" if rule.level is Level.BLOCK else "warns"
    share = f"{rule.precision:.0%}".replace("%", " %")
    lines = [tag("div", f"{share} of its {of} were right", cls="muted")]
    if rule.recall is not None:
        caught = f"{rule.recall:.0%}".replace("%", " %")
        lines.append(tag("div", f"finds {caught} of what it should", cls="muted"))
    state = join(does if rule.on else "off", *lines)
    return tag("tr", tag("td", rule.name), tag("td", rule.reason), tag("td", state))
