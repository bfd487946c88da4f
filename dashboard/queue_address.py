"""What the queue's address says: the filters, their order, and the views that are made of them.

The widgets are bound to the address, so that a link opens the same list; the status stands there
alone.
"""

from urllib.parse import parse_qsl, urlencode

import streamlit as st

from dashboard import actions, resources, widgets
from monitor.desk.queue.work_queue import NOBODY, Filter, Sort
from monitor.store.models import CaseStatus, ReplyStatus

ANY_NETWORK, ANY_REPLY, ANY_TAG = "Any network", "Any reply", "Any tag"
ANYONE, MINE, UNCLAIMED = "Any owner", "Mine", "Nobody's"
EVERY = "all"

SORTS = {
    "Priority": Sort.PRIORITY,
    "Waiting longest": Sort.WAITING,
    "Due soonest": Sort.DUE,
    "Newest": Sort.NEWEST,
}
FIRST_SORT = "Priority"

UNTOUCHED: dict[str, str | bool] = {
    "network": ANY_NETWORK,
    "owner": ANYONE,
    "reply": ANY_REPLY,
    "sort": FIRST_SORT,
    "words": "",
    "tag": ANY_TAG,
    "vip": False,
    "breaching": False,
}
"""The widgets by their keys, as they are where the address does not name them."""

VIEWS: dict[str, tuple[str, dict[str, str]]] = {
    "open": ("Open", {}),
    "mine": ("Mine", {"owner": MINE}),
    "unassigned": ("Unassigned", {"owner": UNCLAIMED}),
    "waiting": ("Waiting longest", {"sort": "Waiting longest"}),
    "breaching": ("Breaching soon", {"breaching": "true", "sort": "Due soonest"}),
    "pending": ("Pending", {"status": CaseStatus.PENDING.value}),
    "snoozed": ("Snoozed", {"status": CaseStatus.SNOOZED.value}),
    "resolved": ("Resolved", {"status": CaseStatus.RESOLVED.value}),
    EVERY: ("Everything", {"status": EVERY}),
}
"""The views that everybody has: a name and an address."""

CORE = ("status", "owner", "breaching")
"""What makes a view, but for its order; the other filters narrow it."""

CHANGED = "address_changed"
"""Set as long as the widgets have to be drawn anew."""


def options(name: str) -> list[str]:
    """What can be chosen in a widget, what does not narrow anything first."""
    if name == "network":
        return [ANY_NETWORK, *resources.networks()]
    if name == "owner":
        return [ANYONE, MINE, UNCLAIMED, *resources.config().people]
    if name == "reply":
        return [ANY_REPLY, *_replies()]
    if name == "tag":
        # A link may name a tag that was put on a case a moment ago.
        asked = _value("tag")
        known = resources.tags()
        return [ANY_TAG, *known, *([str(asked)] if asked not in (ANY_TAG, *known) else [])]
    return list(SORTS)


def status() -> str:
    """The status that is asked for, or EVERY."""
    asked = st.query_params.get("status", CaseStatus.OPEN.value)
    known = asked == EVERY or asked in list(CaseStatus)
    return asked if known else CaseStatus.OPEN.value


def address() -> dict[str, str]:
    """What differs from the untouched queue, as it stands in the address."""
    found = {} if status() == CaseStatus.OPEN else {"status": status()}
    for name, untouched in UNTOUCHED.items():
        value = _value(name)
        if value != untouched:
            found[name] = "true" if value is True else str(value)
    return found


def go(to: dict[str, str]) -> None:
    """Set the widgets, and with them the address."""
    for name, untouched in UNTOUCHED.items():
        said = to.get(name)
        if said is None:
            st.session_state[name] = untouched
        elif isinstance(untouched, bool):
            st.session_state[name] = said == "true"
        else:
            known = name in ("words", "tag") or said in options(name)
            st.session_state[name] = said if known else untouched
    if to.get("status", CaseStatus.OPEN.value) == CaseStatus.OPEN:
        st.query_params.pop("status", None)
    else:
        st.query_params["status"] = to["status"]
    st.session_state[CHANGED] = True


def chosen() -> Filter:
    """What the widgets say."""
    network, tag = str(_value("network")), str(_value("tag"))
    return Filter(
        status=None if status() == EVERY else CaseStatus(status()),
        network=None if network == ANY_NETWORK else network,
        owner=_owner(str(_value("owner"))),
        reply_status=_replies().get(str(_value("reply"))),
        words=" ".join(str(_value("words")).split()),
        tag=None if tag == ANY_TAG else tag,
        vip=bool(_value("vip")),
        breaching=bool(_value("breaching")),
        sort=SORTS.get(str(_value("sort")), Sort.PRIORITY),
    )


def filter_of(view: str) -> Filter:
    """What one of the views that everybody has shows."""
    to = VIEWS[view][1]
    asked = to.get("status", CaseStatus.OPEN.value)
    return Filter(
        status=None if asked == EVERY else CaseStatus(asked),
        owner=_owner(to.get("owner", ANYONE)),
        breaching="breaching" in to,
    )


def view() -> str | None:
    """The view that is open, however narrowed; None: one that somebody made."""
    here = address()
    core = {name: here[name] for name in CORE if name in here}
    same = [
        key
        for key, (_, to) in VIEWS.items()
        if {name: to[name] for name in CORE if name in to} == core
    ]
    in_order = [key for key in same if VIEWS[key][1].get("sort") == here.get("sort")]
    return next(iter(in_order + same), None)


def open_view(key: str) -> None:
    """Go to a view. What narrows it stays, and so does the order where a person chose it."""
    here, before = address(), view()
    own_order = before is not None and "sort" in VIEWS[before][1]
    left = (*CORE, "sort") if own_order else CORE
    go({name: value for name, value in here.items() if name not in left} | VIEWS[key][1])


def narrowed() -> bool:
    """Whether more is filtered than the view by itself does."""
    own = VIEWS[view() or "open"][1]
    return any(name not in own and name not in ("status", "sort") for name in address())


def clear() -> None:
    """Take away what narrows the view; the status and the order stay."""
    here = address()
    kept = {name: here[name] for name in ("status", "sort") if name in here}
    go(VIEWS[view() or "open"][1] | kept)


def written() -> str:
    """The address as text, to be kept."""
    return urlencode(address())


def read(text: str) -> dict[str, str]:
    """What a kept address says."""
    return dict(parse_qsl(text))


def _value(name: str) -> str | bool:
    """What a widget says, or what it will say as soon as it is drawn."""
    untouched = UNTOUCHED[name]
    said = st.session_state.get(name, st.query_params.get(name))
    if said is None:
        return untouched
    if isinstance(untouched, bool):
        return said is True or str(said).lower() == "true"
    return str(said)


def _replies() -> dict[str, ReplyStatus]:
    return {widgets.REPLY_WORDS[status][0]: status for status in widgets.REPLY_WORDS}


def _owner(choice: str) -> str | None:
    if choice == MINE:
        # Nobody has a name that is one space: without a name nothing is mine.
        return actions.me() or " "
    return {ANYONE: None, UNCLAIMED: NOBODY}.get(choice, choice)
