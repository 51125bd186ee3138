"""Which of our addresses a server elsewhere can reach."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def reachable_from_outside(url: str) -> bool:
    """True for https at anything but a loopback name or address: what the image model's servers can fetch."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost" or host.endswith(".localhost")
    return parts.scheme == "https" and bool(host) and not loopback
