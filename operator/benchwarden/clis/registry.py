"""Asks an npm registry, over HTTP and blocking; proxies and certificates are those of the environment."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchwarden.api.agent import LATEST
from benchwarden.clis.npm_settings import registry_of
from benchwarden.clis.packument import BUILDS, PACKAGE, address_of, release_of, tagged
from benchwarden.errors import InvalidInputError, UnavailableError
from benchwarden.names import REASON_REGISTRY_UNAVAILABLE
from benchwarden_runner.specs import CliRelease

# The short form of a package's description: all we read of it, a tenth of the size.
_ACCEPT: Final = "application/vnd.npm.install-v1+json, application/json; q=0.8"
_SECONDS: Final = 15.0
_MOST_BYTES: Final = 64 << 20
_REFUSED: Final = (401, 403)


def default_registry(environment: Mapping[str, str]) -> str:
    """The registry that npm is set up for here."""
    home = environment.get("HOME", "")
    places = (
        environment.get("NPM_CONFIG_USERCONFIG") or environment.get("npm_config_userconfig"),
        f"{home}/.npmrc" if home else None,
        "/usr/local/etc/npmrc",
        "/usr/etc/npmrc",
        "/etc/npmrc",
    )
    return registry_of(environment, [_text(Path(place)) for place in places if place])


def resolve(version: str, registry: str) -> CliRelease:
    """The release of `version` (exact or `latest`) with its archives and their hashes.

    Raises:
        InvalidInputError: the registry has no such version, or lets nobody in; asking again is no use.
        UnavailableError: it does not answer, or not sensibly.
    """
    if version == LATEST:
        version = tagged(_asked(registry, PACKAGE) or {}, LATEST, registry)
    return release_of(version, {package: _asked(registry, package) for package in BUILDS}, registry)


def _asked(registry: str, package: str) -> Mapping[str, Any] | None:
    """What the registry says of a package; None if it does not know it."""
    address = address_of(registry, package)
    request = urllib.request.Request(address, headers={"Accept": _ACCEPT})  # noqa: S310 - http(s) by the API's pattern
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - likewise
            body = answer.read(_MOST_BYTES)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.client.NOT_FOUND:
            return None
        if error.code in _REFUSED:
            raise InvalidInputError(
                f"{address} answers {error.code}; benchwarden asks without credentials:"
                " give a registry that lets it read",
                reason=REASON_REGISTRY_UNAVAILABLE,
                field="spec.agent.claudeCode.registryUrl",
            ) from error
        raise UnavailableError(f"{address} answers {error.code}") from error
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(f"{address}: {getattr(error, 'reason', error)}") from error
    try:
        found = json.loads(body)
    except ValueError as error:
        raise UnavailableError(f"{address} does not answer with JSON") from error
    if not isinstance(found, dict):
        raise UnavailableError(f"{address} does not answer with a package")
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
