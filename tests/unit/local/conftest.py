from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.unit.local.builders import Ledger, Suite, request_of

from benchwarden.local.session import Result, run_locally


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path / "suite")


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def start(tmp_path: Path, ledger: Ledger) -> Callable[..., Any]:
    """Run a file of the suite; with the scripted runner unless told otherwise."""

    async def started(path: Path, **changes: Any) -> Result:
        request = request_of(path, **({"out": tmp_path / "out"} | changes))
        return await run_locally(request, ledger.listener(), lambda: datetime.now(UTC))

    return started
