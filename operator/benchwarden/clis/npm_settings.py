"""Which registry npm would ask on this machine: its environment variable, its files, else the public one."""

from collections.abc import Iterable, Mapping
from typing import Final

from benchwarden.clis.packument import PUBLIC_REGISTRY

_VARIABLE: Final = "npm_config_registry"
_SCOPED: Final = "@anthropic-ai:registry"
_PLAIN: Final = "registry"


def registry_of(environment: Mapping[str, str], files: Iterable[str]) -> str:
    """Base address of the registry, without a slash at its end.

    Args:
        environment: usually `os.environ`; npm takes its variables in any case.
        files: contents of npmrc files, the more important first.
    """
    read = [_settings(text) for text in files]
    variables = {name.lower(): value for name, value in environment.items()}
    candidates = (
        *(settings.get(_SCOPED) for settings in read),  # a scope's registry beats the common one
        variables.get(_VARIABLE),
        *(settings.get(_PLAIN) for settings in read),
    )
    found = next((each for each in candidates if each), PUBLIC_REGISTRY)
    return found.rstrip("/")


def _settings(text: str) -> dict[str, str]:
    found = {}
    for line in text.splitlines():
        name, separator, value = line.partition("=")
        if separator and not line.lstrip().startswith(("#", ";")):
            found[name.strip()] = value.strip().strip("\"'")
    return found
