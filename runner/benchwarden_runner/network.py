"""Whether a network policy holds: an address that must fail is tried once, and the answer is recorded."""

import socket

from benchwarden_runner.protocol import NETWORK_ENFORCED, NETWORK_OPEN, NETWORK_UNKNOWN


def isolation(address: str, timeout_seconds: float = 2.0) -> str:
    """What connecting to `ip:port` (or `[ip6]:port`) says.

    Connected: open. Silence or no way there: enforced. Refused: unknown, because a host without a listener
    and a policy that rejects look the same. No or a malformed address: unknown.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        return NETWORK_UNKNOWN
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout_seconds).close()
    except ConnectionRefusedError:
        return NETWORK_UNKNOWN
    except socket.gaierror:
        return NETWORK_UNKNOWN
    except OSError:
        return NETWORK_ENFORCED
    return NETWORK_OPEN
