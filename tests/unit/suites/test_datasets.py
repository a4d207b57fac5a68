"""Datasets of the Hugging Face hub: an optional package behind one method."""

import sys
from types import ModuleType
from typing import Any

import pytest
from tests.unit.suites.rows import task_row

from benchwarden import names
from benchwarden.api.suite import SuiteSpec
from benchwarden.errors import BenchwardenError, InvalidInputError, UnavailableError
from benchwarden.suites.load import load_panel
from benchwarden.suites.sources import OutsideSources

SPEC = SuiteSpec.model_validate(
    {
        "tasks": {
            "source": {
                "dataset": {
                    "id": "team/tasks",
                    "revision": "v1",
                    "split": "eval",
                    "config": "small",
                }
            }
        }
    }
)


def no_config_maps(name: str, key: str) -> bytes:
    raise BenchwardenError(f"unexpected: {name}/{key}")


def hub(monkeypatch: pytest.MonkeyPatch, load_dataset: Any) -> None:
    """Put a package in the place of `datasets`, with the one function that is used."""
    package = ModuleType("datasets")
    package.load_dataset = load_dataset
    monkeypatch.setitem(sys.modules, "datasets", package)


def test_the_revision_split_and_configuration_of_the_spec_are_what_is_read(monkeypatch):
    asked: list[Any] = []

    def load_dataset(*words: Any, **options: Any) -> list[dict[str, Any]]:
        asked.append((words, options))
        return [task_row(id="b"), task_row(id="a", repo=None)]

    hub(monkeypatch, load_dataset)
    panel = load_panel(SPEC, OutsideSources(no_config_maps))
    assert [instance.id for instance in panel.instances] == ["a", "b"]
    assert panel.suite == "team/tasks"
    assert asked == [
        (("team/tasks", "small"), {"split": "eval", "revision": "v1", "streaming": True})
    ]


def test_without_the_package_the_extra_to_install_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InvalidInputError, match=r"benchwarden\[datasets\]") as caught:
        load_panel(SPEC, OutsideSources(no_config_maps))
    assert caught.value.reason == names.REASON_UNSUPPORTED
    assert caught.value.field == "spec.suite.tasks.source.dataset"


def test_a_hub_that_does_not_answer_is_unavailable(monkeypatch):
    def load_dataset(*words: Any, **options: Any) -> None:
        raise ConnectionError("no route to the hub")

    hub(monkeypatch, load_dataset)
    with pytest.raises(UnavailableError, match="team/tasks at v1: no route to the hub"):
        load_panel(SPEC, OutsideSources(no_config_maps))


def test_a_hub_that_fails_half_way_gives_no_half_panel(monkeypatch):
    def rows(*words: Any, **options: Any) -> Any:
        yield task_row()
        raise OSError("connection reset")

    hub(monkeypatch, rows)
    with pytest.raises(UnavailableError, match="connection reset"):
        load_panel(SPEC, OutsideSources(no_config_maps))
