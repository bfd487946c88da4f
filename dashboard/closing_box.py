"""How a case is closed: at one click where it needs no answer, or with what was done."""

from datetime import UTC, datetime

import streamlit as st
from sqlmodel import Session

from dashboard import actions, resources, times, widgets
from dashboard.markup import Markup, draw, foreign, tag
from monitor.desk import cases, closing, labels
from monitor.desk.closing import Ending
from monitor.desk.page.case_file import CaseFile
from monitor.desk.verdicts import Said
from monitor.store.models import CannotHelp, Case, Dismissal, LabelOrigin, Outcome

DISMISSALS = {f"No answer needed: {why}": why for why in Dismissal}
"""The ends that are said at one click."""

OUTCOMES = {
    "Solved": Outcome.SOLVED,
    "Explained": Outcome.EXPLAINED,
    "We cannot help": Outcome.CANNOT_HELP,
    "Not our service": Outcome.NOT_OUR_SERVICE,
    "Parted politely": Outcome.PARTED,
}
"""The ends of which more is to be said, in the words of the form."""

GOODWILL_ALONE = "Goodwill mends nothing: what put the problem right?"


def draw_closing(file: CaseFile) -> None:
    """The menu of dismissals, and the form of everything else."""
    st.menu_button(
        "No answer needed",
        list(DISMISSALS),
        key="dismiss-case",
        on_click=_dismiss,
        args=(file,),
        help="Close the case without an answer, and say why",
    )
    with st.popover(
        "Resolve",
        icon=":material/check:",
        key="resolve",
        help="Close the case and say how it ended",
    ):
        _form(file)


def draw_ending(file: CaseFile) -> None:
    """What is known of the end: what was wanted, when it came, what was done."""
    case, zone = file.case, resources.config().zone
    facts = [
        _fact("They wanted", case.wanted),
        _fact("They got it", times.clock(case.delivered_at, zone)) if case.delivered_at else "",
        _fact("Put right by", case.remedy),
        _fact("On top", case.goodwill),
        _fact("We cannot help", str(case.cannot_help or "")),
        _fact("The part that we can do", case.partial),
        _fact("Goes on with", case.referred_to),
    ]
    known = [fact for fact in facts if fact]
    if known:
        draw(tag("div", *known, cls="facts words card"))


def _fact(name: str, value: str) -> Markup:
    if not value:
        return Markup("")
    said = value if isinstance(value, Markup) else foreign(value)
    return tag("div", tag("small", name, cls="muted"), tag("b", said))


def _key(case: Case, name: str) -> str:
    return f"end-{name}-{case.id}"


def _form(file: CaseFile) -> None:
    """No st.form: what is asked follows the outcome that is chosen."""
    case, zone = file.case, resources.config().zone
    chosen = st.selectbox("How it ended", list(OUTCOMES), key=_key(case, "outcome"))
    outcome = OUTCOMES[chosen]
    st.text_input(
        "What the customer wanted, in a line",
        value=case.wanted,
        key=_key(case, "wanted"),
        max_chars=500,
    )
    at = case.delivered_at
    st.datetime_input(
        f"When they got it ({zone.key}); empty: not yet",
        value=at.astimezone(zone).replace(tzinfo=None) if at else None,
        key=_key(case, "delivered"),
        format="YYYY-MM-DD",
    )
    if outcome is Outcome.CANNOT_HELP:
        st.selectbox(
            "Why we cannot",
            [why.value for why in CannotHelp],
            index=None,
            key=_key(case, "cannot"),
            placeholder="Choose why",
        )
        st.text_input("The part that we can do", value=case.partial, key=_key(case, "partial"))
        st.text_input("Who takes the rest", value=case.referred_to, key=_key(case, "referred"))
    elif outcome is Outcome.NOT_OUR_SERVICE:
        st.text_input("Whose it is", value=case.referred_to, key=_key(case, "referred"))
    else:
        remedy = st.text_area(
            "What was done for the customer", value=case.remedy, key=_key(case, "remedy"), height=68
        )
        goodwill = st.text_input(
            "What was given on top (goodwill)", value=case.goodwill, key=_key(case, "goodwill")
        )
        if outcome is Outcome.SOLVED and goodwill and not remedy:
            draw(widgets.notice(GOODWILL_ALONE, "hint"))
    with st.container(key="end-buttons", horizontal=True, gap="small"):
        st.button(
            "Resolve",
            key="resolve-now",
            type="primary",
            on_click=_resolve,
            args=(file, chosen),
        )
        st.button(
            "Keep, resolve later",
            key="keep-wanted",
            type="tertiary",
            on_click=_keep,
            args=(case,),
            help="Keeps what the customer wanted and when they got it; the case stays open",
        )


def _said(case: Case, name: str) -> str:
    return str(st.session_state.get(_key(case, name)) or "").strip()


def _delivered(case: Case) -> datetime | None:
    chosen: datetime | None = st.session_state.get(_key(case, "delivered"))
    if chosen is None:
        return None
    return chosen.replace(tzinfo=resources.config().zone).astimezone(UTC)


def _resolve(file: CaseFile, chosen: str) -> None:
    """Close it with what the form asked for its outcome; what it did not ask is not said."""
    case, outcome = file.case, OUTCOMES[chosen]
    cannot = outcome is Outcome.CANNOT_HELP
    done = outcome not in (Outcome.CANNOT_HELP, Outcome.NOT_OUR_SERVICE)
    why = _said(case, "cannot")
    ending = Ending(
        outcome=outcome,
        wanted=_said(case, "wanted"),
        delivered_at=_delivered(case),
        remedy=_said(case, "remedy") if done else "",
        goodwill=_said(case, "goodwill") if done else "",
        cannot_help=CannotHelp(why) if cannot and why else None,
        partial=_said(case, "partial") if cannot else "",
        referred_to="" if done else _said(case, "referred"),
    )
    _close(file, ending, f"Resolved: {chosen[0].lower()}{chosen[1:]}.")


def _dismiss(file: CaseFile) -> None:
    words = st.session_state.get("dismiss-case")
    if words is not None:
        ending = Ending(Outcome.DISMISSED, DISMISSALS[words])
        _close(file, ending, f"Resolved: {words[0].lower()}{words[1:]}.")


def _close(file: CaseFile, ending: Ending, text: str) -> None:
    case_id = file.case.id
    actions.act(
        actions.if_unchanged(
            case_id,
            lambda session, agent: closing.resolve_with(session, case_id, agent, ending),
        ),
        text,
        undo=_undo(file),
    )


def _undo(file: CaseFile) -> actions.Act:
    """Open again, and what an earlier outcome said of the post is said again."""
    case_id, post_id = file.case.id, file.post.id
    before = next((label for label in file.labels if label.origin == LabelOrigin.OUTCOME), None)

    def undo(session: Session, agent: str) -> None:
        cases.reopen(session, case_id, agent)
        if before is not None:
            labels.put_back(session, post_id, agent, LabelOrigin.OUTCOME, Said.of(before))

    return undo


def _keep(case: Case) -> None:
    wanted, delivered_at = _said(case, "wanted"), _delivered(case)

    def keep(session: Session, agent: str) -> None:
        if wanted != case.wanted:
            closing.set_wanted(session, case.id, agent, wanted)
        if delivered_at != case.delivered_at:
            closing.delivered(session, case.id, agent, delivered_at)

    def undo(session: Session, agent: str) -> None:
        closing.set_wanted(session, case.id, agent, case.wanted)
        closing.delivered(session, case.id, agent, case.delivered_at)

    actions.act(keep, "Kept; the case stays open.", undo=undo)
