"""Whole threads, and whether one post is gone, as Mastodon and Bluesky tell it."""

import json
from typing import Any

import httpx
import pytest

from connectors.base import ConnectorError, RetryableError
from tests.connectors.fake_bluesky import APPVIEW, FakeBluesky, failed, view
from tests.connectors.fake_mastodon import Instance, status

GONE = httpx.Response(404, json={"error": "Record not found"})


class Town(Instance):
    """A server that shows threads: `ancestors`, and the whole tree below as `descendants`."""

    def answer(self, request: httpx.Request) -> httpx.Response:
        """One status, or what stands above and below it."""
        self.requests.append(request)
        parts = request.url.path.removeprefix("/api/v1/statuses/").split("/")
        by_id = {each["id"]: each for each in self.statuses if "id" in each}
        if parts[0] not in by_id:
            return GONE
        if parts[-1] != "context":
            return self.json(by_id[parts[0]])
        above: list[Any] = []
        parent = by_id[parts[0]].get("in_reply_to_id")
        while parent in by_id:
            above.insert(0, by_id[parent])
            parent = by_id[parent].get("in_reply_to_id")
        below: list[Any] = []
        known = {parts[0]}
        for each in self.statuses:
            if each.get("in_reply_to_id") in known or "id" not in each:
                below.append(each)
                known.add(str(each.get("id")))
        return self.json({"ancestors": above, "descendants": below})


def below(number: int, parent: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A status that answers another."""
    return status(number, in_reply_to_id=parent["id"], **changes)


def ref_of(made: dict[str, Any]) -> str:
    """How the connector names a status to itself."""
    return json.dumps({"id": made["id"], "acct": "ana"})


class TestMastodon:
    def test_parent_siblings_and_what_came_later(self) -> None:
        root = status(1)
        complaint = below(2, root)
        town = Town(root, complaint, below(3, root), below(4, complaint))
        told = town.connect().thread(ref_of(complaint))
        uris = [each["uri"] for each in town.statuses]
        assert sorted(post.external_id for post in told) == uris
        assert {post.thread for post in told} == {None, root["uri"]}
        by_uri = {post.external_id: post for post in told}
        assert [by_uri[uri].reply_to for uri in uris] == [None, uris[0], uris[0], uris[1]]

    def test_private_posts_are_dropped_and_malformed_ones_skipped(self) -> None:
        root = status(1)
        hidden = below(2, root, visibility="private")
        town = Town(
            root, hidden, below(3, root, account=None), {"content": "no id"}, below(4, hidden)
        )
        told = town.connect().thread(ref_of(root))
        assert [post.text for post in told] == ["Acme is down: 1", "Acme is down: 4"]

    def test_a_thread_whose_top_the_server_lacks(self) -> None:
        orphan = status(2, in_reply_to_id="1")
        town = Town(orphan, below(3, orphan))
        told = town.connect().thread(ref_of(orphan))
        assert [(post.reply_to, post.thread) for post in told] == [
            (None, None),
            (orphan["uri"], orphan["uri"]),
        ]

    def test_a_server_that_tells_only_the_next_step(self) -> None:
        """As snac does; one that counts answers nobody sees is not asked without end."""

        class Near(Town):
            def answer(self, request: httpx.Request) -> httpx.Response:
                told = super().answer(request)
                if not request.url.path.endswith("/context"):
                    return told
                body = told.json()
                asked = request.url.path.split("/")[4]
                near = [each for each in body["descendants"] if each["in_reply_to_id"] == asked]
                return self.json({**body, "descendants": near})

        root = status(1, replies_count=1)
        ours = below(2, root, replies_count=1)
        town = Near(root, ours, below(3, ours, replies_count=7))
        assert len(town.connect().thread(ref_of(root))) == 3
        hidden = [below(number, root, replies_count=1) for number in range(2, 40)]
        crowd = Near(root, *hidden)
        assert len(crowd.connect().thread(ref_of(root))) == 39
        assert crowd.asked("/context") == 6

    def test_a_circle_ends(self) -> None:
        one = status(1, in_reply_to_id=status(2)["id"])
        town = Town(below(2, one), one)
        town.answers = {}
        instance = Instance()
        instance.answers = {
            "/context": instance.json({"ancestors": [], "descendants": town.statuses}),
            "/api/v1/statuses": instance.json(one),
        }
        assert len(instance.connect().thread(ref_of(one))) == 2

    def test_what_is_gone(self) -> None:
        town = Town(status(1))
        connector = town.connect()
        assert connector.can_thread
        assert connector.thread(ref_of(status(9))) == []
        assert connector.is_gone(ref_of(status(9)))
        assert not connector.is_gone(ref_of(status(1)))

    @pytest.mark.parametrize("code", [401, 429, 500, 503])
    def test_an_error_is_no_proof_of_absence(self, code: int) -> None:
        instance = Instance()
        instance.answers["/statuses"] = httpx.Response(code, content=b"<html>")
        with pytest.raises(ConnectorError):
            instance.connect().is_gone(ref_of(status(1)))
        with pytest.raises(ConnectorError):
            instance.connect().thread(ref_of(status(1)))

    @pytest.mark.parametrize("body", ["[]", "{}", "null", '{"ancestors": 3, "descendants": []}'])
    def test_a_strange_thread(self, body: str) -> None:
        instance = Instance()
        instance.answers = {
            "/context": httpx.Response(200, content=body),
            "/api/v1/statuses": instance.json(status(1)),
        }
        with pytest.raises(RetryableError):
            instance.connect().thread(ref_of(status(1)))


def named(made: dict[str, Any]) -> dict[str, str]:
    """A strong reference to a record."""
    return {"uri": made["uri"], "cid": made["cid"]}


def answer_to(number: int, parent: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    """A view that answers another."""
    return view(number, reply={"parent": named(parent), "root": named(root)})


def node(post: dict[str, Any], *replies: Any, parent: Any = None) -> dict[str, Any]:
    """A node of a thread as the AppView gives it."""
    made: dict[str, Any] = {"$type": "app.bsky.feed.defs#threadViewPost", "post": post}
    made["replies"] = list(replies)
    return {**made, "parent": parent} if parent else made


def missing(uri: str, kind: str = "notFound") -> dict[str, Any]:
    """Stands for a post that is deleted, or whose author blocks us."""
    return {"$type": f"app.bsky.feed.defs#{kind}Post", "uri": uri, kind: True}


ROOT = view(1)
COMPLAINT = answer_to(2, ROOT, ROOT)
SIBLING = answer_to(3, ROOT, ROOT)
LATER = answer_to(4, COMPLAINT, ROOT)
REF = json.dumps({**named(COMPLAINT), "root": named(ROOT)})


def shows(network: FakeBluesky, thread: Any) -> None:
    """What the AppView answers for the thread."""
    network.answers["getPostThread"] = httpx.Response(200, json={"thread": thread})


class TestBluesky:
    def test_parent_siblings_and_what_came_later(self) -> None:
        network = FakeBluesky()
        shows(network, node(ROOT, node(COMPLAINT, node(LATER)), node(SIBLING)))
        told = network.connect().thread(REF)
        assert {post.external_id for post in told} == {
            each["uri"] for each in (ROOT, COMPLAINT, SIBLING, LATER)
        }
        assert {post.thread for post in told} == {None, ROOT["uri"]}
        (request,) = network.requests
        assert request.url.host == APPVIEW
        assert request.url.params["uri"] == ROOT["uri"]
        assert int(request.url.params["depth"]) > 6

    def test_deleted_blocked_hidden_and_malformed_ones_are_left_out(self) -> None:
        network = FakeBluesky()
        hidden = {**SIBLING, "labels": [{"val": "!no-unauthenticated"}]}
        strange = node({"uri": "at://did:plc:x/app.bsky.feed.post/1"})
        nodes = [node(hidden), missing("at://a"), missing("at://b", "blocked"), strange, None]
        shows(network, node(ROOT, node(COMPLAINT), *nodes))
        told = network.connect().thread(REF)
        assert {post.external_id for post in told} == {ROOT["uri"], COMPLAINT["uri"]}

    def test_where_the_first_post_is_gone_it_is_asked_from_ours(self) -> None:
        network = FakeBluesky()
        network.once["getPostThread"] = failed(400, "NotFound", "Post not found")
        shows(network, node(COMPLAINT, node(LATER), parent=missing(ROOT["uri"])))
        told = network.connect().thread(REF)
        assert {post.external_id for post in told} == {COMPLAINT["uri"], LATER["uri"]}
        assert network.requests[-1].url.params["uri"] == COMPLAINT["uri"]

    def test_what_is_gone(self) -> None:
        network = FakeBluesky()
        network.answers["getPostThread"] = failed(400, "NotFound", "Post not found")
        network.answers["getPosts"] = httpx.Response(200, json={"posts": []})
        connector = network.connect()
        assert connector.can_thread
        assert connector.thread(REF) == []
        assert connector.is_gone(REF)
        network.answers["getPosts"] = httpx.Response(200, json={"posts": [COMPLAINT]})
        assert not connector.is_gone(REF)

    @pytest.mark.parametrize(
        "body", ["[]", "{}", "null", '{"thread": 3}', '{"posts": 3}', "<html>"]
    )
    def test_a_strange_answer_is_no_proof_of_absence(self, body: str) -> None:
        network = FakeBluesky()
        for method in ("getPostThread", "getPosts"):
            network.answers[method] = httpx.Response(200, content=body)
        with pytest.raises(RetryableError):
            network.connect().thread(REF)
        with pytest.raises(RetryableError):
            network.connect().is_gone(REF)
