"""Tell the model that it is wrong, or right: a person's word on the marked post."""

import streamlit as st
from sqlmodel import Session

from dashboard import actions, resources, times
from dashboard.markup import Markup, draw, tag
from monitor.desk import labels
from monitor.desk.page.case_file import CaseFile
from monitor.desk.verdicts import Said
from monitor.store.models import Label, LabelOrigin

SEVERITIES = {"Glad": 0.0, "Calm": 1 / 3, "Displeased": 2 / 3, "Furious": 1.0}
"""How bad a post sounds, in the words of the choice."""

ORIGINS = {
    LabelOrigin.DESK: "",
    LabelOrigin.OUTCOME: "as the case was closed",
    LabelOrigin.CHECK: "among the uncertain posts",
    LabelOrigin.SAMPLE: "in the blind sample",
}
"""Where somebody said it, if not here."""


def draw_correction(file: CaseFile) -> None:
    """What a person said of the marked post, and the buttons to say it."""
    draw(
        tag(
            "h3",
            "Correct the model",
            tag("small", "about the marked post", cls="muted"),
            cls="side-title",
        ),
        *[_said(label) for label in file.labels],
    )
    if not file.labels:
        draw(tag("p", "Nobody has said yet whether it is one.", cls="muted small said"))
    here = next((label for label in file.labels if label.origin == LabelOrigin.DESK), None)
    key = f"severity-{file.post.id}"
    st.segmented_control(
        "How it sounds, if you want to say",
        list(SEVERITIES),
        key=key,
        help="Goes with the button that you press next",
    )
    with st.container(key="correct", horizontal=True, gap="small"):
        for words, complaint, shortcut in (
            ("Not a complaint", False, "X"),
            ("Is a complaint", True, None),
        ):
            st.button(
                words,
                key="label-yes" if complaint else "label-no",
                shortcut=shortcut,
                on_click=_label,
                args=(file.post.id, key, complaint, here),
                help="The model learns from it; the case stays as it is",
            )
        if here:
            st.button(
                "Take it back",
                key="label-clear",
                type="tertiary",
                on_click=_take_back,
                args=(file.post.id, here),
            )


def _said(label: Label) -> Markup:
    """What was said, by whom, when and where."""
    where = ORIGINS[label.origin]
    said: list[str | Markup] = [tag("b", _verdict(bool(label.complaint), label.severity))]
    if label.agent:
        said.append(f" · {label.agent}")
    if label.labelled_at:
        said += [" · ", times.ago(label.labelled_at, resources.config().zone)]
    if where:
        said.append(f" · {where}")
    return tag("p", *said, cls="small said")


def _verdict(complaint: bool, severity: float | None) -> str:
    words = "A complaint" if complaint else "Not a complaint"
    if severity is None:
        return words
    tone = min(SEVERITIES, key=lambda name: abs(SEVERITIES[name] - severity))
    return f"{words}, {tone.lower()}"


def _label(post_id: int, key: str, complaint: bool, before: Label | None) -> None:
    severity = SEVERITIES.get(st.session_state.get(key) or "")

    def call(session: Session, agent: str) -> None:
        labels.set_label(session, post_id, agent, complaint, LabelOrigin.DESK, severity)

    done = actions.act(
        call, f"Kept: {_verdict(complaint, severity).lower()}.", undo=_restore(post_id, before)
    )
    if done:
        st.session_state[key] = None


def _take_back(post_id: int, before: Label) -> None:
    actions.act(
        lambda session, agent: labels.clear_label(session, post_id, LabelOrigin.DESK, agent),
        "The correction is taken back.",
        undo=_restore(post_id, before),
    )


def _restore(post_id: int, before: Label | None) -> actions.Act:
    """Back to what was said at the desk before, in the name of who said it, or to nothing."""
    said = Said.of(before) if before else None
    return lambda session, agent: labels.put_back(session, post_id, agent, LabelOrigin.DESK, said)
