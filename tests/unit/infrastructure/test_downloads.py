"""Downloads of a provider's output, from servers and names that mean no good."""

import datetime as dt
import gzip
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from application.images.ports import BadOutput, OutputUnavailable
from infrastructure.downloads import Address, GuardedDownloads, Resolver
from tests.misbehaving import Conduct, MisbehavingServer, answer, drip, reset, silence

PICTURE = b"\xff\xd8\xff" + bytes(20_000)


class Resolutions:
    """A resolver that knows what it is told, and remembers what it was asked."""

    def __init__(self, *answers: Address) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[Address]:
        assert port
        self.asked.append(host)
        return self.answers


class PassesForPublic(IPv4Address):
    """An address of this machine that a test declares to be out in the world."""

    is_global = True


@asynccontextmanager
async def downloads(
    plain_http: str = "", *, max_bytes: int = 100_000, total_seconds: float = 20, resolver: Resolver | None = None
) -> AsyncIterator[GuardedDownloads]:
    guarded = GuardedDownloads(
        hosts=["replicate.delivery"],
        plain_http=[plain_http] if plain_http else [],
        max_bytes=max_bytes,
        total_seconds=total_seconds,
        resolver=resolver or Resolutions(ip_address("127.0.0.1")),
    )
    yield guarded
    await guarded.aclose()


async def test_a_picture_arrives_as_it_was_sent() -> None:
    """The request carries nothing but what is needed: no credentials, no cookie, no wish for compression."""
    async with MisbehavingServer(answer(200, PICTURE, Set_Cookie="a=b")) as server, downloads(server.pair) as guarded:
        for _ in range(2):
            assert await guarded.fetch(f"{server.url}/out.png?sig=1") == PICTURE
    request = server.requests[1].decode().lower()
    assert request.startswith("get /out.png?sig=1 http/1.1\r\n")
    assert f"host: {server.pair}\r\n" in request
    assert "accept-encoding: identity\r\n" in request
    assert "authorization" not in request
    assert "cookie" not in request


@pytest.mark.parametrize(
    "url",
    [
        "http://replicate.delivery/a.png",
        "https://replicate.delivery.evil.example/a.png",
        "https://evilreplicate.delivery/a.png",
        "https://replicate.delivery@evil.example/a.png",
        "https://user:password@replicate.delivery/a.png",
        "https://replicate.delivery:8443/a.png",
        "https://replicate.delivery\\@evil.example/a.png",
        "https://evil.example/replicate.delivery",
        "https://127.0.0.1/a.png",
        "https://[::1]/a.png",
        "http://127.0.0.1:1/a.png",
        "http://localhost:8000/a.png",
        "https:replicate.delivery/a.png",
        "//replicate.delivery/a.png",
        "ftp://replicate.delivery/a.png",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "javascript:alert(1)",
        "https://xn--a.replicate.delivery/a.png",
        "https://replicate.delivery/\r\nX-Injected: yes",
        "https://replicate.delivery:99999999/a.png",
        "x" * 100_000,
        "",
    ],
    ids=lambda url: url[:45],
)
async def test_other_addresses_are_not_even_resolved(url: str) -> None:
    resolutions = Resolutions(ip_address("8.8.8.8"))
    async with downloads("sandbox.test:8000", resolver=resolutions) as guarded:
        with pytest.raises(BadOutput):
            await guarded.fetch(url)
    assert resolutions.asked == []


async def test_an_empty_entry_in_the_list_allows_nothing() -> None:
    """Else every name with a final dot would be a subdomain of it."""
    guarded = GuardedDownloads(hosts=[""], resolver=Resolutions(ip_address("8.8.8.8")))
    with pytest.raises(BadOutput):
        await guarded.fetch("https://evil.example./a.png")
    await guarded.aclose()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    ],
)  # fmt: skip
async def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    """Also when a public address stands before it in the answer."""
    for answers in ([ip_address(address)], [ip_address("8.8.8.8"), ip_address(address)]):
        async with downloads(resolver=Resolutions(*answers)) as guarded:
            with pytest.raises(BadOutput, match="public address"):
                await guarded.fetch("https://pbxt.replicate.delivery/a.png")


async def test_the_played_provider_may_be_on_this_machine_only() -> None:
    """A plain address that was allowed by name still may not lead into the private network."""
    async with downloads("sandbox.test:80", resolver=Resolutions(ip_address("10.0.0.1"))) as guarded:
        with pytest.raises(BadOutput):
            await guarded.fetch("http://sandbox.test/a.png")


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """The name is resolved once, by us, and never again by the connection."""
    resolutions = Resolutions(ip_address("127.0.0.1"))
    async with MisbehavingServer(answer(200, PICTURE)) as server:
        pair = f"no-such-name.invalid:{server.port}"
        async with downloads(pair, resolver=resolutions) as guarded:
            assert await guarded.fetch(f"http://{pair}/a.png") == PICTURE
    assert resolutions.asked == ["no-such-name.invalid"]
    assert f"Host: {pair}\r\n".encode() in server.requests[0]


@pytest.mark.parametrize(
    "reply",
    [
        answer(302, b"", Location="http://169.254.169.254/latest/meta-data"),
        answer(301, b"", Location="https://replicate.delivery/a.png"),
        answer(403, b"expired"),
        answer(404, b"gone"),
        answer(410, b"gone"),
        answer(204),
        answer(206, PICTURE),
        answer(200, gzip.compress(bytes(10_000_000)), Content_Encoding="gzip"),
        answer(200, PICTURE, Content_Encoding="br"),
        answer(200, bytes(100_001)),
        answer(200, PICTURE, Content_Length=str(len(PICTURE) + 1)),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        drip(b"HTTP/1.1 200 OK\r\n\r\n", bytes(50_000)),
    ],
    ids=[
        "redirect inside", "redirect", "403", "404", "410", "no content", "a part", "gzip bomb", "brotli", "too large",
        "truncated", "truncated chunk", "endless",
    ],
)  # fmt: skip
async def test_an_answer_that_is_no_whole_picture_is_a_bad_output(reply: bytes | Conduct) -> None:
    async with MisbehavingServer(reply) as server, downloads(server.pair) as guarded:
        with pytest.raises(BadOutput):
            await guarded.fetch(f"{server.url}/a.png")
    assert len(server.requests) == 1


async def test_an_output_that_takes_too_long_is_bad() -> None:
    """Each drop comes in time, the whole does not."""
    slow = drip(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"x")
    async with MisbehavingServer(slow) as server, downloads(server.pair, total_seconds=0.3) as guarded:
        with pytest.raises(BadOutput):
            await guarded.fetch(f"{server.url}/a.png")


@pytest.mark.parametrize(
    "reply",
    [answer(500), answer(503, b"later"), answer(429), reset, silence, b"", b"SSH-2.0-OpenSSH\r\n"],
    ids=["500", "503", "429", "reset", "silence", "closed", "no http"],
)
async def test_what_may_pass_is_unavailable(reply: bytes | Conduct) -> None:
    async with MisbehavingServer(reply) as server, downloads(server.pair, total_seconds=0.5) as guarded:
        with pytest.raises(OutputUnavailable):
            await guarded.fetch(f"{server.url}/a.png")


async def test_a_host_that_is_not_there_is_unavailable() -> None:
    async with MisbehavingServer(b"") as server:
        pair = server.pair
    async with downloads(pair) as guarded:
        with pytest.raises(OutputUnavailable):
            await guarded.fetch(f"http://{pair}/a.png")


@pytest.mark.parametrize("trouble", [OSError("no such name"), UnicodeError("label too long")])
async def test_a_name_without_an_address_is_unavailable(trouble: Exception) -> None:
    async def resolver(host: str, port: int) -> list[Address]:
        assert (host, port) == ("a.replicate.delivery", 443)
        raise trouble

    async with downloads(resolver=resolver) as guarded:
        with pytest.raises(OutputUnavailable):
            await guarded.fetch("https://a.replicate.delivery/a.png")


class Authority:
    """A certificate authority of one test."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._sign("Test authority", self._key, x509.BasicConstraints(ca=True, path_length=None))
        self.trust = ssl.create_default_context(
            cadata=self._certificate.public_bytes(serialization.Encoding.PEM).decode()
        )

    def server_for(self, name: str, folder: Path) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(name, key, x509.SubjectAlternativeName([x509.DNSName(name)]))
        file = folder / "server.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _sign(self, name: str, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(extension, critical=True)
            .sign(self._key, hashes.SHA256())
        )


@pytest.mark.parametrize(("certificate_for", "accepted"), [("pbxt.replicate.delivery", True), ("evil.example", False)])
async def test_the_certificate_is_checked_against_the_name(
    tmp_path: Path, certificate_for: str, accepted: bool
) -> None:
    """Though the connection goes to a bare address, it is the name's certificate that counts."""
    authority = Authority()
    tls = authority.server_for(certificate_for, tmp_path)
    async with MisbehavingServer(answer(200, PICTURE), tls=tls) as server:
        guarded = GuardedDownloads(
            hosts=["replicate.delivery"],
            https_port=server.port,
            resolver=Resolutions(PassesForPublic("127.0.0.1")),
            tls=authority.trust,
        )
        url = f"https://pbxt.replicate.delivery:{server.port}/a.png"
        if accepted:
            assert await guarded.fetch(url) == PICTURE
        else:
            with pytest.raises(OutputUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
                await guarded.fetch(url)
        await guarded.aclose()
