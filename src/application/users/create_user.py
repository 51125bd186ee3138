from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from application.actor import Actor
from application.audit import AuditLog
from application.auth.new_password import NewPassword, Password
from application.auth.ports import RegistrationRepository, UserRepository
from application.ports import UnitOfWork
from application.users.account import read_user
from application.users.ports import UserDetails, UserRecords
from domain.errors import Conflict
from domain.users import User, display_name, email_address


class CreateUser(Struct, frozen=True, forbid_unknown_fields=True):
    email: Annotated[str, Meta(max_length=320)]
    name: Annotated[str, Meta(min_length=1, max_length=280)]
    password: Password


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateUserHandler:
    """Make an account whose address an operator vouches for; sign-ups of the address are void from then on.

    It gets no free credits: those are for who proves a mailbox. `Conflict` where the address has an account.
    """

    users: UserRepository
    registrations: RegistrationRepository
    new_password: NewPassword
    records: UserRecords
    audit: AuditLog
    uow: UnitOfWork

    async def __call__(self, command: CreateUser, actor: Actor) -> UserDetails:
        operator = actor.require_operator()
        email, name = email_address(command.email), display_name(command.name)
        password_hash = await self.new_password.hash(command.password, field="password")
        await self.registrations.keep_address(email)
        if await self.users.by_email(email):
            raise Conflict("conflict", "There is an account of this address already.")
        now = await self.uow.now()
        user = User(email=email, name=name, password_hash=password_hash, is_verified=True, created_at=now)
        await self.users.add(user)
        await self.registrations.void_all(email)
        await self.uow.flush()
        await self.audit.note(operator, "user.create", f"user:{user.id}")
        await self.uow.commit()
        return await read_user(self.records, user.id)
