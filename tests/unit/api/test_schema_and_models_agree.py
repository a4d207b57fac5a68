"""The generated schema and the models are two readings of one contract: neither may be stricter."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.bad_specs.corpus import a_run
from tests.unit.api.api_server import admit

from benchwarden.api.parse import parse_run
from benchwarden.errors import InvalidInputError

EVERYTHING: dict[str, Any] = {
    "suite": {
        "swebenchPro": {
            "source": {"dataset": {"id": "owner/name", "revision": "abc", "config": "default"}},
            "runScripts": {"url": "https://example.com/scripts.tgz", "sha256": "0" * 64},
        },
        "selection": {
            "include": ["a", "b"],
            "exclude": ["c"],
            "repos": ["owner/repo"],
            "languages": ["python"],
            "sample": {"size": 2, "seed": 3, "stratifyBy": "repo"},
            "quarantine": [{"id": "d", "reason": "flaky"}],
        },
    },
    "agent": {
        "claudeCode": {
            "version": "2.1.330",
            "model": "claude-sonnet-5-5",
            "effort": "high",
            "maxTurns": 100,
            "maxBudgetUsd": "2.5",
            "allowedTools": ["Bash", "Edit"],
            "extraArgs": ["--debug"],
            "env": [
                {"name": "A", "value": "x"},
                {"name": "B", "secretKeyRef": {"name": "s", "key": "k"}},
            ],
            "baseUrl": "http://gateway:8080",
            "credentials": {"mode": "direct", "authToken": {"name": "s", "key": "k"}},
            "maxRetries": 3,
            "appendSystemPrompt": "Be brief.",
            "userConfig": {"configMap": {"name": "mine"}},
            "includeIgnoredFiles": True,
        }
    },
    "execution": {
        "batchSize": 2,
        "parallelism": 3,
        "infraRetriesTotal": 9,
        "resources": {
            "requests": {"cpu": 1, "memory": "1Gi", "ephemeralStorage": "2Gi"},
            "limits": {"cpu": "2", "memory": "4Gi", "ephemeralStorage": "4Gi"},
        },
        "nodeSelector": {"pool": "batch"},
        "nodeAffinity": {
            "required": [{"key": "cores", "operator": "Gt", "values": ["8"]}],
            "preferred": [{"weight": 5, "expressions": [{"key": "ssd", "operator": "Exists"}]}],
        },
        "tolerations": [
            {"key": "batch", "operator": "Equal", "value": "yes", "effect": "NoSchedule"},
            {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30},
        ],
        "runtimeClassName": "gvisor",
        "priorityClassName": "low",
        "imagePullSecrets": [{"name": "registry"}],
        "imageRewrites": [{"prefix": "docker.io/", "replacement": "mirror:5000/hub/"}],
        "queueName": "batch",
        "podSecurity": "restricted",
        "networkPolicy": {
            "enabled": True,
            "allowedEgress": [
                {
                    "cidr": "10.0.0.0/8",
                    "except": ["10.1.0.0/16"],
                    "ports": [{"port": 80, "endPort": 90}],
                },
                {
                    "podSelector": {
                        "matchLabels": {"app": "gateway"},
                        "matchExpressions": [{"key": "tier", "operator": "In", "values": ["a"]}],
                    },
                    "namespaceSelector": {},
                },
            ],
        },
        "env": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
        "caBundle": {"configMap": {"name": "ca"}},
    },
    "budget": {"maxUsd": "100", "maxTokens": 10_000_000},
    "artifacts": {"s3": {"url": "s3://bucket/runs", "credentials": {"name": "s3"}}},
    "compareTo": {"configMap": {"name": "base", "key": "rows"}},
    "ttlSecondsAfterFinished": 60,
    "cleanupPolicy": "OnSuccess",
    "suspend": True,
    "cancel": False,
    "retry": 1,
}

WORDS = [
    "",
    "a",
    "-",
    "A b",
    "In",
    "Exists",
    "none",
    "direct",
    "gateway",
    "5",
    "0",
    "1Gi",
    "4GB",
    "/x",
    "x" * 300,
]
SCALARS = st.sampled_from(WORDS) | st.integers(-2, 20) | st.booleans()
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.just({}) | st.just([])
REMOVED = object()


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of everything in a spec."""
    if path:
        yield path
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in items:
        yield from paths(inner, (*path, key))


def changed(spec: Any, path: tuple[Any, ...], value: Any) -> Any:
    spec = copy.deepcopy(spec)
    parent = spec
    for key in path[:-1]:
        parent = parent[key]
    if value is REMOVED:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return spec


def parses(spec: Any) -> bool:
    try:
        parse_run(a_run(spec))
    except InvalidInputError:
        return False
    return True


def test_a_spec_with_almost_every_field_is_good() -> None:
    assert admit(EVERYTHING) == []
    assert parses(EVERYTHING)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(list(paths(EVERYTHING))), VALUES | st.just(REMOVED))
def test_the_models_refuse_exactly_what_the_schema_refuses(path: Any, value: Any) -> None:
    spec = changed(EVERYTHING, path, value)
    assert parses(spec) is (admit(spec) == []), (path, value)
