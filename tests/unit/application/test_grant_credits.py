import pytest

from application.actor import Actor
from application.credits.grant_credits import GrantCredits
from domain.credits import Cause
from domain.errors import Forbidden, Invalid, NotFound
from domain.users import Role
from tests.in_memory import AuditNote
from tests.unit.application.reception import ADA, VISITOR, WORKER, Reception

ROOT = Actor.operator("root")


async def customer() -> Reception:
    reception = Reception(free_credits=0)
    await reception.join()
    return reception


@pytest.mark.parametrize("named", [ADA, " ADA@Example.com ", "1"])
async def test_credits_are_given_by_name_and_for_a_reason(named: str) -> None:
    """Both stand in the ledger; the customer is named by address or id."""
    reception = await customer()
    balance = await reception.grant(GrantCredits(named, 5, "a render was lost"), ROOT)
    assert (balance.credits, balance.credits_available) == (5, 5)
    (entry,) = reception.accounts.entries(1)
    assert (entry.amount, entry.cause, entry.reason, entry.operator) == (5, Cause.GRANT, "a render was lost", "root")
    assert reception.audit.kept == [AuditNote("root", "credits.grant", "user:1", "a render was lost", {"amount": 5})]


async def test_giving_twice_gives_twice() -> None:
    """An operator's order is no delivery: whoever repeats it means it."""
    reception = await customer()
    for _ in range(2):
        await reception.grant(GrantCredits(ADA, 5, "sorry"), ROOT)
    assert [entry.balance_after for entry in reception.accounts.entries(1)] == [5, 10]


@pytest.mark.parametrize("named", ["bob@example.com", "2", "0", "", "no address", "9" * 19, "9" * 5000, "²", "-1"])
async def test_nobody_is_found_under_another_name(named: str) -> None:
    reception = await customer()
    with pytest.raises(NotFound) as refusal:
        await reception.grant(GrantCredits(named, 5, "sorry"), ROOT)
    assert refusal.value.code == "user_not_found"


@pytest.mark.parametrize("reason", ["", " \n"])
async def test_no_reason_no_credits(reason: str) -> None:
    reception = await customer()
    with pytest.raises(Invalid) as refusal:
        await reception.grant(GrantCredits(ADA, 5, reason), ROOT)
    assert refusal.value.field == "reason"
    assert reception.accounts.entries(1) == []


@pytest.mark.parametrize("actor", [VISITOR, WORKER, Actor.user(1, session_id=1)], ids=["visitor", "worker", "customer"])
async def test_only_operators_give_credits(actor: Actor) -> None:
    """Nobody else may, not even to themselves."""
    reception = await customer()
    with pytest.raises(Forbidden):
        await reception.grant(GrantCredits(ADA, 5, "sorry"), actor)
    assert reception.accounts.entries(1) == []


async def test_an_admin_is_an_operator_under_a_name_of_the_records() -> None:
    reception = await customer()
    await reception.grant(GrantCredits(ADA, 5, "sorry"), Actor.user(8, session_id=1, role=Role.ADMIN))
    assert reception.accounts.entries(1)[0].operator == "user:8"
