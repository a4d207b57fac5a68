"""The synchronous door: a command line's few questions to a cluster, one after the other, in plain calls."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from benchwarden import names
from benchwarden.kube.access import Access
from benchwarden.kube.client import KubeClient
from benchwarden.kube.errors import NotFoundError
from benchwarden.kube.resources import Resource
from benchwarden.kube.session import ClientSettings

T = TypeVar("T")

_WHO_AM_I = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


class Desk:
    """A client with its own event loop; a context manager, for one thread.

    Attributes:
        namespace: where to look when nothing else is said.
    """

    def __init__(self, access: Access, namespace: str = "", timeout_seconds: float = 10.0) -> None:
        self.namespace = namespace or access.namespace()
        settings = ClientSettings(
            per_second=50.0,
            burst=100,
            deadline_seconds=timeout_seconds,
            attempt_seconds=timeout_seconds,
            write_seconds=timeout_seconds,
        )
        self._runner = asyncio.Runner()
        self._client = KubeClient(access, settings)
        self._client.field_manager = names.CLI_FIELD_MANAGER

    def __enter__(self) -> Self:
        """Open nothing yet: the first question does."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections and the loop."""
        self._runner.run(self._client.__aexit__(None, None, None))
        self._runner.close()

    def ask(self, question: Callable[[KubeClient], Coroutine[Any, Any, T]]) -> T:
        """Run anything that takes a client."""
        return self._runner.run(question(self._client))

    def get(self, resource: Resource, name: str, namespace: str = "") -> dict[str, Any]:
        """Read one object; NotFoundError if there is none."""
        return self.ask(lambda client: client.get(resource, namespace or self.namespace, name))

    def find(self, resource: Resource, name: str, namespace: str = "") -> dict[str, Any] | None:
        """Read one object, None if there is none."""
        try:
            return self.get(resource, name, namespace)
        except NotFoundError:
            return None

    def list(
        self, resource: Resource, *, labels: str = "", namespace: str | None = None
    ) -> list[dict[str, Any]]:
        """All objects of a namespace, ours if None; of all namespaces if empty."""
        place = self.namespace if namespace is None else namespace
        return self.ask(lambda client: client.list_all(resource, place, labels=labels))

    def create(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Create; AlreadyExistsError if the name is taken."""
        return self.ask(lambda client: client.create(manifest))

    def patch(
        self,
        resource: Resource,
        name: str,
        change: Mapping[str, Any],
        namespace: str = "",
        *,
        subresource: str = "",
    ) -> dict[str, Any]:
        """Merge `change` into an object; with `metadata.resourceVersion` in it only into that version."""
        place = namespace or self.namespace
        return self.ask(
            lambda client: client.patch(resource, place, name, change, subresource=subresource)
        )

    def user(self) -> str:
        """Who the API server takes us for; empty if it does not say."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        found = self.ask(lambda client: client.request("POST", _WHO_AM_I, body=body))
        return str(((found.get("status") or {}).get("userInfo") or {}).get("username") or "")
