"""The views of the queue: those that everybody has, and those that people saved."""

from functools import partial

import streamlit as st

from dashboard import actions, queue_address, resources
from dashboard.markup import draw, plain, tag
from monitor.desk.queue import views
from monitor.store.models import CaseStatus, SavedView

OF_STATUS = {
    "open": CaseStatus.OPEN,
    "pending": CaseStatus.PENDING,
    "snoozed": CaseStatus.SNOOZED,
    "resolved": CaseStatus.RESOLVED,
}


def draw_views() -> None:
    """A button for each view with the number of its cases."""
    here = queue_address.view()
    with st.container(key="tabs", horizontal=True, gap="xsmall"):
        for key, (words, _) in queue_address.VIEWS.items():
            number = _number(key)
            st.button(
                words if number is None else f"{words} **{number:,}**",
                key=f"tab-{key}",
                type="primary" if key == here else "tertiary",
                on_click=queue_address.open_view,
                args=(key,),
            )


def draw_saved() -> None:
    """The saved views, and the way to save this one."""
    person, here = actions.me(), queue_address.address()
    with st.container(key="saved-views", horizontal=True, gap="xsmall"):
        for view in resources.views(person):
            to = queue_address.read(view.address)
            by = "" if view.owner == person else f" ({plain(view.owner)})"
            st.button(
                f"{plain(view.name)}{by}",
                key=f"view-{view.id}",
                icon=":material/bookmark:",
                type="primary" if to == here else "tertiary",
                on_click=queue_address.go,
                args=(to,),
                help="Shared with everybody" if view.shared else "Only you see it",
            )
        with st.popover("Save this view", type="tertiary", icon=":material/bookmark_add:"):
            _save_box(person)


def _number(key: str) -> int | None:
    """How many cases a view has; none is told where it is another view's in another order."""
    if key == "waiting":
        return None
    counts = resources.counts()
    if key == queue_address.EVERY:
        return sum(counts.values())
    if key in OF_STATUS:
        return counts[OF_STATUS[key]]
    return resources.count(queue_address.filter_of(key))


def _save_box(person: str | None) -> None:
    """A name for what is shown now, and what can be done with one's own views."""
    st.text_input("Name", key="view-name", max_chars=views.LONGEST)
    st.checkbox("For everybody", key="view-shared")
    st.button("Save", key="view-save", type="primary", on_click=_save)
    for view in resources.views(person):
        if view.owner == person:
            _own(view)


def _own(view: SavedView) -> None:
    with st.container(
        key=f"own-view-{view.id}", horizontal=True, vertical_alignment="center", gap="xsmall"
    ):
        draw(tag("b", view.name), width="content")
        st.button(
            "Rename",
            key=f"view-rename-{view.id}",
            type="tertiary",
            on_click=_rename,
            args=(view,),
            help="To the name that stands above",
        )
        st.button(
            "Keep to myself" if view.shared else "Share",
            key=f"view-share-{view.id}",
            type="tertiary",
            on_click=_share,
            args=(view,),
        )
        st.button(
            "Delete", key=f"view-delete-{view.id}", type="tertiary", on_click=_delete, args=(view,)
        )


def _save() -> None:
    name, shared = st.session_state.get("view-name") or "", bool(st.session_state["view-shared"])
    to = queue_address.written()
    saved = actions.act(
        lambda session, agent: views.save(session, agent, name, to, shared=shared),
        "The view is saved. Its link is the address of this page.",
    )
    if saved:
        st.session_state["view-name"] = ""


def _rename(view: SavedView) -> None:
    name = st.session_state.get("view-name") or ""
    actions.act(
        lambda session, agent: views.rename(session, view.id, agent, name),
        "The view has a new name.",
        undo=lambda session, agent: views.rename(session, view.id, agent, view.name),
    )


def _share(view: SavedView) -> None:
    actions.act(
        lambda session, agent: views.share(session, view.id, agent, shared=not view.shared),
        "Only you see it now." if view.shared else "Everybody sees it now.",
        undo=lambda session, agent: views.share(session, view.id, agent, shared=view.shared),
    )


def _delete(view: SavedView) -> None:
    again = partial(views.save, name=view.name, address=view.address, shared=view.shared)
    actions.act(
        lambda session, agent: views.delete(session, view.id, agent),
        "The view is deleted.",
        undo=lambda session, agent: again(session, agent),
    )
