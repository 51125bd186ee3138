"""A mail service that is down: signing up works as ever, and the mail comes later, once."""

from typing import Any

import pytest

from tests.faults.customer import Customer
from tests.faults.database import eventually
from tests.faults.rig import Rig


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "fault",
    [
        {"reply": {"status": 500}},
        {"reset": True},
        {"reply": {"status": 401}},
        {"processed": True, "reset": True},
    ],
    ids=["500", "reset", "wrong key", "sent, but its answer lost"],
)
async def test_a_mail_that_cannot_be_sent_goes_later_and_once(rig: Rig, fault: dict[str, Any]) -> None:
    """The visitor gets 202 at once, and the link works when the mail has come."""
    rig.provider.expect(creates=0)
    await rig.mail_service.script({"on": "send", **fault})
    email = f"{rig.new_canary()}@example.org"
    async with Customer(rig.url, rig.sandbox_url) as visitor:
        assert (await visitor.register(email, rig.password)).status_code == 202
        await eventually(lambda: sent(rig, 2))
        mailed = await visitor.mailed_token(email)
        tokens = await visitor.verify(mailed)
        rig.canaries += [mailed, *(tokens[name] for name in ("access_token", "refresh_token"))]
        assert len(await visitor.mails(email)) == 1


async def sent(rig: Rig, times: int) -> bool:
    """Whether the mail service was called so often."""
    return await rig.mail_service.count("send") == times
