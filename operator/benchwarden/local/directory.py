"""A run's directory is its memory: identity, frozen plan, results and status, each written so that a crash loses none.

```
OUT/run.json       identity and digest of the spec; a directory belongs to one run for ever
OUT/cli.json       what `latest` meant when this run began
OUT/plan.json      what the run consists of
OUT/results.jsonl  one row a line, appended and synced
OUT/status.json    the status as the cluster's object would have it
OUT/trials/        transcript, patch and logs of every launch
OUT/scratch.path   where the work trees of running batches lie
```

Work trees lie outside, in the system's folder for temporary files: test tools look for their configuration in
all folders above, and must not find that of the project in which the user happens to stand.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from benchwarden.api.run import BenchmarkRunSpec
from benchwarden.artifacts.layout import launch_folder
from benchwarden.errors import ConflictError, InvalidInputError
from benchwarden.names import REASON_INVALID_SPEC
from benchwarden.planning.plan import Member, Plan, TrialKey
from benchwarden.results import shards
from benchwarden.results.row import Row

FILE_RUN: Final = "run.json"
FILE_PLAN: Final = "plan.json"
FILE_RESULTS: Final = "results.jsonl"
FILE_CLI: Final = "cli.json"
FILE_STATUS: Final = "status.json"
FILE_REPORT: Final = "report.html"
FILE_REPORT_DATA: Final = "report.json"
DIRECTORY_TRIALS: Final = "trials"
FILE_SCRATCH: Final = "scratch.path"

_MUTABLE: Final = frozenset({"suspend", "cancel", "retry"})


@dataclass(frozen=True, slots=True)
class Identity:
    """Which run a directory belongs to."""

    name: str
    uid: str
    created_at: datetime
    spec_sha256: str


class RunDirectory:
    """Reads and writes one run's directory; hold it open for the whole run."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._lock: int | None = None

    @property
    def results(self) -> Path:
        """The file with all rows."""
        return self.root / FILE_RESULTS

    @property
    def trials(self) -> Path:
        """The folder with the files of all launches."""
        return self.root / DIRECTORY_TRIALS

    def fresh_scratch(self) -> Path:
        """Make the folder for work trees, after removing what a killed predecessor left."""
        self.remove_scratch()
        scratch = Path(tempfile.mkdtemp(prefix="benchwarden-"))
        _replace(self.root / FILE_SCRATCH, str(scratch))
        return scratch

    def remove_scratch(self) -> None:
        """Remove the folder for work trees, if there is one."""
        pointer = self.root / FILE_SCRATCH
        with suppress(FileNotFoundError, ValueError):  # none, or half written by a crash
            scratch = Path(json.loads(pointer.read_bytes()))
            if scratch.name.startswith("benchwarden-"):
                remove_tree(scratch)
            pointer.unlink()

    def trial(self, member: Member) -> Path:
        """Where the files of one launch are kept; ids become safe, distinct folder names."""
        return self.trials / launch_folder(member)

    def open(self, name: str, spec: BenchmarkRunSpec, now: datetime) -> Identity:
        """Take the directory for this run, or take it up again.

        Raises:
            ConflictError: another process works in it.
            InvalidInputError: it belongs to another run.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        self._take()
        try:
            return self._identify(name, spec, now)
        except BaseException:  # raised again
            self.close()
            raise

    def close(self) -> None:
        """Let go of the directory."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def read_plan(self) -> Plan | None:
        """The plan, or None while there is none."""
        try:
            data = json.loads((self.root / FILE_PLAN).read_bytes())
        except FileNotFoundError:
            return None
        return Plan(
            panel_digest=data["panelDigest"],
            groups=tuple(tuple(TrialKey(*key) for key in group) for group in data["groups"]),
            agent=tuple((name, value) for name, value in data["agent"]),
        )

    def write_plan(self, plan: Plan) -> None:
        """Freeze the plan."""
        data = {"panelDigest": plan.panel_digest, "groups": plan.groups, "agent": plan.agent}
        _replace(self.root / FILE_PLAN, data)

    def pinned_version(self, resolve: Callable[[], str]) -> str:
        """The agent CLI's version of this run: what `resolve` said when it was first asked."""
        place = self.root / FILE_CLI
        with suppress(FileNotFoundError):  # first time: asked below
            return str(json.loads(place.read_bytes()))
        version = resolve()
        _replace(place, version)
        return version

    def read_status(self) -> dict[str, Any]:
        """The status as written last."""
        try:
            status: dict[str, Any] = json.loads((self.root / FILE_STATUS).read_bytes())
        except FileNotFoundError:
            return {}
        return status

    def write_status(self, status: Mapping[str, Any]) -> None:
        """Replace the status."""
        _replace(self.root / FILE_STATUS, status)

    def read_rows(self) -> list[Row]:
        """All rows; a last line that a crash cut short is removed for good."""
        return read_rows(self.results, mend=True)

    def append_rows(self, rows: Sequence[Row]) -> None:
        """Make rows durable: they are on disk when this returns."""
        with self.results.open("ab") as file:
            file.write(shards.lines(rows))
            file.flush()
            os.fsync(file.fileno())

    def _identify(self, name: str, spec: BenchmarkRunSpec, now: datetime) -> Identity:
        digest = spec_digest(spec)
        try:
            known = _identity(json.loads((self.root / FILE_RUN).read_bytes()))
        except FileNotFoundError:
            identity = Identity(name, str(uuid.uuid4()), now, digest)
            _replace(self.root / FILE_RUN, _identity_json(identity))
            return identity
        except (ValueError, KeyError, TypeError) as error:
            raise self._refusal(f"its {FILE_RUN} cannot be read ({error})") from error
        if (known.name, known.spec_sha256) != (name, digest):
            what = "run" if known.name != name else "spec"
            raise self._refusal(f"it holds results of another {what}")
        return known

    def _take(self) -> None:
        self._lock = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self.close()
            raise ConflictError(
                f"{self.root} is in use by another benchwarden; wait for it or choose another --out"
            ) from error

    def _refusal(self, why: str) -> InvalidInputError:
        return InvalidInputError(
            f"{self.root}: {why}; choose another directory or delete this one",
            reason=REASON_INVALID_SPEC,
            field="--out",
        )


def read_rows(path: Path, *, mend: bool = False) -> list[Row]:
    """Rows of a results file, none if it does not exist; an unfinished last line is left out.

    Args:
        path: JSON lines as a run directory holds them.
        mend: cut the unfinished line off the file, so that appending is safe.

    Raises:
        InvalidInputError: a finished line is not a row.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    whole = data[: data.rfind(b"\n") + 1]
    if mend and len(whole) < len(data):
        os.truncate(path, len(whole))
    return shards.parse_lines(whole)


def spec_digest(spec: BenchmarkRunSpec) -> str:
    """sha256 of what may never change in a spec."""
    fixed = spec.model_dump(mode="json", by_alias=True, exclude=set(_MUTABLE))
    return hashlib.sha256(json.dumps(fixed, sort_keys=True).encode()).hexdigest()


def remove_tree(path: Path) -> None:
    """Remove a folder, read-only parts included; what was never there is fine."""

    def unlock(function: Callable[[str], object], name: str, _: object) -> None:
        parent = Path(name).parent
        with suppress(OSError):  # what cannot be removed stays
            parent.chmod(0o700)
            Path(name).chmod(0o700)
            function(name)

    shutil.rmtree(path, onerror=unlock)


def files_of(directory: Path, names: Iterable[str]) -> list[str]:
    """Those names that are regular, non-empty files; agents may have left links and worse there."""
    found = []
    for name in names:
        path = directory / name
        with suppress(OSError):  # a name no file can have
            if not path.is_symlink() and path.is_file() and path.stat().st_size:
                found.append(name)
    return found


def _identity(data: Mapping[str, Any]) -> Identity:
    created = datetime.fromisoformat(data["createdAt"])
    return Identity(data["name"], data["uid"], created, data["specSha256"])


def _identity_json(identity: Identity) -> dict[str, str]:
    return {
        "name": identity.name,
        "uid": identity.uid,
        "createdAt": identity.created_at.isoformat(),
        "specSha256": identity.spec_sha256,
    }


def _replace(path: Path, data: Any) -> None:
    """Write a file whole or not at all."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(data, file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
