"""Whose request it is, as far as those who passed it on can be trusted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from presentation.http.security import ClientAddresses

PROXIES = ("10.0.0.0/8", "192.0.2.1", "2001:db8:ffff::/48")
PROXY = "10.0.0.1"
CLIENT = "198.51.100.7"

behind_proxies = ClientAddresses(PROXIES)


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (CLIENT, CLIENT),
        (f"203.0.113.5, {CLIENT}", CLIENT),
        (f"203.0.113.5, {CLIENT}, 192.0.2.1, 10.9.9.9", CLIENT),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        (f" {CLIENT}\t,10.0.0.2 ", CLIENT),
        (None, PROXY),
        ("", PROXY),
    ],
)
def test_the_nearest_hop_that_is_no_proxy_is_the_client(forwarded: str | None, client: str) -> None:
    """What stands before it is the client's own tale; where all are proxies, it is the first."""
    assert behind_proxies.of(PROXY, forwarded) == client


@pytest.mark.parametrize(
    ("hop", "address"),
    [
        ("198.51.100.7:567", CLIENT),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("::ffff:198.51.100.7", CLIENT),
        ("[::ffff:c633:6407]:80", CLIENT),
    ],
)
def test_a_hop_may_be_written_in_many_ways(hop: str, address: str) -> None:
    """With a port, in brackets, in capitals, or IPv4 as IPv6: each client has one name."""
    assert behind_proxies.of(PROXY, f"203.0.113.5, {hop}") == address
    assert behind_proxies.of(PROXY, f"{CLIENT}, {hop}, 10.0.0.2:8080, [2001:db8:ffff::2]:80") == address


@pytest.mark.parametrize(
    "hop",
    [
        "", "unknown", "_hidden", "198.51.100.7:", "198.51.100.7:port", "198.51.100.7:123456", "198.51.100.07",
        "198.51.100", "198.51.100.7.9", "[2001:db8::1", "2001:db8::1]", "[]", "::1::",
        '"[2001:db8::1]:443"', "'198.51.100.7'", "for=198.51.100.7", "fe80::1%eth0", "fe80::1%<script>", "\u0663.1.1.1",
        "198.51.100.7/24", "2001:db8::1:443:x",
    ],
)  # fmt: skip
def test_a_hop_that_cannot_be_read_ends_the_walk_at_the_last_that_could(hop: str) -> None:
    """Nobody knows who wrote what stands before it."""
    assert behind_proxies.of(PROXY, hop) == PROXY
    assert behind_proxies.of(PROXY, f"{CLIENT}, {hop}, 10.0.0.2") == "10.0.0.2"
    assert behind_proxies.of(PROXY, f"{hop}, {CLIENT}, 10.0.0.2") == CLIENT


@pytest.mark.parametrize("peer", [CLIENT, "10.1.2.3.4", "2001:db8::9", "", "testclient"])
def test_what_a_stranger_forwards_counts_for_nothing(peer: str) -> None:
    """Only a trusted proxy may say for whom it speaks."""
    assert behind_proxies.of(peer, "203.0.113.5") == peer
    assert ClientAddresses([]).of(peer, "203.0.113.5") == peer


@pytest.mark.parametrize("addresses", [behind_proxies, ClientAddresses([])])
def test_a_peer_that_is_ipv4_on_an_ipv6_socket_is_that_ipv4_address(addresses: ClientAddresses) -> None:
    """A server that listens on both families sees its proxies, and its clients, so."""
    assert addresses.of(f"::ffff:{CLIENT}", "203.0.113.5") == CLIENT
    assert behind_proxies.of("::ffff:10.0.0.1", CLIENT) == CLIENT


@given(st.text(alphabet='0123456789abcdef.:[], "%x\n', max_size=60))
def test_whatever_is_forwarded_the_answer_is_an_address(forwarded: str) -> None:
    """Of at most 45 plain characters, so that it can be kept, compared and logged."""
    client = behind_proxies.of(PROXY, forwarded)
    assert len(client) <= 45
    assert set(client) <= set("0123456789abcdef.:")
