"""What has expired goes, and what has not stays."""

from msgspec import to_builtins

from application.actor import Actor
from application.housekeeping.ports import Purged
from application.housekeeping.purge_expired import PurgeExpired, PurgeExpiredHandler
from infrastructure.database.housekeeping import SqlExpiredRecords
from tests.integration.database.stage import Stage

JUST_EXPIRED = """
    INSERT INTO blacklist_tokens VALUES ('old', now() - interval '6 minutes'), ('new', now() - interval '1 minute');
    INSERT INTO registrations (email, name, token_seed, token_hash, created_at) VALUES
        ('a@example.com', 'A', '', 'old', now() - interval '1 day 6 minutes'),
        ('a@example.com', 'A', '', 'new', now() - interval '23 hours');
    INSERT INTO password_resets (email, token_seed, token_hash, created_at) VALUES
        ('a@example.com', '', 'old', now() - interval '36 minutes'), ('a@example.com', '', 'new', now());
    INSERT INTO mail_allowances VALUES
        ('old', ARRAY[now() - interval '3 hours', now() - interval '66 minutes']),
        ('new', ARRAY[now() - interval '3 hours', now() - interval '59 minutes']);
    INSERT INTO payment_events (webhook_id, type, readable, body, verdict, received_at) VALUES
        ('old', 'unreadable', false, 'a person', 'quarantined', now() - interval '181 days'),
        ('new', 'unreadable', false, 'a person', 'quarantined', now() - interval '179 days');
    INSERT INTO daily_grants VALUES (to_char(now() - interval '9 days', 'YYYY-MM-DD'), 3),
        (to_char(now(), 'YYYY-MM-DD'), 4);
"""
OF_A_USER = """
    INSERT INTO sessions
        (user_id, user_agent, ip, signed_in_by, counter, created_at, rotated_at, last_used_at, revoked_at)
    SELECT {user}, name, '', 'password', 0, now() - age, now(), now(), now() - ended
    FROM (VALUES ('old', interval '31 days', NULL::interval), ('old', interval '9 days', interval '25 hours'),
        ('new', interval '29 days', NULL), ('new', interval '9 days', interval '1 hour')
    ) AS sessions (name, age, ended);
    INSERT INTO idempotency_keys (user_id, route, key, fingerprint, result, created_at) VALUES
        ({user}, 'generate', 'old', '', '', now() - interval '25 hours'), ({user}, 'generate', 'new', '', '', now());
"""


async def purge(stage: Stage) -> Purged:
    async with stage.desk() as desk:
        handle = PurgeExpiredHandler(
            records=SqlExpiredRecords(desk.session),
            files=desk.unneeded,
            outbox=desk.outbox,
            uow=desk.uow,
        )
        return await handle(PurgeExpired(), Actor.system("worker"))


async def test_what_has_expired_goes_and_all_else_stays(stage: Stage) -> None:
    user = await stage.user()
    await stage.database.execute(JUST_EXPIRED)
    await stage.database.execute(OF_A_USER.format(user=user.id))
    rows = {"tokens": 1, "links": 2, "sessions": 2, "answers": 1, "allowances": 2, "messages": 1}
    assert to_builtins(await purge(stage)) == rows | {"files": 0, "more": False}
    left = await stage.database.fetch(
        """
        SELECT jti FROM blacklist_tokens UNION ALL SELECT encode(token_hash, 'escape') FROM registrations
        UNION ALL SELECT encode(token_hash, 'escape') FROM password_resets UNION ALL SELECT user_agent FROM sessions
        UNION ALL SELECT key FROM idempotency_keys UNION ALL SELECT encode(mailbox_hmac, 'escape') FROM mail_allowances
        UNION ALL SELECT webhook_id FROM payment_events WHERE body IS NOT NULL
        """
    )
    assert [row[0] for row in left] == ["new"] * 8
    assert await stage.database.fetchval("SELECT count(*) FROM payment_events") == 2
    assert await stage.database.fetchval("SELECT granted FROM daily_grants") == 4
    assert set(to_builtins(await purge(stage)).values()) == {0}


async def test_rows_that_somebody_works_on_are_left_for_the_next_time(stage: Stage) -> None:
    """Nobody waits for the house to be cleaned."""
    user = await stage.user()
    await stage.database.execute(OF_A_USER.format(user=user.id))
    async with stage.database.transaction():
        await stage.database.execute("SELECT 1 FROM sessions FOR UPDATE")
        assert (await purge(stage)).sessions == 0
    assert (await purge(stage)).sessions == 2
