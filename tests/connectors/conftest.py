"""Each test of a connector begins without a login."""

from collections.abc import Iterator

import pytest

from connectors.bluesky_session import forget_logins


@pytest.fixture(autouse=True)
def logged_out() -> Iterator[None]:
    """No login of an earlier test."""
    forget_logins()
    yield
    forget_logins()
