"""Guessing passwords while Redis comes and goes, and floods of sign-ins."""

import asyncio
import os
import signal

import httpx
import pytest

from tests.faults.customer import Customer
from tests.faults.database import eventually
from tests.faults.rig import Rig

GUESSES = 30
"""More than can be had within a day at the pace that guessing ends at after a minute."""


async def log_in(customer: Customer, email: str, password: str) -> httpx.Response:
    return await customer.http.post("/auth/login", json={"email": email, "password": password})


async def guess(customer: Customer, email: str) -> list[int]:
    """Guess wrongly in parallel; some guesses are looked at, and those beyond them are told when to come back."""
    answers = await asyncio.gather(*(log_in(customer, email, f"wrong-{number}") for number in range(GUESSES)))
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in answers if answer.status_code == 429)
    codes = [answer.status_code for answer in answers]
    assert set(codes) == {401, 429}
    return codes


async def test_whoever_stops_redis_has_not_opened_the_door(rig: Rig, customer: Customer) -> None:
    """The process counts on: guessing is delayed before, meanwhile and afterwards, and the owner gets in at last."""
    rig.provider.expect(creates=0)
    since = rig.log_sizes()
    stranger = f"{rig.new_canary()}@example.org"
    await guess(customer, stranger)
    rig.valkey.stop()
    for email in (stranger, rig.email):
        codes = await guess(customer, email)
        assert codes.count(401) >= 5
    await eventually(lambda: enters(rig, customer))
    warnings = [line for line in rig.logged(since, "api") if line["event"] == "throttle_counts_alone"]
    assert len(warnings) == 1
    rig.valkey.start()
    await guess(customer, f"{rig.new_canary()}@example.org")


@pytest.mark.exhaustive
async def test_a_frozen_redis_keeps_nobody_out_and_nobody_waiting(rig: Rig, customer: Customer) -> None:
    """It takes connections and answers nothing: guessing is delayed all the same, and owners sign in."""
    rig.provider.expect(creates=0)
    os.kill(rig.valkey.pid, signal.SIGSTOP)
    try:
        assert await enters(rig, customer)
        await guess(customer, f"{rig.new_canary()}@example.org")
    finally:
        os.kill(rig.valkey.pid, signal.SIGCONT)


@pytest.mark.exhaustive
async def test_two_hundred_sign_ins_at_once_hold_up_nobody_else(rig: Rig, customer: Customer) -> None:
    """Those that would wait too long are told to come back; the rest of the API goes on answering."""
    rig.provider.expect(creates=0)
    flood = [asyncio.create_task(log_in(customer, f"{number}@example.org", f"wrong-{number}")) for number in range(200)]
    answered = 0
    async with httpx.AsyncClient(base_url=rig.url, trust_env=False, timeout=60) as visitor:
        while not all(login.done() for login in flood):
            assert (await visitor.get("/api/v1/image/styles")).status_code == 200
            assert (await customer.balance()).credits
            answered += 1
    codes = [login.result().status_code for login in flood]
    assert set(codes) == {401, 429}
    assert answered >= codes.count(401) // 10


async def enters(rig: Rig, customer: Customer) -> bool:
    """Whether the owner's password is taken now."""
    answer = await log_in(customer, rig.email, rig.password)
    if answer.status_code == 200:
        rig.canaries += [answer.json()["access_token"], answer.json()["refresh_token"]]
    return answer.status_code == 200
