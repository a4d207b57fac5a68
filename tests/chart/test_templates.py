"""The chart as the real helm renders it, over a matrix of values."""

from __future__ import annotations

import json

import jsonschema
import kubernetes_validate
import pytest
import yaml
from tests.chart.generated import CHART

from benchwarden.api.crd import render_all
from benchwarden.manifests.install import (
    LEASE_PERMISSION,
    PERMISSIONS,
    Installation,
    objects,
    rule,
)

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("chart")]

NAMESPACE = "bench"
MONITORING = "monitoring.coreos.com/v1"
DIGEST = "sha256:" + "a" * 64
EVERYTHING = {
    "commonLabels": {"team": "platform"},
    "imageRegistry": "registry.example.com/team/",
    "imagePullSecrets": [{"name": "pull"}],
    "image": {"digest": DIGEST, "tag": "ignored", "pullPolicy": "Always"},
    "runner": {"image": {"repository": "benchwarden-claude", "tag": "2.1.330"}},
    "watchNamespaces": ["bench", "team-a"],
    "operator": {"mustFailAddress": "192.0.2.1:443"},
    "rbac": {"aggregateToUserRoles": True},
    "serviceAccount": {"annotations": {"a": "b"}},
    "podLabels": {"pod": "label"},
    "podAnnotations": {"pod": "annotation"},
    "priorityClassName": "high",
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "k", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "npmrc": {"existingSecret": "npm", "key": "npmrc"},
    "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
    "extraVolumes": [{"name": "ca", "configMap": {"name": "ca"}}],
    "extraVolumeMounts": [{"name": "ca", "mountPath": "/ca"}],
    "extraObjects": [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "of-{{ .Release.Name }}"},
        }
    ],
    "service": {"annotations": {"c": "d"}},
    "serviceMonitor": {"enabled": True, "additionalLabels": {"release": "stack"}},
    "podMonitor": {"enabled": True, "relabelings": [{"action": "labeldrop", "regex": "pod"}]},
    "prometheusRule": {
        "enabled": True,
        "additionalRuleLabels": {"team": "platform"},
        "runbookUrl": "https://wiki.example.com/",
        "overrides": {
            "BenchwardenImproved": {"enabled": False},
            "BenchwardenDegraded": {"severity": "warning", "keepFiringFor": "1h", "for": "5m"},
        },
    },
    "dashboard": {"enabled": True, "annotations": {"grafana_folder": "benchwarden"}},
    "grafanaAlerts": {"enabled": True, "datasourceUid": "P1809F7CD0C75ACF3", "folder": "agents"},
    "networkPolicy": {"enabled": True, "scrapeFrom": [{"namespaceSelector": {}}]},
}
MATRIX = {
    "defaults": {},
    "everything": EVERYTHING,
    "cluster-wide": {"clusterWide": True},
    "bare": {
        "crds": {"enabled": False},
        "rbac": {"create": False},
        "serviceAccount": {"create": False},
        "tests": {"enabled": False},
        "resources": {},
        "podSecurityContext": {"runAsUser": None},
    },
}


@pytest.fixture
def render(helm, tmp_path):
    """Objects that helm renders from values, by (kind, name, namespace)."""

    def rendered(values):
        done = rendering(helm, tmp_path, values)
        assert done.returncode == 0, done.stderr
        found = {}
        for each in yaml.safe_load_all(done.stdout):
            if each:
                meta = each["metadata"]
                key = (each["kind"], meta["name"], meta.get("namespace", ""))
                assert key not in found, f"{key} comes twice"
                found[key] = each
        return found

    return rendered


def rendering(helm, folder, values):
    path = folder / "values.json"
    path.write_text(json.dumps(values))
    return helm("template", "benchwarden", str(CHART), "-n", NAMESPACE, "-f", str(path))


def one(found, kind, name="benchwarden", namespace=NAMESPACE):
    return found[(kind, name, namespace)]


def operator(found):
    """Pod spec and container of the operator."""
    spec = one(found, "Deployment")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    return spec, container


def environment(found):
    return {each["name"]: each.get("value") for each in operator(found)[1]["env"]}


@pytest.mark.parametrize("title", MATRIX)
def test_helm_lint_has_no_complaint(helm, tmp_path, title):
    path = tmp_path / "values.json"
    path.write_text(json.dumps(MATRIX[title]))
    done = helm("lint", "--strict", str(CHART), "-n", NAMESPACE, "-f", str(path))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("title", MATRIX)
def test_every_object_is_one_that_kubernetes_knows(render, title):
    for each in render(MATRIX[title]).values():
        if each["apiVersion"] != MONITORING:
            kubernetes_validate.validate(each, "1.34", strict=True)


@pytest.mark.parametrize("title", MATRIX)
def test_every_object_has_the_usual_labels(render, title):
    for (kind, name, _), each in render(MATRIX[title]).items():
        if name == "of-benchwarden":
            continue
        labels = each["metadata"]["labels"]
        assert labels["app.kubernetes.io/name"] == "benchwarden", (kind, name)
        assert labels["app.kubernetes.io/instance"] == "benchwarden"
        assert labels["app.kubernetes.io/managed-by"] == "Helm"
        assert labels.items() >= MATRIX[title].get("commonLabels", {}).items()


def test_the_defaults_are_what_the_plain_manifests_install(render):
    found = render({})
    image = "benchwarden-operator:0.1.0"
    plain = {
        each["kind"]: each
        for each in objects(Installation(NAMESPACE, image, "benchwarden-runner:0.1.0"))
    }
    theirs = plain["Deployment"]["spec"]
    ours = one(found, "Deployment")["spec"]
    assert ours["strategy"] == theirs["strategy"]
    spec, container = operator(found)
    (plain_container,) = theirs["template"]["spec"]["containers"]
    asked = {each["name"]: each for each in container.pop("env")}
    for each in plain_container.pop("env"):
        assert asked[each["name"]] == each
    assert container == plain_container
    spec.pop("containers")
    theirs["template"]["spec"].pop("containers")
    assert spec == theirs["template"]["spec"]
    assert one(found, "Role")["rules"] == [rule(each) for each in PERMISSIONS]
    assert one(found, "Role", "benchwarden-lease")["rules"] == [rule(LEASE_PERMISSION)]
    assert {key[0] for key in found} == {
        *("CustomResourceDefinition", "ServiceAccount", "Role", "RoleBinding"),
        *("Deployment", "Service", "Pod", "Lease"),
    }


def test_the_definitions_are_the_generated_ones_and_are_kept(render):
    found = render({})
    for text in render_all().values():
        definition = yaml.safe_load(text)
        ours = one(found, "CustomResourceDefinition", definition["metadata"]["name"], "")
        assert ours["spec"] == definition["spec"]
        assert ours["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    for each in render({"crds": {"keep": False}}).values():
        assert "annotations" not in each["metadata"] or each["kind"] == "Pod"
    left = render({"crds": {"enabled": False}})
    assert not [key for key in left if key[0] == "CustomResourceDefinition"]


def test_named_namespaces_get_a_role_each_and_the_lease_stays_at_home(render):
    found = render({"watchNamespaces": ["team-a", "team-b"]})
    roles = {key[1:] for key in found if key[0] == "Role"}
    foreign = "benchwarden-bench"
    assert roles == {
        ("benchwarden-lease", NAMESPACE),
        (foreign, "team-a"),
        (foreign, "team-b"),
    }
    assert roles == {key[1:] for key in found if key[0] == "RoleBinding"}
    for name, namespace in roles:
        binding = one(found, "RoleBinding", name, namespace)
        assert binding["roleRef"]["name"] == name
        assert binding["subjects"] == [
            {"kind": "ServiceAccount", "name": "benchwarden", "namespace": NAMESPACE}
        ]
    assert environment(found)["BENCHWARDEN_NAMESPACES"] == "team-a,team-b"
    assert not [key for key in found if key[0].startswith("ClusterRole")]


def test_cluster_wide_means_a_cluster_role_and_no_list_of_namespaces(render):
    found = render({"clusterWide": True})
    role = one(found, "ClusterRole", "benchwarden-bench", "")
    assert role["rules"] == [rule(each) for each in PERMISSIONS]
    assert {key[1] for key in found if key[0] == "Role"} == {"benchwarden-lease"}
    assert environment(found)["BENCHWARDEN_NAMESPACES"] == ""


def test_cluster_wide_with_a_list_is_refused(helm, tmp_path):
    done = rendering(helm, tmp_path, {"clusterWide": True, "watchNamespaces": ["a"]})
    assert done.returncode != 0
    assert "clusterWide watches every namespace" in done.stderr


@pytest.mark.parametrize("typo", ["replicas", "watchnamespaces", "resource"])
def test_helm_refuses_a_typo(helm, tmp_path, typo):
    done = rendering(helm, tmp_path, {typo: 1})
    assert done.returncode != 0
    assert typo in done.stderr


def test_both_images_come_from_the_one_registry_and_a_digest_wins(render):
    found = render(EVERYTHING)
    image = f"registry.example.com/team/benchwarden-operator@{DIGEST}"
    spec, container = operator(found)
    assert container["image"] == image
    assert one(found, "Pod", "benchwarden-test")["spec"]["containers"][0]["image"] == image
    runner = environment(found)["BENCHWARDEN_RUNNER_IMAGE"]
    assert runner == "registry.example.com/team/benchwarden-claude:2.1.330"
    assert spec["imagePullSecrets"] == [{"name": "pull"}]


def test_what_is_given_for_the_pod_arrives_in_it(render):
    found = render(EVERYTHING)
    spec, container = operator(found)
    for name in ("priorityClassName", "nodeSelector", "tolerations", "affinity"):
        assert spec[name] == EVERYTHING[name]
    assert EVERYTHING["extraEnv"][0] in container["env"]
    assert EVERYTHING["extraVolumes"][0] in spec["volumes"]
    assert EVERYTHING["extraVolumeMounts"][0] in container["volumeMounts"]
    meta = one(found, "Deployment")["spec"]["template"]["metadata"]
    assert meta["annotations"] == {"pod": "annotation"}
    assert meta["labels"].items() >= {"pod": "label", "team": "platform"}.items()
    assert ("ConfigMap", "of-benchwarden", "") in found


def test_selectors_stay_the_same_whatever_the_labels_are(render):
    plain, full = render({}), render(EVERYTHING)
    selector = one(plain, "Deployment")["spec"]["selector"]["matchLabels"]
    assert one(full, "Deployment")["spec"]["selector"]["matchLabels"] == selector
    assert one(full, "Service")["spec"]["selector"] == selector
    pod = one(full, "Pod", "benchwarden-test")["metadata"]["labels"]
    assert not selector.items() <= pod.items()


@pytest.mark.parametrize("title", ["defaults", "everything", "cluster-wide"])
def test_pods_keep_to_the_restricted_standard(render, title):
    found = render(MATRIX[title])
    for spec in (operator(found)[0], one(found, "Pod", "benchwarden-test")["spec"]):
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_the_network_policy_holds_for_the_operator_and_lets_scrapes_in(render):
    found = render(EVERYTHING)
    policy = one(found, "NetworkPolicy")["spec"]
    pod = one(found, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"].items() <= pod.items()
    assert policy["ingress"] == [
        {
            "ports": [{"port": "metrics", "protocol": "TCP"}],
            "from": EVERYTHING["networkPolicy"]["scrapeFrom"],
        }
    ]
    ports = {each["port"] for rule in policy["egress"] for each in rule["ports"]}
    assert ports == {53, 443, 6443}


def test_a_null_takes_the_user_id_away_for_clusters_that_choose_it(render):
    spec, _ = operator(render(MATRIX["bare"]))
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def test_values_that_helm_accepts_fit_the_schema_of_the_editor_too():
    schema = json.loads((CHART / "values.schema.json").read_text())
    for values in (EVERYTHING, MATRIX["cluster-wide"]):
        jsonschema.validate(values, schema)
