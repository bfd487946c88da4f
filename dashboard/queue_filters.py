"""What narrows the queue, in one row."""

import streamlit as st

from dashboard import queue_address


def draw_filters() -> None:
    """The widgets that the address is made of."""
    with st.container(key="filters", horizontal=True, vertical_alignment="center", gap="small"):
        for label, name in (
            ("Network", "network"),
            ("Owner", "owner"),
            ("Reply", "reply"),
        ):
            _choice(label, name)
        st.text_input(
            "Words",
            key="words",
            type="search",
            bind="query-params",
            placeholder="Words in a post, or a handle",
            label_visibility="collapsed",
            max_chars=200,
            width=230,
        )
        _choice("Order", "sort")
        _more()
        if queue_address.narrowed():
            st.button("Clear filters", key="clear", type="tertiary", on_click=queue_address.clear)


def _choice(label: str, name: str) -> None:
    st.selectbox(
        label,
        queue_address.options(name),
        key=name,
        bind="query-params",
        label_visibility="collapsed",
        width=150,
    )


def _more() -> None:
    used = sum(name in queue_address.address() for name in ("tag", "vip", "breaching"))
    with st.popover(f"More ({used})" if used else "More", icon=":material/tune:"):
        st.selectbox("Tag", queue_address.options("tag"), key="tag", bind="query-params")
        st.checkbox("VIPs only", key="vip", bind="query-params")
        st.checkbox(
            "Breaching soon",
            key="breaching",
            bind="query-params",
            help="A promised time ends within the hour, or has ended",
        )
