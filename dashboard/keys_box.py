"""The keys: a sheet that lists them, and those that Streamlit's buttons cannot have.

A button has its own key where that is a letter or a digit. The others are listened for by a script
of ours: it moves the focus or opens a menu, never while somebody is typing.
"""

import json

import streamlit as st

from dashboard.markup import draw, tag

SHEET = {
    "Queue": {
        "J": "next case",
        "K": "previous case",
        "X": "select the case, or let it go",
        "Esc": "select none",
        "O": "open the case",
        "M": "claim it, or all that are selected",
        "G": "take the next case that nobody has, and open it",
        "S": "snooze",
        "D": "dismiss",
        "/": "search",
        "N": "next page",
        "B": "page before",
    },
    "Case": {
        "N": "next case",
        "M": "claim it",
        "A": "write the answer",
        "I": "write an internal note",
        "S": "snooze",
        "E": "resolve",
        "D": "dismiss: the ends without an answer",
        "W": "wait for the customer",
        "X": "not a complaint",
    },
    "Everywhere": {"U": "undo", "?": "this sheet"},
}
"""What each key does. None does anything while you type."""

FOCUS = {
    "/": [".st-key-words input"],
    "a": [".st-key-reply-box textarea"],
    "i": ["[class*='st-key-note-'] textarea"],
}
CLICK = {
    "?": [".st-key-keys-help button"],
    "s": [".st-key-snooze-menu button", ".st-key-snooze button"],
    "d": [".st-key-dismiss-menu button", ".st-key-dismiss-case button"],
    "e": [".st-key-resolve button"],
}
"""Where the focus goes, or what is clicked: the first of these that the page has."""

SCRIPT = """<script>
if (!window.monitorKeys) {
  window.monitorKeys = true;
  const focus = FOCUS, click = CLICK;
  const first = (places) => places.map((p) => document.querySelector(p)).find((e) => e);
  const typing = (target) => target.isContentEditable
    || target.closest("textarea, select, [role=menu], [role=listbox], [role=dialog]")
    || (target.tagName === "INPUT" && !["checkbox", "radio"].includes(target.type));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (!(event.target instanceof Element) || typing(event.target)) return;
    const key = event.key.toLowerCase();
    const [found, act] = key in focus ? [first(focus[key]), "focus"]
      : key in click ? [first(click[key]), "click"] : [null, ""];
    if (!found) return;
    event.preventDefault();
    found.scrollIntoView({block: "nearest"});
    found[act]();
  });
}
</script>"""


def draw_keys() -> None:
    """The button that shows the sheet, and the script."""
    if st.button("Keys", key="keys-help", type="tertiary", icon=":material/keyboard:"):
        _sheet()
    script = SCRIPT.replace("FOCUS", json.dumps(FOCUS)).replace("CLICK", json.dumps(CLICK))
    with st.container(key="unseen-keys"):
        st.html(script, unsafe_allow_javascript=True)


@st.dialog("Keys")
def _sheet() -> None:
    for place, keys in SHEET.items():
        lines = [
            tag("tr", tag("td", tag("kbd", key)), tag("td", words)) for key, words in keys.items()
        ]
        draw(tag("h3", place, cls="side-title"), tag("table", *lines, cls="keys"))
    draw(tag("p", "No key does anything while you type.", cls="muted small"))
