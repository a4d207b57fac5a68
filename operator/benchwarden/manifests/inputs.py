"""Input ConfigMaps: for each instance of a batch, archives that only the containers meant to see them mount.

A ConfigMap holds what fits into 900 KiB, so a batch has one or a few. What lies where is a function of the
batch's content alone: the Job and its ConfigMaps are made in separate calls and agree without talking.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from benchwarden import names
from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.errors import InvalidInputError
from benchwarden.manifests import documents
from benchwarden.manifests.archive import tar_gz
from benchwarden.manifests.metadata import job_owned_metadata, run_metadata
from benchwarden.manifests.naming import input_name
from benchwarden.manifests.settings import ManifestSettings, RunIdentity
from benchwarden.planning.plan import Batch
from benchwarden.suites.instance import Instance, ResultParser
from benchwarden_runner import protocol

_NAMED_IN_ERRORS: Final = 5


class Place(NamedTuple):
    """Where an archive of a batch is found."""

    shard: int
    key: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """A batch's archives, packed.

    Attributes:
        shards: data of each ConfigMap: archives by key.
        places: where the archive `names.INPUT_*` of the member at a position lies.
    """

    shards: tuple[Mapping[str, bytes], ...]
    places: Mapping[tuple[int, str], Place]


def batch_archives(
    spec: BenchmarkRunSpec,
    instance: Instance,
    settings: ManifestSettings,
    cli_version: str = "",
) -> dict[str, bytes]:
    """The archives of one instance by their names (names.INPUT_*); gold only for an oracle."""
    agent = documents.agent_document(
        spec,
        instance,
        cli_version=cli_version,
        must_fail_address=settings.must_fail_address,
        user_config=user_config_path(spec),
    )
    grade = documents.grade_document(spec, instance)
    archives = {
        names.INPUT_AGENT: tar_gz(documents.agent_files(agent, instance)),
        names.INPUT_GRADE: tar_gz(documents.grade_files(grade, instance)),
    }
    if spec.agent.kind == protocol.AGENT_ORACLE:
        archives[names.INPUT_GOLD] = tar_gz(documents.gold_files(instance))
    return archives


def user_config_path(spec: BenchmarkRunSpec) -> str:
    """Where the user's own agent configuration is mounted; empty if there is none."""
    claude = spec.agent.claude_code
    return names.MOUNT_USER_CONFIG if claude is not None and claude.user_config else ""


def pack(
    spec: BenchmarkRunSpec,
    batch: Batch,
    instances: Mapping[str, Instance],
    settings: ManifestSettings,
    cli_version: str = "",
) -> Inputs:
    """The archives of `batch` in as few ConfigMaps as first-fit finds; repeats of an instance share theirs."""
    shards: list[dict[str, bytes]] = []
    places: dict[tuple[int, str], Place] = {}
    first: dict[str, int] = {}
    for position, member in enumerate(batch.members):
        origin = first.setdefault(member.instance, position)
        if origin != position:
            shared = [(name, place) for (at, name), place in places.items() if at == origin]
            places.update({(position, name): place for name, place in shared})
            continue
        archives = batch_archives(spec, instances[member.instance], settings, cli_version)
        for name, content in archives.items():
            stem, _, extension = name.partition(".")
            key = f"{stem}-{position}.{extension}"
            places[position, name] = Place(_put(shards, key, content), key)
    return Inputs(tuple(shards), places)


def batch_inputs(
    run: RunIdentity, inputs: Inputs, job_name: str, job_uid: str
) -> tuple[dict[str, Any], ...]:
    """The ConfigMaps of a batch, owned by its Job."""
    return tuple(
        _config_map(
            job_owned_metadata(
                run, names.ROLE_INPUT, input_name(job_name, position), job_name, job_uid
            ),
            shard,
        )
        for position, shard in enumerate(inputs.shards)
    )


_NO_PARSER: Final = ResultParser(kind=protocol.PARSER_EXIT_CODE)


def probe_input(
    run: RunIdentity,
    spec: BenchmarkRunSpec,
    settings: ManifestSettings,
    probe_name: str,
    cli_version: str = "",
) -> dict[str, Any]:
    """The ConfigMap of a probe, owned by the run; create it before the probe's Job."""
    nothing = Instance(
        id="probe",
        image="",
        workdir="/",
        base_commit="",
        prompt="",
        test_command="",
        parser=_NO_PARSER,
        fail_to_pass=(),
    )
    document = documents.agent_document(
        spec,
        nothing,
        cli_version=cli_version,
        must_fail_address=settings.must_fail_address,
        user_config=user_config_path(spec),
    )
    archive = tar_gz(documents.agent_files(document, nothing))
    metadata = run_metadata(run, names.ROLE_INPUT, input_name(probe_name, 0))
    return _config_map(metadata, {names.INPUT_AGENT: archive})


def check_sizes(
    spec: BenchmarkRunSpec, instances: Iterable[Instance], settings: ManifestSettings
) -> None:
    """Refuse instances whose files fit into no ConfigMap, before anything is created.

    Raises:
        InvalidInputError: with reason InstanceTooLarge, naming the instances.
    """
    too_large = [instance.id for instance in instances if not _fits(spec, instance, settings)]
    if too_large:
        shown = ", ".join(too_large[:_NAMED_IN_ERRORS])
        more = len(too_large) - _NAMED_IN_ERRORS
        raise InvalidInputError(
            f"the files of {shown}{f' and {more} more' if more > 0 else ''} exceed"
            f" {names.INPUT_CONFIG_MAP_BYTES // 1024} KiB compressed; make them smaller, bring them with"
            " the image, or leave the instances out (selection.exclude)",
            reason=names.REASON_INSTANCE_TOO_LARGE,
            field="spec.suite",
        )


def _fits(spec: BenchmarkRunSpec, instance: Instance, settings: ManifestSettings) -> bool:
    raw = sum(
        len(text)
        for text in (
            instance.prompt,
            instance.gold_patch,
            instance.test_patch,
            instance.test_command,
            instance.setup_command,
            instance.parser.script,
            *instance.fail_to_pass,
            *instance.pass_to_pass,
            *(file.content for file in (*instance.test_files, *instance.scripts)),
        )
    )
    if raw < names.INPUT_CONFIG_MAP_BYTES // 8:  # far below the limit, whatever its characters
        return True
    archives = batch_archives(spec, instance, settings)
    return max(map(len, archives.values())) <= names.INPUT_CONFIG_MAP_BYTES


def _put(shards: list[dict[str, bytes]], key: str, content: bytes) -> int:
    """Number of the shard that `content` was put in: the first with room, else a new one."""
    for number, shard in enumerate(shards):
        if sum(map(len, shard.values())) + len(content) <= names.INPUT_CONFIG_MAP_BYTES:
            shard[key] = content
            return number
    shards.append({key: content})
    return len(shards) - 1


def _config_map(metadata: dict[str, Any], data: Mapping[str, bytes]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "immutable": True,
        "binaryData": {
            key: base64.b64encode(content).decode("ascii") for key, content in data.items()
        },
    }
