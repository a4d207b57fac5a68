from collections.abc import AsyncIterator

import pytest
from tests.contract.fake_api import FakeApi, serving


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
async def api() -> AsyncIterator[FakeApi]:
    async with serving() as running:
        yield running
