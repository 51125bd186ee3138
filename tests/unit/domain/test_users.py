from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.users import NAME_LENGTH, display_name, email_address, mailbox
from tests.unit.factories import NOW, RegistrationFactory


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("ada@example.com", "ada@example.com"),
        ("  Ada.Lovelace@EXAMPLE.Com\n", "ada.lovelace@example.com"),
        ("a+b@sub.example.co.uk", "a+b@sub.example.co.uk"),
        ("o'hara_{x}=y|z~@example.com", "o'hara_{x}=y|z~@example.com"),
        (f"{'a' * 64}@example.com", f"{'a' * 64}@example.com"),
        (f"a@{'b' * 63}.com", f"a@{'b' * 63}.com"),
    ],
)
def test_an_address_is_kept_in_lower_case(written: str, kept: str) -> None:
    """Without the space around it, so that one mailbox is one account however it is written."""
    assert email_address(written) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "ada@example.c",
        "ada@example..com",
        "ada@.example.com",
        "ada@-example.com",
        "ada@example-.com",
        "ada@192.0.2.1",
        "ada@[192.0.2.1]",
        "ada@@example.com",
        "ada lovelace@example.com",
        "ada@exam ple.com",
        "Ada <ada@example.com>",
        "ada@example.com,bob@example.com",
        "ada@example.com\nBcc: bob@example.com",
        "ada@example.com\r\nbob@example.com",
        "ada\x00@example.com",
        '"ada"@example.com',
        "ada@exämple.com",
        "adä@example.com",
        f"{'a' * 65}@example.com",
        f"a@{'b' * 64}.com",
        f"a@{'b.' * 130}com",
    ],
)
def test_what_cannot_be_mailed_to_is_no_address(text: str) -> None:
    """It is refused with the field's name."""
    with pytest.raises(Invalid) as refusal:
        email_address(text)
    assert (refusal.value.code, refusal.value.field) == ("validation_failed", "email")


@pytest.mark.parametrize("lookalike", ["\N{KELVIN SIGN}ate@example.com", "ada@\N{KELVIN SIGN}ite.com"])
def test_a_letter_that_only_becomes_ascii_in_lower_case_is_refused(lookalike: str) -> None:
    """Else somebody who types a look-alike would be taken for the owner of another address."""
    with pytest.raises(Invalid):
        email_address(lookalike)


@given(st.text(max_size=300))
def test_an_accepted_address_is_ascii_and_stays_as_it_is(text: str) -> None:
    """Whatever is written: refused, or kept in a form that is accepted as itself."""
    try:
        address = email_address(text)
    except Invalid:
        return
    assert address.isascii()
    assert address.isprintable()
    assert len(address) <= 254
    assert email_address(address) == address


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("  Ada \t Lovelace ", "Ada Lovelace"),
        ("Ada\r\nBcc: bob@example.com", "Ada Bcc: bob@example.com"),
        ("Ada\x00\x1b[31mRed", "Ada [31mRed"),
        ("Ada\u202eecalevoL", "Ada ecalevoL"),
        ("Ada\u2028Lovelace\u2029", "Ada Lovelace"),
        ("Ada\ud800", "Ada"),
        ("张伟", "张伟"),
        ("Zoë O'Brien-Smith, Jr.", "Zoë O'Brien-Smith, Jr."),
        ("x" * NAME_LENGTH, "x" * NAME_LENGTH),
        (" " * 200 + "x" * NAME_LENGTH, "x" * NAME_LENGTH),
    ],
)
def test_control_characters_in_a_name_become_spaces(written: str, kept: str) -> None:
    """So a name stays one line wherever it is shown: in a mail's header, a log, a terminal."""
    assert display_name(written) == kept


@pytest.mark.parametrize("text", ["", " \t\r\n", "\x00\x1b\u202e", "x" * (NAME_LENGTH + 1)])
def test_a_name_has_1_to_70_characters_that_show(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        display_name(text)
    assert (refusal.value.code, refusal.value.field) == ("validation_failed", "name")


@given(st.text(st.characters(), max_size=100))
def test_a_kept_name_is_one_line_of_characters_that_show(text: str) -> None:
    try:
        name = display_name(text)
    except Invalid:
        return
    assert len(name.splitlines()) == 1
    assert all(character.isprintable() for character in name)
    assert display_name(name) == name


@pytest.mark.parametrize(
    ("address", "box"),
    [
        ("ada@example.com", "ada@example.com"),
        ("ada+shop@example.com", "ada@example.com"),
        ("ada+a+b@example.com", "ada@example.com"),
        ("a.da@example.com", "a.da@example.com"),
        ("a.d.a@gmail.com", "ada@gmail.com"),
        ("a.da+shop@gmail.com", "ada@gmail.com"),
        ("ada@googlemail.com", "ada@gmail.com"),
        ("a.da@notgmail.com", "a.da@notgmail.com"),
    ],
)
def test_addresses_of_one_mailbox_are_one_person(address: str, box: str) -> None:
    """Plus-tags everywhere and dots at Gmail lead to the same mailbox; dots elsewhere do not."""
    assert mailbox(address) == box


def test_a_registrations_link_works_for_24_hours() -> None:
    registration = RegistrationFactory.build()
    day = timedelta(hours=24)
    assert not registration.expired(NOW)
    assert not registration.expired(NOW + day - timedelta(microseconds=1))
    assert registration.expired(NOW + day)


def test_using_the_link_makes_the_user_who_asked() -> None:
    """With that sign-up's own name and password, verified, from now on, and no admin."""
    registration = RegistrationFactory.build(email="ada@example.com", name="Ada", password_hash="a hash")
    later = NOW + timedelta(hours=3)
    user = registration.verify(later)
    assert (user.email, user.name, user.password_hash) == ("ada@example.com", "Ada", "a hash")
    assert (user.is_verified, user.is_disabled, user.role, user.created_at) == (True, False, "customer", later)
