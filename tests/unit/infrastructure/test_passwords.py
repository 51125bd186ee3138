import asyncio
from collections.abc import Awaitable, Iterator

import pytest
from argon2 import PasswordHasher, extract_parameters

from domain.errors import Throttled
from infrastructure.passwords import Argon2Passwords


@pytest.fixture(scope="module")
def passwords() -> Iterator[Argon2Passwords]:
    made = Argon2Passwords()
    yield made
    made.close()


async def test_a_password_opens_its_own_hash_only(passwords: Argon2Passwords) -> None:
    made = await passwords.hash("plum-velvet-otter")
    assert await passwords.verify(made, "plum-velvet-otter")
    for wrong in ("plum-velvet-otteR", "plum-velvet-otter ", "", "plum-velvet-otter\x00"):
        assert not await passwords.verify(made, wrong)


async def test_the_same_password_is_hashed_differently_each_time(passwords: Argon2Passwords) -> None:
    """Nobody can tell from two hashes that two people chose the same."""
    assert await passwords.hash("plum-velvet-otter") != await passwords.hash("plum-velvet-otter")


async def test_hashes_are_argon2id_with_owasps_parameters(passwords: Argon2Passwords) -> None:
    """19 MiB, two passes, one lane."""
    parameters = extract_parameters(await passwords.hash("plum-velvet-otter"))
    assert parameters.type.name == "ID"
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19_456, 2, 1)


@pytest.mark.parametrize("password", ["päss wörd 张伟 🦦", "x" * 128, " " * 8, "\x00" * 8])
async def test_any_characters_will_do(passwords: Argon2Passwords, password: str) -> None:
    assert await passwords.verify(await passwords.hash(password), password)


class Watched(Argon2Passwords):
    """Writes down the hashes that passwords were compared with."""

    def __init__(self) -> None:
        super().__init__()
        self.compared: list[str] = []

    def _matches(self, password_hash: str, password: str) -> bool:
        self.compared.append(password_hash)
        return super()._matches(password_hash, password)


async def test_without_a_hash_the_same_work_is_done_for_nothing() -> None:
    """The time of an answer does not tell whether an address has an account."""
    watched = Watched()
    real = await watched.hash("plum-velvet-otter")
    assert not await watched.verify(None, "plum-velvet-otter")
    (nobodys,) = watched.compared
    assert extract_parameters(nobodys) == extract_parameters(real)
    watched.close()


@pytest.mark.parametrize("broken", ["", "x", "$argon2id$", "$argon2id$v=19$m=1,t=1,p=1$AA$AA", "hash:plum"])
async def test_a_broken_hash_opens_for_nobody(passwords: Argon2Passwords, broken: str) -> None:
    assert not await passwords.verify(broken, "plum-velvet-otter")


async def test_a_hash_of_other_parameters_opens_and_is_outdated(passwords: Argon2Passwords) -> None:
    """It is replaced at the next sign-in."""
    weaker = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash("plum-velvet-otter")
    assert await passwords.verify(weaker, "plum-velvet-otter")
    assert passwords.outdated(weaker)
    assert not passwords.outdated(await passwords.hash("plum-velvet-otter"))


@pytest.mark.parametrize(
    ("password", "common"), [("password", True), ("PassWord1", True), ("plum-velvet-otter", False)]
)
def test_what_attackers_try_first_is_known(passwords: Argon2Passwords, password: str, *, common: bool) -> None:
    """In whatever case it is written."""
    assert passwords.common(password) is common


async def test_hashing_leaves_the_event_loop_alone(passwords: Argon2Passwords) -> None:
    """It is done in other threads, and the API goes on answering meanwhile."""
    turns = 0
    hashing = asyncio.gather(*(passwords.hash(f"plum-velvet-{number}") for number in range(4)))
    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 50


async def test_beyond_a_number_of_waiting_hashes_the_next_is_refused() -> None:
    """A flood of sign-ins is told to come back; when it is over, everybody is let in again."""
    passwords = Argon2Passwords(most_waiting=2)
    at_once: list[Awaitable[object]] = [passwords.verify(None, "plum-velvet-otter") for _ in range(100)]
    at_once += [passwords.hash("plum-velvet-otter") for _ in range(100)]
    answers = await asyncio.gather(*at_once, return_exceptions=True)
    refusals = [answer for answer in answers if isinstance(answer, Throttled)]
    assert {(refusal.code, refusal.retry_after) for refusal in refusals} == {("rate_limited", 1)}
    assert len(answers) - len(refusals) == 2 + passwords._threads._max_workers
    assert not await passwords.verify(None, "plum-velvet-otter")
    passwords.close()
