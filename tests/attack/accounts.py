"""Attacks on how accounts come to be and what can be learnt or changed of them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

import httpx

from tests.attack.target import Account, Finding, Target, counted

_SAMPLES = 20

Ask = Callable[[Account, int], Awaitable[httpx.Response]]


async def known_addresses_at_login(target: Target) -> Finding:
    """Whether an address is registered: by logging in"""
    return await _compare(target, lambda account, n: target.log_in(account, "wrong", f"172.19.{n}.1"))


async def known_addresses_at_sign_up(target: Target) -> Finding:
    """Whether an address is registered: by registering"""
    return await _compare(target, _posting(target, "/auth/register", password="a long password", name="Eve"))


async def known_addresses_at_reset(target: Target) -> Finding:
    """Whether an address is registered: by a forgotten password"""
    return await _compare(target, _posting(target, "/auth/forgot-password"))


def _posting(target: Target, path: str, **body: str) -> Ask:
    async def ask(account: Account, number: int) -> httpx.Response:
        async with target.client(f"172.19.{number}.1") as client:
            return await client.post(path, json={"email": account.email, **body})

    return ask


async def _compare(target: Target, ask: Ask) -> Finding:
    """Ask in turns about a known and an unknown address. Times are told, and not judged: one machine is no measure."""
    known = await target.customer()
    unknown = target.new_account()
    looks: dict[str, set[object]] = {"known": set(), "unknown": set()}
    seconds: dict[str, list[float]] = {"known": [], "unknown": []}
    for number in range(_SAMPLES):
        for kind, account in (("known", known), ("unknown", unknown)):
            began = time.perf_counter()
            answer = await ask(account, number)
            seconds[kind].append(time.perf_counter() - began)
            looks[kind].add(_look(answer))
    ratio = median(seconds["known"]) / median(seconds["unknown"])
    same = looks["known"] == looks["unknown"]
    told = f"{'the same' if same else 'different'} answers; median time {ratio - 1:+.0%}"
    return Finding(f"{_SAMPLES} times each, in turns", told, same)


def _look(answer: httpx.Response) -> object:
    """All of an answer but what differs between any two."""
    body = {name: value for name, value in answer.json().items() if name != "request_id"}
    headers = {name: value for name, value in answer.headers.items() if name not in {"date", "x-request-id"}}
    return answer.status_code, repr(body), repr(sorted(headers.items()))


async def cross_site_requests(target: Target) -> Finding:
    """Another site posts with the victim's cookies"""
    victim = await target.customer()
    cookies = {"Cookie": f"access_token={victim.access}; refresh_token={victim.refresh}"}
    tried: list[tuple[str, str, dict[str, Any]]] = [
        ("PATCH", "/user/me", {"json": {"name": "Eve"}}),
        ("POST", "/auth/logout", {}),
        ("POST", "/auth/refresh", {}),
        ("POST", "/auth/login", {"json": {"email": victim.email, "password": victim.password}}),
        ("DELETE", "/user/me", {"json": {"password": victim.password}}),
    ]
    codes = []
    for origin in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        for method, path, body in tried if origin else tried[:3]:
            async with target.client() as client:
                codes.append((await client.request(method, path, headers=cookies | origin, **body)).status_code)
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        headers = cookies | {"Content-Type": kind}
        async with target.client() as client:
            answer = await client.patch("/user/me", content=b'{"name": "Eve"}', headers=headers)
        codes.append(answer.status_code)
    async with target.client(**victim.bearer) as client:
        name = (await client.get("/user/me")).json().get("name")
    held = set(codes) <= {403, 415} and name == "Ada"
    return Finding(f"{len(codes)} requests", f"{counted(codes)}; the name is still {name}", held)


async def parallel_registrations(target: Target) -> Finding:
    """One address is registered ten times at once, in mixed case"""
    account = target.new_account()
    spellings = [account.email.upper() if n % 2 else account.email for n in range(10)]
    async with target.visitor() as visitor:
        answers = await asyncio.gather(*(visitor.register(email, account.password) for email in spellings))
        await visitor.mailed_token(account.email)
        mails = await visitor.mails(account.email)
        tokens = [str(mail["links"][0]).partition("token=")[2] for mail in mails]
        used = [await visitor.http.post("/auth/verify", json={"token": token}) for token in tokens * 2]
    verified = [answer.status_code for answer in used].count(200)
    told = f"{counted([answer.status_code for answer in answers])}; {len(mails)} mails, {verified} account"
    return Finding("10 sign-ups, every link twice", told, verified == 1)


async def extra_fields(target: Target) -> Finding:
    """A customer makes itself an admin, verified and rich"""
    victim = await target.customer()
    sign_up = {"email": target.new_account().email, "password": victim.password, "name": "Eve"}
    codes = []
    extras: list[dict[str, Any]] = [{"role": "admin"}, {"is_verified": True}, {"credits": 1000}, {"id": 1}]
    for extra in extras:
        async with target.client(**victim.bearer) as client:
            codes.append((await client.post("/auth/register", json=sign_up | extra)).status_code)
            codes.append((await client.patch("/user/me", json={"name": "Eve"} | extra)).status_code)
    async with target.client(**victim.bearer) as client:
        role = (await client.get("/user/me")).json().get("role")
    return Finding(f"{len(codes)} bodies", f"{counted(codes)}; the role is {role}", set(codes) == {400})
