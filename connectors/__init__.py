"""Talks to networks. `CONNECTORS` lists every connector by the word used in config.toml."""

from connectors.base import Connector
from connectors.bluesky import Bluesky
from connectors.demo import Demo
from connectors.feed import Feed
from connectors.file import File
from connectors.mastodon import Mastodon

CONNECTORS: dict[str, type[Connector]] = {
    connector.name: connector for connector in (Bluesky, Demo, Feed, File, Mastodon)
}
