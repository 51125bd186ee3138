from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from application.actor import Actor
from application.audit import AuditLog, Reason, reason_given
from application.auth.ports import RegistrationRepository, UserRepository
from application.auth.proved_address import ProvedAddress
from application.ports import UnitOfWork
from application.users.account import read_user
from application.users.named_user import nobody_named
from application.users.ports import UserDetails, UserRecords
from domain.errors import Conflict
from domain.users import VERIFICATION_LIFE, Registration, email_address


class VerifyUser(Struct, frozen=True, forbid_unknown_fields=True):
    email: Annotated[str, Meta(max_length=320)]
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyUserHandler:
    """Take an operator's word for an address whose mail did not arrive: its sign-up becomes an account, as by the link.

    Where several sign-ups wait, they may be of several people: the account then has no password, until its owner
    chooses one by "forgot password". `Conflict` where the address is proved already, `NotFound` where nothing waits.
    """

    users: UserRepository
    registrations: RegistrationRepository
    proved: ProvedAddress
    records: UserRecords
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(self, command: VerifyUser, actor: Actor) -> UserDetails:
        operator = actor.require_operator()
        reason = reason_given(command.reason)
        email = email_address(command.email)
        await self.registrations.keep_address(email)
        now = await self.uow.now()
        known = await self.users.by_email(email)
        if known is not None and known.is_verified:
            raise Conflict("conflict", "The address of this account is proved already.")
        waiting = await self.registrations.waiting_for(email, since=now - VERIFICATION_LIFE)
        if not waiting:
            raise nobody_named(f"{email} whose sign-up waits")
        user = await self.proved.account(_trusted(waiting), known, now)
        await self.audit.note(operator, "user.verify", f"user:{user.id}", reason=reason)
        await self.uow.commit()
        return await read_user(self.records, user.id)


def _trusted(waiting: list[Registration]) -> Registration:
    """The latest sign-up, without its password where it is not the only one."""
    if len(waiting) > 1:
        waiting[0].password_hash = None
    return waiting[0]
