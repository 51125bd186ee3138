"""`just attack`, as a test."""

import pytest

from tests.attack.campaign import campaign
from tests.faults.rig import Rig


@pytest.mark.exhaustive
async def test_no_attack_on_accounts_or_payments_succeeds(rig: Rig) -> None:
    """Forged and stolen tokens, guessed passwords, other sites, floods and forged payments get nobody anywhere."""
    rig.provider.expect(creates=0)
    fell = [(name, finding) async for name, finding in campaign(rig) if not finding.held]
    assert not fell
