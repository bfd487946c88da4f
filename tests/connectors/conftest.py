"""Each test of a connector begins without a login and leaves no connection open."""

from collections.abc import Iterator

import pytest

from connectors.bluesky_session import forget_logins
from tests.connectors.counterparts import close_opened


@pytest.fixture(autouse=True)
def alone() -> Iterator[None]:
    """No login of an earlier test, no connection for a later one."""
    forget_logins()
    yield
    forget_logins()
    close_opened()
