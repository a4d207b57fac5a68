"""Objects in memory with the rules that matter: versions, taken names, merges; and calls that fail on demand."""

from __future__ import annotations

import copy
import uuid
from random import Random
from typing import Any

from benchwarden.errors import UnavailableError
from benchwarden.kube.errors import (
    AlreadyExistsError,
    ApiConflictError,
    NotFoundError,
    Refusal,
)
from benchwarden.kube.resources import Resource, is_ours, place_of, resource_of

Json = dict[str, Any]


class MemoryCluster:
    """Has the verbs of `KubeClient`; with `fail`, a call is lost, or only its answer is."""

    def __init__(self, seed: int = 1, fail: float = 0.0) -> None:
        self.chaos = Random(seed)
        self.fail = fail
        self.objects: dict[tuple[str, str, str], Json] = {}
        self.version = 0

    def put(self, manifest: Json) -> Json:
        """Store as the API server would; for the test itself, so it never fails."""
        key = self._key(manifest)
        found = copy.deepcopy(manifest)
        self.version += 1
        found["metadata"] |= {"resourceVersion": str(self.version)}
        found["metadata"].setdefault("uid", str(uuid.UUID(int=self.version)))
        self.objects[key] = found
        return copy.deepcopy(found)

    def of(self, resource: Resource) -> list[Json]:
        return [each for key, each in sorted(self.objects.items()) if key[0] == resource.plural]

    async def get(self, resource: Resource, namespace: str, name: str) -> Json:
        self._lost()
        return copy.deepcopy(self._found(resource, namespace, name))

    async def list_all(
        self, resource: Resource, namespace: str = "", *, labels: str = "", fields: str = ""
    ) -> list[Json]:
        self._lost()
        wanted = dict(part.split("=") for part in labels.split(",") if part)
        return [
            copy.deepcopy(each)
            for each in self.of(resource)
            if wanted.items() <= (each["metadata"].get("labels") or {}).items()
        ]

    async def create(self, manifest: Json) -> Json:
        self._lost()
        if self._key(manifest) in self.objects:
            raise AlreadyExistsError(Refusal(409, "AlreadyExists"))
        return self._answered(self.put(manifest))

    async def create_or_adopt(self, manifest: Json) -> Json:
        try:
            return await self.create(manifest)
        except AlreadyExistsError:
            found = self.objects[self._key(manifest)]
            assert is_ours(manifest, found)
            return copy.deepcopy(found)

    async def replace(self, manifest: Json) -> Json:
        self._lost()
        found = self._found(resource_of(manifest), *place_of(manifest))
        if found["metadata"]["resourceVersion"] != manifest["metadata"]["resourceVersion"]:
            raise ApiConflictError(Refusal(409, "Conflict"))
        kept = {"uid": found["metadata"]["uid"]}
        manifest = {**manifest, "metadata": {**manifest["metadata"], **kept}}
        return self._answered(self.put(manifest))

    async def patch(
        self, resource: Resource, namespace: str, name: str, change: Json, *, subresource: str = ""
    ) -> Json:
        self._lost()
        found = self._found(resource, namespace, name)
        found["spec"] = {**found["spec"], **change["spec"]}
        return self._answered(self.put(found))

    async def apply(self, manifest: Json, *, subresource: str = "") -> Json:
        self._lost()
        found = self._found(resource_of(manifest), *place_of(manifest))
        found["status"] = copy.deepcopy(dict(manifest["status"]))
        return self._answered(self.put(found))

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str = "") -> bool:
        self._lost()
        gone = self.objects.pop((resource.plural, namespace, name), None) is not None
        return self._answered(gone)

    def _key(self, manifest: Json) -> tuple[str, str, str]:
        return (resource_of(manifest).plural, *place_of(manifest))

    def _found(self, resource: Resource, namespace: str, name: str) -> Json:
        try:
            return self.objects[resource.plural, namespace, name]
        except KeyError:
            raise NotFoundError(Refusal(404, "NotFound"), name) from None

    def _lost(self) -> None:
        if self.chaos.random() < self.fail:
            raise UnavailableError("the call was lost")

    def _answered(self, value: Any) -> Any:
        if self.chaos.random() < self.fail:
            raise UnavailableError("the answer was lost")
        return value
