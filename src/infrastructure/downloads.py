"""Downloads from addresses that a provider named: allowed hosts, one resolved address, no redirects, few bytes."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection
from ipaddress import IPv4Address, IPv6Address, ip_address

import httpx

from application.images.ports import BadOutput, OutputDownloads, OutputUnavailable

MAX_BYTES = 30 * 1024 * 1024
"""The model renders about 4 megapixels: 12 MB if its PNG saved nothing. Generous to formats and sizes to come."""
TOTAL_SECONDS = 30.0
MAX_CONNECTIONS = 16
"""Bounds the memory of downloads under way, times `MAX_BYTES`; more of them wait, within their time."""

_OK = 200
_MAY_PASS = {408, 425, 429, *range(500, 600)}

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[list[Address]]]


async def resolve(host: str, port: int) -> list[Address]:
    """The host's addresses as the system's resolver knows them; `OSError` when it knows none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ip_address(sockaddr[0]) for *_, sockaddr in found]


class GuardedDownloads(OutputDownloads):
    """Fetches from `hosts` and their subdomains over https, and from `plain_http` over http.

    The name is resolved once, all its addresses must be public, and the connection goes to one of them: a name that
    means something else a moment later (DNS rebinding) reaches nothing. The certificate is checked against the name.
    `plain_http` holds the exact `host:port` pairs of a provider that is played on this machine; only they may stand
    for a loopback address.

    What goes wrong before the answer begins may pass (`OutputUnavailable`). A 200 that then breaks off, never ends,
    is compressed or too large is a bad output.
    """

    def __init__(
        self,
        *,
        hosts: Collection[str],
        plain_http: Collection[str] = (),
        max_bytes: int = MAX_BYTES,
        total_seconds: float = TOTAL_SECONDS,
        https_port: int = 443,
        resolver: Resolver = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._hosts = tuple(host.lower() for host in hosts if host)
        self._plain_http = frozenset(httpx.URL(f"http://{pair}").netloc for pair in plain_http)
        self._max_bytes = max_bytes
        self._total_seconds = total_seconds
        self._https_port = https_port
        self._resolve = resolver
        # A transport, not a client: no cookies, redirects, proxies or credentials to switch off. No connection is kept:
        # the pool knows only the pinned address, and would reuse one whose certificate was checked for another name.
        self._transport = httpx.AsyncHTTPTransport(
            verify=tls or True,
            trust_env=False,
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=0),
        )

    async def fetch(self, url: str) -> bytes:
        target = self._allowed(url)
        deadline = asyncio.get_running_loop().time() + self._total_seconds
        try:
            async with asyncio.timeout_at(deadline):
                response = await self._transport.handle_async_request(await self._pinned(target))
        except (TimeoutError, httpx.TransportError, OSError, UnicodeError) as error:
            raise OutputUnavailable(f"no answer from {target.host}: {error!r}") from error
        try:
            async with asyncio.timeout_at(deadline):
                return await self._read(response)
        except (TimeoutError, httpx.TransportError) as error:
            raise BadOutput(f"the output from {target.host} did not arrive whole: {error!r}") from error
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        await self._transport.aclose()

    def _allowed(self, address: str) -> httpx.URL:
        """Parse once, with the parser that will connect, so that no two readings can differ."""
        try:
            url = httpx.URL(address)
            host = url.host  # decodes punycode, and may fail at it
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            raise BadOutput("the output's address cannot be read") from error
        if url.userinfo:
            raise BadOutput("the output's address carries credentials")
        if self._is_plain(url):
            return url
        named = any(host == known or host.endswith(f".{known}") for known in self._hosts)
        if url.scheme == "https" and named and (url.port or 443) == self._https_port:
            return url
        raise BadOutput(f"outputs are not fetched from {url.scheme}://{url.netloc.decode()}"[:200])

    def _is_plain(self, url: httpx.URL) -> bool:
        return url.scheme == "http" and url.netloc in self._plain_http

    async def _pinned(self, url: httpx.URL) -> httpx.Request:
        """A request whose URL holds the address, while Host header and certificate check keep the name."""
        addresses = await self._resolve(url.host, url.port or 443)
        plain = self._is_plain(url)
        if not addresses or not all(_is_public(a) or (plain and a.is_loopback) for a in addresses):
            raise BadOutput(f"{url.host} does not stand for a public address")
        return httpx.Request(
            "GET",
            url.copy_with(host=str(addresses[0])),
            headers={"Host": url.netloc.decode(), "Accept": "image/*", "Accept-Encoding": "identity"},
            extensions={"sni_hostname": url.host, "timeout": httpx.Timeout(10, connect=5, pool=None).as_dict()},
        )

    async def _read(self, response: httpx.Response) -> bytes:
        if response.status_code in _MAY_PASS:
            raise OutputUnavailable(f"the output's host answered {response.status_code}")
        if response.status_code != _OK:
            raise BadOutput(f"the output's host answered {response.status_code}")
        if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            raise BadOutput("the output came compressed though that was declined")
        if int(response.headers.get("Content-Length", 0)) > self._max_bytes:
            raise BadOutput(f"the output says that it is larger than {self._max_bytes} bytes")
        data = bytearray()
        async for chunk in response.aiter_raw():
            data += chunk
            if len(data) > self._max_bytes:
                raise BadOutput(f"the output is larger than {self._max_bytes} bytes")
        return bytes(data)


def _is_public(address: Address) -> bool:
    return address.is_global and not address.is_multicast
