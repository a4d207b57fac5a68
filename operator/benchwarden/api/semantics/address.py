"""Addresses that a spec may name: complete, and without secrets in them."""

from urllib.parse import urlsplit

_ABSENT_HOST = "has no host name"
_CREDENTIALS = (
    "carries a user or password, which everyone who may read the run would see; remove them"
)


def address_fault(url: str) -> str:
    """What is wrong with an address, as the end of a sentence; empty = nothing."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        return f"is not an address: {error}"
    if not host or port == 0:
        return _ABSENT_HOST if not host else "has port 0"
    if parts.username or parts.password:
        return _CREDENTIALS
    return ""
