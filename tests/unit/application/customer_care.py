"""What operators do about accounts, over the world of signing up and signing in."""

from dataclasses import dataclass, field
from typing import Any

from application.actor import Actor
from application.users.change_role import ChangeRoleHandler
from application.users.create_user import CreateUserHandler
from application.users.disable_user import DisableUserHandler
from application.users.enable_user import EnableUserHandler
from application.users.erase_user import EraseUserHandler
from application.users.erasure import Erasure
from application.users.list_users import ListUsersHandler
from application.users.ports import PersonalRecords, UserDetails, UserEntry, UserFilter, UserFinder, UserRecords
from application.users.show_user import ShowUserHandler
from application.users.verify_user import VerifyUserHandler
from domain.users import User
from tests.unit.application.reception import Reception

ROOT = Actor.operator("root")


@dataclass
class KeptUsers(UserRecords, UserFinder):
    """A reader: it shows what has been committed."""

    reception: Reception

    async def users(self, *, before: int | None, limit: int, only: UserFilter) -> list[UserEntry]:
        kept = sorted(self.reception.users.rows.kept.values(), key=lambda user: user.id, reverse=True)
        fitting = [
            user
            for user in kept
            if (before is None or user.id < before)
            and only.role in {None, user.role}
            and (user.deleted_at is not None) is only.is_erased
        ]
        return [UserEntry(**_entry(user)) for user in fitting[:limit]]

    async def user(self, user_id: int) -> UserDetails | None:
        user = self.reception.users.rows.kept.get(user_id)
        if user is None:
            return None
        return UserDetails(
            **_entry(user),
            profile_picture=user.profile_picture,
            oauth_provider=None,
            has_password=user.password_hash is not None,
            credits_held=0,
            credits_frozen=0,
            credits_available=0,
            images=0,
            last_seen_at=None,
        )

    async def id_of(self, email_or_id: str) -> int:
        (user_id,) = [user.id for user in self.reception.users.rows.kept.values() if user.email == email_or_id]
        return user_id


def _entry(user: User) -> dict[str, Any]:
    shared = set(UserEntry.__struct_fields__) - {"credits"}
    return {name: getattr(user, name) for name in shared} | {"credits": 0}


class ForgottenRecords(PersonalRecords):
    """Remembers whom it was told to forget."""

    def __init__(self) -> None:
        self.forgotten: list[tuple[int, str]] = []

    async def forget_person(self, user_id: int, email: str) -> None:
        self.forgotten.append((user_id, email))

    async def open_images(self, user_id: int) -> list[int]:
        raise AssertionError(f"works follow by the worker: {user_id}")

    async def pictures(self, user_id: int) -> list[str]:
        raise AssertionError(f"pictures follow by the worker: {user_id}")

    async def forget_works(self, user_id: int) -> None:
        raise AssertionError(f"works follow by the worker: {user_id}")


@dataclass
class CustomerCare:
    reception: Reception = field(default_factory=Reception)

    def __post_init__(self) -> None:
        there = self.reception
        self.uow, self.audit, self.users, self.outbox = there.uow, there.audit, there.users, there.outbox
        self.records = KeptUsers(there)
        self.personal = ForgottenRecords()
        self.list = ListUsersHandler(records=self.records)
        self.show = ShowUserHandler(finder=self.records, records=self.records)
        self.disable = DisableUserHandler(
            users=self.users, sessions=there.sessions, records=self.records, audit=self.audit, uow=self.uow
        )
        self.enable = EnableUserHandler(users=self.users, records=self.records, audit=self.audit, uow=self.uow)
        self.change_role = ChangeRoleHandler(users=self.users, records=self.records, audit=self.audit, uow=self.uow)
        self.create = CreateUserHandler(
            users=self.users,
            registrations=there.registrations,
            new_password=there.new_password,
            records=self.records,
            audit=self.audit,
            uow=self.uow,
        )
        self.verify = VerifyUserHandler(
            users=self.users,
            registrations=there.registrations,
            proved=there.proved,
            records=self.records,
            audit=self.audit,
            uow=self.uow,
        )
        self.erase = EraseUserHandler(
            users=self.users,
            erasure=Erasure(records=self.personal, outbox=self.outbox),
            audit=self.audit,
            uow=self.uow,
        )
