"""From a form to a verified customer, and what somebody who only knows an address can learn or spoil on the way."""

from datetime import timedelta

import pytest

from application.auth.forgot_password import ForgotPassword
from application.auth.register import Register
from application.auth.resend_verification import ResendVerification
from application.auth.verify_email import VerifyEmail
from application.mail import MailRefused
from domain.credits import Cause
from domain.errors import Forbidden, Invalid, Unauthenticated, Unavailable
from tests.unit.application.reception import ADA, PASSWORD, VISITOR, Reception, token_in


async def test_the_link_in_the_mail_makes_the_customer() -> None:
    """With the address in lower case, the name and the password of the form, and signed in at once."""
    reception = Reception()
    await reception.register(Register(" Ada@Example.com ", PASSWORD, "Ada\nLovelace"), VISITOR)
    (mail,) = await reception.deliver()
    assert (mail.to, mail.name) == (ADA, "Ada Lovelace")
    tokens = await reception.verify(VerifyEmail(token_in(mail)), VISITOR)
    (user,) = reception.users.rows.kept.values()
    assert (user.email, user.name, user.is_verified) == (ADA, "Ada Lovelace", True)
    assert reception.tokens.read_access(tokens.access_token).user_id == user.id
    (session,) = reception.sessions.rows.kept.values()
    assert (session.user_id, session.ip, session.user_agent) == (user.id, "192.0.2.7", "Firefox")
    assert await reception.enter() != tokens


async def test_until_the_link_is_used_there_is_no_user() -> None:
    """The right password is told that the address waits; a wrong one learns nothing."""
    reception = Reception()
    await reception.sign_up()
    assert reception.users.rows.kept == {}
    with pytest.raises(Forbidden) as waiting:
        await reception.enter()
    assert waiting.value.code == "email_not_verified"
    with pytest.raises(Unauthenticated) as wrong:
        await reception.enter(password="another-password")
    assert wrong.value.code == "invalid_credentials"


async def test_the_answer_does_not_tell_whether_an_address_is_known() -> None:
    """The same words and the same work; only the owner's mailbox learns more."""
    reception = Reception()
    await reception.join()
    reception.passwords.worked_on.clear()
    answers = [await reception.register(Register(email, PASSWORD, "X"), VISITOR) for email in (ADA, "bob@example.com")]
    assert answers[0] == answers[1]
    assert reception.passwords.worked_on == [PASSWORD] * 2
    mails = {mail.to: mail for mail in await reception.deliver()}
    assert "token=" not in mails[ADA].text
    assert token_in(mails["bob@example.com"])


async def test_a_repeated_sign_up_changes_nothing_about_the_account() -> None:
    """Its link is mailed to nobody, not even when it is asked for again; its password opens nothing."""
    reception = Reception()
    await reception.join()
    await reception.deliver()
    await reception.register(Register(ADA, "another-password", "Eve"), VISITOR)
    await reception.resend(ResendVerification(ADA), VISITOR)
    mails = await reception.deliver()
    assert [("token=" in mail.text) for mail in mails] == [False]
    (user,) = reception.users.rows.kept.values()
    assert user.name == "Ada"
    with pytest.raises(Forbidden):
        await reception.enter(password="another-password")


async def test_the_owner_of_the_mailbox_decides_which_sign_up_counts() -> None:
    """Two people sign up with one address; the link that is used brings its own password, and voids the other."""
    reception = Reception()
    squatter = await reception.sign_up(password="squatters-password", name="Eve")
    owner = await reception.sign_up()
    await reception.verify(VerifyEmail(owner), VISITOR)
    await reception.enter()
    with pytest.raises(Unauthenticated):
        await reception.enter(password="squatters-password")
    with pytest.raises(Invalid) as refusal:
        await reception.verify(VerifyEmail(squatter), VISITOR)
    assert refusal.value.code == "token_invalid"


@pytest.mark.parametrize("token", ["", "x", "ada", "\ud800", "0" * 512])
async def test_a_made_up_token_verifies_nobody(token: str) -> None:
    reception = Reception()
    await reception.sign_up()
    with pytest.raises(Invalid) as refusal:
        await reception.verify(VerifyEmail(token), VISITOR)
    assert refusal.value.code == "token_invalid"
    assert reception.users.rows.kept == {}


async def test_a_link_works_once_and_for_a_day() -> None:
    reception = Reception()
    token = await reception.sign_up()
    late = await reception.sign_up("bob@example.com")
    await reception.verify(VerifyEmail(token), VISITOR)
    reception.uow.pass_time(hours=24)
    for spent in (token, late):
        with pytest.raises(Invalid):
            await reception.verify(VerifyEmail(spent), VISITOR)


@pytest.mark.parametrize(("free_credits", "amounts"), [(3, [3]), (0, [])])
async def test_the_first_proof_of_an_address_brings_free_credits(free_credits: int, amounts: list[int]) -> None:
    reception = Reception(free_credits=free_credits)
    await reception.join()
    (user,) = reception.users.rows.kept.values()
    entries = reception.accounts.entries(user.id)
    assert [(entry.amount, entry.cause) for entry in entries] == [(amount, Cause.SIGNUP) for amount in amounts]


async def test_one_mailbox_gets_free_credits_once() -> None:
    """Whatever its addresses are made to look like."""
    reception = Reception()
    for email in ("ada@gmail.com", "a.da@gmail.com", "ada+shop@googlemail.com"):
        await reception.join(email)
    granted = [len(reception.accounts.entries(user_id)) for user_id in reception.users.rows.kept]
    assert sorted(granted) == [0, 0, 1]


async def test_a_common_password_is_refused_before_any_work() -> None:
    reception = Reception()
    with pytest.raises(Invalid) as refusal:
        await reception.register(Register(ADA, "password1", "Ada"), VISITOR)
    assert (refusal.value.code, refusal.value.field) == ("password_too_common", "password")
    assert (reception.passwords.worked_on, reception.uow.commits) == ([], 0)


async def test_a_link_that_is_mailed_again_is_another_and_voids_the_first() -> None:
    """And the password of the sign-up opens the account it makes."""
    reception = Reception()
    superseded = await reception.sign_up()
    await reception.resend(ResendVerification(ADA.upper()), VISITOR)
    (mail,) = await reception.deliver()
    with pytest.raises(Invalid) as refusal:
        await reception.verify(VerifyEmail(superseded), VISITOR)
    assert refusal.value.code == "token_invalid"
    await reception.verify(VerifyEmail(token_in(mail)), VISITOR)
    assert await reception.enter()


async def test_where_several_sign_ups_wait_the_link_mailed_again_trusts_none_of_their_passwords() -> None:
    """The owner of the mailbox asks for the link again after a stranger signed the address up too."""
    reception = Reception()
    await reception.sign_up(password="the owner's own")
    await reception.sign_up(password="a stranger's own")
    await reception.resend(ResendVerification(ADA), VISITOR)
    await reception.verify(VerifyEmail(token_in((await reception.deliver())[-1])), VISITOR)
    for password in ("a stranger's own", "the owner's own"):
        with pytest.raises(Unauthenticated):
            await reception.enter(password=password)


async def test_asking_for_the_link_again_tells_nothing_about_the_address() -> None:
    """An unknown, a verified and an expired one are answered as one that waits, and get no mail."""
    reception = Reception()
    await reception.join("bob@example.com")
    await reception.sign_up("eve@example.com")
    reception.uow.pass_time(hours=25)
    await reception.sign_up()
    answers = set()
    for email in (ADA, "bob@example.com", "eve@example.com", "nobody@example.com"):
        answers.add((await reception.resend(ResendVerification(email), VISITOR)).message)
    assert len(answers) == 1
    assert [mail.to for mail in await reception.deliver()] == [ADA]


@pytest.mark.parametrize(("strangers", "opens"), [("a stranger's own", None), (PASSWORD, PASSWORD)])
async def test_a_stranger_who_uses_up_the_mails_gains_nothing(strangers: str, opens: str | None) -> None:
    """All links in the mailbox are theirs, and the owner uses one. The same person's five tries are no dispute."""
    reception = Reception()
    tokens = [await reception.sign_up(password=strangers) for _ in range(5)]
    await reception.register(Register(ADA, PASSWORD, "Ada"), VISITOR)
    assert await reception.deliver() == []
    assert await reception.verify(VerifyEmail(tokens[-1]), VISITOR)
    for password in {strangers, PASSWORD} - {opens}:
        with pytest.raises(Unauthenticated):
            await reception.enter(password=password)
    if opens:
        assert await reception.enter(password=opens)


async def test_a_mailbox_is_not_flooded() -> None:
    """When its mails of the hour are spent, the answer is the same and no mail goes out."""
    reception = Reception()
    mails = []
    for _ in range(2):
        await reception.register(Register(ADA, PASSWORD, "Ada"), VISITOR)
        mails += await reception.deliver()
        await reception.resend(ResendVerification(ADA), VISITOR)
        mails += await reception.deliver()
        await reception.forgot(ForgotPassword(ADA), VISITOR)
    assert len(mails) == 4
    await reception.resend(ResendVerification(ADA), VISITOR)
    assert await reception.deliver() == [], "the fifth was about a password, and went to nobody: there is no account"


async def test_a_mail_job_that_runs_twice_sends_one_mail() -> None:
    """And none once the link has been used."""
    reception = Reception()
    await reception.join()
    assert await reception.deliver() == []


async def test_a_mail_that_cannot_be_sent_now_is_sent_later() -> None:
    """The job fails, its outbox row stays, and the next delivery sends it."""
    reception = Reception()
    reception.mailer.troubles = [Unavailable("service_unavailable", "The mail service is away.")]
    await reception.register(Register(ADA, PASSWORD, "Ada"), VISITOR)
    with pytest.raises(Unavailable):
        await reception.deliver()
    assert len(await reception.deliver()) == 1


async def test_a_mail_that_will_never_be_taken_is_given_up() -> None:
    """The job is done, for the same mail would be refused for ever."""
    reception = Reception()
    reception.mailer.troubles = [MailRefused("no such domain")]
    await reception.register(Register(ADA, PASSWORD, "Ada"), VISITOR)
    assert await reception.deliver() == []


async def test_a_mail_for_an_account_that_is_gone_is_not_sent() -> None:
    reception = Reception()
    await reception.join()
    await reception.register(Register(ADA, PASSWORD, "Ada"), VISITOR)
    reception.users.rows.kept.clear()
    assert await reception.deliver() == []


async def test_a_session_outlives_no_more_than_its_sign_in_says() -> None:
    """The access token lives for as long as the answer tells."""
    reception = Reception()
    tokens = await reception.join()
    claims = reception.tokens.read_access(tokens.access_token)
    ends = reception.uow.time + timedelta(seconds=tokens.expires_in)
    assert claims.expires_at == int(ends.timestamp())
