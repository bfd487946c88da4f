"""The frame: where it refuses to run, and what it says when something is missing."""

from pathlib import Path

import pytest
from sqlalchemy import text
from streamlit import config as streamlit_config

from tests.dashboard.conftest import Seat
from tests.dashboard.seed import Desk


@pytest.mark.parametrize("address", ["0.0.0.0", None, "192.168.0.7", "example.org"])
def test_other_addresses_are_refused_and_nothing_is_shown(desk: Desk, address: str | None) -> None:
    desk.complaint("ben", "No refund for weeks")
    streamlit_config.set_option("server.address", address)
    seat = Seat().open()
    assert "There is no sign-in yet" in seat.html
    assert "refund" not in seat.html
    assert not seat.app.button
    assert not seat.app.selectbox


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1"])
def test_this_machine_is_served(desk: Desk, address: str) -> None:
    streamlit_config.set_option("server.address", address)
    assert Seat().open().has("tab-open")


def test_settings_that_are_missing_or_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONITOR_CONFIG", str(tmp_path / "none.toml"))
    page = Seat().open().html
    assert "There is no" in page
    assert "monitor init" in page
    (tmp_path / "none.toml").write_text('[company]\nname = "A"\ncolour = "red"\n')
    assert "line 3: company.colour: there is no such setting" in Seat().open().html


def test_a_database_of_another_version(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    page = Seat().open().html
    assert "The database has schema 0000" in page
    assert "monitor migrate" in page
    with desk.engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    assert "schema none" in Seat().open("case", id="1").html


def test_a_database_that_breaks_while_one_works(desk: Desk) -> None:
    seat = Seat().open()
    with desk.engine.begin() as connection:
        connection.execute(text("DROP TABLE caseevent"))
        connection.execute(text("PRAGMA foreign_keys=OFF"))
        connection.execute(text('DROP TABLE "case"'))
    seat.look()
    assert "The database does not answer" in seat.html


def test_the_name_is_kept_in_a_cookie_and_in_no_link(desk: Desk) -> None:
    seat = Seat("bob").open(status="all")
    scripts = [element.value for element in seat.app.html if "monitor_person" in element.value]
    assert len(scripts) == 1
    assert "monitor_person=bob;" in scripts[0]
    assert seat.app.query_params == {"status": "all"}


def test_a_name_that_is_no_longer_on_the_list_is_nobody(desk: Desk) -> None:
    seat = Seat("alice").open()
    text = desk.config.read_text().replace('"alice"', '"carol"')
    desk.config.write_text(text)
    from dashboard import resources

    resources._config.clear()
    seat.look()
    assert seat.app.selectbox(key="person").value is None
