"""What an uploader is told: where to, for which run, and whose files lie at which position of its pod."""

import json
from dataclasses import dataclass

from benchwarden.errors import InvalidInputError
from benchwarden.names import ENV_UPLOAD
from benchwarden.planning.plan import Member


@dataclass(frozen=True, slots=True)
class Destination:
    """A place for artifacts: a folder, or a prefix in an S3-compatible bucket.

    Attributes:
        folder: absolute path; empty if it is a bucket.
        url: `s3://bucket/prefix`; empty if it is a folder.
        endpoint_url: of the storage service; empty = AWS.
    """

    folder: str = ""
    url: str = ""
    endpoint_url: str = ""

    def __str__(self) -> str:
        return self.url or self.folder


@dataclass(frozen=True, slots=True)
class Assignment:
    """All that an uploader needs to know but credentials; `run` is the run's folder at the destination."""

    destination: Destination
    run: str
    members: tuple[Member, ...]

    def to_json(self) -> str:
        """The assignment as a variable holds it."""
        data = {
            "folder": self.destination.folder,
            "url": self.destination.url,
            "endpointUrl": self.destination.endpoint_url,
            "run": self.run,
            "members": [list(member) for member in self.members],
        }
        return json.dumps(data, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Assignment":
        """Read what `to_json` wrote.

        Raises:
            InvalidInputError: it is not that.
        """
        try:
            data = json.loads(text)
            return cls(
                Destination(str(data["folder"]), str(data["url"]), str(data["endpointUrl"])),
                str(data["run"]),
                tuple(Member(str(i), int(t), int(n)) for i, t, n in data["members"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidInputError(
                f"not an uploader's assignment: {error}", reason="Usage", field=ENV_UPLOAD
            ) from error
