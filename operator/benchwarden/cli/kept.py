"""Opens what a run kept, wherever that is: a folder here, a bucket, or a volume that only a pod can read."""

import base64
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from benchwarden import names
from benchwarden.cli.cluster import CommandError, Target, connected
from benchwarden.cli.completion import complete_run
from benchwarden.cli.stored import place
from benchwarden.errors import UnavailableError

if TYPE_CHECKING:
    from pathlib import Path

    from benchwarden.api.run import BenchmarkRunSpec
    from benchwarden.artifacts.shelf import Shelf
    from benchwarden.kube.desk import Desk
    from benchwarden.kube.reader import VolumeReader

RunArgument = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="A run of the cluster, or the folder of a local one.",
        autocompletion=complete_run,
    ),
]
EndpointOption = Annotated[
    str,
    typer.Option(
        "--endpoint-url",
        metavar="URL",
        help="Where the bucket is reached from here. [default: as the run says]",
    ),
]
ReaderImageOption = Annotated[
    str,
    typer.Option(
        help="Image of the pod that reads a volume: anything with sh, find, cat and sleep."
    ),
]
READER_IMAGE: Final = "busybox:1"
_READER_SECONDS: Final = 120.0


@contextmanager
def opened(text: str, endpoint_url: str, reader_image: str) -> "Iterator[Shelf]":
    """The shelf of a run, of the cluster or of a folder.

    Raises:
        CommandError: the run keeps nothing.
        UnavailableError: its storage cannot be reached or read from here.
    """
    named = place(text)
    try:
        if not isinstance(named, Target):
            yield _local(named)
            return
        with connected() as desk:
            run = desk.get(named.resource, named.name)
            with _of_cluster(desk, run, endpoint_url, reader_image) as shelf:
                yield shelf
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UnavailableError(f"artifacts of {text}: {error}") from error


def _local(folder: "Path") -> "Shelf":
    from benchwarden.artifacts.shelf import Shelf
    from benchwarden.artifacts.storage import FolderStorage
    from benchwarden.local.directory import DIRECTORY_TRIALS, FILE_RUN

    if not (folder / FILE_RUN).is_file():
        raise CommandError(f"{folder} is not a run's folder", names.EXIT_USAGE)
    trials = folder / DIRECTORY_TRIALS
    return Shelf(FolderStorage(trials), "", str(trials))


@contextmanager
def _of_cluster(
    desk: "Desk", run: Mapping[str, Any], endpoint_url: str, reader_image: str
) -> "Iterator[Shelf]":
    from benchwarden.api.parse import parse_run
    from benchwarden.artifacts.layout import run_folder
    from benchwarden.artifacts.shelf import Shelf
    from benchwarden.artifacts.storage import open_storage
    from benchwarden.manifests.uploader import destination

    meta, spec = run["metadata"], parse_run(run).spec
    where = destination(spec, volume="")
    folder = run_folder(meta["namespace"], meta["name"], meta["uid"])
    claim = spec.artifacts.persistent_volume_claim
    if where is None:
        raise CommandError(
            f"run/{meta['name']} keeps no artifacts: its spec.artifacts is none", names.EXIT_FAILED
        )
    if claim is None:
        from dataclasses import replace

        if endpoint_url:
            where = replace(where, endpoint_url=endpoint_url)
        storage = open_storage(where, {**os.environ, **_credentials(desk, spec)})
        yield Shelf(storage, folder, where.url)
        return
    from benchwarden.kube.reader import VolumeReader

    client = desk.ask(_itself)
    reader = VolumeReader(client, desk.namespace, claim.claim_name, reader_image)
    try:
        desk.ask(lambda _: reader.start(_READER_SECONDS))
        yield Shelf(_Volume(desk, reader, claim.path), folder, f"{claim.claim_name}:{claim.path}")
    finally:
        desk.ask(lambda _: reader.stop())


async def _itself(client: Any) -> Any:
    return client


class _Volume:
    """A volume as a storage that can only be read."""

    def __init__(self, desk: "Desk", reader: "VolumeReader", path: str) -> None:
        self._desk = desk
        self._reader = reader
        self._path = path

    def write(self, path: str, chunks: Iterable[bytes]) -> None:  # noqa: ARG002  # the interface
        """Never: the volume is mounted read-only."""
        raise PermissionError(path)

    def read(self, path: str) -> Iterator[bytes]:
        """See `benchwarden.artifacts.storage.Storage`."""
        yield self._desk.ask(lambda _: self._reader.read(f"{self._path}/{path}"))

    def list(self, prefix: str) -> list[str]:
        """See `benchwarden.artifacts.storage.Storage`."""
        return self._desk.ask(lambda _: self._reader.list(f"{self._path}/{prefix}"))


def _credentials(desk: "Desk", spec: "BenchmarkRunSpec") -> dict[str, str]:
    """Those of the user's environment, else those of the run's Secret, if the user may read it."""
    from benchwarden.kube.errors import ForbiddenError
    from benchwarden.kube.resources import SECRETS

    if os.environ.get(names.ENV_AWS_ACCESS_KEY_ID) or spec.artifacts.s3 is None:
        return {}
    try:
        secret = desk.find(SECRETS, spec.artifacts.s3.credentials.name)
    except ForbiddenError:
        return {}  # open_storage says what to set instead
    wanted = {
        *(names.ENV_AWS_ACCESS_KEY_ID, names.ENV_AWS_SECRET_ACCESS_KEY),
        *(names.ENV_AWS_SESSION_TOKEN, names.ENV_AWS_REGION),
    }
    data = (secret or {}).get("data") or {}
    return {name: base64.b64decode(data[name]).decode() for name in wanted if name in data}
