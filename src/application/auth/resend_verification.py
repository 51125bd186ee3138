from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import uuid4

from msgspec import Meta, Struct

from application.actor import Actor
from application.auth.mailed_tokens import MailedToken
from application.auth.ports import MailAllowance, RegistrationRepository, Tokens
from application.auth.tokens import Accepted
from application.events import RegistrationMade
from application.ports import Outbox, UnitOfWork
from domain.users import VERIFICATION_LIFE, Registration, email_address, mailbox


class ResendVerification(Struct, frozen=True, forbid_unknown_fields=True):
    email: Annotated[str, Meta(max_length=320)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendVerificationHandler:
    """Mail a new link for a sign-up that waits, and void those before; the answer is the same for every address.

    Where several sign-ups wait, they may be of several people, of whom only one owns the mailbox. Using the link then
    opens an account that has no password yet: a stranger who signed up the address too is not let in by it.
    """

    registrations: RegistrationRepository
    tokens: Tokens
    allowance: MailAllowance
    outbox: Outbox
    uow: UnitOfWork

    async def __call__(self, command: ResendVerification, actor: Actor) -> Accepted:
        email = email_address(command.email)
        now = await self.uow.now()
        if await self.allowance.take(mailbox(email)):
            waiting = await self.registrations.waiting_for(email, since=now - VERIFICATION_LIFE)
            renewed = self._renewed(email, waiting, now)
            await self.registrations.void_all(email)
            await self.registrations.add(renewed)
            await self.uow.flush()
            self.outbox.add(RegistrationMade(renewed.id, str(uuid4())))
        await self.uow.commit()
        return Accepted("If this address waits to be verified, a new message is on its way.")

    def _renewed(self, email: str, waiting: list[Registration], now: datetime) -> Registration:
        """Where nothing waits, something that has expired already: so the work, and its time, is the same for all."""
        token = MailedToken.new(self.tokens)
        return Registration(
            email=email,
            name=waiting[0].name if waiting else email,
            password_hash=waiting[0].password_hash if len(waiting) == 1 else None,
            token_seed=token.seed,
            token_hash=token.digest,
            created_at=now if waiting else now - VERIFICATION_LIFE,
        )
