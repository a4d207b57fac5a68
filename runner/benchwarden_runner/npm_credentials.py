"""Credentials for npm registries, as an `.npmrc` has them: each for one address, and never shown or sent elsewhere.

Their rules are npm's: a line names a place (`//host/path/:_authToken=...`), the longest place that an address
begins with decides, and an address that no place covers is asked without credentials, also after a redirect.
"""

import base64
import binascii
import http.client
import re
import urllib.request
from typing import IO, Any, Dict, Iterable, Mapping, Optional
from urllib.parse import urlsplit

_HEADER = "Authorization"
_PLACED = re.compile(r"\s*(//[^=]+?):(_authToken|_auth|username|_password)\s*=\s*(.*?)\s*$")
_UNPLACED = re.compile(r"\s*(?:_authToken|_auth|_password|username|[\w@:-]*registry)\s*=")
_TOKEN = "_authToken"  # noqa: S105 - the name of a field
_VARIABLE = re.compile(r"\$\{([^}]+)\}")
_VISIBLE = re.compile(r"[\x21-\x7e]+")
_ORDINARY_PORTS = {"http": 80, "https": 443}
_NEITHER = (
    "are neither an .npmrc with lines such as //HOST/PATH/:_authToken=TOKEN nor a token alone"
)


class CredentialsError(ValueError):
    """They cannot be read; the message never repeats them."""


class NpmCredentials:
    """What to send to which address."""

    def __init__(
        self,
        places: Optional[Mapping[str, Mapping[str, str]]] = None,
        environment: Optional[Mapping[str, str]] = None,
    ) -> None:
        """Make them of an `.npmrc`'s fields by place, and of the values for `${NAME}` in them."""
        self._places = {place: dict(fields) for place, fields in (places or {}).items()}
        self._environment = dict(environment or {})

    def header(self, url: str) -> Optional[str]:
        """The header's value for an address; None where it is to be asked without.

        Raises:
            CredentialsError: those for this address are incomplete or unusable.
        """
        place = place_of(url)
        known = [each for each in self._places if place.startswith(each)]
        if not known:
            return None
        fields = self._places[max(known, key=len)]
        return _value({name: self._expanded(value) for name, value in fields.items()})

    def _expanded(self, value: str) -> str:
        for name in _VARIABLE.findall(value):
            if name not in self._environment:
                raise CredentialsError(f"name the variable {name}, which is not set here")
        return _VARIABLE.sub(lambda match: self._environment[match[1]], value)


NO_CREDENTIALS = NpmCredentials()


def place_of(url: str) -> str:
    """The address without its scheme, an ordinary port and what follows its path; ends with a slash."""
    parts = urlsplit(url)
    host, port = (parts.hostname or "").lower(), parts.port
    shown = f"[{host}]" if ":" in host else host
    if port is not None and port not in _ORDINARY_PORTS.values():
        shown = f"{shown}:{port}"
    return f"//{shown}{parts.path.rstrip('/')}/"


def of_files(texts: Iterable[str], environment: Mapping[str, str]) -> NpmCredentials:
    """Those of `.npmrc` files, the more important first; `environment` has the values for `${NAME}`."""
    places: Dict[str, Dict[str, str]] = {}
    for text in texts:
        places = {**_placed(text), **places}
    return NpmCredentials(places, environment)


def of_secret(text: str, registry: str) -> NpmCredentials:
    """Those in a Secret: an `.npmrc`, or a token alone, which is for the address `registry`.

    Raises:
        CredentialsError: the text is neither.
    """
    places = _placed(text)
    if places:
        return NpmCredentials(places)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) != 1 or _UNPLACED.match(lines[0]) or not _VISIBLE.fullmatch(lines[0]):
        raise CredentialsError(_NEITHER)
    return NpmCredentials({place_of(registry): {_TOKEN: lines[0]}})


def open_url(
    url: str,
    credentials: NpmCredentials,
    timeout: float,
    headers: Optional[Mapping[str, str]] = None,
) -> Any:
    """`urllib.request.urlopen` with the credentials that the address, or the one it leads to, is owed."""
    request = urllib.request.Request(url, headers=dict(headers or {}))  # noqa: S310 - callers check the scheme
    _authorise(request, credentials)
    opener = urllib.request.build_opener(_Redirects(credentials))
    return opener.open(request, timeout=timeout)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects; what was for one address is not carried to the next."""

    def __init__(self, credentials: NpmCredentials) -> None:
        self._credentials = credentials

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> Optional[urllib.request.Request]:
        found = super().redirect_request(req, fp, code, msg, headers, newurl)
        less_safe = req.type == "https" and urlsplit(newurl).scheme != "https"
        if found is not None and not less_safe:
            _authorise(found, self._credentials)
        return found


def _authorise(request: urllib.request.Request, credentials: NpmCredentials) -> None:
    value = credentials.header(request.full_url)
    if value is not None:
        request.add_unredirected_header(_HEADER, value)


def _placed(text: str) -> Dict[str, Dict[str, str]]:
    """Fields by place, of all lines that have a place."""
    found: Dict[str, Dict[str, str]] = {}
    for line in text.splitlines():
        match = _PLACED.match(line)
        if match:
            place, name, value = match.groups()
            found.setdefault(place_of(f"https:{place}"), {})[name] = value.strip("\"'")
    return found


def _value(fields: Mapping[str, str]) -> str:
    """The header's value; a token wins over a name with its password, as in npm."""
    for name, scheme in ((_TOKEN, "Bearer"), ("_auth", "Basic")):
        if fields.get(name):
            if not _VISIBLE.fullmatch(fields[name]):  # http.client's error would repeat it
                raise CredentialsError("hold a space or another character that no header may have")
            return f"{scheme} {fields[name]}"
    try:
        password = base64.b64decode(fields.get("_password", ""), validate=True)
    except (binascii.Error, ValueError):
        raise CredentialsError("have a _password that is not base64, as npm writes it") from None
    if not fields.get("username") or not password:
        raise CredentialsError("have no token, and no username with its _password")
    both = fields["username"].encode() + b":" + password
    return "Basic " + base64.b64encode(both).decode("ascii")
