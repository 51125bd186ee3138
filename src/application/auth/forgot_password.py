from dataclasses import dataclass
from typing import Annotated
from uuid import uuid4

from msgspec import Meta, Struct

from application.actor import Actor
from application.auth.mailed_tokens import MailedToken
from application.auth.ports import MailAllowance, PasswordResetRepository, Tokens
from application.auth.tokens import Accepted
from application.events import PasswordResetAsked
from application.ports import Outbox, UnitOfWork
from domain.users import PasswordReset, email_address, mailbox


class ForgotPassword(Struct, frozen=True, forbid_unknown_fields=True):
    email: Annotated[str, Meta(max_length=320)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgotPasswordHandler:
    """Ask for a link to choose a new password.

    Whether there is an account is looked up by the worker, when the mail is due: so neither the answer nor its time can
    tell. A new link voids those before it.
    """

    resets: PasswordResetRepository
    tokens: Tokens
    allowance: MailAllowance
    outbox: Outbox
    uow: UnitOfWork

    async def __call__(self, command: ForgotPassword, actor: Actor) -> Accepted:
        email = email_address(command.email)
        now = await self.uow.now()
        if await self.allowance.take(mailbox(email)):
            token = MailedToken.new(self.tokens)
            reset = PasswordReset(email=email, token_seed=token.seed, token_hash=token.digest, created_at=now)
            await self.resets.void_all(email)
            await self.resets.add(reset)
            await self.uow.flush()
            self.outbox.add(PasswordResetAsked(reset.id, str(uuid4())))
        await self.uow.commit()
        return Accepted("If this address has an account, a message with a link is on its way.")
