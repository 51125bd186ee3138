"""Mails about accounts, sent by the worker from what the outbox announced."""

from dataclasses import dataclass

from application.actor import Actor
from application.auth.ports import Links, RegistrationRepository, Tokens, UserRepository
from application.events import RegistrationMade, RegistrationRepeated
from application.mail import Mailer, MailTemplates
from application.ports import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class SendVerificationMailHandler:
    """Mail the link of a sign-up, unless it has been used or superseded meanwhile."""

    registrations: RegistrationRepository
    tokens: Tokens
    links: Links
    templates: MailTemplates
    mailer: Mailer
    uow: UnitOfWork

    async def __call__(self, event: RegistrationMade, actor: Actor) -> None:
        registration = await self.registrations.by_id(event.registration_id)
        await self.uow.commit()
        if registration is None:
            return
        link = self.links.verification(self.tokens.mailed(registration.token_seed))
        mail = self.templates.verification(registration.email, registration.name, link, key=event.key)
        await self.mailer.send(mail)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendAccountExistsMailHandler:
    """Tell an account's owner that somebody tried to register the address again."""

    users: UserRepository
    links: Links
    templates: MailTemplates
    mailer: Mailer
    uow: UnitOfWork

    async def __call__(self, event: RegistrationRepeated, actor: Actor) -> None:
        user = await self.users.by_id(event.user_id)
        await self.uow.commit()
        if user is None:
            return
        mail = self.templates.account_exists(user.email, user.name, self.links.sign_in(), key=event.key)
        await self.mailer.send(mail)
