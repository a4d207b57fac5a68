"""The containers of our pods: one function each, from `inject` to `finish`."""

from collections.abc import Mapping
from typing import Any, Final

from benchwarden import names
from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.manifests import delivery, environment, isolation, resources, scheduling
from benchwarden.manifests.settings import ManifestSettings
from benchwarden.suites.instance import Instance
from benchwarden_runner.specs import CliRelease

RESTRICTED: Final = "restricted"
PROBE_MESSAGE_BYTES: Final = 4096
_PYTHON: Final = f"{names.MOUNT_TOOLS}/python"
_IN_INSTANCE: Final = (  # a Python that brings its own loader and libraries: the image needs neither
    f"{_PYTHON}/ld-linux",
    "--library-path",
    f"{_PYTHON}/lib",
    f"{_PYTHON}/bin/python3",
    "-I",
    f"{names.MOUNT_TOOLS}/app",
)
_IN_RUNNER: Final = ("python3", "-I", names.RUNNER_APP)
_PATHS: Final = {
    "input": names.MOUNT_INPUT,
    "work": names.MOUNT_WORK,
    "tools": names.MOUNT_TOOLS,
    "message": names.TERMINATION_MESSAGE_PATH,
}


def inject(
    spec: BenchmarkRunSpec, settings: ManifestSettings, release: CliRelease | None = None
) -> dict[str, Any]:
    """Fills `tools`, the only container that can; with a `release` it brings the CLI from a registry."""
    return {
        "name": names.CONTAINER_INJECT,
        **_runner_image(settings),
        "command": [
            *_IN_RUNNER,
            "inject",
            *_options("tools"),
            "--agent",
            spec.agent.kind,
            *delivery.arguments(spec, release),
        ],
        **delivery.environment(spec, release),
        "resources": resources.INJECT,
        "securityContext": isolation.runner_context(settings.runner_user),
        "volumeMounts": [
            isolation.tools_mount(read_only=False),
            isolation.shared_memory_mount(names.CONTAINER_INJECT),
            *delivery.mounts(spec, release),
        ],
    }


def agent(
    spec: BenchmarkRunSpec, instance: Instance, position: int, message_bytes: int
) -> dict[str, Any]:
    """Runs the agent in the instance's image; sees the prompt, never the tests."""
    name = f"{names.AGENT_PREFIX}{position}"
    return {
        "name": name,
        **_instance_image(spec, instance),
        "command": _instance_command("agent", message_bytes),
        "env": environment.agent_env(spec),
        "resources": resources.instance_resources(spec.execution.resources, instance.resources),
        "volumeMounts": [
            isolation.tools_mount(read_only=True),
            isolation.work_mount(position, read_only=False),
            _input_mount(name),
            *isolation.own_mounts(name),
            *environment.ca_mounts(spec),
            *environment.user_config_mounts(spec),
        ],
    }


def grade(
    spec: BenchmarkRunSpec, instance: Instance, position: int, message_bytes: int
) -> dict[str, Any]:
    """Grades in a fresh container of the same image; reads the patch, holds no credentials."""
    name = f"{names.GRADE_PREFIX}{position}"
    return {
        "name": name,
        **_instance_image(spec, instance),
        "command": _instance_command("grade", message_bytes),
        "env": environment.grade_env(spec),
        "resources": resources.instance_resources(spec.execution.resources, instance.resources),
        "volumeMounts": [
            isolation.tools_mount(read_only=True),
            isolation.work_mount(position, read_only=True),
            _input_mount(name),
            *isolation.own_mounts(name),
            *environment.ca_mounts(spec),
        ],
    }


def finish(settings: ManifestSettings, amounts: Mapping[str, Any]) -> dict[str, Any]:
    """Ends the pod; a pod needs a main container."""
    return {
        "name": names.CONTAINER_FINISH,
        **_runner_image(settings),
        "command": [*_IN_RUNNER, "finish"],
        "resources": amounts,
        "securityContext": isolation.runner_context(settings.runner_user),
        "volumeMounts": [
            isolation.tools_mount(read_only=True),
            *isolation.own_mounts(names.CONTAINER_FINISH),
        ],
    }


def probe(spec: BenchmarkRunSpec, settings: ManifestSettings) -> dict[str, Any]:
    """Checks CLI, credentials and model once, with what every agent will get."""
    name = names.CONTAINER_PROBE
    return {
        "name": name,
        **_runner_image(settings),
        "command": [
            *_IN_RUNNER,
            "probe",
            *_options("input", "tools", "message"),
            *_message_bytes(PROBE_MESSAGE_BYTES),
        ],
        "env": environment.agent_env(spec),
        "resources": resources.PROBE,
        "securityContext": isolation.runner_context(settings.runner_user),
        "volumeMounts": [
            isolation.tools_mount(read_only=True),
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108 - a mount point
            _input_mount(name),
            *isolation.own_mounts(name),
            *environment.ca_mounts(spec),
            *environment.user_config_mounts(spec),
        ],
    }


def _runner_image(settings: ManifestSettings) -> dict[str, Any]:
    return {
        "image": settings.runner_image,
        "imagePullPolicy": settings.runner_image_pull_policy,
        **_messages(),
    }


def _instance_image(spec: BenchmarkRunSpec, instance: Instance) -> dict[str, Any]:
    return {
        "image": scheduling.rewritten(instance.image, spec.execution.image_rewrites),
        "imagePullPolicy": spec.execution.image_pull_policy,
        **_messages(),
        "securityContext": isolation.instance_context(
            restricted=spec.execution.pod_security == RESTRICTED
        ),
        "workingDir": "/",
    }


def _messages() -> dict[str, Any]:
    """Never from the log: whoever writes the log would write the verdict."""
    return {
        "terminationMessagePath": names.TERMINATION_MESSAGE_PATH,
        "terminationMessagePolicy": "File",
    }


def _instance_command(word: str, message_bytes: int) -> list[str]:
    options = _options("input", "work", "tools", "message")
    return [*_IN_INSTANCE, word, *options, *_message_bytes(message_bytes)]


def _options(*options: str) -> list[str]:
    return [word for option in options for word in (f"--{option}", _PATHS[option])]


def _message_bytes(limit: int) -> list[str]:
    return ["--message-bytes", str(limit)]


def _input_mount(container: str) -> dict[str, Any]:
    return {
        "name": f"input-{container}",
        "mountPath": names.MOUNT_INPUT,
        "readOnly": True,
    }
