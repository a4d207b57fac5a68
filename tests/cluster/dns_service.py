"""The service through which pods find the cluster's name server."""

from __future__ import annotations

from tests.cluster.api import Api
from tests.cluster.config import DNS_ADDRESS, DNS_PORT, NODE_ADDRESS

_NAMESPACE = "kube-system"
_SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "kube-dns", "namespace": _NAMESPACE},
    "spec": {
        "clusterIP": DNS_ADDRESS,
        "ports": [{"name": "dns", "port": 53, "protocol": "UDP", "targetPort": DNS_PORT}],
    },
}
# No selector: the server is a process on the node, not a pod.
_ENDPOINTS = {
    "apiVersion": "discovery.k8s.io/v1",
    "kind": "EndpointSlice",
    "metadata": {
        "name": "kube-dns-node",
        "namespace": _NAMESPACE,
        "labels": {"kubernetes.io/service-name": "kube-dns"},
    },
    "addressType": "IPv4",
    "endpoints": [{"addresses": [NODE_ADDRESS], "conditions": {"ready": True}}],
    "ports": [{"name": "dns", "port": DNS_PORT, "protocol": "UDP"}],
}


def ensure(api: Api) -> None:
    """Create the service and its one endpoint; those already there are kept."""
    api.post(f"/api/v1/namespaces/{_NAMESPACE}/services", _SERVICE)
    api.post(f"/apis/discovery.k8s.io/v1/namespaces/{_NAMESPACE}/endpointslices", _ENDPOINTS)
