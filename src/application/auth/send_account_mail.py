"""Mails about accounts, sent by the worker from what the outbox announced."""

from dataclasses import dataclass

from application.actor import Actor
from application.auth.mailed_tokens import digest_of
from application.auth.ports import Links, PasswordResetRepository, RegistrationRepository, Tokens, UserRepository
from application.events import PasswordResetAsked, RegistrationMade, RegistrationRepeated
from application.mail import Mailer, MailTemplates, hand_over
from application.ports import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class SendVerificationMailHandler:
    """Mail the link of a sign-up, unless it has been used, superseded or overtaken by an account meanwhile."""

    users: UserRepository
    registrations: RegistrationRepository
    tokens: Tokens
    links: Links
    templates: MailTemplates
    mailer: Mailer
    uow: UnitOfWork

    async def __call__(self, event: RegistrationMade, actor: Actor) -> None:
        registration = await self.registrations.by_id(event.registration_id)
        if registration is None or registration.expired(await self.uow.now()):
            return
        known = await self.users.by_email(registration.email)
        if known is not None and known.is_verified:
            return
        token = self.tokens.mailed(registration.token_seed)
        # The key that makes tokens may have been replaced since; the link that goes out is the one that works.
        registration.token_hash = digest_of(token)
        await self.uow.commit()
        link = self.links.verification(token)
        mail = self.templates.verification(registration.email, registration.name, link, key=event.key)
        await hand_over(self.mailer, mail)


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
        if user is None or user.deleted_at is not None:
            return
        mail = self.templates.account_exists(user.email, user.name, self.links.sign_in(), key=event.key)
        await hand_over(self.mailer, mail)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendPasswordResetMailHandler:
    """Mail the link to choose a new password, if the address has an account and no later link was asked for."""

    users: UserRepository
    resets: PasswordResetRepository
    tokens: Tokens
    links: Links
    templates: MailTemplates
    mailer: Mailer
    uow: UnitOfWork

    async def __call__(self, event: PasswordResetAsked, actor: Actor) -> None:
        reset = await self.resets.by_id(event.reset_id)
        if reset is None or reset.expired(await self.uow.now()):
            return
        user = await self.users.by_email(reset.email)
        if user is None or user.deleted_at is not None:
            return
        token = self.tokens.mailed(reset.token_seed)
        reset.token_hash = digest_of(token)  # made with the present key, as for a sign-up
        await self.uow.commit()
        mail = self.templates.password_reset(user.email, user.name, self.links.password_reset(token), key=event.key)
        await hand_over(self.mailer, mail)
