"""Servers for the real adapters: the sandbox and moto, one of each per test process, on free ports."""

import secrets
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from moto.server import ThreadedMotoServer

from sandbox.app import create_app
from sandbox.config import SandboxConfig, make_webhook_secret
from sandbox.server import CuttableProtocol, listen


class RunningSandbox:
    """The sandbox's app on a real socket, in a thread with an event loop of its own."""

    def __init__(self) -> None:
        listener = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.webhook_secret = make_webhook_secret()
        self.dodo_key = secrets.token_urlsafe()
        config = SandboxConfig(
            public_url=self.url,
            latency_seconds=0,
            replicate_webhook_secret=self.webhook_secret,
            dodo_api_key=self.dodo_key,
            dodo_webhook_secret=self.webhook_secret,
            dodo_webhook_speedup=10_000,
            dodo_refund_seconds=0,
        )
        self._client = httpx.Client(trust_env=False)
        self._server = uvicorn.Server(
            uvicorn.Config(create_app(config), http=CuttableProtocol, log_config=None, timeout_graceful_shutdown=1)
        )
        self._thread = threading.Thread(target=self._server.run, args=[[listener]], daemon=True)
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the sandbox did not start"
            time.sleep(0.01)

    def script(self, service: str, *rules: dict[str, Any]) -> None:
        """Have the next calls of a service answered as told, and forget the calls so far."""
        control = f"{self.url}/{service}/__control"
        self._client.delete(control).raise_for_status()
        self._client.put(control, json={"rules": rules}).raise_for_status()
        if service == "replicate":
            model = {"latency_seconds": 0, "picture": "fixed"}
            self._client.put(f"{control}/model", json=model).raise_for_status()

    def stop(self) -> None:
        self._client.close()
        self._server.should_exit = True
        self._thread.join()


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[RunningSandbox]:
    running = RunningSandbox()
    yield running
    running.stop()


@pytest.fixture
def sandbox(_sandbox: RunningSandbox) -> RunningSandbox:
    """The sandbox, with nothing scripted."""
    _sandbox.script("replicate")
    _sandbox.script("brevo")
    return _sandbox


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """S3 as moto plays it. It enforces neither signatures nor expiry: it proves the calls, not the limits."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
