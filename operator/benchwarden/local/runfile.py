"""A run's YAML file: one BenchmarkRun and, if wanted, the ConfigMaps it names, as `kubectl apply` takes them."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from benchwarden import names
from benchwarden.api import patterns
from benchwarden.api.parse import parse_run
from benchwarden.api.run import BenchmarkRun
from benchwarden.errors import InvalidInputError

_NAME_CHARACTERS: Final = 253


@dataclass(frozen=True, slots=True)
class RunFile:
    """What a file holds.

    Attributes:
        config_maps: content by name and key.
        folders: where the content of a ConfigMap lies on disk, for those given as folders or files.
    """

    path: Path
    run: BenchmarkRun
    config_maps: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    folders: Mapping[str, Path] = field(default_factory=dict)

    def local_root(self) -> Path:
        """The folder that `local` paths of tasks are relative to when the tasks come in a ConfigMap."""
        tasks = self.run.spec.suite.tasks
        source = tasks.source.config_map if tasks is not None else None
        place = self.folders.get(source.name) if source is not None else None
        if place is None:
            return self.path.absolute().parent
        return place if place.is_dir() else place.parent

    def config_map(self, name: str) -> Mapping[str, bytes]:
        """Content of a whole ConfigMap by key.

        Raises:
            InvalidInputError: the file does not hold it; says how to give it.
        """
        if name not in self.config_maps:
            raise InvalidInputError(
                f"ConfigMap {name} is not in {self.path}; add it as a further document,"
                f" or give its content with --config-map {name}=PATH",
                reason=names.REASON_SUITE_UNAVAILABLE,
            )
        return self.config_maps[name]

    def read_config_map(self, name: str, key: str) -> bytes:
        """Content of a ConfigMap's key.

        Raises:
            InvalidInputError: there is no such ConfigMap or key.
        """
        content = self.config_map(name)
        found = content.get(key)
        if found is None:
            held = ", ".join(sorted(content)) or "nothing"
            raise InvalidInputError(
                f"ConfigMap {name} has no key {key!r}; it holds: {held}",
                reason=names.REASON_SUITE_UNAVAILABLE,
            )
        return found


def read_run_file(path: Path, given: Mapping[str, Path] | None = None) -> RunFile:
    """Read a file strictly: unknown fields and other kinds are errors.

    Args:
        path: YAML or JSON, several documents allowed.
        given: files or folders that stand for ConfigMaps; they win over those in the file.

    Raises:
        InvalidInputError: names the file and the field or line.
    """
    runs: list[Mapping[str, Any]] = []
    config_maps: dict[str, Mapping[str, bytes]] = {}
    for document in _documents(path):
        kind = document.get("kind")
        if kind == names.RUN_KIND:
            runs.append(document)
        elif kind == "ConfigMap":
            name = str(_part(document, "metadata", path).get("name") or "")
            config_maps[name] = _content(document, path)
        else:
            raise _invalid(
                f"{path}: expected a {names.RUN_KIND} or a ConfigMap, found {kind!r}", "kind"
            )
    if len(runs) != 1:
        raise _invalid(f"{path}: expected one {names.RUN_KIND}, found {len(runs)}", "kind")
    run = parse_run(runs[0], strict=True)
    if "apiVersion" not in runs[0]:
        raise _invalid(f"is required: {names.API_VERSION}", "apiVersion")
    name = run.metadata.name
    if not name:
        raise _invalid("is required here: it names the folder of the results", "metadata.name")
    if len(name) > _NAME_CHARACTERS or not re.match(patterns.DNS_SUBDOMAIN, name):
        what = patterns.MEANINGS[patterns.DNS_SUBDOMAIN]
        raise _invalid(f"must be {what}, at most {_NAME_CHARACTERS} characters", "metadata.name")
    folders = {name: place.absolute() for name, place in (given or {}).items()}
    config_maps |= {name: _folder(name, place) for name, place in folders.items()}
    return RunFile(path, run, config_maps, folders)


def _documents(path: Path) -> list[Mapping[str, Any]]:
    try:
        found = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise _invalid(f"there is no {path}", "FILE") from None
    except (OSError, UnicodeDecodeError) as error:
        raise _invalid(f"{path} cannot be read: {error}", "FILE") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # such as a date of month 99
        raise _invalid(f"{path} is not YAML: {' '.join(str(error).split())}", "FILE") from None
    documents = [each for each in found if each is not None]
    for each in documents:
        if not isinstance(each, Mapping):
            raise _invalid(f"{path}: each document must be an object", "FILE")
    return documents


def _content(config_map: Mapping[str, Any], path: Path) -> dict[str, bytes]:
    content = {key: str(text).encode() for key, text in _part(config_map, "data", path).items()}
    for key, text in _part(config_map, "binaryData", path).items():
        try:
            content[key] = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError, TypeError):
            raise _invalid(f"{path}: is not base64", f"binaryData.{key}") from None
    return content


def _part(document: Mapping[str, Any], field: str, path: Path) -> Mapping[str, Any]:
    found = document.get(field) or {}
    if not isinstance(found, Mapping):
        raise _invalid(f"{path}: must be an object", field)
    return found


def _folder(name: str, place: Path) -> dict[str, bytes]:
    try:
        files = [place] if place.is_file() else sorted(p for p in place.iterdir() if p.is_file())
        return {file.name: file.read_bytes() for file in files}
    except OSError as error:
        raise _invalid(f"{name}={place} cannot be read: {error}", "--config-map") from None


def _invalid(message: str, place: str) -> InvalidInputError:
    return InvalidInputError(message, reason=names.REASON_INVALID_SPEC, field=place)
