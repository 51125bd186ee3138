"""Signing in, staying signed in, and signing out."""

from dataclasses import replace as copy_of

import pytest

from application.actor import Actor
from application.auth.log_in import LogIn
from application.auth.log_out import LogOut
from application.auth.refresh_session import RefreshSession
from application.auth.register import Register
from application.auth.tokens import TokenPair
from domain.errors import Forbidden, Unauthenticated
from tests.unit.application.reception import ADA, PASSWORD, VISITOR, Reception


def actor_of(reception: Reception, tokens: TokenPair) -> Actor:
    claims = reception.tokens.read_access(tokens.access_token)
    return Actor.user(
        claims.user_id,
        session_id=claims.session_id,
        token_id=claims.token_id,
        token_expires_at=claims.expires_at,
    )


async def refresh(reception: Reception, token: str) -> TokenPair:
    return await reception.refresh(RefreshSession(token), VISITOR)


# Signing in


@pytest.mark.parametrize("email", [ADA, "ADA@Example.com", " ada@example.com "])
async def test_the_right_password_opens_a_session(email: str) -> None:
    reception = Reception()
    await reception.join()
    tokens = await reception.enter(email)
    assert actor_of(reception, tokens).user_id == 1
    assert len(reception.sessions.rows.kept) == 2


@pytest.mark.parametrize(
    ("email", "password"),
    [(ADA, "wrong-password"), ("nobody@example.com", PASSWORD), ("no address", PASSWORD), ("", ""), ("\x00", PASSWORD)],
)
async def test_every_wrong_sign_in_is_refused_in_the_same_words_after_the_same_work(email: str, password: str) -> None:
    """So that nobody learns from answer or time whether an address is known."""
    reception = Reception()
    await reception.join()
    reception.passwords.worked_on.clear()
    with pytest.raises(Unauthenticated) as refusal:
        await reception.log_in(LogIn(email, password), VISITOR)
    assert (refusal.value.code, refusal.value.detail) == ("invalid_credentials", "E-mail or password is wrong.")
    assert reception.passwords.worked_on == [password] * 2, "an account's and a waiting sign-up's, whatever is there"


async def test_a_sign_up_that_waits_beside_an_account_changes_no_sign_in() -> None:
    """Somebody repeated it: its password is told that it waits, as if there were no account; the account's goes on."""
    reception = Reception()
    await reception.join()
    await reception.register(Register(ADA, "another-password", "Eve"), VISITOR)
    await reception.register(Register("bob@example.com", "another-password", "Eve"), VISITOR)
    told = []
    for email in (ADA, "bob@example.com"):
        with pytest.raises(Forbidden) as refusal:
            await reception.enter(email, "another-password")
        told.append((refusal.value.code, refusal.value.detail))
    assert told[0] == told[1]
    assert told[0][0] == "email_not_verified"
    assert await reception.enter()


async def test_no_connection_is_kept_while_a_password_is_checked() -> None:
    """Hashing takes tens of milliseconds, and connections are few."""
    reception = Reception()
    await reception.join()
    verify = reception.passwords.verify

    async def watched(password_hash: str | None, password: str) -> bool:
        assert not reception.uow.is_open
        return await verify(password_hash, password)

    reception.passwords.verify = watched  # type: ignore[method-assign]
    await reception.enter()


async def test_a_password_that_was_changed_meanwhile_opens_nothing() -> None:
    """Between the look-up and the end of the check, its owner chose another."""
    reception = Reception()
    await reception.join()
    verify = reception.passwords.verify

    async def overtaken(password_hash: str | None, password: str) -> bool:
        # Another process writes the row; the entity that is in use here does not change by itself.
        user = reception.users.rows.kept[1]
        reception.users.rows.kept[1] = copy_of(user, password_hash="new:chosen-anew")
        reception.users.rows.kept[1].id = 1
        return await verify(password_hash, password)

    reception.passwords.verify = overtaken  # type: ignore[method-assign]
    with pytest.raises(Unauthenticated):
        await reception.enter()
    assert len(reception.sessions.rows.kept) == 1


async def test_a_disabled_account_is_told_so_after_the_right_password_only() -> None:
    reception = Reception()
    await reception.join()
    reception.users.rows.kept[1].is_disabled = True
    with pytest.raises(Forbidden) as refusal:
        await reception.enter()
    assert refusal.value.code == "account_disabled"
    with pytest.raises(Unauthenticated):
        await reception.enter(password="wrong-password")


async def test_an_outdated_hash_is_replaced_at_sign_in() -> None:
    reception = Reception()
    await reception.join()
    reception.passwords.scheme = "newer"
    await reception.enter()
    assert reception.users.rows.kept[1].password_hash == f"newer:{PASSWORD}"
    await reception.enter()


async def test_an_account_without_a_password_is_not_opened_by_one() -> None:
    reception = Reception()
    await reception.join()
    reception.users.rows.kept[1].password_hash = None
    for password in (PASSWORD, ""):
        with pytest.raises(Unauthenticated):
            await reception.enter(password=password)


# Staying signed in


async def test_each_refresh_token_is_spent_for_the_next() -> None:
    reception = Reception()
    tokens = await reception.join()
    seen = {tokens.refresh_token}
    for _ in range(3):
        reception.uow.pass_time(minutes=1)
        tokens = await refresh(reception, tokens.refresh_token)
        assert tokens.refresh_token not in seen
        seen.add(tokens.refresh_token)


async def test_two_tabs_get_the_same_successor() -> None:
    """Within ten seconds of each other; no second branch comes to be."""
    reception = Reception()
    first = await reception.join()
    reception.uow.pass_time(minutes=1)
    one = await refresh(reception, first.refresh_token)
    reception.uow.pass_time(seconds=10)
    other = await refresh(reception, first.refresh_token)
    assert other.refresh_token == one.refresh_token
    assert await refresh(reception, one.refresh_token)


async def test_a_stolen_refresh_token_dies_at_its_first_reuse() -> None:
    """R0, R1, R2, then R0 again: refused, and R2 with it. That end is committed although the answer is a refusal."""
    reception = Reception()
    r0 = await reception.join()
    r1 = await refresh(reception, r0.refresh_token)
    r2 = await refresh(reception, r1.refresh_token)
    commits = reception.uow.commits
    with pytest.raises(Unauthenticated) as reused:
        await refresh(reception, r0.refresh_token)
    assert reused.value.code == "refresh_token_reused"
    assert reception.uow.commits == commits + 1
    with pytest.raises(Unauthenticated) as ended:
        await refresh(reception, r2.refresh_token)
    assert ended.value.code == "not_authenticated"


async def test_an_access_token_refreshes_nothing() -> None:
    reception = Reception()
    tokens = await reception.join()
    for token in (tokens.access_token, "", "x.y.z"):
        with pytest.raises(Unauthenticated):
            await refresh(reception, token)


async def test_a_disabled_or_deleted_account_is_not_refreshed() -> None:
    reception = Reception()
    tokens = await reception.join()
    reception.users.rows.kept[1].is_disabled = True
    with pytest.raises(Unauthenticated):
        await refresh(reception, tokens.refresh_token)
    reception.users.rows.kept.clear()
    with pytest.raises(Unauthenticated):
        await refresh(reception, tokens.refresh_token)


# Signing out


async def test_signing_out_ends_the_session_and_both_tokens() -> None:
    reception = Reception()
    tokens = await reception.join()
    actor = actor_of(reception, tokens)
    await reception.log_out(LogOut(tokens.refresh_token), actor)
    assert reception.sessions.rows.kept[1].revoked_at == reception.uow.time
    assert set(reception.revoked.ids) == {actor.token_id, reception.tokens.read_refresh(tokens.refresh_token).token_id}
    with pytest.raises(Unauthenticated):
        await refresh(reception, tokens.refresh_token)


@pytest.mark.parametrize("refresh_token", [None, "", "x.y.z"])
async def test_signing_out_needs_no_refresh_token(refresh_token: str | None) -> None:
    reception = Reception()
    tokens = await reception.join()
    await reception.log_out(LogOut(refresh_token), actor_of(reception, tokens))
    assert reception.sessions.rows.kept[1].revoked_at is not None


async def test_another_customers_refresh_token_ends_nothing_of_theirs() -> None:
    reception = Reception()
    tokens = await reception.join()
    others = await reception.join("bob@example.com")
    await reception.log_out(LogOut(others.refresh_token), actor_of(reception, tokens))
    assert [session.revoked_at is None for session in reception.sessions.rows.kept.values()] == [False, True]
    assert await refresh(reception, others.refresh_token)


async def test_a_visitor_has_nothing_to_sign_out_of() -> None:
    reception = Reception()
    with pytest.raises(Unauthenticated):
        await reception.log_out(LogOut(), VISITOR)
