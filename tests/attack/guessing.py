"""Attacks with many attempts: guessing passwords, and floods."""

import asyncio

import httpx

from tests.attack.target import Finding, Target, counted

GUESSES = 40
_MOST_FROM_ONE = 12
"""Five at once; a few more may come in time for the next, where the machine is slow."""
_MOST_FROM_ALL = 28
"""Twenty-one at once, and a few more as before."""


async def one_account_from_one_network(target: Target) -> Finding:
    """One account's password is guessed from one network"""
    victim = await target.customer()
    guesses = [target.log_in(victim, f"guess {n}", f"172.16.1.{n + 1}") for n in range(GUESSES)]
    codes = [answer.status_code for answer in await asyncio.gather(*guesses)]
    elsewhere = (await target.log_in(victim, victim.password, "172.31.9.9")).status_code
    held = codes.count(401) <= _MOST_FROM_ONE and set(codes) <= {401, 429} and elsewhere == 200
    return Finding(f"{GUESSES} guesses at once", f"{counted(codes)}; the owner elsewhere: {elsewhere}", held)


async def one_account_from_many_networks(target: Target) -> Finding:
    """One account's password is guessed from many networks"""
    victim = await target.customer()
    await target.log_in(victim, victim.password)
    guesses = [target.log_in(victim, f"guess {n}", f"172.17.{n + 1}.1") for n in range(GUESSES)]
    codes = [answer.status_code for answer in await asyncio.gather(*guesses)]
    home = (await target.log_in(victim, victim.password)).status_code
    held = codes.count(401) <= _MOST_FROM_ALL and set(codes) <= {401, 429} and home == 200
    return Finding(f"{GUESSES} guesses at once", f"{counted(codes)}; the owner at home: {home}", held)


async def many_accounts_from_one_address(target: Target) -> Finding:
    """One password is tried on many accounts"""
    codes = [(await target.log_in(target.new_account(), "password1")).status_code for _ in range(GUESSES)]
    return Finding(f"{GUESSES} accounts", counted(codes), _is_limited(codes))


async def many_accounts_from_forged_addresses(target: Target) -> Finding:
    """The same, with a rotating X-Forwarded-For that the proxy passes on"""
    codes = []
    for n in range(GUESSES):
        forged = f"198.51.100.{n}, {target.home}"
        codes.append((await target.log_in(target.new_account(), "password1", forged)).status_code)
    return Finding(f"{GUESSES} accounts", counted(codes), _is_limited(codes))


async def one_account_from_forged_addresses(target: Target) -> Finding:
    """One account's password is guessed with a rotating X-Forwarded-For, without a trusted proxy"""
    victim = target.new_account()
    async with httpx.AsyncClient(base_url=target.url_without_proxy, trust_env=False, timeout=60) as client:
        guesses = [
            client.post(
                "/api/v1/auth/login",
                json={"email": victim.email, "password": f"guess {n}"},
                headers={"X-Forwarded-For": f"172.20.{n}.1"},
            )
            for n in range(GUESSES)
        ]
        codes = [answer.status_code for answer in await asyncio.gather(*guesses)]
    held = codes.count(401) <= _MOST_FROM_ONE and set(codes) <= {401, 429}
    return Finding(f"{GUESSES} guesses at once", counted(codes), held)


async def flood_of_logins(target: Target) -> Finding:
    """A flood of logins holds up everybody else"""
    flood = [asyncio.create_task(target.log_in(target.new_account(), "x", f"172.18.{n}.1")) for n in range(200)]
    answered, failures = 0, 0
    async with target.client() as visitor:
        while not all(login.done() for login in flood):
            failures += (await visitor.get("/image/styles")).status_code != 200
            answered += 1
    codes = [login.result().status_code for login in flood]
    told = f"{counted(codes)}; meanwhile /image/styles answered {answered - failures} of {answered} times"
    held = set(codes) <= {401, 429} and not failures and answered >= codes.count(401) // 10
    return Finding("200 logins at once", told, held)


def _is_limited(codes: list[int]) -> bool:
    """Whether no more came through than an address may in a minute, or in two, where the machine is slow."""
    return codes.count(401) < len(codes) and set(codes) == {401, 429}
