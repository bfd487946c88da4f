"""A thread of Bluesky: a tree of views, some of which stand for what is deleted or blocked."""

from typing import Any

from connectors.base import RequestError, RetryableError
from connectors.bluesky_session import error_name
from connectors.http import Http

Item = dict[str, Any]

DEPTH = 100
"""Answers to answers that are asked for; the server gives 6 unless told, and never over 1,000."""


def whole_thread(visitor: Http, uri: str, root: str) -> list[Item]:
    """The post views of a thread, each once; none where the network no longer shows `uri`.

    It is asked for from its first post on, which brings what stands beside `uri`. Where the first
    post is gone, or the tree was cut before `uri`, it is asked for from there. Raises
    `ConnectorError`.
    """
    views = _ask(visitor, root, 0)
    if uri not in views:
        near = _ask(visitor, uri, DEPTH) if uri != root else {}
        if uri not in near:
            return []
        views |= near
    return list(views.values())


def is_gone(visitor: Http, uri: str) -> bool:
    """Whether the network has this post no longer. Raises `ConnectorError`."""
    found = visitor.get("/xrpc/app.bsky.feed.getPosts", params={"uris": uri}).json()
    posts = found.get("posts") if isinstance(found, dict) else None
    if not isinstance(posts, list):
        raise RetryableError("Bluesky sent no list of posts.")
    return not posts


def _ask(visitor: Http, uri: str, height: int) -> dict[str, Item]:
    params: dict[str, str | int] = {"uri": uri, "depth": DEPTH, "parentHeight": height}
    try:
        told = visitor.get("/xrpc/app.bsky.feed.getPostThread", params=params).json()
    except RequestError as error:
        if error_name(error) != "NotFound":
            raise
        return {}
    top = told.get("thread") if isinstance(told, dict) else None
    if not isinstance(top, dict):
        raise RetryableError("Bluesky sent no thread.")
    return _views(top)


def _views(top: Item) -> dict[str, Item]:
    """The posts of a tree by their uri. A node without a post was deleted, or blocks us."""
    views: dict[str, Item] = {}
    nodes: list[Any] = [top]
    while nodes:
        node = nodes.pop()
        if not isinstance(node, dict):
            continue
        post = node.get("post")
        if isinstance(post, dict) and isinstance(post.get("uri"), str):
            views.setdefault(post["uri"], post)
        replies = node.get("replies")
        nodes += [node.get("parent"), *(replies if isinstance(replies, list) else ())]
    return views
