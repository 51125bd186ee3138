"""The wording of our mails, as HTML and as plain text, by Jinja2 templates that lie beside this file."""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from application.mail import Mail, MailTemplates, Purchase, Refunded

_LOOKS_LIKE_A_LINK = re.compile(r"[/:@\\]|\.\w")


class JinjaMailTemplates(MailTemplates):
    """HTML escapes what it is given; plain text has nothing to escape.

    A mail to an unproven address carries words that its sender chose, so a name that a mail program could turn into a
    link is left out: nobody can have us send their advertisement to strangers.
    """

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def verification(self, to: str, name: str, link: str, *, key: str) -> Mail:
        return self._mail("verification", "Confirm your e-mail address", to, name, link, key)

    def account_exists(self, to: str, name: str, link: str, *, key: str) -> Mail:
        return self._mail("account_exists", "You already have an account", to, name, link, key)

    def password_reset(self, to: str, name: str, link: str, *, key: str) -> Mail:
        return self._mail("password_reset", "Choose a new password", to, name, link, key)

    def receipt(self, to: str, name: str, link: str, purchase: Purchase, *, key: str) -> Mail:
        return self._mail("receipt", "Your purchase", to, name, link, key, purchase=purchase)

    def refund_notice(self, to: str, name: str, link: str, refunded: Refunded, *, key: str) -> Mail:
        return self._mail("refund_notice", "Your refund", to, name, link, key, refunded=refunded)

    def _mail(self, template: str, title: str, to: str, name: str, link: str, key: str, **told: object) -> Mail:
        if _LOOKS_LIKE_A_LINK.search(name):
            name, greeting = to.partition("@")[0], "Hello,"
        else:
            greeting = f"Hello {name},"
        values = {"title": title, "greeting": greeting, "link": link, **told}
        html, text = (self._templates.get_template(f"{template}.{kind}").render(values) for kind in ("html", "txt"))
        return Mail(to=to, name=name, subject=f"{title} - Hair Try-On", html=html, text=text, key=key)
