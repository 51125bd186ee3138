from dataclasses import dataclass
from typing import Annotated
from uuid import uuid4

from msgspec import Meta, Struct

from application.actor import Actor
from application.auth.ports import MailAllowance, RegistrationRepository, UserRepository
from application.auth.tokens import Accepted
from application.events import RegistrationMade
from application.ports import Outbox, UnitOfWork
from domain.users import email_address, mailbox


class ResendVerification(Struct, frozen=True, forbid_unknown_fields=True):
    email: Annotated[str, Meta(max_length=320)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendVerificationHandler:
    """Mail the link of the latest sign-up again; the answer is the same for every address.

    The link stays the same, so whichever copy arrives first works.
    """

    users: UserRepository
    registrations: RegistrationRepository
    allowance: MailAllowance
    outbox: Outbox
    uow: UnitOfWork

    async def __call__(self, command: ResendVerification, actor: Actor) -> Accepted:
        email = email_address(command.email)
        now = await self.uow.now()
        known = await self.users.by_email(email)
        registration = await self.registrations.latest_for(email)
        allowed = await self.allowance.take(mailbox(email))
        waits = registration is not None and not registration.expired(now) and not (known and known.is_verified)
        if registration is not None and waits and allowed:
            self.outbox.add(RegistrationMade(registration.id, str(uuid4())))
        await self.uow.commit()
        return Accepted("If this address waits to be verified, a new message is on its way.")
