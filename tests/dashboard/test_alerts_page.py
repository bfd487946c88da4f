"""The alerts on the pages: what fires, who looks after it, channels, and the past."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

import pytest
from sqlmodel import Session, select

from monitor.alert_settings import AlertSettings
from monitor.config import Config
from monitor.store.models import Alert, AlertKind, AlertState, Channel, Severity, now
from monitor.watch.alerting import alerts, notify
from monitor.watch.alerting.alert_rows import Finding
from monitor.watch.trends.measures import Asked
from tests.dashboard.conftest import Seat
from tests.dashboard.seed import Desk

SETTINGS = AlertSettings(page=["pager"])

PROVE = notify.prove


def fire(desk: Desk, key: str = "spike:all", **changes: object) -> int:
    """An alert fires; its id."""
    values: dict[str, object] = {
        "kind": AlertKind.SPIKE,
        "severity": Severity.PAGE,
        "title": "Halewick: 24 complaints in an hour",
        "text": "14 times the usual.\n“<b>it is</b> $down$” (x)",
        "address": f"since={(now() - timedelta(hours=2)).isoformat().replace('+', '%2B')}",
    }
    found = Finding(key, **{**values, **changes})  # type: ignore[arg-type]  # of any kind
    with Session(desk.engine) as session:
        alerts.fire(session, found, SETTINGS)
        return session.exec(select(Alert.id).where(Alert.key == key)).one()


def state(desk: Desk, alert_id: int) -> AlertState:
    """Where an alert stands."""
    with Session(desk.engine) as session:
        return session.get_one(Alert, alert_id).state


def test_without_any_the_page_says_so(desk: Desk) -> None:
    seat = Seat().open("alerts")
    assert "Nothing is firing" in seat.html
    assert "Nobody is told of alerts: they only show here." in seat.html
    assert "firing</b>" not in Seat().open().html


def test_every_page_says_that_something_fires(desk: Desk) -> None:
    fire(desk)
    fire(desk, "backlog", kind=AlertKind.BACKLOG, severity=Severity.TICKET, title="Much waits")
    for page in ("work_queue", "trends", "alerts"):
        html = Seat().open(page).html
        assert "<b>2 alerts firing</b>" in html
        assert 'dir="auto">Halewick: 24 complaints in an hour</div>' in html


def test_an_alert_of_broken_promises_opens_them(desk: Desk) -> None:
    asked = Asked("sla-missed", now() - timedelta(days=1), now())
    fire(desk, "sla:2026-11-20", kind=AlertKind.SLA, address=f"rows?{urlencode(asked.address)}")
    links = [link.proto for link in Seat().open("alerts").app.page_link]
    (query,) = [link.query_string for link in links if link.label == "Open the broken promises"]
    assert Asked.of_address(dict(parse_qsl(query))) == asked
    assert "There is nothing to list" not in Seat().open("rows", **asked.address).html


def test_a_text_is_only_text(desk: Desk) -> None:
    fire(desk, title="<script>x</script> *bold*")
    html = Seat().open("alerts").html
    assert "&lt;script&gt;x&lt;/script&gt; *bold*" in html
    assert "“&lt;b&gt;it is&lt;/b&gt; $down$”" in html


def test_acknowledged_undone_and_refused_to_who_comes_second(desk: Desk) -> None:
    alert_id = fire(desk)
    alice, bob = Seat("alice").open("alerts"), Seat("bob").open("alerts")
    alice.click(f"ack-{alert_id}")
    assert "You look after it" in alice.told
    assert "alice looks after it since" in alice.html
    assert "firing</b>" not in alice.html
    bob.click(f"ack-{alert_id}")
    assert "it is acknowledged by alice" in bob.told
    assert "1 alert firing" not in alice.html
    alice.click("undo")
    assert state(desk, alert_id) == AlertState.FIRING
    assert "1 alert firing" in alice.html
    assert "Choose your name first" in Seat(None).open("alerts").click(f"ack-{alert_id}").told


def test_a_silence_wants_a_reason_and_shows_it(desk: Desk) -> None:
    alert_id = fire(desk)
    seat = Seat().open("alerts").click(f"silence-go-{alert_id}")
    assert "Say why it is silenced" in seat.told
    seat.app.text_input(key=f"why-{alert_id}").set_value("Works on <the> exchange").run()
    seat.app.selectbox(key=f"until-{alert_id}").set_value("A week").run()
    seat.click(f"silence-go-{alert_id}")
    assert state(desk, alert_id) == AlertState.SILENCED
    assert "Silenced by alice until" in seat.html
    assert "Works on &lt;the&gt; exchange" in seat.html
    seat.click(f"unsilence-{alert_id}")
    assert state(desk, alert_id) == AlertState.FIRING


def test_its_link_opens_just_its_cases(desk: Desk) -> None:
    desk.complaint("ann", "No calls <at all>", hours=1)
    desk.complaint("ben", "No refund", hours=30)
    desk.complaint("cid", "No ringing", hours=1, network="x")
    html = Seat().open("alerts", alert=str(fire(desk))).html
    assert "2 cases with complaints from" in html
    assert "No calls &lt;at all&gt;" in html
    assert "No ringing" in html
    assert "No refund" not in html
    since = (now() - timedelta(hours=40)).isoformat()
    until = (now() - timedelta(hours=20)).isoformat()
    html = Seat().open("alerts", since=since, until=until).html
    assert "1 case with complaints from" in html
    assert "No refund" in html
    html = Seat().open("alerts", since=since, network="x").html
    assert "1 case with complaints from" in html
    assert "No ringing" in html
    html = Seat().open("alerts", since=since, source="nothing").html
    assert "No complaint of this time has become a case yet." in html


@pytest.mark.parametrize(
    "address",
    [
        {"alert": "999"},
        {"alert": "x"},
        {"alert": "9" * 30},
        {"since": "yesterday"},
        {"since": "2026-01-01", "incident": "x"},
        {"since": "0001-01-01T00:00:00+14:00"},
    ],
)
def test_an_address_that_nobody_wrote(desk: Desk, address: dict[str, str]) -> None:
    html = Seat().open("alerts", **address).html
    assert "There is no such alert" in html or "Nothing is firing" in html


def test_the_history_and_what_is_over(desk: Desk) -> None:
    alert_id = fire(desk)
    with Session(desk.engine) as session:
        alerts.acknowledge(session, alert_id, "bob", SETTINGS)
        alerts.resolve(session, "spike:all", SETTINGS)
    seat = Seat().open("alerts")
    assert "Nothing is firing" in seat.html
    seat.app.session_state["over"] = True
    seat.app.session_state[f"history-{alert_id}"] = True
    seat.look()
    assert "Over</span>" in seat.html
    assert "Acknowledged by bob" in seat.html
    assert not seat.has(f"ack-{alert_id}")


def test_of_many_that_are_over_the_latest_are_shown(desk: Desk) -> None:
    for number in range(21):
        fire(desk, f"spike:{number}")
        with Session(desk.engine) as session:
            alerts.resolve(session, f"spike:{number}", SETTINGS)
    labels = [box.label for box in Seat().open("alerts").app.expander]
    assert "Over (the latest 20)" in labels


def test_a_channel_of_the_digest_alone_can_be_proved_though_nobody_is_told_of_alerts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = desk.config.read_text(encoding="utf-8")
    desk.config.write_text(text + '\n[digest]\nchannels = ["board"]\n', encoding="utf-8")
    monkeypatch.setenv("MONITOR_CHANNEL_BOARD_URL", "json://127.0.0.1:1/secret")
    monkeypatch.setattr(notify, "prove", lambda *_: None)
    seat = Seat().open("alerts")
    assert "Nobody is told of alerts" in seat.html
    assert '<b>board</b><span class="muted">digest</span>' in seat.html
    seat.click("prove-board")
    assert "board took the message" in seat.told


def test_a_channel_says_how_it_fares_and_can_be_proved(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = desk.config.read_text(encoding="utf-8")
    told = '\n[alerts]\npage = ["pager"]\nescalate = ["lead"]\n'
    desk.config.write_text(text + told, encoding="utf-8")
    monkeypatch.setenv("MONITOR_CHANNEL_PAGER_URL", "json://127.0.0.1:1/secret")
    said: list[str | None] = [None, "refused by the network"]

    def prove(session: Session, config: Config, name: str) -> str | None:
        return PROVE(session, config, name, lambda address, letter: said.pop(0))

    monkeypatch.setattr(notify, "prove", prove)
    seat = Seat().open("alerts")
    assert "Never used" in seat.html
    assert "No address" in seat.html
    assert "MONITOR_CHANNEL_LEAD_URL" in seat.html
    assert "secret" not in seat.html
    seat.click("prove-pager")
    assert "pager took the message" in seat.told
    assert "Works</span>" in seat.html
    seat.click("prove-pager")
    assert "refused by the network" in seat.told
    assert "Failed 1 times in a row" in seat.html
    with Session(desk.engine) as session:
        assert session.exec(select(Channel.failures)).one() == 1


def test_a_rule_is_tried_on_the_past(desk: Desk) -> None:
    for hour in range(24 * 8):
        desk.complaint(f"p{hour}", f"No refund number {hour}", hours=hour + 12, triage=False)
    for number in range(30):
        hours = 60 + number / 40
        desk.complaint(f"q{number}", f"All is down {number}", hours=hours, triage=False)
    seat = Seat().open("alerts")
    seat.app.button(key="try-go").click().run()
    seat.check()
    assert "This rule would have fired once in the last 90 days." in seat.html
    assert "it was learning what is usual" in seat.html
    assert "spike_ratio" not in seat.html
    seat.app.number_input(key="try-excess").set_value(50)
    seat.app.button(key="try-go").click().run()
    seat.check()
    assert "would have fired 0 times" in seat.html
    assert "spike_excess = 50" in seat.html
