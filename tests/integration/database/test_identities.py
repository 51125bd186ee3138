"""Who is who at a provider, in the database."""

import asyncio
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from application.auth.ports import ProviderIdentity
from infrastructure.database.identities import SqlIdentities
from tests.integration.database.stage import Stage


def person(**about: Any) -> ProviderIdentity:
    usual: dict[str, Any] = {"issuer": "https://provider.test", "subject": "1", "email": "ada@example.com"}
    return ProviderIdentity(**(usual | about))


async def tie(stage: Stage, identity: ProviderIdentity, user_id: int) -> None:
    async with stage.desk() as desk:
        identities = SqlIdentities(desk.session)
        assert await identities.claim(identity) is None
        await identities.add(user_id, identity, await desk.uow.now())
        await desk.uow.commit()


async def known(stage: Stage, identity: ProviderIdentity) -> int | None:
    async with stage.desk() as desk:
        return await SqlIdentities(desk.session).claim(identity)


async def test_an_identity_is_known_by_issuer_and_subject(stage: Stage) -> None:
    """Whatever its address has become."""
    ada = await stage.user()
    await tie(stage, person(picture_url="https://p.test/a"), ada.id)
    assert await known(stage, person(email="other@example.com")) == ada.id
    assert await known(stage, person(subject="2")) is None
    assert await known(stage, person(issuer="https://other.test")) is None
    async with stage.desk() as desk:
        identities = SqlIdentities(desk.session)
        assert await identities.exists_for(ada.id)
        assert not await identities.exists_for(ada.id + 1)
        assert await identities.picture_url(ada.id) == "https://p.test/a"
        assert await identities.picture_url(ada.id + 1) is None


async def test_a_user_has_one_identity_and_an_identity_one_user(stage: Stage) -> None:
    ada, bob = await stage.user(), await stage.user()
    await tie(stage, person(), ada.id)
    with pytest.raises(IntegrityError):
        await tie(stage, person(subject="2"), ada.id)
    async with stage.desk() as desk:
        with pytest.raises(IntegrityError):
            await SqlIdentities(desk.session).add(bob.id, person(), await desk.uow.now())


@pytest.mark.parametrize(
    "other", [{"email": "other@example.com"}, {"subject": "2"}, {"subject": "2", "email": "ADA@example.com"}]
)
async def test_an_identity_and_its_address_are_claimed_by_one_at_a_time(stage: Stage, other: dict[str, str]) -> None:
    """Who comes second sees what the first one did."""
    ada = await stage.user()
    async with stage.desk() as first:
        identities = SqlIdentities(first.session)
        await identities.claim(person())
        second = asyncio.create_task(known(stage, person(**other)))
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while not await stage.database.fetchval(waiting):  # noqa: ASYNC110 - it is seen in the database only
            await asyncio.sleep(0.01)
        await identities.add(ada.id, person(), await first.uow.now())
        await first.uow.commit()
    assert await second == (ada.id if "subject" not in other else None)


async def test_claims_in_any_order_do_not_wait_for_each_other(stage: Stage) -> None:
    people = [person(subject=subject, email=email) for subject in "12" for email in ("a@example.com", "b@example.com")]
    assert await asyncio.gather(*(known(stage, each) for each in people * 5)) == [None] * 20


async def test_a_token_that_works_once_is_spent_once(stage: Stage) -> None:
    """By one of those who show it at the same time."""
    ends = await stage.now()

    async def spend() -> bool:
        async with stage.desk() as desk:
            first = await desk.revoked.spend("an attempt", ends)
            await desk.uow.commit()
            return first

    assert sorted(await asyncio.gather(*(spend() for _ in range(6)))) == [False] * 5 + [True]
