"""A database as it looks after a while: customers with try-ons, and the catalogue already imported."""

from dataclasses import dataclass
from hashlib import md5

import asyncpg

from infrastructure.passwords import Argon2Passwords

USERS = 1_000
IMAGES = 100_000
PASSWORD = "correct horse battery staple"  # noqa: S105 - of customers that live for minutes

_CREDITS = 1_000_000
_ROUND_IN_PROGRESS = 7
"""Which of each customer's try-ons, counted from 0, is still in progress; it is not the only one."""
_IN_PROGRESS = 1_000
"""Customers who have any in progress, at most: how much is does not depend on how old a service is."""


@dataclass(frozen=True)
class Population:
    """How much there is of everything. Try-ons came every half minute, the last one five days ago."""

    users: int = USERS
    images: int = IMAGES
    uploads_each: int = 10
    most_views: int = 4
    """Of a try-on: each customer's first has one, the next two, and so on, and then one again."""

    @property
    def uploads(self) -> int:
        return self.users * self.uploads_each

    def images_of(self, user_id: int) -> range:
        """The ids of a customer's try-ons."""
        return range(user_id, self.images + 1, self.users)

    def open_image_of(self, user_id: int) -> int:
        """One of a customer's try-ons that are in progress."""
        return self.images_of(user_id)[_ROUND_IN_PROGRESS]


USUAL = Population()


def _statements(size: Population, password_hash: str) -> str:
    """Ids are the series' own numbers, for the tables are new. Customers take turns: the rows of each lie scattered."""
    apart = 30 * size.images / size.users
    return f"""
SET session_replication_role = replica;  -- what refers to what is known: nothing is to be looked up

INSERT INTO users (email, name, password_hash, role, is_verified, is_disabled, credits, created_at)
SELECT 'customer' || n || '@example.org', 'Customer ' || n, $hash${password_hash}$hash$, 'customer', true, false,
    {_CREDITS}, now() - interval '5 days' - ({size.users} - n) * interval '{apart} seconds'
FROM generate_series(1, {size.users}) AS n;

INSERT INTO sessions (user_id, user_agent, ip, signed_in_by, counter, created_at, rotated_at, last_used_at)
SELECT n, 'benchmark', '127.0.0.1', 'password', 0, now(), now(), now() FROM generate_series(1, {size.users}) AS n;

INSERT INTO uploads (user_id, key, digest, width, height, size, created_at)
SELECT 1 + (n - 1) % {size.users}, 'uploads/' || md5('upload' || n) || '.jpg', sha256(('photo' || n)::bytea),
    1536, 2048, 420000, now() - interval '50 days'
FROM generate_series(1, {size.uploads}) AS n;

INSERT INTO images (user_id, style_id, prompt_version, upload_id, folder, status, is_favourite, created_at)
SELECT 1 + (n - 1) % {size.users}, style.id, style.prompt_version,
    1 + (n - 1) % {size.uploads}, md5('image' || n),
    CASE WHEN (n - 1) / {size.users} % 50 IN (11, 31) THEN 'FAILED'
        WHEN (n - 1) / {size.users} % 50 = {_ROUND_IN_PROGRESS} AND (n - 1) % {size.users} < {_IN_PROGRESS}
        THEN 'PROCESSING' ELSE 'COMPLETED' END,
    n % 9 = 0, now() - interval '5 days' - ({size.images} - n) * interval '30 seconds'
FROM generate_series(1, {size.images}) AS n
JOIN (SELECT id, prompt_version, row_number() OVER (ORDER BY id) AS place, count(*) OVER () AS total FROM styles)
    AS style ON style.place = 1 + n % style.total
ORDER BY n;

INSERT INTO views (image_id, view, status, round, attempt, claim, stumbles, accepted_at, deadline_at, due_at,
    output_key, output_width, output_height, error, finished_at)
SELECT images.id, (ARRAY['front', 'right', 'left', 'back'])[place], images.status, 1, 1, 1, 0, images.created_at,
    -- A worker leaves alone what is in progress.
    due.at + interval '15 minutes', due.at,
    CASE images.status WHEN 'COMPLETED' THEN
        'images/' || images.folder || '/' || (ARRAY['front', 'right', 'left', 'back'])[place] || '-1-1.jpg' END,
    1536, 2048,
    CASE images.status WHEN 'FAILED' THEN 'provider_timeout' END,
    CASE WHEN images.status <> 'PROCESSING' THEN images.created_at + (10 + place) * interval '1.001 seconds' END
FROM images, generate_series(1, 1 + (images.id / {size.users})::int % {size.most_views}) AS place,
    LATERAL (SELECT CASE images.status WHEN 'PROCESSING' THEN now() + interval '1 day' ELSE images.created_at END)
    AS due(at)
ORDER BY images.id, place;
"""  # noqa: S608 - our own numbers


_BOOKS = """
INSERT INTO holds (view_id, round, user_id, amount, status, created_at, resolved_at)
SELECT views.id, 1, user_id, 1,
    CASE views.status WHEN 'COMPLETED' THEN 'POSTED' WHEN 'FAILED' THEN 'VOIDED' ELSE 'PENDING' END,
    accepted_at, finished_at
FROM views JOIN images ON images.id = image_id ORDER BY views.id;

INSERT INTO ledger_entries (user_id, amount, cause, natural_key, reference, balance_after, created_at)
SELECT user_id, -1, 'spend', 'view:' || view_id || ':1', 'view:' || view_id, 1, resolved_at
FROM holds WHERE status = 'POSTED' ORDER BY view_id;

INSERT INTO image_events (image_id, id, status, at) SELECT id, 1, status, created_at FROM images ORDER BY id;

INSERT INTO transactions (user_id, credits, product_id, price, price_currency, amount, currency, status, session_id,
    created_at)
SELECT user_id, 10, 'pdt_1', 100, 'USD', 1000, 'USD',
    CASE WHEN id % 50 = 0 THEN 'CANCELLED' ELSE 'SUCCEEDED' END, 'cks_of_' || id, created_at
FROM images WHERE id % 10 = 0 ORDER BY id;

INSERT INTO audit_entries (at, operator, action, subject, details)
SELECT created_at, 'root', 'image.retry', 'image:' || id, '{}' FROM images WHERE id % 10 = 0 ORDER BY id;

UPDATE users SET role = 'admin' WHERE id = 1;
"""


_RESTORE = f"""
SET LOCAL session_replication_role = replica;  -- the ledger refuses deletions, and nothing else is to look on
TRUNCATE image_events, outbox, expected_files, holds, ledger_entries;
DELETE FROM views WHERE image_id > {IMAGES};
DELETE FROM images WHERE id > {IMAGES};
DELETE FROM uploads WHERE id > {USUAL.uploads};
UPDATE users SET credits = {_CREDITS}, credits_held = 0 WHERE credits <> {_CREDITS} OR credits_held <> 0;
"""  # noqa: S608 - our own numbers

# What `POST /image/generate` writes for one view of $1 customers. There are no more than `USERS` of them: a statement
# changes a row once.
_ACCEPT = """
WITH accepted AS (
    INSERT INTO images (user_id, style_id, prompt_version, upload_id, folder, status, is_favourite, created_at)
    SELECT n, styles.id, styles.prompt_version, n, md5(random()::text), 'PENDING', false, now()
    FROM generate_series(1, $1::int) AS n JOIN styles ON styles.id = 1
    RETURNING id, user_id
), waiting AS (
    INSERT INTO views (image_id, view, status, round, attempt, claim, stumbles, accepted_at, deadline_at, due_at)
    SELECT id, 'front', 'PENDING', 1, 0, 0, 0, now(), now() + interval '1 hour', now() FROM accepted
    RETURNING id, image_id
), held AS (
    INSERT INTO holds (view_id, round, user_id, amount, status, created_at)
    SELECT waiting.id, 1, user_id, 1, 'PENDING', now() FROM waiting JOIN accepted ON accepted.id = image_id
), charged AS (
    UPDATE users SET credits_held = credits_held + 1 FROM accepted WHERE users.id = accepted.user_id
), logged AS (
    INSERT INTO image_events (image_id, id, view, status)
    SELECT image_id, place, CASE place WHEN 1 THEN 'front' END, 'PENDING' FROM waiting, generate_series(1, 2) AS place
)
INSERT INTO outbox (job, payload, due_at)
SELECT 'submit_view', jsonb_build_object('view_id', id), now() FROM waiting ORDER BY id
"""


def email_of(user_id: int) -> str:
    return f"customer{user_id}@example.org"


def upload_key(upload_id: int) -> str:
    """What an upload is stored under; the first ones are those of the customers of the same numbers."""
    return f"uploads/{md5(f'upload{upload_id}'.encode(), usedforsecurity=False).hexdigest()}.jpg"


async def accept(connection: asyncpg.Connection, count: int) -> None:
    """Accept so many try-ons of one view, as the API does; the bell is still to be rung."""
    for accepted in range(0, count, USERS):
        await connection.execute(_ACCEPT, min(count - accepted, USERS))


async def restore(database_url: str) -> None:
    """Take away what was added since `populate`, but for sign-ins."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute(_RESTORE)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def populate(database_url: str, size: Population = USUAL, *, books: bool = False) -> None:
    """Fill the tables of a migrated database in one go, and leave nothing for the autovacuum to do meanwhile.

    With its books: what was held, spent and bought, and that the first user is an admin.
    """
    passwords = Argon2Passwords()
    password_hash = await passwords.hash(PASSWORD)
    passwords.close()
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(_statements(size, password_hash) + (_BOOKS if books else ""))
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
