"""The manifest beside a launch's files: what was kept with its digest, and what was not with the reason."""

import json
from dataclasses import dataclass
from typing import Any

from benchwarden.errors import InvalidInputError
from benchwarden.planning.plan import Member

VERSION = 1


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file as it lies at the destination."""

    kind: str
    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that was there and is not kept."""

    kind: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is kept of one launch."""

    member: Member
    files: tuple[KeptFile, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def to_json(self) -> bytes:
        """The same manifest gives the same bytes."""
        data = {
            "version": VERSION,
            "instance": self.member.instance,
            "trial": self.member.trial,
            "launch": self.member.launch,
            "files": [
                {"kind": e.kind, "name": e.name, "bytes": e.bytes, "sha256": e.sha256}
                for e in self.files
            ],
            "leftOut": [
                {"kind": e.kind, "name": e.name, "reason": e.reason} for e in self.left_out
            ],
        }
        return json.dumps(data, indent=1).encode() + b"\n"

    @classmethod
    def from_json(cls, data: bytes) -> "Manifest":
        """Read what `to_json` wrote.

        Raises:
            InvalidInputError: it is not that.
        """
        try:
            found = json.loads(data)
            member = Member(str(found["instance"]), int(found["trial"]), int(found["launch"]))
            return cls(
                member,
                tuple(_kept(each) for each in found["files"]),
                tuple(
                    LeftOut(str(e["kind"]), str(e["name"]), str(e["reason"]))
                    for e in found["leftOut"]
                ),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidInputError(
                f"not a manifest of artifacts: {error}", reason="ManifestInvalid"
            ) from error


def _kept(each: Any) -> KeptFile:
    return KeptFile(str(each["kind"]), str(each["name"]), int(each["bytes"]), str(each["sha256"]))
