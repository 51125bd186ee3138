"""Choosing another password: by a mailed link when it was forgotten, or by knowing the present one."""

import pytest
from msgspec.structs import replace

from application.actor import Actor
from application.auth.change_password import ChangePassword
from application.auth.forgot_password import ForgotPassword
from application.auth.refresh_session import RefreshSession
from application.auth.reset_password import ResetPassword
from application.auth.revoke_session import RevokeSession
from application.auth.tokens import TokenPair
from application.auth.verify_email import VerifyEmail
from domain.errors import Invalid, NotFound, Throttled, Unauthenticated
from domain.identifiers import LARGEST_ID
from tests.unit.application.reception import ADA, PASSWORD, VISITOR, Reception, token_in
from tests.unit.application.test_sessions_in_use import actor_of

ANOTHER = "a-heron-on-a-wire"


async def forgot(reception: Reception, email: str = ADA) -> str:
    """Ask for a link, and return its token."""
    await reception.forgot(ForgotPassword(email), VISITOR)
    (mail,) = await reception.deliver()
    return token_in(mail)


async def test_a_mailed_link_replaces_a_forgotten_password() -> None:
    """Every session ends, and whoever was slowed down by somebody's guesses is so no longer."""
    reception = Reception()
    tokens = await reception.join()
    await reception.reset_password(ResetPassword(await forgot(reception), ANOTHER), VISITOR)
    with pytest.raises(Unauthenticated):
        await reception.refresh(RefreshSession(tokens.refresh_token), VISITOR)
    with pytest.raises(Unauthenticated):
        await reception.enter(password=PASSWORD)
    assert reception.throttle.reset_for == [ADA]
    assert await reception.enter(password=ANOTHER)


async def test_a_link_resets_once_and_within_half_an_hour() -> None:
    reception = Reception()
    await reception.join()
    token = await forgot(reception)
    await reception.reset_password(ResetPassword(token, ANOTHER), VISITOR)
    late = await forgot(reception)
    reception.uow.pass_time(minutes=30)
    for spent in (token, late, "made up", "\ud800"):
        with pytest.raises(Invalid) as refusal:
            await reception.reset_password(ResetPassword(spent, "yet another one"), VISITOR)
        assert refusal.value.code == "token_invalid"
    assert await reception.enter(password=ANOTHER)


async def test_a_new_link_voids_those_before() -> None:
    reception = Reception()
    await reception.join()
    superseded = await forgot(reception)
    token = await forgot(reception)
    with pytest.raises(Invalid):
        await reception.reset_password(ResetPassword(superseded, ANOTHER), VISITOR)
    await reception.reset_password(ResetPassword(token, ANOTHER), VISITOR)


async def test_a_link_of_either_kind_hands_an_unproved_account_to_the_owner_of_the_mailbox() -> None:
    """Whoever made it, or signed in to it, before the address was proved has nothing of it; free credits come now."""
    for prove in (prove_by_reset, prove_by_link):
        reception = Reception()
        squatter = await reception.join()
        (user,) = reception.users.rows.kept.values()
        user.is_verified = False
        reception.grants.claimed.clear()
        await prove(reception)
        with pytest.raises(Unauthenticated):
            await reception.refresh(RefreshSession(squatter.refresh_token), VISITOR)
        with pytest.raises(Unauthenticated):
            await reception.enter(password=PASSWORD)
        assert user.is_verified
        assert await reception.enter(password=ANOTHER)
        assert reception.grants.claimed == [ADA]


async def prove_by_reset(reception: Reception) -> None:
    await reception.reset_password(ResetPassword(await forgot(reception), ANOTHER), VISITOR)


async def prove_by_link(reception: Reception) -> None:
    await reception.verify(VerifyEmail(await reception.sign_up(password=ANOTHER)), VISITOR)


async def test_a_common_password_does_not_use_the_link_up() -> None:
    reception = Reception()
    await reception.join()
    token = await forgot(reception)
    with pytest.raises(Invalid) as refusal:
        await reception.reset_password(ResetPassword(token, "password1"), VISITOR)
    assert (refusal.value.code, refusal.value.field) == ("password_too_common", "new_password")
    await reception.reset_password(ResetPassword(token, ANOTHER), VISITOR)


async def test_a_made_up_link_costs_no_hashing() -> None:
    reception = Reception()
    with pytest.raises(Invalid):
        await reception.reset_password(ResetPassword("made up", ANOTHER), VISITOR)
    assert reception.passwords.worked_on == []


async def test_forgetting_tells_nothing_about_the_address() -> None:
    """An unknown one is answered alike after the same work, and gets no mail."""
    reception = Reception()
    await reception.join()
    answers = {(await reception.forgot(ForgotPassword(email), VISITOR)).message for email in (ADA, "no@example.com")}
    assert len(answers) == 1
    assert len(reception.resets.rows.kept) == 2
    assert [mail.to for mail in await reception.deliver()] == [ADA]


async def test_a_password_is_changed_by_who_knows_it() -> None:
    """The session that changes it goes on; every other ends, and so do links on their way."""
    reception = Reception()
    others = await reception.join()
    link = await forgot(reception)
    own = await reception.enter()
    await reception.change_password(ChangePassword(PASSWORD, ANOTHER), at_home(reception, own))
    assert await reception.refresh(RefreshSession(own.refresh_token), VISITOR)
    with pytest.raises(Unauthenticated):
        await reception.refresh(RefreshSession(others.refresh_token), VISITOR)
    with pytest.raises(Invalid):
        await reception.reset_password(ResetPassword(link, "yet another one"), VISITOR)
    assert await reception.enter(password=ANOTHER)


async def test_a_stolen_token_changes_no_password() -> None:
    """It takes the present password, and guessing that is slowed down as at signing in."""
    reception = Reception()
    actor = at_home(reception, await reception.join())
    with pytest.raises(Unauthenticated) as refusal:
        await reception.change_password(ChangePassword("a guess", ANOTHER), actor)
    assert refusal.value.code == "invalid_credentials"
    assert reception.throttle.admitted == [(ADA, VISITOR.client.ip)]
    reception.throttle.closed = True
    with pytest.raises(Throttled):
        await reception.change_password(ChangePassword(PASSWORD, ANOTHER), actor)


async def test_a_session_is_ended_from_another_device() -> None:
    reception = Reception()
    lost = await reception.join()
    here = actor_of(reception, await reception.enter())
    lost_id = actor_of(reception, lost).session_id
    assert lost_id is not None
    await reception.revoke_session(RevokeSession(lost_id), here)
    with pytest.raises(Unauthenticated):
        await reception.refresh(RefreshSession(lost.refresh_token), VISITOR)
    with pytest.raises(NotFound):
        await reception.revoke_session(RevokeSession(lost_id), here)


async def test_a_session_of_another_user_is_not_there() -> None:
    """The same answer as for no session at all."""
    reception = Reception()
    bobs = actor_of(reception, await reception.join("bob@example.com")).session_id
    assert bobs is not None
    ada = actor_of(reception, await reception.join())
    refusals = set()
    for session_id in (bobs, 999, 0, LARGEST_ID + 1):
        with pytest.raises(NotFound) as refusal:
            await reception.revoke_session(RevokeSession(session_id), ada)
        refusals.add((refusal.value.code, refusal.value.detail))
    assert len(refusals) == 1


def at_home(reception: Reception, tokens: TokenPair) -> Actor:
    return replace(actor_of(reception, tokens), client=VISITOR.client)
