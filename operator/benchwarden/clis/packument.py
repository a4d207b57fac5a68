"""What an npm registry says of Claude Code's packages, read into the one release a run is pinned to.

Each build of the program is a package of its own with one file in it. A version counts as known when both
builds for x64 are there; those for arm64 come along if the registry has them.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from benchwarden.errors import InvalidInputError, UnavailableError
from benchwarden.names import REASON_UNKNOWN_CLI_VERSION
from benchwarden_runner.specs import CLAUDE_GLIBC, CLAUDE_MUSL, CliBuild, CliRelease

PACKAGE: Final = "@anthropic-ai/claude-code"
PUBLIC_REGISTRY: Final = "https://registry.npmjs.org"
FIELD_VERSION: Final = "spec.agent.claudeCode.version"
FIELD_REGISTRY: Final = "spec.agent.claudeCode.registryUrl"
# Package: the build's name among the tools, its machine, and whether a version needs it.
BUILDS: Final[Mapping[str, tuple[str, str, bool]]] = {
    f"{PACKAGE}-linux-x64": (CLAUDE_GLIBC, "x64", True),
    f"{PACKAGE}-linux-x64-musl": (CLAUDE_MUSL, "x64", True),
    f"{PACKAGE}-linux-arm64": (CLAUDE_GLIBC, "arm64", False),
    f"{PACKAGE}-linux-arm64-musl": (CLAUDE_MUSL, "arm64", False),
}
_HASHES: Final = ("sha512-", "sha384-", "sha256-")
_NAMED: Final = 5


def address_of(registry: str, package: str) -> str:
    """Where the registry describes a package."""
    return f"{registry.rstrip('/')}/{package.replace('/', '%2f')}"


def tagged(packument: Mapping[str, Any], tag: str, registry: str) -> str:
    """The version that a dist-tag of the main package stands for.

    Raises:
        InvalidInputError: there is no such tag.
    """
    tags = packument.get("dist-tags")
    version = tags.get(tag) if isinstance(tags, Mapping) else None
    if not isinstance(version, str) or not version:
        raise InvalidInputError(
            f"{registry} gives {PACKAGE} no version {tag}; give an exact version",
            reason=REASON_UNKNOWN_CLI_VERSION,
            field=FIELD_VERSION,
        )
    return version


def release_of(
    version: str, packuments: Mapping[str, Mapping[str, Any] | None], registry: str
) -> CliRelease:
    """The release of an exact version.

    Args:
        version: such as 2.1.330.
        packuments: what the registry says of each package in `BUILDS`; None = it does not know it.
        registry: base address they came from.

    Raises:
        InvalidInputError: the registry does not have a build that is needed.
        UnavailableError: what it says of a build cannot be trusted or read.
    """
    builds = []
    for package, (name, machine, needed) in BUILDS.items():
        manifest = _manifest(packuments.get(package), version)
        if manifest is None:
            if needed:
                raise _unknown(version, package, packuments.get(package), registry)
            continue
        url, integrity = _dist(package, version, manifest)
        builds.append(CliBuild(name, machine, _moved(url, registry), integrity))
    return CliRelease(version, tuple(builds))


def _manifest(packument: Mapping[str, Any] | None, version: str) -> Mapping[str, Any] | None:
    versions = (packument or {}).get("versions")
    manifest = versions.get(version) if isinstance(versions, Mapping) else None
    return manifest if isinstance(manifest, Mapping) else None


def _unknown(
    version: str, package: str, packument: Mapping[str, Any] | None, registry: str
) -> InvalidInputError:
    if packument is None:
        text = (
            f"{registry} has no package {package}; check the address, or mirror the package there"
        )
        return InvalidInputError(text, reason=REASON_UNKNOWN_CLI_VERSION, field=FIELD_REGISTRY)
    known = [str(each) for each in packument.get("versions") or {}][-_NAMED:]
    newest = f"; the last it has are {', '.join(known)}" if known else ""
    return InvalidInputError(
        f"{registry} has no version {version} of {package}{newest}",
        reason=REASON_UNKNOWN_CLI_VERSION,
        field=FIELD_VERSION,
    )


def _dist(package: str, version: str, manifest: Mapping[str, Any]) -> tuple[str, str]:
    dist = manifest.get("dist")
    found = dist if isinstance(dist, Mapping) else {}
    url, integrity = found.get("tarball"), found.get("integrity")
    if not isinstance(url, str) or urlsplit(url).scheme not in ("http", "https"):
        raise UnavailableError(f"{package}@{version} has no archive's address")
    hashes = str(integrity or "").split()
    if not any(each.startswith(_HASHES) for each in hashes):
        raise UnavailableError(
            f"{package}@{version} has no hash that can be checked (sha512);"
            " mirror the package with its integrity"
        )
    return url, " ".join(hashes)


def _moved(url: str, registry: str) -> str:
    """The archive's address; as npm does, a mirror's own where the mirror repeats the public one."""
    archive, public, own = urlsplit(url), urlsplit(PUBLIC_REGISTRY), urlsplit(registry)
    if archive.hostname != public.hostname or own.hostname == public.hostname:
        return url
    return urlunsplit((own.scheme, own.netloc, own.path.rstrip("/") + archive.path, "", ""))
