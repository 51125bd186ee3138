"""The small records around accounts: mails per hour, free credits given, idempotency keys, revoked tokens."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from msgspec import Struct
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from application.ports import IdempotentRequest
from domain.errors import Conflict, Unprocessable
from infrastructure.alerts import LoggedAlerts
from infrastructure.database.mailboxes import SqlSignupGrants
from infrastructure.pseudonyms import Pseudonyms
from tests.integration.database.stage import Desk, Stage

ADA = "ada@example.com"
KEY = secrets.token_urlsafe(32)


class Answer(Struct, frozen=True):
    number: int


async def once(stage: Stage, work: Callable[[Desk], Awaitable[bool]]) -> bool:
    async with stage.desk() as desk:
        done = await work(desk)
        await desk.uow.commit()
        return done


# Mails


async def take(stage: Stage, email: str = ADA) -> bool:
    return await once(stage, lambda desk: desk.allowance.take(email))


async def an_hour_passes(stage: Stage, *, minutes: float) -> None:
    moved = "ARRAY(SELECT at - $1::interval FROM unnest(sent_at) WITH ORDINALITY AS sent(at, place) ORDER BY place)"
    await stage.database.execute(f"UPDATE mail_allowances SET sent_at = {moved}", timedelta(minutes=minutes))  # noqa: S608


async def test_an_address_gets_five_mails_an_hour(stage: Stage) -> None:
    """Another address has its own five."""
    assert [await take(stage) for _ in range(7)] == [True] * 5 + [False] * 2
    assert await take(stage, "bob@example.com")


async def test_a_mail_is_allowed_again_when_the_oldest_of_five_is_an_hour_old(stage: Stage) -> None:
    """A sliding hour: not five at its end and five more at the next one's beginning."""
    assert await take(stage)
    await an_hour_passes(stage, minutes=50)
    for _ in range(4):
        assert await take(stage)
    assert not await take(stage)
    await an_hour_passes(stage, minutes=11)
    assert await take(stage)
    assert not await take(stage)
    await an_hour_passes(stage, minutes=61)
    assert [await take(stage) for _ in range(6)] == [True] * 5 + [False]


async def test_mails_asked_for_at_once_are_counted_one_by_one(stage: Stage) -> None:
    assert sorted(await asyncio.gather(*(take(stage) for _ in range(12)))) == [False] * 7 + [True] * 5


# Free credits


def grants(desk: Desk, daily_cap: int = 100, key: str = KEY) -> SqlSignupGrants:
    return SqlSignupGrants(desk.session, Pseudonyms(key), LoggedAlerts(CollectorRegistry()), daily_cap=daily_cap)


async def claim(stage: Stage, mailbox: str = ADA, daily_cap: int = 100) -> bool:
    return await once(stage, lambda desk: grants(desk, daily_cap).claim(mailbox))


async def test_a_mailbox_gets_free_credits_once_for_ever(stage: Stage) -> None:
    assert [await claim(stage) for _ in range(3)] == [True, False, False]
    assert await claim(stage, "bob@example.com")


async def test_sign_ups_of_one_mailbox_at_once_get_them_once(stage: Stage) -> None:
    assert sorted(await asyncio.gather(*(claim(stage) for _ in range(8)))) == [False] * 7 + [True]


async def test_what_was_not_committed_was_not_given(stage: Stage) -> None:
    async with stage.desk() as desk:
        assert await grants(desk).claim(ADA)
    assert await claim(stage)


@pytest.mark.parametrize("cap", [0, 1, 3])
async def test_a_day_has_so_many_grants_and_no_more(stage: Stage, cap: int) -> None:
    """Farming stops there, and somebody hears of it, once; the next day has its own."""
    with capture_logs() as log:
        given = [await claim(stage, f"{number}@example.com", cap) for number in range(5)]
    assert given == [True] * cap + [False] * (5 - cap)
    assert [(line["event"], line["kind"]) for line in log] == [("operator_alert", "free_credits_cap_reached")]
    await stage.database.execute("UPDATE daily_grants SET day = '2025-01-01'")
    assert await claim(stage, "tomorrow@example.com", cap) is bool(cap)


async def test_no_address_is_kept(stage: Stage) -> None:
    """What remains after a customer is erased leads back to the address with our key only."""
    await claim(stage)
    (row,) = await stage.database.fetch("SELECT * FROM signup_grants")
    assert "ada" not in str(dict(row))
    assert len(row["mailbox_hmac"]) == 32
    async with stage.desk() as desk:
        assert await grants(desk, key=secrets.token_urlsafe(32)).claim(ADA), "another key, another pseudonym"


# Idempotency keys


def request(user_id: int, *parts: object, route: str = "generate", key: str = "a key") -> IdempotentRequest:
    made = IdempotentRequest.of(user_id, route, key, *parts)
    assert made is not None
    return made


async def answer(stage: Stage, asked: IdempotentRequest | None, number: int) -> int:
    """Run a request as a handler does."""
    async with stage.desk() as desk:
        kept = await desk.idempotency.replay(asked, Answer)
        if kept is None:
            kept = Answer(number)
            await desk.idempotency.keep(asked, kept)
            await desk.uow.commit()
        return kept.number


async def test_a_repeated_request_gets_the_kept_answer(stage: Stage) -> None:
    user = await stage.user()
    assert [await answer(stage, request(user.id, 1), number) for number in range(3)] == [0] * 3


async def test_without_a_key_every_request_is_new(stage: Stage) -> None:
    assert IdempotentRequest.of(1, "generate", None, 1) is None
    assert [await answer(stage, None, number) for number in range(3)] == [0, 1, 2]


async def test_a_key_belongs_to_a_user_and_a_route(stage: Stage) -> None:
    ada, bob = await stage.user(), await stage.user()
    asked = [request(ada.id, 1), request(bob.id, 1), request(ada.id, 1, route="views"), request(ada.id, 1, key="b")]
    assert [await answer(stage, one, number) for number, one in enumerate(asked)] == [0, 1, 2, 3]


@pytest.mark.parametrize("others", [(2,), (1, 2), (), ("1",)])
async def test_a_key_with_another_request_is_refused(stage: Stage, others: tuple[object, ...]) -> None:
    user = await stage.user()
    await answer(stage, request(user.id, 1), 0)
    with pytest.raises(Unprocessable) as refusal:
        await answer(stage, request(user.id, *others), 1)
    assert refusal.value.code == "idempotency_key_reused"


async def test_a_key_in_flight_is_refused_at_once(stage: Stage) -> None:
    """Not kept waiting; and when the first one fails, the key is free again."""
    user = await stage.user()
    async with stage.desk() as first:
        assert await first.idempotency.replay(request(user.id, 1), Answer) is None
        with pytest.raises(Conflict) as refusal:
            await answer(stage, request(user.id, 1), 1)
        assert refusal.value.code == "idempotency_in_progress"
        assert await answer(stage, request(user.id, 1, key="another"), 2) == 2
    assert await answer(stage, request(user.id, 1), 3) == 3


async def test_twenty_at_once_do_the_work_once(stage: Stage) -> None:
    """Some are told that it is being worked on, the rest get the one answer."""
    user = await stage.user()
    asked = [answer(stage, request(user.id, 1), number) for number in range(20)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} <= {int, Conflict}
    assert len({outcome for outcome in outcomes if isinstance(outcome, int)}) == 1
    assert await stage.database.fetchval("SELECT count(*) FROM idempotency_keys") == 1


# Revoked tokens


async def test_revoking_a_token_twice_is_fine(stage: Stage) -> None:
    """It stays revoked until the end that was first told."""
    ends = await stage.now() + timedelta(hours=1)

    async def revoke(later: timedelta) -> bool:
        async with stage.desk() as desk:
            await desk.revoked.spend("a token", ends + later)
            await desk.uow.commit()
            return True

    for later in (timedelta(0), timedelta(days=1)):
        assert await revoke(later)
    rows = await stage.database.fetch("SELECT jti, expires_at FROM blacklist_tokens")
    assert [tuple(row) for row in rows] == [("a token", ends)]
