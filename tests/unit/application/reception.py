"""Everything that signing up and signing in touch, in memory. Tokens, links and mails are the real ones: they need no
world."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from application.actor import Actor, Client
from application.auth.begin_google_sign_in import BeginGoogleSignIn, BeginGoogleSignInHandler
from application.auth.change_password import ChangePasswordHandler
from application.auth.finish_google_sign_in import FinishGoogleSignIn, FinishGoogleSignInHandler, GoogleSignInFinished
from application.auth.forgot_password import ForgotPasswordHandler
from application.auth.free_credits import FreeCredits, FreeCreditsAmount
from application.auth.log_in import LogIn, LogInHandler
from application.auth.log_out import LogOutHandler
from application.auth.new_password import NewPassword
from application.auth.ports import LoginThrottle, Passwords, ProviderIdentity, RevokedTokens
from application.auth.proof import PasswordProof
from application.auth.proved_address import ProvedAddress
from application.auth.refresh_session import RefreshSessionHandler
from application.auth.register import Register, RegisterHandler
from application.auth.resend_verification import ResendVerificationHandler
from application.auth.reset_password import ResetPasswordHandler
from application.auth.revoke_session import RevokeSessionHandler
from application.auth.send_account_mail import (
    SendAccountExistsMailHandler,
    SendPasswordResetMailHandler,
    SendVerificationMailHandler,
)
from application.auth.sign_in import AccessSeconds, SignIn
from application.auth.tokens import TokenPair
from application.auth.verify_email import VerifyEmail, VerifyEmailHandler
from application.credits.grant_credits import GrantCreditsHandler
from application.credits.revoke_credits import RevokeCreditsHandler
from application.events import PasswordResetAsked, RegistrationMade, RegistrationRepeated
from application.mail import Mail
from application.ports import Clock
from domain.errors import Throttled
from infrastructure.links import ConfiguredLinks
from infrastructure.mail_templates import JinjaMailTemplates
from infrastructure.tokens import JwtTokens
from tests.fakes import FakeIdentityProvider, FakeMailer
from tests.in_memory import InMemoryAccounts, InMemoryAuditLog, InMemoryOutbox, Transaction
from tests.unit.application.records import (
    InMemoryIdentities,
    InMemoryMailAllowance,
    InMemoryPasswordResets,
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


class FakeLoginThrottle(LoginThrottle):
    """Lets everybody in until told not to; remembers whom it was told about."""

    def __init__(self) -> None:
        self.closed = False
        self.admitted: list[tuple[str, str]] = []
        self.forgotten: list[str] = []
        self.recognised: list[tuple[str, str]] = []
        self.reset_for: list[str] = []

    async def admit(self, email: str, client_ip: str) -> None:
        if self.closed:
            raise Throttled("rate_limited", "Too many attempts.", retry_after=1)
        self.admitted.append((email, client_ip))

    async def withdraw(self, email: str, client_ip: str) -> None:
        self.admitted.remove((email, client_ip))

    async def succeeded(self, email: str, client_ip: str) -> None:
        assert client_ip
        self.forgotten.append(email)

    async def recognise(self, email: str, client_ip: str) -> None:
        self.recognised.append((email, client_ip))

    async def reset(self, email: str) -> None:
        self.reset_for.append(email)


class WatchedIdentityProvider(FakeIdentityProvider):
    def __init__(self, transaction: Transaction) -> None:
        super().__init__()
        self._transaction = transaction

    async def identify(self, *, code: str, nonce: str, verifier: str, issuer: str | None) -> ProviderIdentity:
        assert not self._transaction.is_open, "a provider is asked inside a transaction"
        return await super().identify(code=code, nonce=nonce, verifier=verifier, issuer=issuer)


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

    async def contains(self, token_id: str) -> bool:
        return token_id in self.ids

    async def spend(self, token_id: str, expires_at: datetime) -> bool:
        return self.ids.setdefault(token_id, expires_at) is expires_at


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
        self.throttle = FakeLoginThrottle()
        self.resets = InMemoryPasswordResets(self.uow)
        self.identities = InMemoryIdentities(self.uow)
        self.provider = WatchedIdentityProvider(self.uow)
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
        free_credits = FreeCredits(
            grants=self.grants, accounts=self.accounts, amount=FreeCreditsAmount(self.free_credits)
        )
        new_password = self.new_password = NewPassword(passwords=self.passwords)
        self.proved = ProvedAddress(
            users=self.users,
            registrations=self.registrations,
            sessions=self.sessions,
            free_credits=free_credits,
            uow=self.uow,
        )
        self.register = RegisterHandler(
            users=self.users,
            registrations=self.registrations,
            passwords=self.passwords,
            new_password=new_password,
            tokens=self.tokens,
            allowance=self.allowance,
            outbox=self.outbox,
            uow=self.uow,
        )
        self.resend = ResendVerificationHandler(
            registrations=self.registrations,
            tokens=self.tokens,
            allowance=self.allowance,
            outbox=self.outbox,
            uow=self.uow,
        )
        self.send_verification = SendVerificationMailHandler(
            users=self.users,
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
            proved=self.proved,
            throttle=self.throttle,
            sign_in=sign_in,
            uow=self.uow,
        )
        self.begin_google = BeginGoogleSignInHandler(
            provider=self.provider, tokens=self.tokens, clock=TransactionClock(self.uow)
        )
        self.finish_google = FinishGoogleSignInHandler(
            provider=self.provider,
            identities=self.identities,
            users=self.users,
            registrations=self.registrations,
            resets=self.resets,
            sessions=self.sessions,
            revoked=self.revoked,
            tokens=self.tokens,
            free_credits=free_credits,
            throttle=self.throttle,
            sign_in=sign_in,
            outbox=self.outbox,
            uow=self.uow,
        )
        self.log_in = LogInHandler(
            users=self.users,
            registrations=self.registrations,
            throttle=self.throttle,
            passwords=self.passwords,
            sign_in=sign_in,
            uow=self.uow,
        )
        self.refresh = RefreshSessionHandler(
            users=self.users,
            sessions=self.sessions,
            revoked=self.revoked,
            tokens=self.tokens,
            throttle=self.throttle,
            sign_in=sign_in,
            uow=self.uow,
        )
        self.log_out = LogOutHandler(sessions=self.sessions, revoked=self.revoked, tokens=self.tokens, uow=self.uow)
        self.forgot = ForgotPasswordHandler(
            resets=self.resets, tokens=self.tokens, allowance=self.allowance, outbox=self.outbox, uow=self.uow
        )
        self.send_reset = SendPasswordResetMailHandler(
            users=self.users,
            resets=self.resets,
            tokens=self.tokens,
            links=links,
            templates=templates,
            mailer=self.mailer,
            uow=self.uow,
        )
        self.reset_password = ResetPasswordHandler(
            users=self.users,
            resets=self.resets,
            registrations=self.registrations,
            sessions=self.sessions,
            free_credits=free_credits,
            new_password=new_password,
            throttle=self.throttle,
            uow=self.uow,
        )
        proof = PasswordProof(users=self.users, passwords=self.passwords, throttle=self.throttle, uow=self.uow)
        self.change_password = ChangePasswordHandler(
            users=self.users,
            resets=self.resets,
            sessions=self.sessions,
            proof=proof,
            new_password=new_password,
            uow=self.uow,
        )
        self.revoke_session = RevokeSessionHandler(sessions=self.sessions, uow=self.uow)
        self.audit = InMemoryAuditLog(self.uow)
        self.grant = GrantCreditsHandler(users=self.users, accounts=self.accounts, audit=self.audit, uow=self.uow)
        self.revoke = RevokeCreditsHandler(users=self.users, accounts=self.accounts, audit=self.audit, uow=self.uow)

    async def deliver(self) -> list[Mail]:
        """Send the mails that were announced, as the worker does; returns those that are new."""
        before = len(self.mailer.sent)
        for event in self.outbox.events:
            if isinstance(event, RegistrationMade):
                await self.send_verification(event, WORKER)
            elif isinstance(event, RegistrationRepeated):
                await self.send_account_exists(event, WORKER)
            elif isinstance(event, PasswordResetAsked):
                await self.send_reset(event, WORKER)
        return list(self.mailer.sent.values())[before:]

    async def sign_up(self, email: str = ADA, password: str = PASSWORD, name: str = "Ada") -> str:
        """Register, and return the token of the link that came by mail."""
        await self.register(Register(email, password, name), VISITOR)
        return token_in((await self.deliver())[-1])

    async def join(self, email: str = ADA, password: str = PASSWORD) -> TokenPair:
        """Register and use the link."""
        return await self.verify(VerifyEmail(await self.sign_up(email, password)), VISITOR)

    async def leave_for_google(self, identity: ProviderIdentity, path: str = "/") -> FinishGoogleSignIn:
        """Go to Google and say yes there as this person; what the browser comes back with."""
        begun = await self.begin_google(BeginGoogleSignIn(path), VISITOR)
        state, code = self.provider.consent(begun.authorization_url, identity)
        return FinishGoogleSignIn(begun.attempt, state, code, issuer=self.provider.issuer)

    async def come_by_google(self, identity: ProviderIdentity) -> GoogleSignInFinished:
        return await self.finish_google(await self.leave_for_google(identity), VISITOR)

    async def enter(self, email: str = ADA, password: str = PASSWORD) -> TokenPair:
        return await self.log_in(LogIn(email, password), VISITOR)


def token_in(mail: Mail) -> str:
    """The token of a mail's link."""
    link = next(word for word in mail.text.split() if word.startswith("https://"))
    (token,) = parse_qs(urlsplit(link).query)["token"]
    return token
