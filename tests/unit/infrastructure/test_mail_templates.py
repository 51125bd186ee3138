"""The wording of mails: right as HTML and as text, for any name, and without a trace of tracking."""

import uuid
from collections.abc import Callable
from html.parser import HTMLParser

import pytest

from application.mail import Mail, Purchase, Refunded
from infrastructure.mail_templates import JinjaMailTemplates

LINK = "https://tryon.example/verify?token=a-b_c&next=%2F"
TOLD: dict[str, dict[str, object]] = {
    "verification": {},
    "account_exists": {},
    "password_reset": {},
    "receipt": {"purchase": Purchase(number=7, credits=25, paid="29.75 USD")},
    "refund_notice": {"refunded": Refunded(number=7, returned="9.90 USD", credits=25, taken=9)},
}
KINDS = list(TOLD)


@pytest.fixture(params=KINDS)
def write(request: pytest.FixtureRequest) -> Callable[[str], Mail]:
    """One of the mails, to somebody of that name."""
    template = getattr(JinjaMailTemplates(), request.param)

    def written(name: str) -> Mail:
        mail = template("ann@tryon.example", name, LINK, key=str(uuid.UUID(int=1)), **TOLD[request.param])
        assert isinstance(mail, Mail)
        return mail

    return written


class Page(HTMLParser):
    """What a mail program makes of the HTML: its elements, the addresses in it, and the words."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_a_mail_is_addressed_and_keyed(write: Callable[[str], Mail]) -> None:
    mail = write("Ann")
    assert (mail.to, mail.name, mail.key) == ("ann@tryon.example", "Ann", str(uuid.UUID(int=1)))
    assert mail.subject.endswith("Hair Try-On")
    assert "\n" not in mail.subject


def test_both_forms_greet_and_bring_the_link(write: Callable[[str], Mail]) -> None:
    """The link is the only address in the mail: the button, and once more to copy."""
    mail = write("Ann")
    page = Page(mail.html)
    assert page.links == [LINK, LINK]
    assert LINK in page.words
    assert "Hello Ann," in page.words
    assert mail.text.startswith("Hello Ann,\n")
    assert f"\n{LINK}\n" in mail.text
    assert "Hair Try-On" in page.words
    assert "Hair Try-On" in mail.text


def test_nothing_is_fetched_when_the_mail_is_opened(write: Callable[[str], Mail]) -> None:
    """No pictures, styles, fonts or frames from elsewhere, no scripts, no forms."""
    mail = write("Ann")
    page = Page(mail.html)
    assert not {"img", "script", "link", "iframe", "object", "form", "svg", "video"} & set(page.tags)
    assert not {"src", "background", "srcset"} & {name for name, _ in page.attributes}
    assert "url(" not in mail.html
    assert "@import" not in mail.html


def test_the_page_fits_a_phone(write: Callable[[str], Mail]) -> None:
    """It scales to the screen, and no element is wider than one."""
    html = write("Ann").html
    attributes = Page(html).attributes
    assert ("content", "width=device-width, initial-scale=1") in attributes
    assert ("lang", "en") in attributes
    assert all(value == "100%" for name, value in attributes if name == "width")
    assert "word-break: break-all" in html


@pytest.mark.parametrize(
    "name", ["<b>Ann</b>", "<script>alert(1)</script>", "\"Ann\" & 'Bo'", "{{ 7 * 7 }}", "Ann Ø 你好"]
)
def test_a_name_is_text(write: Callable[[str], Mail], name: str) -> None:
    """Markup in a name is shown or left out, never obeyed; plain text shows it unescaped."""
    mail = write(name)
    page, plain = Page(mail.html), Page(write("Ann").html)
    assert page.tags == plain.tags
    if f"Hello {name}," in page.words:
        assert f"Hello {name}," in mail.text
    else:
        assert "Hello," in page.words
    assert "49" not in page.words


@pytest.mark.parametrize(
    "name", ["evil.example", "https://evil.example/x", "Win at evil.example now", "a@evil.example"]
)
def test_a_name_that_would_become_a_link_is_left_out(write: Callable[[str], Mail], name: str) -> None:
    mail = write(name)
    assert "evil" not in mail.html
    assert "evil" not in mail.text
    assert mail.text.startswith("Hello,\n")


def test_a_hostile_link_stays_within_its_attribute() -> None:
    mail = JinjaMailTemplates().verification("a@b.example", "Ann", 'https://x.example/"><b>', key="k")
    assert Page(mail.html).links == ['https://x.example/"><b>'] * 2


def test_the_mails_differ() -> None:
    templates = JinjaMailTemplates()
    mails = [getattr(templates, kind)("a@b.example", "Ann", LINK, key="k", **TOLD[kind]) for kind in KINDS]
    assert len({mail.subject for mail in mails}) == len({mail.text for mail in mails}) == len(KINDS)


def test_a_receipt_says_what_was_bought_and_paid() -> None:
    mail = JinjaMailTemplates().receipt(
        "a@b.example", "Ann", LINK, Purchase(number=7, credits=1, paid="1.00 USD"), key="k"
    )
    for text in (mail.text, Page(mail.html).words):
        assert "Purchase 7 is paid: 1.00 USD for 1 credit," in " ".join(text.split())


def test_a_refund_notice_says_what_goes_back_and_what_is_taken() -> None:
    mail = JinjaMailTemplates().refund_notice(
        "a@b.example", "Ann", LINK, Refunded(number=7, returned="9.90 USD", credits=25, taken=9), key="k"
    )
    for text in (mail.text, Page(mail.html).words):
        words = " ".join(text.split())
        assert "9.90 USD of purchase 7" in words
        assert "Of its 25 credits, 9 have been taken back" in words
