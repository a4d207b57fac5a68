"""The few calls to the API server that bringing the cluster up needs, with the standard library."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from typing import Any

from tests.cluster.config import API_URL, Paths


class Api:
    """The API server, spoken to as the administrator."""

    def __init__(self, where: Paths) -> None:
        context = ssl.create_default_context(cafile=str(where.pki / "ca.crt"))
        context.load_cert_chain(where.pki / "admin.crt", where.pki / "admin.key")
        # The test cluster is on this machine: proxy settings must not apply.
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )

    def get(self, path: str) -> str | None:
        """Return the body of a GET, or None when there is no server or no such object."""
        return self._call("GET", path, None)

    def get_json(self, path: str) -> Any:
        """Return the parsed body of a GET, or None like `get`."""
        body = self.get(path)
        return None if body is None else json.loads(body)

    def post(self, path: str, body: Any) -> bool:
        """Create an object; return False when it could not be created (it may exist)."""
        return self._call("POST", path, body) is not None

    def _call(self, method: str, path: str, body: Any) -> str | None:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(API_URL + path, data=data, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with self._opener.open(request, timeout=5) as response:
                content: str = response.read().decode()
                return content
        except (urllib.error.URLError, OSError):
            return None


def ready(api: Api) -> bool:
    """Return whether the API server says that it is ready."""
    return api.get("/readyz") == "ok"


def node_ready(api: Api, name: str) -> bool:
    """Return whether a node is there and Ready."""
    node = api.get_json(f"/api/v1/nodes/{name}")
    conditions = node["status"].get("conditions", []) if node else []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def default_account_ready(api: Api) -> bool:
    """Return whether pods can be created in the default namespace."""
    account = api.get("/api/v1/namespaces/default/serviceaccounts/default")
    return account is not None and (
        api.get("/api/v1/namespaces/default/configmaps/kube-root-ca.crt") is not None
    )
