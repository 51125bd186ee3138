"""Attacks with tokens: forged, stolen, replayed."""

import asyncio

from tests.attack.target import Finding, Target
from tests.forged_tokens import Mint, wrong_kinds


async def forged_tokens(target: Target) -> Finding:
    """Tokens of every wrong kind"""
    victim = await target.customer()
    mint = Mint(target.secret_key, victim.access)
    tokens = wrong_kinds(mint, victim.access, subject="sub")
    tokens["a refresh token"] = victim.refresh
    tokens["a refresh token renamed"] = Mint(target.secret_key, victim.refresh)(header={"typ": "at+jwt"})
    tokens["another user's session"] = mint({"sub": "999999"})
    opened = [kind for kind, token in tokens.items() if await target.opens(token)]
    held = not opened and await target.opens(victim.access)
    return Finding(f"{len(tokens)} forgeries", ", ".join(opened) or "all refused, the genuine one taken", held)


async def replayed_refresh_token(target: Target) -> Finding:
    """A stolen refresh token is replayed"""
    victim = await target.customer()
    stolen = victim.refresh
    for _ in range(2):
        target.keep(victim, (await target.refreshed(victim.refresh)).json())
    replay = await target.refreshed(stolen)
    successor = await target.refreshed(victim.refresh)
    still_open = await target.opens(victim.access)
    held = replay.json().get("code") == "refresh_token_reused" and successor.status_code == 401 and not still_open
    told = f"R0: {replay.status_code}, then R2: {successor.status_code}, its access token: {_state(still_open)}"
    return Finding("R0, R1, R2, then R0 again", told, held)


async def two_tabs(target: Target) -> Finding:
    """Two tabs refresh at once (no attack)"""
    victim = await target.customer()
    answers = await asyncio.gather(*(target.refreshed(victim.refresh) for _ in range(2)))
    codes = [answer.status_code for answer in answers]
    same = len({answer.json().get("refresh_token") for answer in answers}) == 1
    return Finding(
        "one token, twice in parallel",
        f"{codes}, {'one successor' if same else 'two successors'}",
        same and codes == [200, 200],
    )


async def tokens_after_logout(target: Target) -> Finding:
    """Tokens are used after logging out"""
    victim = await target.customer()
    async with target.client(**victim.bearer) as client:
        await client.post("/auth/logout", json={"refresh_token": victim.refresh})
    opened = [name for name, token in (("T", victim.access), ("T=", f"{victim.access}=")) if await target.opens(token)]
    refreshed = (await target.refreshed(victim.refresh)).status_code
    told = f"opened by {', '.join(opened) or 'none'}; refresh: {refreshed}"
    return Finding("the token T, T=, the refresh token", told, not opened and refreshed == 401)


def _state(is_open: bool) -> str:
    return "open" if is_open else "refused"
