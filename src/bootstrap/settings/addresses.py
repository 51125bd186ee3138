"""Web addresses as settings give them, and what they say about where they lead."""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def read_web_address(text: str) -> str:
    """An http or https address as browsers spell its origin, with no slash at its end.

    Raises `ValueError` for anything else, and for what has no place in a setting: credentials, a query, a fragment.
    """
    parts = urlsplit(text)
    if parts.scheme not in _DEFAULT_PORTS or "@" in parts.netloc or not set(text).isdisjoint("?# \\"):
        raise ValueError("not a plain web address")
    return f"{origin_of(text)}{parts.path.rstrip('/')}"


def read_origin(text: str) -> str:
    """A web address with nothing behind the port; raises `ValueError` for any other."""
    if urlsplit(text).path.strip("/"):
        raise ValueError("an origin has no path")
    return read_web_address(text)


def read_host(text: str) -> str:
    """A bare name or IPv4 address, with a port or not; raises `ValueError` for any other text."""
    parts = urlsplit(f"//{text}")
    if parts.netloc != text or not set(text).isdisjoint("@[]"):
        raise ValueError("not a bare host")
    return _place(parts)


def origin_of(address: str) -> str:
    """Scheme, host and port of a web address in the spelling of RFC 6454, section 6.2: no default port."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{_place(parts)}"


def is_loopback(address: str) -> bool:
    """Whether a web address leads to the very machine that uses it."""
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _place(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{ip_address(host)}]"
    elif not _HOST.fullmatch(host):
        raise ValueError("not a host")
    return host if parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f"{host}:{parts.port}"
