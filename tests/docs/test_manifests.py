"""Every piece of YAML and JSON in the documentation is one that its reader takes: API, chart, rules."""

import json
import re
from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest
import yaml
from tests.docs.known import chart
from tests.docs.pages import Block, blocks

from benchwarden import names
from benchwarden.api.parse import parse_run, parse_schedule

EXAMPLE_COMMIT = "0123456789012345678901234567890123456789"
RUN: dict[str, Any] = {
    "apiVersion": names.API_VERSION,
    "kind": names.RUN_KIND,
    "metadata": {"name": "documented"},
    "spec": {
        "suite": {"tasks": {"source": {"configMap": {"name": "suite"}}}},
        "agent": {"oracle": {}},
    },
}
SCHEDULE: dict[str, Any] = {
    **RUN,
    "kind": names.SCHEDULE_KIND,
    "spec": {"schedule": "30 3 * * *", "template": {"spec": RUN["spec"]}},
}
YAML_BLOCKS = [block for block in blocks() if block.language == "yaml" and block.not_run is None]
# What Kubernetes itself reads; the server-side dry run judges it.
FOREIGN = frozenset(
    {"Secret", "ConfigMap", "Namespace", "NetworkPolicy", "Service", "Pod", "Deployment"}
)


def documents(block: Block) -> list[dict[str, Any]]:
    text = re.sub(r"\bCOMMIT\b", EXAMPLE_COMMIT, block.text)
    return [each for each in yaml.safe_load_all(text) if each]


def whole(document: Mapping[str, Any]) -> dict[str, Any] | None:
    """A document of ours, completed with what a page leaves out; None if it is no object."""
    if "kind" in document:
        return dict(document)
    spec = document.get("spec", document)
    if not isinstance(spec, Mapping):
        return None
    run_fields, schedule_fields = fields(RUN), fields(SCHEDULE)
    if set(spec) <= run_fields and ("spec" in document or set(spec) - schedule_fields):
        return {**RUN, "spec": {**RUN["spec"], **merged(spec)}}
    if set(spec) <= schedule_fields:
        return {**SCHEDULE, "spec": {**SCHEDULE["spec"], **spec}}
    return None


def merged(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A part of a suite, such as its selection alone, keeps the rest of the plain one."""
    suite = spec.get("suite")
    if suite and not {"tasks", "swebench", "swebenchPro"} & set(suite):
        return {**spec, "suite": {**RUN["spec"]["suite"], **suite}}
    return dict(spec)


def fields(example: Mapping[str, Any]) -> set[str]:
    from tests.docs.known import definitions

    return set(definitions()[example["kind"]]["properties"]["spec"]["properties"])


def is_values(document: Mapping[str, Any]) -> bool:
    return set(document) <= set(chart()[0])


@pytest.mark.parametrize("block", YAML_BLOCKS, ids=lambda block: block.place)
def test_yaml_is_taken_by_whoever_reads_it(block):
    for document in documents(block):
        if document.get("kind") in FOREIGN or {"groups", "scrape_configs", "route"} & set(document):
            continue
        if "kind" not in document and "spec" not in document and is_values(document):
            jsonschema.validate(document, chart()[1])
            continue
        found = whole(document)
        assert found is not None, f"{block.place}: nobody here reads this: {list(document)}"
        parse = parse_run if found["kind"] == names.RUN_KIND else parse_schedule
        parse(found, strict=True)


def test_there_is_something_to_take():
    assert len(YAML_BLOCKS) > 8


def test_json_is_json():
    for block in blocks():
        if block.language == "json" and block.not_run is None:
            json.loads(block.text)


def test_what_nobody_reads_is_noticed():
    assert whole({"spec": {"suit": {}}}) is None
    assert whole({"voidDays": []})["kind"] == names.SCHEDULE_KIND
    assert whole({"spec": {"suite": {"selection": {}}}})["spec"]["suite"].keys() == {
        "tasks",
        "selection",
    }


@pytest.mark.cluster
def test_the_api_server_takes_every_manifest_too(kubectl, installed):
    items = []
    for number, block in enumerate(YAML_BLOCKS):
        for place, document in enumerate(documents(block)):
            is_foreign = document.get("kind") in FOREIGN
            if not is_foreign and ("spec" in document or not is_values(document)):
                found = whole(document)
                if found is not None and found.get("apiVersion", "").startswith(names.GROUP):
                    found["metadata"] = {"name": f"documented-{number}-{place}"}
                    items.append(found)
            elif is_foreign:
                items.append(document)
    assert len(items) > 8
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    answer = kubectl.run("apply", "--server-side", "--dry-run=server", "-f", "-", stdin=listed)
    assert len(answer.splitlines()) == len(items)
