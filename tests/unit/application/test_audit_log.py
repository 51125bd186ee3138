"""What operators did, as operators read it."""

import pytest

from application.actor import Actor
from application.audit_log.list_audit_log import ListAuditLog, ListAuditLogHandler
from application.audit_log.ports import AuditEntry, AuditFilter, AuditRecords
from domain.errors import Forbidden, Invalid
from tests.unit.factories import NOW

ROOT, ADA = Actor.operator("root"), Actor.user(7, session_id=1)


class ThreeEntries(AuditRecords):
    """As many as there are, about one user each; remembers what was asked for."""

    def __init__(self) -> None:
        self.asked: list[AuditFilter] = []

    async def entries(self, *, before: int | None, limit: int, only: AuditFilter) -> list[AuditEntry]:
        self.asked.append(only)
        return [
            AuditEntry(number, NOW, "root", "user.disable", f"user:{number}", "x", {})
            for number in (3, 2, 1)
            if number < (before or 9) and only.subject in {None, f"user:{number}"}
        ][:limit]


async def test_the_log_is_read_page_by_page_newest_first() -> None:
    show = ListAuditLogHandler(records=ThreeEntries())
    first = await show(ListAuditLog(limit=2), ROOT)
    last = await show(ListAuditLog(limit=2, cursor=first.next_cursor), ROOT)
    assert [entry.id for entry in (*first.items, *last.items)] == [3, 2, 1]
    assert last.next_cursor is None
    with pytest.raises(Invalid):
        await show(ListAuditLog(cursor="?"), ROOT)


async def test_it_is_searched_by_words_that_a_database_can_be_asked_for() -> None:
    records = ThreeEntries()
    show = ListAuditLogHandler(records=records)
    found = await show(ListAuditLog(operator="ro\x00ot", action=" user.disable\n", subject="user:2"), ROOT)
    assert [entry.id for entry in found.items] == [2]
    assert records.asked == [AuditFilter("ro ot", "user.disable", "user:2")]


async def test_only_operators_read_it() -> None:
    with pytest.raises(Forbidden):
        await ListAuditLogHandler(records=ThreeEntries())(ListAuditLog(), ADA)
