from dataclasses import dataclass
from datetime import datetime

from application.events import AccountErased, PictureDiscarded
from application.ports import Outbox
from application.users.ports import PersonalRecords
from domain.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Erase an account, in the transaction of whoever decided it and holds the user.

    The account is out of reach as soon as that commits; its pictures and works follow by the worker. What stays is the
    ledger, under a pseudonym, and a keyed digest of the mailbox, so that free credits come once.
    """

    records: PersonalRecords
    outbox: Outbox

    async def erase(self, user: User, now: datetime) -> None:
        await self.records.forget_person(user.id, user.email)
        if user.profile_picture is not None:
            self.outbox.add(PictureDiscarded(user.profile_picture))
        user.erase(now)
        self.outbox.add(AccountErased(user.id))
