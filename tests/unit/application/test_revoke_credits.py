import pytest

from application.actor import Actor
from application.credits.grant_credits import GrantCredits
from application.credits.revoke_credits import RevokeCredits
from domain.credits import Cause
from domain.errors import Conflict, Forbidden, Invalid
from tests.in_memory import AuditNote
from tests.unit.application.reception import ADA, WORKER, Reception

ROOT = Actor.operator("root")


async def customer_with_five() -> Reception:
    reception = Reception(free_credits=0)
    await reception.join()
    await reception.grant(GrantCredits(ADA, 5, "welcome"), ROOT)
    return reception


async def test_credits_are_taken_back_by_name_and_for_a_reason() -> None:
    """Both stand in the ledger and in the audit log."""
    reception = await customer_with_five()
    balance = await reception.revoke(RevokeCredits(ADA, 2, " wrong customer "), ROOT)
    assert (balance.credits, balance.credits_available) == (3, 3)
    entry = reception.accounts.entries(1)[-1]
    assert (entry.amount, entry.cause, entry.reason, entry.operator) == (-2, Cause.REVOKE, "wrong customer", "root")
    assert reception.audit.kept[-1] == AuditNote("root", "credits.revoke", "user:1", "wrong customer", {"amount": 2})


async def test_no_more_is_taken_than_is_available() -> None:
    """An operator's mistake leaves nobody in debt, and no trace."""
    reception = await customer_with_five()
    with pytest.raises(Conflict, match="Only 5 credits"):
        await reception.revoke(RevokeCredits(ADA, 6, "wrong customer"), ROOT)
    reception.uow.abandon()
    assert [entry.amount for entry in reception.accounts.entries(1)] == [5]
    assert [note.action for note in reception.audit.kept] == ["credits.grant"]


async def test_no_reason_no_revocation() -> None:
    reception = await customer_with_five()
    with pytest.raises(Invalid):
        await reception.revoke(RevokeCredits(ADA, 1, " "), ROOT)


@pytest.mark.parametrize("actor", [WORKER, Actor.user(1, session_id=1)], ids=["worker", "customer"])
async def test_only_operators_take_credits(actor: Actor) -> None:
    reception = await customer_with_five()
    with pytest.raises(Forbidden):
        await reception.revoke(RevokeCredits(ADA, 1, "greed"), actor)
    assert len(reception.accounts.entries(1)) == 1
