import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.uploads import Upload, is_incoming_key, new_incoming_key, new_upload_key, upload_key_in
from tests.unit.factories import NOW

KEY = "uploads/AbCdEfGhIjKlMnOpQrStUvWxYz012-_9.jpg"
LOOKALIKE_A = "\N{CYRILLIC CAPITAL LETTER A}"
ARABIC_ZERO = "\N{ARABIC-INDIC DIGIT ZERO}"


def test_a_new_key_is_long_random_and_fit_for_an_address() -> None:
    """192 random bits: nobody guesses one."""
    keys = {new_upload_key() for _ in range(1000)}
    assert len(keys) == 1000
    assert all(re.fullmatch(r"uploads/[A-Za-z0-9_-]{32}\.jpg", key) for key in keys)


@pytest.mark.parametrize(
    "address",
    [
        f"https://api.example.com/media/{KEY}?expires=1&signature=x",
        f"http://localhost:8000/media/{KEY}",
        f"https://cdn.example.com/{KEY}",
        f"https://s3.eu-central-1.amazonaws.com/bucket/{KEY}?X-Amz-Signature=x#fragment",
        f"https://elsewhere.example/{KEY}",
        f"/{KEY}",
    ],
)
def test_the_key_is_read_from_the_path_alone(address: str) -> None:
    """Host, signature and expiry do not matter, for nothing is fetched from there and whose it is gets looked up."""
    assert upload_key_in(address) == KEY


@pytest.mark.parametrize(
    "address",
    [
        "",
        KEY,
        "https://api.example.com/",
        f"https://api.example.com/media/{KEY}/",
        f"https://api.example.com/media/{KEY}%00",
        f"https://api.example.com/media/{KEY}.png",
        f"https://api.example.com/media/my{KEY}",
        f"https://api.example.com/?{KEY}",
        f"https://api.example.com/?x=/{KEY}",
        f"https://api.example.com/#/{KEY}",
        f"https://{KEY}",
        "https://api.example.com/uploads/../../etc/passwd.jpg",
        "https://api.example.com/uploads/%2e%2e%2fAbCdEfGhIjKlMnOpQrStUvWx.jpg",
        f"https://api.example.com/{KEY.replace('/', '%2F')}",
        f"https://api.example.com/{KEY.replace('/', chr(92))}",
        f"https://api.example.com/{KEY.replace('/', '//')}",
        f"https://api.example.com/{KEY.upper()}",
        f"https://api.example.com/{KEY.replace('A', LOOKALIKE_A)}",
        f"https://api.example.com/{KEY.replace('0', ARABIC_ZERO)}",
        "https://api.example.com/images/AbCdEfGhIjKlMnOpQrStUvWxYz012-_9.jpg",
        f"https://api.example.com/media/{KEY[:-5]}.jpg",
        f"https://api.example.com/media/{KEY[:-4]}0.jpg",
        f"https://[::1/{KEY}",
        "https://[not an address]/x",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "\x00",
        "\ud800",
        f"https://api.example.com/{'x' * 2048}/{KEY}",
    ],
)
def test_any_other_address_names_no_upload(address: str) -> None:
    """And none of them raises anything."""
    assert upload_key_in(address) is None


@given(st.text(max_size=200))
def test_whatever_is_named_is_a_key_or_nothing(tail: str) -> None:
    """What comes out can be looked up in storage and database as it is."""
    for address in (tail, f"https://api.example.com/{tail}", f"https://api.example.com/{tail}/{KEY}"):
        key = upload_key_in(address)
        assert key is None or re.fullmatch(r"uploads/[A-Za-z0-9_-]{32}\.jpg", key)


def test_a_key_of_a_file_that_comes_as_it_is_is_known_by_its_form() -> None:
    """It is unguessable, and no key of a photo; nothing that is longer, shorter or elsewhere is taken for one."""
    key = new_incoming_key()
    assert is_incoming_key(key)
    assert len({new_incoming_key() for _ in range(100)}) == 100
    for other in (
        "",
        "incoming/",
        key[:-1],
        f"{key}A",
        f"{key}\n",
        f"/{key}",
        f"x{key}",
        new_upload_key(),
        "../" + key,
    ):
        assert not is_incoming_key(other), other
    assert upload_key_in(f"https://api.tryon.example/media/{key}") is None


def test_a_photo_is_known_again_by_its_bytes() -> None:
    one, same, other = (
        Upload.of(data, width=300, height=400, key=new_upload_key(), owner=7, now=NOW)
        for data in (b"pixels", b"pixels", b"others")
    )
    assert one.digest == same.digest != other.digest
    assert (len(one.digest), one.size) == (32, 6)
