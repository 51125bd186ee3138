"""Signing in with Google: what ties a person there to an account here, and what nobody gets by it."""

import re
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from application.auth.begin_google_sign_in import BeginGoogleSignIn, frontend_path
from application.auth.finish_google_sign_in import FinishGoogleSignIn
from application.auth.forgot_password import ForgotPassword
from application.auth.ports import ProviderIdentity
from application.auth.refresh_session import RefreshSession
from application.auth.register import Register
from application.events import ProfilePictureOffered
from domain.credits import Cause
from domain.errors import Conflict, Failure, Forbidden, Invalid, Unauthenticated, Unavailable
from domain.sessions import SignInMethod
from domain.users import User
from tests.factories import UserFactory
from tests.unit.application.reception import ADA, PASSWORD, VISITOR, Reception

FRONTEND = "https://app.example.com/start"
PICTURE = "https://lh3.googleusercontent.com/a/ada=s96-c"


def person(**about: Any) -> ProviderIdentity:
    usual: dict[str, Any] = {"issuer": "https://provider.test", "subject": "1", "email": ADA, "name": "Ada"}
    return ProviderIdentity(**({"email_verified": True} | usual | about))


async def unproved(reception: Reception, **about: Any) -> User:
    """An account whose address nobody has proved, with a password that somebody chose."""
    user = UserFactory.build(email=ADA, is_verified=False, password_hash="new:squatters", **about)
    await reception.users.add(user)
    await reception.uow.commit()
    return user


def only_user(reception: Reception) -> User:
    (user,) = reception.users.rows.kept.values()
    return user


async def refused(reception: Reception, brought: FinishGoogleSignIn) -> Failure:
    with pytest.raises(Failure) as refusal:
        await reception.finish_google(brought, VISITOR)
    reception.uow.abandon()
    return refusal.value


async def test_somebody_new_gets_an_account() -> None:
    """Verified, without a password, with the free credits, and signed in on the page they came from."""
    reception = Reception()
    done = await reception.finish_google(await reception.leave_for_google(person(), "/gallery?page=2"), VISITOR)
    user = only_user(reception)
    assert (user.email, user.name, user.password_hash, user.is_verified) == (ADA, "Ada", None, True)
    assert done.next == "/gallery?page=2"
    (session,) = reception.sessions.rows.kept.values()
    assert (session.user_id, session.signed_in_by, session.ip) == (user.id, SignInMethod.GOOGLE, "192.0.2.7")
    assert reception.tokens.read_access(done.tokens.access_token).session_id == session.id
    assert [(entry.amount, entry.cause) for entry in reception.accounts.entries(user.id)] == [(3, Cause.SIGNUP)]


async def test_the_account_is_found_again_by_the_identity() -> None:
    """Whatever the address at Google has become since; nothing about the account changes."""
    reception = Reception()
    await reception.come_by_google(person())
    await reception.come_by_google(person(email="ada.lovelace@example.com", name="Countess"))
    user = only_user(reception)
    assert (user.email, user.name) == (ADA, "Ada")
    assert len(reception.sessions.rows.kept) == 2
    assert len(reception.accounts.entries(user.id)) == 1


@pytest.mark.parametrize("is_known", [False, True])
async def test_an_address_that_google_has_not_verified_never_signs_in(is_known: bool) -> None:
    reception = Reception()
    if is_known:
        await reception.come_by_google(person())
    users = dict(reception.users.rows.kept)
    failure = await refused(reception, await reception.leave_for_google(person(email_verified=False)))
    assert (type(failure), failure.code) == (Forbidden, "email_not_verified")
    assert reception.users.rows.kept == users


async def test_a_verified_account_is_tied_to_the_identity_and_keeps_its_password() -> None:
    """Nothing is granted for it, and whoever was signed in stays so."""
    reception = Reception()
    before = await reception.join()
    await reception.come_by_google(person(email="ADA@Example.com"))
    user = only_user(reception)
    assert len(reception.accounts.entries(user.id)) == 1
    await reception.enter()
    assert await reception.refresh(RefreshSession(before.refresh_token), VISITOR)


async def test_a_squatter_is_left_with_nothing() -> None:
    """Password, session, sign-ups and resets of the address are gone; the owner has the account and its credits."""
    reception = Reception()
    user = await unproved(reception)
    tokens = await reception.log_in.sign_in.begin(user, VISITOR.client, SignInMethod.PASSWORD, reception.uow.time)
    await reception.uow.commit()
    await reception.register(Register(ADA, PASSWORD, "Eve"), VISITOR)
    await reception.forgot(ForgotPassword(ADA), VISITOR)
    await reception.come_by_google(person())
    assert only_user(reception) is user
    assert (user.password_hash, user.is_verified) == (None, True)
    assert (reception.registrations.rows.kept, reception.resets.rows.kept) == ({}, {})
    with pytest.raises(Unauthenticated):
        await reception.refresh(RefreshSession(tokens.refresh_token), VISITOR)
    assert [session.revoked_at is None for session in reception.sessions.rows.kept.values()] == [False, True]
    assert len(reception.accounts.entries(user.id)) == 1


async def test_a_sign_up_that_waits_is_void_once_its_address_is_proved_otherwise() -> None:
    reception = Reception()
    await reception.sign_up(password="squatters-password")
    await reception.come_by_google(person())
    with pytest.raises(Unauthenticated) as refusal:
        await reception.enter(password="squatters-password")
    assert refusal.value.code == "invalid_credentials"


async def test_another_person_with_the_same_address_is_refused() -> None:
    """An address may pass from hand to hand; the account stays with the identity that came first."""
    reception = Reception()
    await reception.come_by_google(person())
    failure = await refused(reception, await reception.leave_for_google(person(subject="2")))
    assert (type(failure), failure.code) == (Conflict, "conflict")
    assert len(reception.sessions.rows.kept) == 1
    other_issuer = await refused(reception, await reception.leave_for_google(person(issuer="https://other.test")))
    assert other_issuer.code == "conflict"


@pytest.mark.parametrize("is_verified", [True, False])
async def test_a_disabled_account_stays_closed(is_verified: bool) -> None:
    reception = Reception()
    user = UserFactory.build(email=ADA, is_disabled=True, is_verified=is_verified)
    await reception.users.add(user)
    await reception.uow.commit()
    failure = await refused(reception, await reception.leave_for_google(person()))
    assert failure.code == "account_disabled"
    assert reception.identities.kept == {}
    assert reception.sessions.rows.kept == {}


async def test_a_mailbox_gets_free_credits_once_by_whichever_way() -> None:
    reception = Reception()
    await reception.join("ada@gmail.com")
    await reception.come_by_google(person(email="a.d.a@gmail.com"))
    granted = [len(reception.accounts.entries(user_id)) for user_id in reception.users.rows.kept]
    assert sorted(granted) == [0, 1]


@pytest.mark.parametrize(
    ("name", "shown"), [("", "ada"), ("\x00\n", "ada"), ("Ada\nLovelace", "Ada Lovelace"), ("A" * 99, "A" * 70)]
)
async def test_a_name_is_held_to_our_rules(name: str, shown: str) -> None:
    reception = Reception()
    await reception.come_by_google(person(name=name))
    assert only_user(reception).name == shown


async def test_an_address_that_cannot_be_mailed_to_makes_no_account() -> None:
    reception = Reception()
    failure = await refused(reception, await reception.leave_for_google(person(email="")))
    assert failure.code == "email_not_verified"
    assert reception.users.rows.kept == {}


# The way there and back


@pytest.mark.parametrize("changed", [{"attempt": ""}, {"attempt": "x.y.z"}, {"state": ""}, {"state": "ä\ud800"}])
async def test_a_return_to_a_browser_that_did_not_leave_is_refused(changed: dict[str, str]) -> None:
    reception = Reception()
    brought = await reception.leave_for_google(person())
    failure = await refused(reception, msgspec.structs.replace(brought, **changed))
    assert (type(failure), failure.code) == (Invalid, "oauth_state_invalid")


async def test_a_strangers_return_is_refused() -> None:
    """Who is sent the address of somebody else's return is not signed in as them."""
    reception = Reception()
    own, others = await reception.leave_for_google(person()), await reception.leave_for_google(person(subject="2"))
    failure = await refused(reception, msgspec.structs.replace(others, attempt=own.attempt))
    assert failure.code == "oauth_state_invalid"


async def test_a_return_counts_once() -> None:
    """Also when what came of it was a refusal."""
    reception = Reception()
    brought = await reception.leave_for_google(person())
    await reception.finish_google(brought, VISITOR)
    assert (await refused(reception, brought)).code == "oauth_state_invalid"
    denied = msgspec.structs.replace(await reception.leave_for_google(person()), code="", error="access_denied")
    assert (await refused(reception, denied)).code == "access_denied"
    assert (await refused(reception, denied)).code == "oauth_state_invalid"


async def test_another_kind_of_token_is_no_attempt() -> None:
    reception = Reception()
    tokens = await reception.join()
    for token in (tokens.access_token, tokens.refresh_token):
        assert (await refused(reception, FinishGoogleSignIn(token, "", "4/1"))).code == "oauth_state_invalid"
    begun = await reception.begin_google(BeginGoogleSignIn(), VISITOR)
    with pytest.raises(Unauthenticated):
        reception.tokens.read_access(begun.attempt)


@pytest.mark.parametrize(
    ("error", "code"),
    [("access_denied", "access_denied"), ("server_error", "provider_unavailable"), ("", "provider_unavailable")],
)
async def test_a_return_without_a_code_says_why(error: str, code: str) -> None:
    reception = Reception()
    brought = msgspec.structs.replace(await reception.leave_for_google(person()), code="", error=error)
    assert (await refused(reception, brought)).code == code


async def test_what_cannot_be_trusted_signs_nobody_in() -> None:
    reception = Reception()
    for changed in ({"code": "4/made-up"}, {"issuer": "https://other.test"}):
        brought = msgspec.structs.replace(await reception.leave_for_google(person()), **changed)
        assert (await refused(reception, brought)).code == "token_invalid"
    assert reception.users.rows.kept == {}


async def test_a_provider_that_is_away_can_be_tried_again() -> None:
    reception = Reception()
    reception.provider.troubles = [Unavailable("provider_unavailable", "away")]
    with pytest.raises(Unavailable):
        await reception.begin_google(BeginGoogleSignIn(), VISITOR)
    brought = await reception.leave_for_google(person())
    reception.provider.troubles = [Unavailable("provider_unavailable", "away")]
    assert (await refused(reception, brought)).code == "provider_unavailable"
    assert await reception.come_by_google(person())


@pytest.mark.parametrize(
    "path", ["/", "/gallery", "/gallery?page=2&from=https://example.com//x", "/a%20b#c", "/caf\u00e9", "/x%252Fy"]
)
async def test_a_path_of_the_frontend_is_kept_as_it_is(path: str) -> None:
    reception = Reception()
    brought = await reception.leave_for_google(person(), path)
    assert (await reception.finish_google(brought, VISITOR)).next == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "gallery",
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%2Fevil.example",
        "/%252Fevil.example",
        "/%25252Fevil.example",
        "/%5Cevil.example",
        "/%09/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/..//evil.example",
        "/.%2F%2Fevil.example",
        "/%0d%0aSet-Cookie:x",
        " //evil.example",
        "/\u202egpj.exe",
        "/\ud800",
        "/" + "a" * 512,
        "javascript:alert(1)",
    ],
)
async def test_a_path_to_anywhere_else_is_refused(path: str) -> None:
    """However it is dressed up."""
    reception = Reception()
    with pytest.raises(Invalid) as refusal:
        await reception.begin_google(BeginGoogleSignIn(path), VISITOR)
    assert (refusal.value.code, refusal.value.field) == ("validation_failed", "next")


@given(st.text(alphabet="/\\%2fF5cC09.?#:@ab\t\n ", max_size=14).map(lambda rest: f"/{rest}"))
def test_no_path_that_is_taken_leads_away(path: str) -> None:
    """Not as browsers read it, and not once or twice decoded."""
    with suppress(Invalid):
        read = frontend_path(path)
        for _ in range(3):
            as_browsers_do = re.sub(r"[\t\r\n]", "", read.strip()).replace("\\", "/")
            assert urlsplit(urljoin(FRONTEND, as_browsers_do)).netloc == urlsplit(FRONTEND).netloc
            read = unquote(read)


# The picture


@pytest.mark.parametrize(("has_one", "url", "offers"), [(False, PICTURE, 1), (False, None, 0), (True, PICTURE, 0)])
async def test_a_picture_is_offered_to_who_has_none(has_one: bool, url: str | None, offers: int) -> None:
    """Once, when the two are tied."""
    reception = Reception()
    user = UserFactory.build(email=ADA, profile_picture="pictures/profile/x.jpg" if has_one else None)
    await reception.users.add(user)
    await reception.uow.commit()
    for _ in range(2):
        await reception.come_by_google(person(picture_url=url))
    assert reception.outbox.events == [ProfilePictureOffered(user.id)] * offers
