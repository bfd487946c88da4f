"""A desk with pages: a filled database, and people who sit before it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from sqlmodel import Session
from streamlit import config as streamlit_config
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from dashboard import resources
from monitor.desk import cases
from tests.dashboard.seed import Desk

APP = Path(resources.__file__).parent / "streamlit_app.py"


@pytest.fixture(scope="session", autouse=True)
def _no_search_for_components() -> Iterator[None]:
    """Streamlit looks through every installed package at each start of an app; ours uses none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", list)
        yield


@pytest.fixture(autouse=True)
def _fresh_server() -> Iterator[None]:
    """Nothing is remembered from the test before, and the server listens to this machine only."""
    before = streamlit_config.get_option("server.address")
    streamlit_config.set_option("server.address", "127.0.0.1")
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    streamlit_config.set_option("server.address", before)


@pytest.fixture
def desk(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A monitor whose engine was alive a moment ago, with alice and bob and no posts."""
    (tmp_path / "monitor.db").write_bytes(sqlite_template.read_bytes())
    made = Desk(tmp_path)
    monkeypatch.setenv("MONITOR_CONFIG", str(made.config))
    yield made
    made.engine.dispose()


@pytest.fixture
def case_id(desk: Desk) -> int:
    """Ben waits for his refund, and alice has the case."""
    made = desk.complaint("ben", "No refund for weeks", name="Ben B", followers=1200)
    with Session(desk.engine) as session:
        cases.claim(session, made, "alice")
    return made


class Seat:
    """Somebody at the dashboard, one page at a time."""

    def __init__(self, person: str | None = "alice") -> None:
        self.app = AppTest.from_file(APP, default_timeout=30)
        if person:
            self.app.session_state["person"] = person

    def open(self, page: str = "work_queue", **address: str) -> "Seat":
        """Follow a link to a page."""
        self.app.query_params.clear()
        self.app.query_params.update(address)
        self.app.switch_page(f"app_pages/{page}.py").run()
        self.check()
        return self

    def click(self, key: str) -> "Seat":
        """Press the button with this key."""
        self.app.button(key=key).click().run()
        self.check()
        return self

    def look(self) -> "Seat":
        """Let the page draw itself again."""
        self.app.run()
        self.check()
        return self

    def check(self) -> None:
        """No page ever shows a traceback."""
        assert not self.app.exception, self.app.exception

    @property
    def html(self) -> str:
        """The HTML of the whole page, styles and scripts left out."""
        return "\n".join(
            element.value
            for element in self.app.html
            if not element.value.startswith(("<style", "<script"))
        )

    @property
    def rows(self) -> list[int]:
        """The cases of the queue, in their order."""
        marks = [element.value for element in self.app.html if 'id="case-' in element.value]
        return [int(mark.split('id="case-')[1].split('"')[0]) for mark in marks]

    @property
    def told(self) -> str:
        """What the last click came to."""
        found = [e.value for e in self.app.html if e.value.startswith('<div class="notice')]
        return found[0] if found else ""

    def has(self, key: str) -> bool:
        """Whether there is such a button."""
        return any(button.key == key for button in self.app.button)
