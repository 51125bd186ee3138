from dataclasses import dataclass
from datetime import datetime

from application.auth.free_credits import FreeCredits
from application.auth.ports import RegistrationRepository, SessionRepository, UserRepository
from application.ports import UnitOfWork
from domain.users import VERIFICATION_LIFE, Registration, User


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedAddress:
    """What a sign-up becomes when its address is proved, by the mailed link or by an operator's word.

    An account of the address that nobody had proved becomes theirs, whoever made it. Every other sign-up of the address
    is void from then on; the free credits come once.
    """

    users: UserRepository
    registrations: RegistrationRepository
    sessions: SessionRepository
    free_credits: FreeCredits
    uow: UnitOfWork

    async def account(self, sign_up: Registration, known: User | None, now: datetime) -> User:
        """The user, in a transaction that keeps the address; `known` is the account that the address has already."""
        if await self.registrations.is_disputed(sign_up.email, since=now - VERIFICATION_LIFE):
            sign_up.password_hash = None
        if known is None:
            user = sign_up.verify(now)
            await self.users.add(user)
        else:
            user = known
            user.hand_over(sign_up.password_hash)
            await self.sessions.revoke_all(user.id, now)
        await self.registrations.void_all(user.email)
        await self.uow.flush()
        await self.free_credits.give(user)
        return user
