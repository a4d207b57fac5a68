"""Suites kept in the cluster: reads ConfigMaps for the suite loader, which runs in a thread of its own."""

import asyncio
import base64
import binascii
from collections.abc import Mapping

from benchwarden import names
from benchwarden.errors import InvalidInputError, UnavailableError
from benchwarden.kube.client import KubeClient
from benchwarden.kube.errors import ForbiddenError, NotFoundError
from benchwarden.kube.resources import CONFIG_MAPS

_ANSWER_SECONDS = 90.0  # a little more than the client's own deadline


class ConfigMapSource:
    """Reads ConfigMaps of one namespace; make it in the event loop, ask it from threads."""

    def __init__(self, client: KubeClient, namespace: str) -> None:
        self._client = client
        self._namespace = namespace
        self._loop = asyncio.get_running_loop()

    def read_config_map(self, name: str, key: str) -> bytes:
        """Content under `key` of a ConfigMap, `data` and `binaryData` alike; only from another thread.

        Raises:
            InvalidInputError: there is no such ConfigMap or key, or it may not be read.
            UnavailableError: the API server cannot be asked now.
        """
        asked = asyncio.run_coroutine_threadsafe(self.read(name, key), self._loop)
        try:
            return asked.result(_ANSWER_SECONDS)
        except TimeoutError:
            asked.cancel()
            raise UnavailableError(
                f"ConfigMap {self._namespace}/{name} was not read in time"
            ) from None

    async def read(self, name: str, key: str) -> bytes:
        """The same from inside the event loop."""
        try:
            found = await self._client.get(CONFIG_MAPS, self._namespace, name)
        except NotFoundError:
            raise self._invalid(f"ConfigMap {self._namespace}/{name} does not exist") from None
        except ForbiddenError as error:
            raise self._invalid(
                f"ConfigMap {self._namespace}/{name} may not be read: {error.message}"
            ) from error
        content = content_of(found, key)
        if content is None:
            held = ", ".join(sorted(_keys(found))) or "nothing"
            raise self._invalid(f"ConfigMap {name} has no key {key!r}; it holds: {held}")
        return content

    @staticmethod
    def _invalid(message: str) -> InvalidInputError:
        return InvalidInputError(message, reason=names.REASON_SUITE_UNAVAILABLE)


def content_of(config_map: Mapping[str, object], key: str) -> bytes | None:
    """Content under `key`; None if there is none or it is not readable."""
    data, binary = config_map.get("data"), config_map.get("binaryData")
    if isinstance(data, Mapping) and isinstance(data.get(key), str):
        return str(data[key]).encode()
    if isinstance(binary, Mapping) and isinstance(binary.get(key), str):
        try:
            return base64.b64decode(binary[key], validate=True)
        except (binascii.Error, ValueError):
            return None
    return None


def _keys(config_map: Mapping[str, object]) -> list[str]:
    parts = (config_map.get("data"), config_map.get("binaryData"))
    return [str(key) for part in parts if isinstance(part, Mapping) for key in part]
