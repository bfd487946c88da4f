"""What a rerun of a page costs while twenty people work one queue.

`tests.bench.queue` fills the database and calls this. The dashboard is the real one: one server
process with a thread for each person. A person here is a websocket that says what a browser says:
clicks at a human pace, and the reruns that the page asks for by itself every ten seconds. They are
threads of this one process, which only wait and read; twenty processes would cost the server's two
cores more than they do. What is measured: from the click until the server has sent the whole page.
"""

import os
import random
import re
import socket
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, select
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from monitor.processes import dashboard_command
from monitor.store.models import CaseEvent, Note, Reply

CONFIG = (
    '[company]\nname = "Acme"\n[sources.bench]\nconnector = "demo"\n[[people]]\nname = "alice"\n'
)
PEOPLE = [f"person{number}" for number in range(1, 21)]
COOKIE = "monitor_person"
"""As in dashboard.people, which is not imported: it would start Streamlit here too."""

SECONDS = 60
THINKS = (3, 15)
"""Seconds from one click to the next."""

COMMON, RARE = "billing", "lawyer"
"""Tags of the cases: one in ten has the one, one in a thousand the other."""

ANSWER = "I am sorry that it is down again. I have asked our engineers to look at your line today."


@dataclass
class Person:
    """One open page, and what its owner does there."""

    name: str
    socket: ClientConnection
    chance: random.Random
    page: str = ""
    home: str = ""
    """The queue's page, as the server names it."""
    address: str = ""
    widgets: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By their keys: the id, and the fragment that they stand in."""
    by_itself: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By fragment: every how many seconds it is drawn again, and when next."""
    took: list[tuple[str, float]] = field(default_factory=list)

    def work(self, until: float) -> None:
        """Open the queue, and act on it until the time is over."""
        self.ask("open the queue")
        act_at = time.monotonic() + self.chance.uniform(0, THINKS[1])
        while True:
            fragment = min(self.by_itself, key=lambda name: self.by_itself[name][1], default="")
            drawn_at = self.by_itself[fragment][1] if fragment else act_at
            due = min(act_at, drawn_at)
            if due > until:
                return
            time.sleep(max(0.0, due - time.monotonic()))
            if act_at <= drawn_at:
                self.act()
                act_at = time.monotonic() + self.chance.uniform(*THINKS)
            else:
                every, _ = self.by_itself[fragment]
                self.by_itself[fragment] = (every, time.monotonic() + every)
                self.ask("drawn by itself", fragment=fragment)

    def act(self) -> None:
        """One click that this page offers, or back to the queue."""
        choices = [choice for choice in (self._at_case if self.at_case else self._in_queue)()
                   if choice[1] in self.widgets]  # fmt: skip
        if not choices:
            self.page, self.address = self.home, ""
            self.ask("back to the queue")
            return
        what, key, *said = self.chance.choice(choices)
        written = [WidgetState(id=self.widgets[name][0], string_value=words)
                   for name, words in said if name in self.widgets]  # fmt: skip
        click = WidgetState(id=self.widgets[key][0])
        if what == "filter: VIP":
            click.bool_value = self.chance.random() < 0.7
        elif what == "filter: tag":
            click.string_value = self.chance.choice([COMMON, "Any tag"])
        elif what == "save a draft":
            click.string_value = f"{ANSWER} {len(self.took)}"
        else:
            click.trigger_value = True
        self.ask(what, *written, click, fragment=self.widgets[key][1])

    @property
    def at_case(self) -> bool:
        """Whether this is the page of a case."""
        return "next-case" in self.widgets

    def _in_queue(self) -> list[tuple[Any, ...]]:
        rows = [key for key in self.widgets if key.startswith("claim-") and key[6:].isdigit()]
        return [
            ("take next", "take-next"),
            ("take next", "take-next"),
            ("claim in the queue", self.chance.choice(rows) if rows else ""),
            ("filter: mine", "tab-mine"),
            ("filter: unassigned", "tab-unassigned"),
            ("filter: open", "tab-open"),
            ("filter: VIP", "vip"),
            ("filter: tag", "tag"),
            ("next page", "next"),
        ]

    def _at_case(self) -> list[tuple[Any, ...]]:
        boxes = {re.sub(r"(-\d+)+$", "", key): key for key in self.widgets}
        note, remedy = boxes.get("note", ""), boxes.get("end-remedy", "")
        mine = "release" in self.widgets
        return [
            ("claim the case", "claim"),
            ("note", "add-note", (note, f"{self.name} looked at it")),
            ("save a draft", boxes.get("reply", "")),
            ("snooze", "snooze-1 hour" if mine else ""),
            ("resolve", "resolve-now" if mine else "", (remedy, "Restarted the line")),
            ("next case", "next-case"),
        ]

    def ask(self, what: str, *said: WidgetState, fragment: str = "") -> None:
        """Let the server draw the page, or a part of it, and read all that it sends."""
        state = ClientState(
            query_string=self.address,
            page_script_hash=self.page,
            fragment_id=fragment,
            is_auto_rerun=bool(fragment) and not said,
        )
        state.widget_states.widgets.extend(said)
        began = time.perf_counter()
        self.socket.send(BackMsg(rerun_script=state).SerializeToString())
        while not self._read(ForwardMsg.FromString(self.socket.recv(120))):
            pass
        self.took.append((what, time.perf_counter() - began))

    def _read(self, message: ForwardMsg) -> bool:
        """Keep what a later click needs. Returns whether the page is complete."""
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.page = message.new_session.page_script_hash
            if not message.metadata.run.fragment_ids:
                self.widgets, self.by_itself = {}, {}
        elif kind == "navigation":
            home = (page for page in message.navigation.app_pages if page.is_default)
            self.home = next(home).page_script_hash
        elif kind == "page_info_changed":
            self.address = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            every = message.auto_rerun.interval
            self.by_itself[message.auto_rerun.fragment_id] = (every, time.monotonic() + every)
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            drawn = element.WhichOneof("type")
            if drawn == "exception":
                raise RuntimeError(element.exception.message)
            widget = str(getattr(getattr(element, drawn), "id", "")) if drawn else ""
            if widget.startswith("$$ID-"):
                self.widgets[widget.split("-", 2)[2]] = (widget, message.delta.fragment_id)
        return (
            kind == "script_finished"
            and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
        )


@contextmanager
def dashboard(folder: Path, url: str) -> Iterator[tuple[int, int]]:
    """The real server on a database, with everybody's names: its port and its process."""
    config = folder / "config.toml"
    people = "".join(f'[[people]]\nname = "{name}"\n' for name in PEOPLE)
    config.write_text(CONFIG + people, encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "MONITOR_CONFIG": str(config), "MONITOR_DATABASE_URL": url}
    server = subprocess.Popen(dashboard_command(port), env=environment, stdout=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1)
                break
            except (urllib.error.URLError, OSError):
                time.sleep(0.2)
        yield port, server.pid
    finally:
        server.kill()  # it would wait for the open pages
        server.wait()


def measure_people(database: sa.Engine, port: int, server: int) -> None:
    """Let everybody work for a minute; print what their reruns cost and what they did."""
    before, load = processor_seconds(server), os.getloadavg()[0]
    until = time.monotonic() + SECONDS
    with ThreadPoolExecutor(len(PEOPLE)) as pool, ExitStack() as open_pages:
        working = []
        for number, name in enumerate(PEOPLE):
            page = connect(
                f"ws://127.0.0.1:{port}/_stcore/stream",
                subprotocols=[Subprotocol("streamlit")],
                additional_headers={"Cookie": f"{COOKIE}={name}"},
                max_size=None,
                open_timeout=60,
            )
            open_pages.enter_context(page)
            person = Person(name, page, random.Random(number))
            working.append((person, pool.submit(person.work, until)))
        for _, work in working:
            work.result()
    spent = processor_seconds(server) - before
    took: dict[str, list[float]] = {}
    for person, _ in working:
        for what, seconds in person.took:
            took.setdefault(what, []).append(1000 * seconds)
            if what not in ("open the queue", "drawn by itself"):
                took.setdefault("every click", []).append(1000 * seconds)
    print(
        f"{len(PEOPLE)} people for {SECONDS} s, a click every {THINKS[0]} to {THINKS[1]} s each, "
        f"{os.cpu_count()} cores shared with them; load {load:.1f} before and "
        f"{os.getloadavg()[0]:.1f} after; the server used {spent:.0f} s of processor time"
    )
    for what, times in sorted(took.items(), key=lambda item: -len(item[1])):
        p95 = statistics.quantiles(times, n=20, method="inclusive")[-1] if times[1:] else times[0]
        print(
            f"  {what}: p50 {statistics.median(times):.0f} ms, p95 {p95:.0f} ms, "
            f"worst {max(times):.0f} ms ({len(times)})"
        )
    with Session(database) as session:
        done = Counter(session.exec(select(CaseEvent.what)).all())
        done["notes"] = session.exec(select(sa.func.count()).select_from(Note)).one()
        done["drafts"] = session.exec(select(sa.func.count()).select_from(Reply)).one()
    print(f"  what came of it: {', '.join(f'{n} {what}' for what, n in sorted(done.items()))}")


def processor_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
