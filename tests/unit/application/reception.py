"""Everything that signing up and signing in touch, in memory. Tokens, links and mails are the real ones: they need no
world."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from application.actor import Actor, Client
from application.auth.log_in import LogIn, LogInHandler
from application.auth.log_out import LogOutHandler
from application.auth.ports import Passwords, RevokedTokens
from application.auth.refresh_session import RefreshSessionHandler
from application.auth.register import Register, RegisterHandler
from application.auth.resend_verification import ResendVerificationHandler
from application.auth.send_account_mail import SendAccountExistsMailHandler, SendVerificationMailHandler
from application.auth.sign_in import AccessSeconds, SignIn
from application.auth.tokens import TokenPair
from application.auth.verify_email import FreeCredits, VerifyEmail, VerifyEmailHandler
from application.credits.grant_credits import GrantCreditsHandler
from application.events import RegistrationMade, RegistrationRepeated
from application.mail import Mail
from application.ports import Clock
from infrastructure.links import ConfiguredLinks
from infrastructure.mail_templates import JinjaMailTemplates
from infrastructure.tokens import JwtTokens
from tests.fakes import FakeMailer
from tests.in_memory import InMemoryAccounts, InMemoryOutbox, Transaction
from tests.unit.application.records import (
    InMemoryMailAllowance,
    InMemoryRegistrations,
    InMemorySessions,
    InMemorySignupGrants,
    InMemoryUsers,
)

ADA = "ada@example.com"
PASSWORD = "plum-velvet-otter"
VISITOR = Actor.anonymous(Client("192.0.2.7", "Firefox"))
WORKER = Actor.system("worker")


class FakePasswords(Passwords):
    """Writes down every password it worked on. A hash names its scheme; another one than the present is outdated."""

    def __init__(self) -> None:
        self.worked_on: list[str] = []
        self.scheme = "new"

    async def hash(self, password: str) -> str:
        self._work(password)
        return f"{self.scheme}:{password}"

    async def verify(self, password_hash: str | None, password: str) -> bool:
        self._work(password)
        return password_hash is not None and password_hash.partition(":")[2] == password

    def outdated(self, password_hash: str) -> bool:
        return not password_hash.startswith(f"{self.scheme}:")

    def common(self, password: str) -> bool:
        return password == "password1"

    def _work(self, password: str) -> None:
        self.worked_on.append(password)


class WatchedMailer(FakeMailer):
    def __init__(self, transaction: Transaction) -> None:
        super().__init__()
        self._transaction = transaction

    async def send(self, mail: Mail) -> None:
        assert not self._transaction.is_open, "a mail is sent inside a transaction"
        await super().send(mail)


class InMemoryRevokedTokens(RevokedTokens):
    def __init__(self) -> None:
        self.ids: dict[str, datetime] = {}

    async def add(self, token_id: str, expires_at: datetime) -> None:
        self.ids[token_id] = expires_at


@dataclass
class TransactionClock(Clock):
    transaction: Transaction

    def now(self) -> datetime:
        return self.transaction.time


@dataclass
class Reception:
    """The handlers of accounts, over one world. Tokens are read against the machine's clock, so it begins now."""

    uow: Transaction = field(default_factory=lambda: Transaction(datetime.now().astimezone()))
    free_credits: int = 3

    def __post_init__(self) -> None:
        self.outbox = InMemoryOutbox(self.uow)
        self.accounts = InMemoryAccounts(self.uow)
        self.users = InMemoryUsers(self.uow, self.accounts)
        self.registrations = InMemoryRegistrations(self.uow)
        self.sessions = InMemorySessions(self.uow)
        self.allowance = InMemoryMailAllowance()
        self.grants = InMemorySignupGrants()
        self.revoked = InMemoryRevokedTokens()
        self.passwords = FakePasswords()
        self.mailer = WatchedMailer(self.uow)
        self.tokens = JwtTokens(
            secrets.token_urlsafe(48), "", access_life=timedelta(minutes=10), refresh_life=timedelta(days=7)
        )
        links = ConfiguredLinks(public_url="https://api.tryon.example", frontend_url="https://tryon.example")
        templates = JinjaMailTemplates()
        sign_in = SignIn(
            sessions=self.sessions,
            tokens=self.tokens,
            clock=TransactionClock(self.uow),
            uow=self.uow,
            access_seconds=AccessSeconds(600),
        )
        self.register = RegisterHandler(
            users=self.users,
            registrations=self.registrations,
            passwords=self.passwords,
            tokens=self.tokens,
            allowance=self.allowance,
            outbox=self.outbox,
            uow=self.uow,
        )
        self.resend = ResendVerificationHandler(
            users=self.users,
            registrations=self.registrations,
            allowance=self.allowance,
            outbox=self.outbox,
            uow=self.uow,
        )
        self.send_verification = SendVerificationMailHandler(
            registrations=self.registrations,
            tokens=self.tokens,
            links=links,
            templates=templates,
            mailer=self.mailer,
            uow=self.uow,
        )
        self.send_account_exists = SendAccountExistsMailHandler(
            users=self.users, links=links, templates=templates, mailer=self.mailer, uow=self.uow
        )
        self.verify = VerifyEmailHandler(
            users=self.users,
            registrations=self.registrations,
            grants=self.grants,
            accounts=self.accounts,
            sign_in=sign_in,
            uow=self.uow,
            free_credits=FreeCredits(self.free_credits),
        )
        self.log_in = LogInHandler(
            users=self.users,
            registrations=self.registrations,
            passwords=self.passwords,
            sign_in=sign_in,
            uow=self.uow,
        )
        self.refresh = RefreshSessionHandler(
            users=self.users, sessions=self.sessions, tokens=self.tokens, sign_in=sign_in, uow=self.uow
        )
        self.log_out = LogOutHandler(sessions=self.sessions, revoked=self.revoked, tokens=self.tokens, uow=self.uow)
        self.grant = GrantCreditsHandler(users=self.users, accounts=self.accounts, uow=self.uow)

    async def deliver(self) -> list[Mail]:
        """Send the mails that were announced, as the worker does; returns those that are new."""
        before = len(self.mailer.sent)
        for event in self.outbox.events:
            if isinstance(event, RegistrationMade):
                await self.send_verification(event, WORKER)
            elif isinstance(event, RegistrationRepeated):
                await self.send_account_exists(event, WORKER)
        return list(self.mailer.sent.values())[before:]

    async def sign_up(self, email: str = ADA, password: str = PASSWORD, name: str = "Ada") -> str:
        """Register, and return the token of the link that came by mail."""
        await self.register(Register(email, password, name), VISITOR)
        return token_in((await self.deliver())[-1])

    async def join(self, email: str = ADA, password: str = PASSWORD) -> TokenPair:
        """Register and use the link."""
        return await self.verify(VerifyEmail(await self.sign_up(email, password)), VISITOR)

    async def enter(self, email: str = ADA, password: str = PASSWORD) -> TokenPair:
        return await self.log_in(LogIn(email, password), VISITOR)


def token_in(mail: Mail) -> str:
    """The token of a mail's link."""
    link = next(word for word in mail.text.split() if word.startswith("https://"))
    (token,) = parse_qs(urlsplit(link).query)["token"]
    return token
