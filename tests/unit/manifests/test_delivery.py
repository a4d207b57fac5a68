"""How pods come by a CLI that no image brings: `inject` fetches it, and nobody else is given the means."""

from typing import Any

from tests.unit.manifests.builders import (
    CLAUDE,
    ORACLE,
    RELEASE,
    RUN,
    SETTINGS,
    batch_of,
    claude_with,
    containers_of,
    instance,
    mount_of,
    panel,
    pod_of,
    run_spec,
    volume_of,
)

from benchwarden import names
from benchwarden.manifests.job import batch_job
from benchwarden.manifests.network import network_policy
from benchwarden.manifests.probe import probe_job
from benchwarden_runner.protocol import ENV_REGISTRY_CREDENTIALS
from benchwarden_runner.specs import CliBuild, CliRelease

VOLUME = claude_with(delivery="volume", cacheClaim="cli-cache")
PROXIES = {
    "env": [
        {"name": "HTTPS_PROXY", "secretKeyRef": {"name": "proxy", "key": "url"}},
        {"name": "no_proxy", "value": "10.0.0.0/8"},
        {"name": "OTHER", "value": "x"},
    ],
    "caBundle": {"configMap": {"name": "ca", "key": "root.pem"}},
}


def job(agent: Any, release: CliRelease | None = RELEASE, **execution: Any) -> dict[str, Any]:
    one = instance()
    spec = run_spec(agent, execution=execution)
    return batch_job(RUN, spec, batch_of(one), panel(one), SETTINGS, "2.1.330", release)


def probe(agent: Any, release: CliRelease | None = RELEASE, **execution: Any) -> dict[str, Any]:
    return probe_job(RUN, run_spec(agent, execution=execution), SETTINGS, 1, release)


def option(container: dict[str, Any], name: str) -> str:
    command: list[str] = container["command"]
    return command[command.index(name) + 1]


def test_inject_is_told_the_release_as_it_was_pinned() -> None:
    for manifest in (job(claude_with(version="latest")), probe(claude_with(version="latest"))):
        inject = containers_of(manifest)["inject"]
        assert CliRelease.from_json(option(inject, "--release")) == RELEASE
        assert option(inject, "--message") == names.TERMINATION_MESSAGE_PATH
        assert "--cache" not in inject["command"]


def test_with_a_cli_from_an_image_nothing_changes() -> None:
    inject = containers_of(job(CLAUDE, None))["inject"]
    assert "--release" not in inject["command"]
    assert "env" not in inject
    assert "fsGroup" not in pod_of(job(CLAUDE, None))["securityContext"]


def test_only_inject_mounts_the_cache_and_may_write_it() -> None:
    for manifest in (job(VOLUME), probe(VOLUME)):
        holders = {
            name: mount
            for name, container in containers_of(manifest).items()
            if (mount := mount_of(container, names.MOUNT_CACHE))
        }
        assert set(holders) == {"inject"}
        assert option(containers_of(manifest)["inject"], "--cache") == names.MOUNT_CACHE
        claim = volume_of(manifest, holders["inject"]["name"])["persistentVolumeClaim"]
        assert claim == {"claimName": "cli-cache"}
        assert pod_of(manifest)["securityContext"]["fsGroup"] == SETTINGS.runner_user


def test_inject_goes_the_users_way_out_and_gets_nothing_else_of_theirs() -> None:
    inject = containers_of(job(claude_with(version="latest"), **PROXIES))["inject"]
    given = {each["name"]: each for each in inject["env"]}
    assert given["HTTPS_PROXY"]["valueFrom"] == {"secretKeyRef": {"name": "proxy", "key": "url"}}
    assert given["no_proxy"]["value"] == "10.0.0.0/8"
    assert given["SSL_CERT_FILE"]["value"].startswith(names.MOUNT_CA)
    assert mount_of(inject, names.MOUNT_CA)
    assert set(given) == {"HTTPS_PROXY", "no_proxy", *names.CA_VARIABLES}


def test_the_registrys_credentials_are_a_reference_in_inject_alone() -> None:
    agent = claude_with(
        version="latest",
        registryUrl="https://npm.example.com/team",
        registryCredentials={"name": "npm", "key": "token"},
    )
    for manifest in (job(agent), probe(agent)):
        holders = {
            name: given
            for name, container in containers_of(manifest).items()
            for given in container.get("env", [])
            if given["name"] == ENV_REGISTRY_CREDENTIALS
        }
        assert set(holders) == {"inject"}
        reference = {"secretKeyRef": {"name": "npm", "key": "token"}}
        assert holders["inject"]["valueFrom"] == reference
        inject = containers_of(manifest)["inject"]
        assert option(inject, "--registry") == "https://npm.example.com/team"


def test_the_pods_deadline_grows_by_what_a_download_may_take() -> None:
    with_release, without = job(VOLUME), job(VOLUME, None)
    key = "activeDeadlineSeconds"
    assert pod_of(with_release)[key] - pod_of(without)[key] == 900


def test_the_policy_opens_a_registry_that_it_can_name_once() -> None:
    def rules(url: str) -> list[Any]:
        builds = tuple(
            CliBuild(name, "x64", f"{url}/{name}.tgz", "sha512-A")
            for name in ("claude-glibc", "claude-musl")
        )
        policy = network_policy(
            RUN,
            run_spec(claude_with(version="latest")),
            SETTINGS,
            CliRelease("2.1.330", builds),
        )
        closed = network_policy(RUN, run_spec(claude_with(version="latest")), SETTINGS)
        assert policy is not None
        assert closed is not None
        return [each for each in policy["spec"]["egress"] if each not in closed["spec"]["egress"]]

    (by_address,) = rules("http://10.1.2.3:4873")
    assert by_address["to"] == [{"ipBlock": {"cidr": "10.1.2.3/32"}}]
    assert by_address["ports"] == [{"port": 4873, "protocol": "TCP"}]
    (by_service,) = rules("http://verdaccio.tools.svc:4873")
    labels = {names.LABEL_NAMESPACE_NAME: "tools"}
    assert by_service["to"] == [{"namespaceSelector": {"matchLabels": labels}}]
    assert rules("https://npm.example.com") == []


def test_other_agents_have_no_release() -> None:
    inject = containers_of(job(ORACLE, None))["inject"]
    assert "--release" not in inject["command"]
