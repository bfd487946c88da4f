"""config.toml: what is wrong is refused with its name, its problem and its line."""

from pathlib import Path

import pytest

from monitor.config import ConfigError, load
from monitor.intake.matching import compile_query
from monitor.schedule import check_queries
from monitor.starter import Answers, query_for, write_config

GOOD = Path(__file__).parent.parent / "config" / "good.toml"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_good_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONITOR_ACME_TAGS_TOKEN", "s3cret")
    config = load(GOOD)
    assert config.people == ["alice", "bob"]
    assert config.database_url == f"sqlite:///{GOOD.parent / 'here.db'}"
    source = config.sources["acme-tags"]
    assert (source.every.total_seconds(), source.query) == (60, '"acme power" OR #acmefail')
    assert source.secrets == {"token": "s3cret"}
    assert "s3cret" not in repr(config)
    assert config.sources["exports"].query == ""
    assert config.sources["exports"].settings.path == GOOD.parent / "exports.csv"  # type: ignore[attr-defined]  # its own


def test_leads_are_the_people_of_that_role(tmp_path: Path) -> None:
    text = '[company]\nname = "Acme"\n\n[[people]]\nname = "alice"\n\n[[people]]\nname = "bob"\n'
    assert load(written(tmp_path, text)).leads == []
    assert load(written(tmp_path, text + 'role = "lead"\n')).leads == ["bob"]
    with pytest.raises(ConfigError, match="role"):
        load(written(tmp_path, text + 'role = "boss"\n'))


def test_the_shipped_file_is_good() -> None:
    check_queries(load(Path(__file__).parents[2] / "config.toml"))


def test_the_environment_names_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONITOR_DATABASE_URL", "postgresql+psycopg://user:pw@host/name")
    config = load(GOOD)
    assert config.database_url == "postgresql+psycopg://user:pw@host/name"
    assert "pw" not in repr(config)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("threshold = 0.4", "treshold = 0.4", "line 10: desk.treshold: there is no such setting"),
        ("threshold = 0.4", "threshold = 4", "line 10: desk.threshold: input should be less"),
        ('name = "Acme"', "", "line 4: company.name: must be set"),
        ("Europe/Vienna", "Vienna", "line 2: timezone: no such time zone"),
        ('connector = "mastodon"', 'connector = "myspace"', "line 19: sources.acme-tags.connector"),
        ('hashtags = ["acme"]', "hashtags = 5", "line 21: sources.acme-tags.hashtags"),
        ('hashtags = ["acme"]', "hastags = []", "line 21: sources.acme-tags.hastags: there is no"),
        ("every_seconds = 60", "every_seconds = 0", "line 22: sources.acme-tags.every_seconds"),
        (
            "[sources.acme-tags]",
            "[sources.Acme_Tags]",
            "line 18: sources.Acme_Tags: a source's name",
        ),
        ('name = "bob"', 'name = "alice"', "people: a name stands twice"),
        ('name = "bob"', 'nam = "bob"', "line 16: people.1.nam: there is no such setting"),
        ("[company]", "[company", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = GOOD.read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, text.replace(old, new)))
    assert told in str(caught.value)


PEOPLE = """
[[people]]
name = "carol"
needs_approval = true
role = "lead"
"""


@pytest.mark.parametrize(
    ("rule", "lead", "told"),
    [
        ("never", "", frozenset()),
        ("chosen", 'role = "lead"', {"carol"}),
        ("everyone", 'role = "lead"', {"alice"}),
        ("everyone", "", {"alice", "bob"}),
    ],
)
def test_whose_answers_are_approved(
    tmp_path: Path, rule: str, lead: str, told: frozenset[str]
) -> None:
    text = GOOD.read_text(encoding="utf-8")
    text = text.replace("threshold = 0.4", f'approval = "{rule}"')
    config = load(written(tmp_path, text.replace('name = "bob"', f'name = "bob"\n{lead}') + PEOPLE))
    assert config.needs_approval == told
    assert config.leads == (["bob", "carol"] if lead else ["carol"])


@pytest.mark.parametrize(("rule", "people"), [("everyone", ""), ("chosen", PEOPLE)])
def test_approval_needs_another_lead(tmp_path: Path, rule: str, people: str) -> None:
    text = GOOD.read_text(encoding="utf-8")
    text = text.replace("threshold = 0.4", f'approval = "{rule}"') + people
    with pytest.raises(ConfigError, match=r"line 10: desk\.approval: nobody can approve"):
        load(written(tmp_path, text))


def test_the_digest_goes_only_to_channels_that_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = '[company]\nname = "Acme"\n\n[digest]\nchannels = ["mail", "bosses"]\n'
    named = '[alerts]\npage = ["pager"]\nticket = ["mail"]\n'
    missing = (
        "line 5: digest.channels.1: there is no channel bosses; there are pager, mail. For another "
        "set MONITOR_CHANNEL_BOSSES_URL in the environment"
    )
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, text + named))
    assert missing in str(caught.value)
    with pytest.raises(ConfigError, match=r"no channel mail; \[alerts\] names none"):
        load(written(tmp_path, text))
    with pytest.raises(ConfigError, match=r"line 5: digest\.channels\.0: .*pattern"):
        load(written(tmp_path, text.replace("mail", "My mail")))
    monkeypatch.setenv("MONITOR_CHANNEL_BOSSES_URL", "json://bosses")
    config = load(written(tmp_path, text + named))
    assert config.digest.channels == ["mail", "bosses"]
    assert config.channels == {"bosses": "json://bosses"}


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    text = GOOD.read_text(encoding="utf-8")
    text = text.replace("threshold", "treshold").replace("Europe/Vienna", "Vienna")
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, text))
    assert str(caught.value).count("line ") == 2


def test_a_query_that_cannot_be_read_is_named_with_its_line(tmp_path: Path) -> None:
    text = GOOD.read_text(encoding="utf-8").replace('query = ""', 'query = "(acme"')
    with pytest.raises(ConfigError, match=r"line 27: sources.exports.query: .* \( without"):
        check_queries(load(written(tmp_path, text)))


def test_no_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="monitor init"):
        load(tmp_path / "config.toml")


@pytest.mark.parametrize(
    ("brand", "words"),
    [
        ("Acme", ["#acmefail"]),
        ('Acme "Power" & Söhne', ["acme app"]),
        ("アクメ", []),
        ("AND", ["OR"]),
    ],
)
def test_init_writes_a_file_that_loads_and_finds_the_brand(
    tmp_path: Path, brand: str, words: list[str]
) -> None:
    answers = Answers(brand, ["acmepower"], words, ["alice", "bob"])
    config = load(written(tmp_path, write_config(answers)))
    watches = check_queries(config)
    assert set(watches) == {"mastodon-tags", "bluesky-search"}
    query = compile_query(query_for(answers))
    for text in (f"I hate {brand}!", "hey @acmepower help", *words):
        assert query.match(text) is not None, text


def test_people_have_room_and_languages(tmp_path: Path) -> None:
    text = GOOD.read_text(encoding="utf-8")
    told = text.replace('name = "bob"', 'name = "bob"\ncapacity = 3\nlanguages = ["de", "en"]')
    config = load(written(tmp_path, told))
    assert config.people == ["alice", "bob"]
    bob, alice = config.desk_people["bob"], config.desk_people["alice"]
    assert (bob.capacity, bob.languages) == (3, ["de", "en"])
    assert (alice.capacity, alice.languages) == (20, [])
    assert not config.desk.auto_assign
    with pytest.raises(ConfigError, match="languages"):
        load(written(tmp_path, told.replace('"de"', '"Deutsch"')))
