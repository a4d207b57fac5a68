"""The cluster's name server: answers service names, and says at once that no other name exists.

A process of its own. Without an answer a lookup in a pod would last 40 seconds.
"""

from __future__ import annotations

import re
import socketserver
import struct
import sys
import time
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.cluster.api import Api
from tests.cluster.config import DNS_PORT, NODE_ADDRESS, Paths

TTL_SECONDS = 5
_SERVICE = re.compile(r"([a-z0-9-]+)\.([a-z0-9-]+)\.svc\.cluster\.local")
_HEADER = struct.Struct("!6H")
_TYPE_A = 1
_CLASS_IN = 1
_RESPONSE, _AUTHORITATIVE, _RECURSION_WANTED, _RECURSION = 0x8000, 0x0400, 0x0100, 0x0080
_NO_SUCH_NAME = 3

Lookup = Callable[[str, str], Sequence[str] | None]


def answer(query: bytes, lookup: Lookup) -> bytes | None:
    """Return the response to a DNS query, or None for what is no query.

    Args:
        query: The UDP payload.
        lookup: Addresses of the service (name, namespace), or None when there is none.
    """
    try:
        number, flags, questions, _, _, _ = _HEADER.unpack_from(query)
        name, end = _read_name(query, _HEADER.size)
        kind, network_class = struct.unpack_from("!2H", query, end)
    except (struct.error, IndexError, UnicodeDecodeError):
        return None
    if flags & _RESPONSE or questions != 1:
        return None
    match = _SERVICE.fullmatch(name)
    addresses = lookup(match[1], match[2]) if match else None
    code = _NO_SUCH_NAME if addresses is None else 0
    wanted = kind == _TYPE_A and network_class == _CLASS_IN
    records = [_record(a) for a in addresses or ()] if wanted else []
    out_flags = _RESPONSE | _AUTHORITATIVE | _RECURSION | (flags & _RECURSION_WANTED) | code
    header = _HEADER.pack(number, out_flags, 1, len(records), 0, 0)
    return header + query[_HEADER.size : end + 4] + b"".join(records)


def _read_name(query: bytes, at: int) -> tuple[str, int]:
    labels = []
    while (length := query[at]) != 0:
        labels.append(query[at + 1 : at + 1 + length].decode("ascii").lower())
        at += 1 + length
    return ".".join(labels), at + 1


def _record(address: str) -> bytes:
    # 0xC00C points back to the name in the question.
    packed = IPv4Address(address).packed
    return struct.pack("!3HIH", 0xC00C, _TYPE_A, _CLASS_IN, TTL_SECONDS, len(packed)) + packed


class Services:
    """Addresses of services, asked from the API server and kept for a moment."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._known: dict[tuple[str, str], tuple[float, Sequence[str] | None]] = {}

    def lookup(self, name: str, namespace: str) -> Sequence[str] | None:
        """Return a service's addresses: its own, or those of its endpoints when it has none."""
        now = time.monotonic()
        until, addresses = self._known.get((name, namespace), (0.0, None))
        if now >= until:
            addresses = self._ask(name, namespace)
            self._known[name, namespace] = (now + TTL_SECONDS, addresses)
        return addresses

    def _ask(self, name: str, namespace: str) -> Sequence[str] | None:
        service = self._api.get_json(f"/api/v1/namespaces/{namespace}/services/{name}")
        if service is None:
            return None
        address = service["spec"].get("clusterIP", "None")
        if address != "None":
            return [address]
        slices = self._api.get_json(
            f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
            f"?labelSelector=kubernetes.io%2Fservice-name%3D{name}"
        )
        ends = [end for part in (slices or {}).get("items", []) for end in part["endpoints"] or []]
        return [a for end in ends for a in end["addresses"]]


def main(root: Path) -> None:
    """Serve for ever."""
    services = Services(Api(Paths(root)))

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, sock = self.request
            if (response := answer(data, services.lookup)) is not None:
                sock.sendto(response, self.client_address)

    class Server(socketserver.ThreadingUDPServer):
        daemon_threads = True

    with Server((NODE_ADDRESS, DNS_PORT), Handler) as server:
        server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
