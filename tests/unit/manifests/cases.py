"""Manifests that between them use every field we ever set; golden files, schemas and a real API server see them."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.unit.manifests.builders import (
    CLAUDE,
    EXEC,
    ORACLE,
    RELEASE,
    RUN,
    SETTINGS,
    batch_of,
    claude_with,
    instance,
    job_of,
    panel,
    run_spec,
)

from benchwarden.manifests.inputs import batch_inputs, pack, probe_input
from benchwarden.manifests.network import network_policy
from benchwarden.manifests.plan_object import plan_config_map
from benchwarden.manifests.probe import probe_job
from benchwarden.planning.plan import Plan, TrialKey
from benchwarden.suites.instance import InstanceResources

_BUCKET: Final[dict[str, Any]] = {
    "s3": {
        "url": "s3://bench/nightly",
        "endpointUrl": "http://storage.storage.svc:9000",
        "credentials": {"name": "storage"},
    }
}
_EVERYTHING: Final[dict[str, Any]] = {
    "podSecurity": "restricted",
    "queueName": "team-a",
    "resources": {
        "requests": {"cpu": 1, "memory": "2Gi", "ephemeralStorage": "4Gi"},
        "limits": {"cpu": "2", "memory": "6Gi", "ephemeralStorage": "10Gi"},
    },
    "nodeSelector": {"pool": "bench"},
    "nodeAffinity": {
        "required": [{"key": "disk", "operator": "In", "values": ["ssd"]}],
        "preferred": [{"weight": 10, "expressions": [{"key": "spot", "operator": "Exists"}]}],
    },
    "tolerations": [{"key": "bench", "operator": "Exists", "effect": "NoSchedule"}],
    "runtimeClassName": "gvisor",
    "priorityClassName": "benchmarks",
    "imagePullSecrets": [{"name": "mirror"}],
    "imagePullPolicy": "Always",
    "imageRewrites": [{"prefix": "localhost/", "replacement": "mirror.internal/"}],
    "env": [
        {"name": "HTTPS_PROXY", "value": "http://proxy.net.svc:3128"},
        {"name": "PROXY_TOKEN", "secretKeyRef": {"name": "proxy", "key": "token"}},
    ],
    "caBundle": {"configMap": {"name": "ca", "key": "root.pem"}},
    "networkPolicy": {
        "allowedEgress": [
            {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"], "ports": [{"port": 443}]},
            {
                "namespaceSelector": {
                    "matchExpressions": [{"key": "team", "operator": "In", "values": ["a"]}]
                },
                "podSelector": {"matchLabels": {"app": "registry"}},
                "ports": [{"port": 5000, "endPort": 5010}],
            },
        ]
    },
}
_CLAUDE_EVERYTHING: Final = claude_with(
    version="latest",
    userConfig={"configMap": {"name": "team-claude"}},
    env=[{"name": "EXTRA_TOKEN", "secretKeyRef": {"name": "extra", "key": "token"}}],
)
_CACHED: Final = claude_with(version="latest", delivery="volume", cacheClaim="claude-code")
_HUNGRY: Final = InstanceResources(memory_limit="12Gi", memory_request="4Gi", cpu_request="2")
_GATEWAY: Final = claude_with(
    baseUrl="http://gateway.llm.svc:8080/runs/1", credentials={"mode": "gateway"}
)


def _inputs() -> list[dict[str, Any]]:
    one = instance()
    inputs = pack(run_spec(ORACLE), batch_of(one), panel(one), SETTINGS)
    return list(batch_inputs(RUN, inputs, "nightly-0", "job-uid"))


def _policy(spec: Any) -> dict[str, Any]:
    policy = network_policy(RUN, spec, SETTINGS)
    assert policy is not None
    return policy


def _all_set() -> Any:
    suite = {"swebench": {"variant": "verified"}}
    return run_spec(_CLAUDE_EVERYTHING, suite, execution=_EVERYTHING, cleanupPolicy="Never")


SPECS: Final = (run_spec(ORACLE), run_spec(CLAUDE), run_spec(EXEC), run_spec(_GATEWAY), _all_set())
# Name: manifest. Those without archives in them are golden: other builds of zlib pack other bytes.
GOLDEN: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    "batch-job-oracle": lambda: job_of(run_spec(ORACLE), instance("calc-1"), instance("calc-2")),
    "batch-job-claude-code": lambda: job_of(run_spec(CLAUDE), instance("calc-1")),
    "batch-job-exec": lambda: job_of(run_spec(EXEC), instance("calc-1")),
    "batch-job-artifacts-volume": lambda: job_of(
        run_spec(artifacts={"persistentVolumeClaim": {"claimName": "kept"}}), instance("calc-1")
    ),
    "batch-job-artifacts-bucket": lambda: job_of(
        run_spec(CLAUDE, artifacts=_BUCKET), instance("calc-1")
    ),
    "batch-job-everything": lambda: job_of(_all_set(), instance("calc-1", resources=_HUNGRY)),
    "batch-job-cli-volume": lambda: job_of(run_spec(_CACHED), instance("calc-1"), release=RELEASE),
    "probe-job-cli-volume": lambda: probe_job(RUN, run_spec(_CACHED), SETTINGS, 1, RELEASE),
    "probe-job-claude-code": lambda: probe_job(RUN, run_spec(CLAUDE), SETTINGS, 1),
    "probe-job-everything": lambda: probe_job(RUN, _all_set(), SETTINGS, 2),
    "network-policy-oracle": lambda: _policy(run_spec(ORACLE)),
    "network-policy-claude-code": lambda: _policy(run_spec(CLAUDE)),
    "network-policy-gateway": lambda: _policy(run_spec(_GATEWAY)),
    "network-policy-everything": lambda: _policy(_all_set()),
}
PACKED: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    "batch-of-twelve": lambda: job_of(
        run_spec(CLAUDE), *(instance(f"calc-{number}") for number in range(12))
    ),
    "batch-input": lambda: _inputs()[0],
    "probe-input": lambda: probe_input(RUN, run_spec(CLAUDE), SETTINGS, "nightly-probe"),
    "plan": lambda: plan_config_map(RUN, Plan("0" * 64, ((TrialKey("calc-1", 0),),))),
}
ALL: Final = {**GOLDEN, **PACKED}
