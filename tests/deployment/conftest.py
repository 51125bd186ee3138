"""HAProxy with the configuration of the deployment, before the real API. It comes from the system's packages."""

import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from bootstrap.embedded import free_port
from tests.deployment.way_in import CLIENT, WayIn
from tests.faults.customer import Customer
from tests.faults.rig import Rig, portrait

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "haproxy.cfg"
_SERVERS_ARE_KNOWN_SECONDS = 30


@pytest.fixture(scope="session")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig(tmp_path_factory.mktemp("rig"), TRUSTED_PROXIES="127.0.0.1")
    try:
        yield rig
        rig.hairtryon("credits", "audit")
    finally:
        rig.close()


@pytest.fixture(scope="session")
def way_in(rig: Rig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WayIn]:
    haproxy = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    assert haproxy, "HAProxy is not installed: it is a package of that name everywhere"
    folder = tmp_path_factory.mktemp("proxy")
    certificate = _certificate(folder)
    port = free_port()
    environ = {
        "BIND_HTTP": f"127.0.0.1:{free_port()}",
        "BIND_HTTPS": f"127.0.0.1:{port}",
        "CERTIFICATES": str(certificate),
        "API": rig.url.removeprefix("http://"),
        "STORAGE": rig.sandbox_url.removeprefix("http://"),
    }
    with (folder / "haproxy.log").open("wb") as log:
        process = subprocess.Popen([haproxy, "-db", "-f", CONFIGURATION], env=environ, stderr=log)  # noqa: S603
        try:
            way_in = WayIn(port, certificate, environ["BIND_HTTP"])
            _wait(way_in)
            yield way_in
        finally:
            process.terminate()
            process.wait()


@pytest.fixture
async def customer(rig: Rig, way_in: WayIn) -> AsyncIterator[Customer]:
    """Who registered and signed in through the proxy, and uploaded a portrait through it."""
    async with Customer(rig.url, rig.sandbox_url) as customer:
        customer.http = way_in.client()
        email = f"{rig.new_canary()}@example.org"
        await customer.register(email, rig.password)
        tokens = await customer.verify(await customer.mailed_token(email))
        customer.http.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        await customer.pick(portrait())
        yield customer


def _wait(way_in: WayIn) -> None:
    """Until the proxy has found the API."""
    deadline = time.monotonic() + _SERVERS_ARE_KNOWN_SECONDS
    transport = httpx.HTTPTransport(verify=way_in.trust, local_address=CLIENT)
    with httpx.Client(transport=transport) as client:
        while time.monotonic() < deadline:
            try:
                if client.get(f"{way_in.url}/health/live").is_success:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
    pytest.fail("The proxy does not reach the API.")


def _certificate(folder: Path) -> Path:
    """For api.localhost, signed by itself; HAProxy takes it and its key from one file."""
    key, certificate, both = folder / "key.pem", folder / "certificate.pem", folder / "site.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    made: list[str | Path] = ["-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", certificate]
    subprocess.run(["openssl", "req", "-x509", *names, *made], check=True, capture_output=True)  # noqa: S603, S607
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    return both
