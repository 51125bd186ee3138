"""The whole product, as real processes, with a customer who can afford much."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.faults.customer import Customer
from tests.faults.rig import Rig

CREDITS = 100_000


@pytest.fixture(scope="session")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Afterwards the books balance, and nothing is in the logs that nobody foresaw."""
    rig = Rig(tmp_path_factory.mktemp("rig"))
    try:
        yield rig
        rig.hairtryon("credits", "audit")
        unforeseen = [line for line in rig.logged({}) if line["level"] in {"error", "critical"}]
        assert not unforeseen, unforeseen[0]
    finally:
        rig.close()


@pytest.fixture
async def customer(rig: Rig) -> str:
    """The address of a new customer, verified and with many credits: what became of another test's is left alone."""
    address = f"customer-{uuid4().hex}@example.org"
    async with Customer(rig.url, rig.sandbox_url) as visitor:
        await visitor.register(address, rig.password)
        await visitor.verify(await visitor.mailed_token(address))
    rig.hairtryon("credits", "grant", address, str(CREDITS), "--reason", "for tests")
    return address
