"""What Dodo's records have in common: ids, times, whose they are, and that only so many are kept."""

import secrets
import string
from collections import OrderedDict
from datetime import datetime
from typing import Any, Generic, TypeVar

from msgspec import Struct

BUSINESS = "bus_sandbox"
KEPT = 10_000

T = TypeVar("T")


class Customer(Struct, frozen=True, kw_only=True):
    customer_id: str
    email: str
    name: str
    phone_number: str | None = None
    metadata: dict[str, Any] = {}


class Records(OrderedDict[str, T], Generic[T]):
    """The latest 10,000 records of one kind by their ids, oldest first."""

    def keep(self, record_id: str, record: T) -> T:
        self[record_id] = record
        if len(self) > KEPT:
            self.popitem(last=False)
        return record


def new_id(kind: str) -> str:
    letters = string.ascii_letters + string.digits
    return f"{kind}_{''.join(secrets.choice(letters) for _ in range(22))}"


def written(moment: datetime) -> str:
    """A time in UTC, as it stands in JSON."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
