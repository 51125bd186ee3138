"""Response headers, origins and client addresses: the exact values that protect browsers and the service."""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from litestar.types import Scope

from application.actor import Client

Headers = list[tuple[bytes, bytes]]

_CLIENTS_REMEMBERED = 4096

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
_HOP = re.compile(r"(?:([0-9.]+)|\[([0-9A-Fa-f:.]+)\])(?::[0-9]{1,5})?|([0-9A-Fa-f:.]+)")
"""An address without a zone (RFC 4007), which may be any text."""
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
    """Whose request it is: the peer, or, behind a trusted proxy, the nearest hop that is not one itself.

    A hop is an address, with a port or not. One that cannot be read ends the walk at the last one that could: beyond
    it nothing is known of who wrote what.
    """

    def __init__(self, trusted_proxies: Iterable[str]) -> None:
        self._trusted: list[IPv4Network | IPv6Network] = [ip_network(network) for network in trusted_proxies]

    def of(self, peer: str, forwarded_for: str | None) -> str:
        """`forwarded_for` holds all lines of `X-Forwarded-For` in their order, with commas between."""
        if not self._trusted and ":" not in peer:
            return peer
        address = _address_in(peer)
        if address is None or not forwarded_for or not self._is_proxy(address):
            return str(address or peer)
        for hop in reversed(forwarded_for.split(",")):
            further = _address_in(hop.strip())
            if further is None:
                break
            address = further
            if not self._is_proxy(address):
                break
        return str(address)

    def _is_proxy(self, address: IPv4Address | IPv6Address) -> bool:
        return any(address in network for network in self._trusted)


def _address_in(hop: str) -> IPv4Address | IPv6Address | None:
    """The address of `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`.

    An IPv4 address that was written as IPv6 is the IPv4 address.
    """
    found = _HOP.fullmatch(hop)
    try:
        address = ip_address(next(filter(None, found.groups()))) if found else None
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address


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


@lru_cache(_CLIENTS_REMEMBERED)
def client_of(ip: str, user_agent: bytes) -> Client:
    """A client as handlers see it, its browser's name on one line."""
    text = user_agent.decode("latin-1")
    return Client(ip=ip, user_agent="".join(character if character.isprintable() else " " for character in text))
