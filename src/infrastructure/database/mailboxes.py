"""What a mailbox gets: mails per hour, and free credits once. It is remembered by a pseudonym only."""

from sqlalchemy import Text, case, cast, delete, func, or_, text
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from application.auth.ports import MailAllowance, SignupGrants
from application.ports import Alerts
from infrastructure.database.tables import daily_grants, mail_allowances, signup_grants
from infrastructure.pseudonyms import Pseudonyms

MAILS_PER_HOUR = 5


class SqlMailAllowance(MailAllowance):
    """Keeps the times of the last five mails of an address; a sixth waits until the oldest is an hour old."""

    def __init__(self, session: AsyncSession, pseudonyms: Pseudonyms) -> None:
        self._session = session
        self._pseudonyms = pseudonyms

    async def take(self, mailbox: str) -> bool:
        sent = mail_allowances.c.sent_at
        count = func.cardinality(sent)
        kept = case((count < MAILS_PER_HOUR, sent), else_=sent[2:MAILS_PER_HOUR])
        hour_ago = func.now() - text("interval '1 hour'")
        taken = await self._session.execute(
            upsert(mail_allowances)
            .values(mailbox_hmac=self._pseudonyms.of("mails", mailbox), sent_at=array([func.now()]))
            .on_conflict_do_update(
                index_elements=["mailbox_hmac"],
                set_={"sent_at": func.array_append(kept, func.now())},
                where=or_(count < MAILS_PER_HOUR, sent[1] < hour_ago),
            )
            .returning(mail_allowances.c.mailbox_hmac)
        )
        return taken.one_or_none() is not None


class SqlSignupGrants(SignupGrants):
    """Outlives customers: who comes back after erasing an account gets nothing for it."""

    def __init__(self, session: AsyncSession, pseudonyms: Pseudonyms, alerts: Alerts, *, daily_cap: int) -> None:
        self._session = session
        self._pseudonyms = pseudonyms
        self._alerts = alerts
        self._daily_cap = daily_cap

    async def claim(self, mailbox: str) -> bool:
        digest = self._pseudonyms.of("free credits", mailbox)
        first = await self._session.execute(
            upsert(signup_grants)
            .values(mailbox_hmac=digest, granted_at=func.now())
            .on_conflict_do_nothing()
            .returning(signup_grants.c.granted_at)
        )
        if first.one_or_none() is None:
            return False
        today = await self._count()
        if today <= self._daily_cap:
            return True
        if today == self._daily_cap + 1:  # the first of the day to be refused: one alert is enough
            self._alerts.alert("free_credits_cap_reached", daily_cap=self._daily_cap)
        # The day's cap is not this customer's doing: the mailbox keeps its claim.
        await self._session.execute(delete(signup_grants).where(signup_grants.c.mailbox_hmac == digest))
        return False

    async def _count(self) -> int:
        """How many of the day this one is; those beyond the cap are counted too."""
        counted = await self._session.execute(
            upsert(daily_grants)
            .values(day=cast(func.to_char(func.timezone("UTC", func.now()), "YYYY-MM-DD"), Text), granted=1)
            .on_conflict_do_update(index_elements=["day"], set_={"granted": daily_grants.c.granted + 1})
            .returning(daily_grants.c.granted)
        )
        return int(counted.scalar_one())
