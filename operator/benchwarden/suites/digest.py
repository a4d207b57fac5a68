"""The digest of a panel: two panels with one digest ask the same questions and judge them alike."""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any, Final

from benchwarden.suites.instance import Instance, TestFile

_FORMAT: Final = "benchwarden panel 1"
# Labels for filters and the place of local files decide no verdict.
_NOT_DECIDING: Final = frozenset({"repo", "language", "labels", "local"})


def panel_digest(instances: Iterable[Instance]) -> str:
    """Sha256 (hex) over canonical JSON of everything that decides a verdict, order included."""
    digest = hashlib.sha256(_FORMAT.encode())
    for instance in instances:
        digest.update(b"\n" + _canonical(_deciding(instance)))
    return digest.hexdigest()


def _deciding(instance: Instance) -> dict[str, Any]:
    values = asdict(instance)
    kept = {
        field.name: values[field.name]
        for field in fields(instance)
        # A default is left out, so that a field added later leaves the digests of old panels alone.
        if field.name not in _NOT_DECIDING and getattr(instance, field.name) != field.default
    }
    kept["test_files"] = [_file(file) for file in instance.test_files]
    if instance.scripts:
        kept["scripts"] = [_file(file) for file in instance.scripts]
    return kept


def _file(file: TestFile) -> list[Any]:
    return [file.path, base64.b64encode(file.content).decode(), file.executable]


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()
