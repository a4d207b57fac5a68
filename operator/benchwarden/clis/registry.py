"""Asks an npm registry, over HTTP and blocking; proxies and certificates are those of the environment."""

import http.client
import json
import os
import urllib.error
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchwarden.api.agent import LATEST
from benchwarden.clis.npm_settings import registry_of
from benchwarden.clis.packument import (
    BUILDS,
    FIELD_REGISTRY,
    PACKAGE,
    address_of,
    release_of,
    tagged,
)
from benchwarden.errors import InvalidInputError, UnavailableError
from benchwarden.names import REASON_REGISTRY_UNAVAILABLE
from benchwarden_runner.npm_credentials import (
    NO_CREDENTIALS,
    CredentialsError,
    NpmCredentials,
    of_files,
    open_url,
)
from benchwarden_runner.specs import CliRelease

# The short form of a package's description: all we read of it, a tenth of the size.
_ACCEPT: Final = "application/vnd.npm.install-v1+json, application/json; q=0.8"
_SECONDS: Final = 15.0
_MOST_BYTES: Final = 64 << 20
_REFUSED: Final = (401, 403)
_FIX: Final = "give the operator an .npmrc that the registry takes (chart: npmrc.existingSecret)"


def default_registry(environment: Mapping[str, str]) -> str:
    """The registry that npm is set up for here."""
    return registry_of(environment, _npmrc_files(environment))


def own_credentials(environment: Mapping[str, str]) -> NpmCredentials:
    """What npm would send from here, read anew each time: mounted Secrets change."""
    return of_files(_npmrc_files(environment), environment)


def _npmrc_files(environment: Mapping[str, str]) -> list[str]:
    """Contents of npm's files, the more important first."""
    home = environment.get("HOME", "")
    places = (
        environment.get("NPM_CONFIG_USERCONFIG") or environment.get("npm_config_userconfig"),
        f"{home}/.npmrc" if home else None,
        "/usr/local/etc/npmrc",
        "/usr/etc/npmrc",
        "/etc/npmrc",
    )
    return [_text(Path(place)) for place in places if place]


def resolve(
    version: str, registry: str, credentials: NpmCredentials = NO_CREDENTIALS
) -> CliRelease:
    """The release of `version` (exact or `latest`) with its archives and their hashes.

    Raises:
        InvalidInputError: the registry has no such version, or lets nobody in; asking again is no use.
        UnavailableError: it does not answer, or not sensibly.
    """
    if version == LATEST:
        version = tagged(_asked(registry, PACKAGE, credentials) or {}, LATEST, registry)
    said = {package: _asked(registry, package, credentials) for package in BUILDS}
    return release_of(version, said, registry)


def resolve_here(version: str, registry: str) -> CliRelease:
    """`resolve` with the credentials that npm is set up with here."""
    return resolve(version, registry, own_credentials(os.environ))


def _asked(registry: str, package: str, credentials: NpmCredentials) -> Mapping[str, Any] | None:
    """What the registry says of a package; None if it does not know it."""
    address = address_of(registry, package)
    try:
        with open_url(address, credentials, _SECONDS, {"Accept": _ACCEPT}) as answer:
            body = answer.read(_MOST_BYTES)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.client.NOT_FOUND:
            return None
        if error.code in _REFUSED:
            given = "with" if credentials.header(address) else "without"
            raise _denied(
                f"{address} answers {error.code} to the operator, which asks {given} credentials;"
                f" {_FIX}"
            ) from error
        raise UnavailableError(f"{address} answers {error.code}") from error
    except CredentialsError as error:
        raise _denied(f"the operator's npm credentials for {address} {error}; {_FIX}") from error
    except (OSError, http.client.HTTPException) as error:
        raise UnavailableError(f"{address}: {getattr(error, 'reason', error)}") from error
    try:
        found = json.loads(body)
    except ValueError as error:
        raise UnavailableError(f"{address} does not answer with JSON") from error
    if not isinstance(found, dict):
        raise UnavailableError(f"{address} does not answer with a package")
    return found


def _denied(text: str) -> InvalidInputError:
    return InvalidInputError(text, reason=REASON_REGISTRY_UNAVAILABLE, field=FIELD_REGISTRY)


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
