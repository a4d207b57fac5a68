"""What an installation consists of, from one source: permissions with their reasons, and the operator itself."""

from dataclasses import dataclass
from typing import Any

from benchwarden import names

APP = "benchwarden"
OPERATOR_UID = 65532


@dataclass(frozen=True, slots=True)
class Permission:
    """One line of the permission table.

    Attributes:
        seldom: verbs that an ordinary run or schedule does without, each with what it is for.
    """

    group: str
    resource: str
    verbs: tuple[str, ...]
    reason: str
    seldom: tuple[tuple[str, str], ...] = ()


PERMISSIONS = (
    Permission(
        names.GROUP,
        names.RUN_PLURAL,
        ("get", "list", "watch", "create", "patch", "delete"),
        "follow runs; start and cancel those of schedules; delete one when its ttlSecondsAfterFinished"
        " has passed or the history limits of its schedule say so",
        (
            ("get", "compareTo another run; after an error, whether the run is still there"),
            ("patch", "a run that its schedule replaces is cancelled; retry the missing of one"),
            ("delete", "ttlSecondsAfterFinished, history limits"),
        ),
    ),
    Permission(
        names.GROUP, f"{names.RUN_PLURAL}/status", ("patch",), "write conditions, counts and rates"
    ),
    Permission(
        names.GROUP,
        f"{names.RUN_PLURAL}/finalizers",
        ("update",),
        "set blockOwnerDeletion on what a run owns, where the cluster checks that",
        (("update", "never called: OwnerReferencesPermissionEnforcement asks for it"),),
    ),
    Permission(
        names.GROUP,
        names.SCHEDULE_PLURAL,
        ("get", "list", "watch"),
        "follow schedules",
        (("get", "after an error, whether the schedule is still there"),),
    ),
    Permission(
        names.GROUP,
        f"{names.SCHEDULE_PLURAL}/status",
        ("patch",),
        "write conditions and what the monitor says",
    ),
    Permission(
        "batch",
        "jobs",
        ("get", "list", "watch", "create", "delete"),
        "launch batches, adopt them after a restart, delete them once their results are stored",
        (("get", "a restart between a create and its answer"),),
    ),
    Permission("", "pods", ("list", "watch"), "read verdicts from container statuses"),
    Permission(
        "",
        "configmaps",
        ("get", "list", "create", "update", "delete"),
        "read suites; keep plans, inputs and result shards; add a day to a schedule's cells",
        (("delete", "merging the shards of a run that took longer than 30 s"),),
    ),
    Permission(
        "",
        "events",
        ("create", "patch", "list"),
        "tell what happened; learn why a pod was refused",
        (("patch", "an event that is told again"), ("list", "a Job without a pod")),
    ),
    Permission(
        "networking.k8s.io",
        "networkpolicies",
        ("get", "create"),
        "close the network of a run's pods",
        (("get", "a restart between a create and its answer"),),
    ),
)
LEASE_PERMISSION = Permission(
    "coordination.k8s.io",
    "leases",
    ("get", "create", "update"),
    "let one operator write at a time",
    (("create", "the first start in a namespace"),),
)


@dataclass(frozen=True, slots=True)
class Installation:
    """Where and from which images the operator is installed."""

    namespace: str
    operator_image: str
    runner_image: str
    image_pull_policy: str = "IfNotPresent"
    must_fail_address: str = ""


def objects(installation: Installation) -> list[dict[str, Any]]:
    """Service account, Role, RoleBinding, Deployment and Service of a namespaced installation."""
    return [
        _named("v1", "ServiceAccount", installation),
        {
            **_named("rbac.authorization.k8s.io/v1", "Role", installation),
            "rules": [rule(each) for each in (*PERMISSIONS, LEASE_PERMISSION)],
        },
        {
            **_named("rbac.authorization.k8s.io/v1", "RoleBinding", installation),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": APP},
            "subjects": [
                {"kind": "ServiceAccount", "name": APP, "namespace": installation.namespace}
            ],
        },
        _deployment(installation),
        _service(installation),
    ]


def rule(permission: Permission) -> dict[str, Any]:
    """A permission as an RBAC rule."""
    return {
        "apiGroups": [permission.group],
        "resources": [permission.resource],
        "verbs": list(permission.verbs),
    }


def _labels() -> dict[str, str]:
    return {"app.kubernetes.io/name": APP, names.LABEL_COMPONENT: "operator"}


def _named(api_version: str, kind: str, installation: Installation) -> dict[str, Any]:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": APP,
            "namespace": installation.namespace,
            "labels": {**_labels(), names.LABEL_PART_OF: APP},
        },
    }


def _deployment(installation: Installation) -> dict[str, Any]:
    return {
        **_named("apps/v1", "Deployment", installation),
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": _labels()},
            "template": {
                "metadata": {"labels": _labels()},
                "spec": {
                    "serviceAccountName": APP,
                    "terminationGracePeriodSeconds": 30,
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": OPERATOR_UID,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [_container(installation)],
                    "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}}],
                },
            },
        },
    }


def _container(installation: Installation) -> dict[str, Any]:
    return {
        "name": "operator",
        "image": installation.operator_image,
        "imagePullPolicy": installation.image_pull_policy,
        "args": ["operator"],
        "env": [
            {"name": names.ENV_RUNNER_IMAGE, "value": installation.runner_image},
            {"name": names.ENV_UPLOADER_IMAGE, "value": installation.operator_image},
            {"name": names.ENV_RUNNER_PULL_POLICY, "value": installation.image_pull_policy},
            {"name": names.ENV_NAMESPACES, "value": installation.namespace},
            {"name": names.ENV_MUST_FAIL_ADDRESS, "value": installation.must_fail_address},
            _field(names.ENV_POD_NAME, "metadata.name"),
            _field(names.ENV_POD_NAMESPACE, "metadata.namespace"),
        ],
        "ports": [{"name": "metrics", "containerPort": 8080}],
        "livenessProbe": {
            "httpGet": {"path": "/healthz", "port": "metrics"},
            "initialDelaySeconds": 20,
            "periodSeconds": 20,
        },
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "metrics"}, "periodSeconds": 5},
        "resources": {
            "requests": {"cpu": "100m", "memory": "192Mi"},
            "limits": {"memory": "512Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108  # in the container
    }


def _field(name: str, path: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def _service(installation: Installation) -> dict[str, Any]:
    return {
        **_named("v1", "Service", installation),
        "spec": {
            "selector": _labels(),
            "ports": [{"name": "metrics", "port": 8080, "targetPort": "metrics"}],
        },
    }
