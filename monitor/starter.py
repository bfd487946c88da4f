"""Writes a first config.toml from a few answers: sources that need no key."""

import json
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Answers:
    """What `monitor init` asks."""

    brand: str
    handles: list[str]
    words: list[str]
    people: list[str]
    mastodon: str = "https://mastodon.social"


def query_for(answers: Answers) -> str:
    """The query that finds the brand, its handles and its other words."""
    terms = [answers.brand, *(f"@{handle}" for handle in answers.handles), *answers.words]
    return " OR ".join(dict.fromkeys(_term(term) for term in terms if term.strip()))


def write_config(answers: Answers) -> str:
    """The text of a config.toml that watches Mastodon and Bluesky without a key."""
    tags = [re.sub(r"\W", "", answers.brand).lower()]
    tags += [word.lstrip("#").lower() for word in answers.words if word.startswith("#")]
    people = "\n".join(f"[[people]]\nname = {_text(name)}" for name in answers.people)
    return f"""\
# Written by `monitor init`. README.md explains every setting. Secrets never stand here.

timezone = "UTC"

[company]
name = {_text(answers.brand)}
query = {_text(query_for(answers))}
accounts = {_list(answers.handles)}

{people}

[sources.mastodon-tags]
connector = "mastodon"
instance = {_text(answers.mastodon)}
hashtags = {_list(list(dict.fromkeys(tags)))}

[sources.bluesky-search]
connector = "bluesky"
search = {_text(answers.brand)}
"""


def _term(term: str) -> str:
    term = " ".join(term.replace('"', " ").split())
    plain = re.fullmatch(r"[@#]?\w+", term) and term not in ("AND", "OR", "NOT")
    return term if plain else f'"{term}"'


def _text(value: str) -> str:
    """A TOML string; JSON's escapes are a subset of TOML's."""
    return json.dumps(value, ensure_ascii=False)


def _list(values: list[str]) -> str:
    return "[" + ", ".join(_text(value) for value in values) + "]"
