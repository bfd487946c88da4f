"""[hours] and [[sla]] of config.toml: read with their types, refused with their line."""

from datetime import date, time, timedelta
from pathlib import Path

import pytest

from monitor.config import ConfigError, load

FILE = Path(__file__).parent.parent / "config" / "sla.toml"
GOOD = FILE.with_name("good.toml")


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "config.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


def test_hours_and_policies() -> None:
    config = load(FILE)
    assert (config.people, config.leads) == (["alice", "bob"], ["alice"])
    assert config.hours.zone.key == "Europe/Vienna"
    assert config.hours.of(date(2026, 11, 23)) == (
        (time(9), time(12, 30)),
        (time(13, 30), time(17)),
    )
    assert config.hours.of(date(2026, 11, 20)) == ((time(9), time(0)),)
    assert config.hours.of(date(2026, 11, 24)) == config.hours.of(date(2026, 12, 25)) == ()
    assert [policy.name for policy in config.sla] == ["VIP", "Loud", "Everybody"]
    assert config.sla[1].first == timedelta(hours=1)
    assert config.desk.warn_before == timedelta(minutes=15)


def test_left_out_it_is_every_hour_and_nothing_is_promised() -> None:
    config = load(GOOD)
    assert config.hours.always
    assert (config.sla, config.leads) == ([], [])
    assert config.desk.warn_before == timedelta(minutes=30)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"09:00-24:00"', '"9-17"', "line 11: hours.fri: write a shift like 09:00-12:30"),
        ('"09:00-24:00"', '"22:00-06:00"', "line 11: hours.fri: a shift ends after it begins"),
        ('["09:00-24:00"]', "true", "line 11: hours.fri: write shifts like"),
        ('"09:00-12:30"', '"09:00-14:00"', "line 10: hours.mon: two shifts overlap"),
        ('"09:00-24:00"', '"09:00-24:00", "23:00-23:30"', "hours.fri: two shifts overlap"),
        ("fri = ", "freitag = ", "line 11: hours.freitag: there is no such setting"),
        ('"2026-12-25"', '"25.12.2026"', "line 12: hours.holidays.0: input should be a valid date"),
        ('"15 min"', '"15"', "line 7: desk.warn_before: write a length like '30 min'"),
        ('role = "lead"', 'role = "boss"', "line 16: people.0.role: input should be 'agent' or"),
        ('"30 min"', '"2 days"', "line 24: sla.0.first: write a length like '30 min' or '8 h'"),
        ('"30 min"', '"0 min"', "line 24: sla.0.first: write a length"),
        ('"30 min"', '"9000 h"', "line 24: sla.0.first: it is longer than a year"),
        ("vip = true", "vips = true", "line 23: sla.0.vips: there is no such setting"),
        ("min_priority = 60", "min_priority = 160", "line 28: sla.1.min_priority: input"),
        ('networks = ["mastodon"]', "networks = []", "line 29: sla.1.networks: list should have"),
        ('resolution = "16 h"', "", "line 33: sla.2: promise something: first, next or"),
        ('name = "Loud"', 'name = "VIP"', "line 27: sla.1.name: this name stands twice"),
        ("vip = true", "", "line 26: sla.1: it is never reached: one above it fits every case"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(changed(tmp_path, old, new))
    assert told in str(caught.value)


def test_a_week_without_a_shift_is_refused(tmp_path: Path) -> None:
    text = FILE.read_text(encoding="utf-8")
    text = text.replace('["13:30-17:00", "09:00-12:30"]', "[]").replace('["09:00-24:00"]', "[]")
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="line 9: hours: no day of the week has a shift"):
        load(path)


def test_a_promise_that_would_take_ten_years_is_refused(tmp_path: Path) -> None:
    path = changed(tmp_path, '"16 h"', '"8700 h"')
    text = path.read_text(encoding="utf-8").replace("09:00-24:00", "09:00-09:05")
    path.write_text(text.replace('mon = ["13:30-17:00", "09:00-12:30"]', ""), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"sla\.2: there is too little working time"):
        load(path)
