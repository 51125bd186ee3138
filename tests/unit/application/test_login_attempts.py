"""What signing in tells the throttle."""

import pytest

from application.auth.log_in import LogIn
from application.auth.register import Register
from domain.errors import Forbidden, Throttled, Unauthenticated, Unavailable
from tests.unit.application.reception import ADA, PASSWORD, VISITOR, Reception

HERE = VISITOR.client.ip


async def test_who_comes_too_early_is_refused_before_any_work() -> None:
    """Whether or not there is such an account: no look-up, no hashing."""
    reception = Reception()
    await reception.join()
    reception.passwords.worked_on.clear()
    reception.throttle.closed = True
    for email in (ADA, "nobody@example.com", "no address"):
        with pytest.raises(Throttled):
            await reception.log_in(LogIn(email, PASSWORD), VISITOR)
    assert reception.passwords.worked_on == []
    assert not reception.uow.is_open


async def test_every_attempt_counts_for_the_address_that_was_meant() -> None:
    """In the spelling of the account; what is no address counts for itself, and not for everybody's mistakes."""
    reception = Reception()
    for email in (" ADA@Example.com ", "no address", ""):
        with pytest.raises(Unauthenticated):
            await reception.log_in(LogIn(email, PASSWORD), VISITOR)
    assert reception.throttle.admitted == [(ADA, HERE), ("no address", HERE), ("", HERE)]
    assert reception.throttle.forgotten == []


async def test_the_right_password_forgets_the_failures() -> None:
    """That of a disabled account as well; a wrong one does not."""
    reception = Reception()
    await reception.join()
    await reception.enter()
    with pytest.raises(Unauthenticated):
        await reception.enter(password="wrong-password")
    reception.users.rows.kept[1].is_disabled = True
    with pytest.raises(Forbidden):
        await reception.enter()
    assert reception.throttle.forgotten == [ADA, ADA]


async def test_the_password_of_a_sign_up_forgets_nothing() -> None:
    """Anybody can sign up with any address, and would have a password to clear the count of its account with."""
    reception = Reception()
    await reception.join()
    await reception.register(Register(ADA, "squatters-password", "Eve"), VISITOR)
    with pytest.raises(Forbidden) as refusal:
        await reception.enter(password="squatters-password")
    assert refusal.value.code == "email_not_verified"
    assert reception.throttle.forgotten == []


async def test_an_attempt_that_the_database_had_no_answer_to_is_no_guess() -> None:
    """It has failed for nobody's fault, and before a password was looked at: outages lock nobody out."""
    reception = Reception()
    await reception.join()
    reception.passwords.worked_on.clear()
    reception.throttle.admitted.clear()
    reception.uow.dies_after = 1
    with pytest.raises(Unavailable):
        await reception.enter()
    assert reception.throttle.admitted == []
    assert reception.passwords.worked_on == []
