"""How a client from elsewhere reaches the service: through the proxy, over TLS."""

import socket
import ssl
from pathlib import Path

import httpx

CLIENT = "127.0.0.9"
"""Where clients of these tests come from; the proxy itself speaks to the API from 127.0.0.1."""


class WayIn:
    def __init__(self, port: int, certificate: Path, plain: str) -> None:
        self.url = f"https://localhost:{port}"
        self.plain_url = f"http://{plain}"
        self.trust = ssl.create_default_context(cafile=str(certificate))
        self._port = port

    def client(self) -> httpx.AsyncClient:
        transport = httpx.AsyncHTTPTransport(verify=self.trust, local_address=CLIENT)
        return httpx.AsyncClient(base_url=f"{self.url}/api/v1", transport=transport, timeout=60)

    def connection(self) -> ssl.SSLSocket:
        """A bare one, for who does not behave as clients do. Waiting on it for a minute is an error."""
        bare = socket.create_connection(("127.0.0.1", self._port), timeout=60, source_address=(CLIENT, 0))
        return self.trust.wrap_socket(bare, server_hostname="localhost")
