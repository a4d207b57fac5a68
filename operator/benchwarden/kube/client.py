"""The verbs: what the operator says to the API server, in raw JSON; the only class the rest of it needs."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from typing import Any

from pydantic_core import from_json

from benchwarden import names
from benchwarden.errors import ConflictError
from benchwarden.kube.errors import (
    AlreadyExistsError,
    ApiConflictError,
    GoneError,
    NotFoundError,
)
from benchwarden.kube.resources import Resource, is_ours, place_of, resource_of
from benchwarden.kube.session import Session

MERGE_PATCH = "application/merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
PAGE_SIZE = 500


class KubeClient(Session):
    """Reads and writes objects as plain dictionaries; an async context manager.

    Attributes:
        field_manager: who the API server notes as the writer of what is created and patched.
    """

    field_manager: str = names.FIELD_MANAGER

    async def get(self, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
        """Read one object; NotFoundError if there is none."""
        return await self.request("GET", resource.item(namespace, name))

    async def pages(
        self,
        path: str,
        *,
        labels: str = "",
        fields: str = "",
        limit: int = PAGE_SIZE,
        read: Callable[[bytes], Any] = from_json,
    ) -> AsyncGenerator[dict[str, Any], None]:
        """List a collection page by page; GoneError if a continue token expires on the way.

        The next page is asked for before one is handed out: the server works on it meanwhile. `read` makes
        an object of a page's JSON.
        """
        query = {"labelSelector": labels, "fieldSelector": fields, "limit": str(limit)}

        def ask(token: str) -> asyncio.Task[dict[str, Any]]:
            # Pages come one after the other, so the server itself sets their pace: only the first takes a turn.
            wanted = {**query, "continue": token}
            return asyncio.create_task(
                self.request("GET", path, query=wanted, paced=not token, read=read)
            )

        asked: asyncio.Task[dict[str, Any]] | None = ask("")
        try:
            while asked is not None:
                page = await asked
                token = (page.get("metadata") or {}).get("continue") or ""
                asked = ask(token) if token else None
                yield page
                del page  # it is large, and the next one is coming
        finally:
            if asked is not None:  # nobody waits for that page any more
                asked.cancel()
                await asyncio.wait([asked])

    async def list_all(
        self, resource: Resource, namespace: str = "", *, labels: str = "", fields: str = ""
    ) -> list[dict[str, Any]]:
        """List all objects of one moment; begins anew, a few times, if that moment got too old."""
        for chance in reversed(range(3)):
            items: list[dict[str, Any]] = []
            pages = self.pages(resource.collection(namespace), labels=labels, fields=fields)
            try:
                async for page in pages:
                    items.extend(page.get("items") or ())
            except GoneError:
                if not chance:
                    raise
            else:
                break
        return items

    async def create(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Create; AlreadyExistsError if the name is taken."""
        namespace, _ = place_of(manifest)
        query = {"fieldManager": self.field_manager}
        path = resource_of(manifest).collection(namespace)
        return await self.request("POST", path, query=query, body=manifest)

    async def create_or_adopt(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Create, or return what an earlier pass created under that name.

        Raises:
            benchwarden.errors.ConflictError: the name is taken by something that is not ours.
        """
        resource = resource_of(manifest)
        namespace, name = place_of(manifest)
        for chance in reversed(range(3)):
            try:
                return await self.create(manifest)
            except AlreadyExistsError:
                try:
                    found = await self.get(resource, namespace, name)
                except NotFoundError:
                    if not chance:
                        raise
                    continue  # deleted between the two: the name is free again
            if is_ours(manifest, found):
                return found
            raise ConflictError(f"{resource.kind} {namespace}/{name} exists and is not ours")
        raise AssertionError("unreachable")

    async def replace(self, manifest: Mapping[str, Any]) -> dict[str, Any]:
        """Write the whole object; ApiConflictError if it changed since it was read."""
        path = resource_of(manifest).item(*place_of(manifest))
        return await self.request("PUT", path, body=manifest)

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        change: Mapping[str, Any],
        *,
        subresource: str = "",
    ) -> dict[str, Any]:
        """Merge `change` into an object or its subresource."""
        path = resource.item(namespace, name, subresource)
        query = {"fieldManager": self.field_manager}
        return await self.request("PATCH", path, query=query, body=change, content_type=MERGE_PATCH)

    async def apply(self, manifest: Mapping[str, Any], *, subresource: str = "") -> dict[str, Any]:
        """Server-side apply with our field manager; what we stop saying is removed, others' fields stay."""
        path = resource_of(manifest).item(*place_of(manifest), subresource)
        query = {"fieldManager": self.field_manager, "force": "true"}
        return await self.request(
            "PATCH", path, query=query, body=manifest, content_type=APPLY_PATCH
        )

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str = "") -> bool:
        """Delete in the background, dependants included.

        Args:
            resource: its kind.
            namespace: its namespace.
            name: its name.
            uid: delete only the object with this UID, not a later one of the same name.

        Returns:
            Whether it was there to be deleted.
        """
        options: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
        }
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            await self.request("DELETE", resource.item(namespace, name), body=options)
        except NotFoundError:
            return False
        except ApiConflictError:
            if not uid:
                raise
            return False
        return True
