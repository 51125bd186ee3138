from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import uuid4

from msgspec import Meta, Struct

from application.actor import Actor
from application.auth.mailed_tokens import MailedToken
from application.auth.new_password import NewPassword, Password
from application.auth.ports import (
    MailAllowance,
    Passwords,
    RegistrationRepository,
    Tokens,
    UserRepository,
)
from application.auth.tokens import Accepted
from application.events import RegistrationMade, RegistrationRepeated
from application.ports import Outbox, UnitOfWork
from domain.users import VERIFICATION_LIFE, Registration, display_name, email_address, mailbox


class Register(Struct, frozen=True, forbid_unknown_fields=True):
    email: Annotated[str, Meta(max_length=320)]
    password: Password
    name: Annotated[str, Meta(min_length=1, max_length=280)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterHandler:
    """Take a sign-up. Whether the address is known shows in no answer: only in the mail its owner gets."""

    users: UserRepository
    registrations: RegistrationRepository
    passwords: Passwords
    new_password: NewPassword
    tokens: Tokens
    allowance: MailAllowance
    outbox: Outbox
    uow: UnitOfWork

    async def __call__(self, command: Register, actor: Actor) -> Accepted:
        email, name = email_address(command.email), display_name(command.name)
        password_hash = await self.new_password.hash(command.password, field="password")
        now = await self.uow.now()
        known = await self.users.by_email(email)
        mail_allowed = await self.allowance.take(mailbox(email))
        disputed = not mail_allowed and await self._is_disputed(email, command.password, now)
        token = MailedToken.new(self.tokens)
        registration = Registration(
            email=email,
            name=name,
            password_hash=password_hash,
            disputed=disputed,
            token_seed=token.seed,
            token_hash=token.digest,
            created_at=now,
        )
        # Kept for a known address as well, though its link is mailed to nobody: logging in with the password that was
        # just sent must not tell the two apart.
        await self.registrations.add(registration)
        await self.uow.flush()
        if mail_allowed and known is not None and known.is_verified:
            self.outbox.add(RegistrationRepeated(known.id, str(uuid4())))
        elif mail_allowed:
            self.outbox.add(RegistrationMade(registration.id, str(uuid4())))
        await self.uow.commit()
        return Accepted("Check your mailbox: we have sent you a message.")

    async def _is_disputed(self, email: str, password: str, now: datetime) -> bool:
        """Whether the mails were used up by somebody else: all links in the mailbox may then be a stranger's."""
        waiting = await self.registrations.waiting_for(email, since=now - VERIFICATION_LIFE)
        return not await self.passwords.verify(waiting[0].password_hash if waiting else None, password)
