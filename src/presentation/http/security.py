"""Response headers, origins and client addresses: the exact values that protect browsers and the service."""

import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from litestar.types import Scope

from application.actor import Client

Headers = list[tuple[bytes, bytes]]

CHANGING_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})

_ALWAYS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-site"),
    (b"vary", b"Origin"),
]
_NOTHING_RUNS = (
    b"content-security-policy",
    b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
)
_PAGES_HAVE_STYLES = (
    b"content-security-policy",
    b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
)
_HTTPS_ONLY = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
_SHOWN_TO_SCRIPTS = b"X-Request-ID, Retry-After"
_PREFLIGHT: Headers = [
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
    (b"access-control-allow-headers", b"Authorization, Content-Type, Idempotency-Key, X-Request-ID, Last-Event-ID"),
    (b"access-control-max-age", b"600"),
]
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{8,128}")


def security_headers(*, https: bool, page: bool = False) -> Headers:
    """What every answer carries; a page of ours may in addition have its own styles, and nothing else."""
    return [*_ALWAYS, _PAGES_HAVE_STYLES if page else _NOTHING_RUNS, *([_HTTPS_ONLY] if https else [])]


def header_of(scope: Scope, name: bytes) -> str | None:
    """One header of a request; a framework's `request.headers` decodes all of them."""
    return next((value.decode("latin-1") for given, value in scope["headers"] if given == name), None)


def acceptable_request_id(text: str) -> bool:
    return _REQUEST_ID.fullmatch(text) is not None


class Origins:
    """The exact origins that browsers may call from, with credentials."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._headers: dict[bytes, Headers] = {
            origin.encode(): [
                (b"access-control-allow-origin", origin.encode()),
                (b"access-control-allow-credentials", b"true"),
                (b"access-control-expose-headers", _SHOWN_TO_SCRIPTS),
            ]
            for origin in allowed
        }

    def allow(self, origin: bytes) -> bool:
        return origin in self._headers

    def headers(self, origin: bytes | None) -> Headers:
        return self._headers.get(origin, []) if origin else []

    def preflight_headers(self, origin: bytes) -> Headers:
        allowed = self.headers(origin)
        return [*allowed, *_PREFLIGHT] if allowed else []


class ClientAddresses:
    """Whose request it is: the peer, or, behind a trusted proxy, the nearest address that is not one itself."""

    def __init__(self, trusted_proxies: Iterable[str]) -> None:
        self._trusted: list[IPv4Network | IPv6Network] = [ip_network(network) for network in trusted_proxies]

    def of(self, peer: str, forwarded_for: str | None) -> str:
        if not self._trusted or not forwarded_for or not self._is_proxy(peer):
            return peer
        address = peer
        for hop in reversed(forwarded_for.split(",")):
            try:
                address = str(ip_address(hop.strip()))
            except ValueError:
                return address
            if not self._is_proxy(address):
                return address
        return address

    def _is_proxy(self, address: str) -> bool:
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._trusted)


def network_of(address: str) -> str:
    """What counts as one client for limits: an IPv4 address, or an IPv6 customer's /64."""
    if ":" not in address:
        return address
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, 64), strict=False))
    return address


def client_of(ip: str, user_agent: str) -> Client:
    printable = "".join(character if character.isprintable() else " " for character in user_agent)
    return Client(ip=ip, user_agent=printable)
