"""A database as it looks after a while: 1,000 customers with 100 try-ons each, and the catalogue already imported."""

from hashlib import md5

import asyncpg

from infrastructure.passwords import Argon2Passwords

USERS = 1_000
IMAGES = 100_000
PASSWORD = "correct horse battery staple"  # noqa: S105 - of customers that live for minutes

_UPLOADS_PER_USER = 10
_UPLOADS = USERS * _UPLOADS_PER_USER
_CREDITS = 1_000_000
_ROUND_IN_PROGRESS = 7
"""Which of each customer's try-ons, counted from 0, is still in progress; it is not the only one."""

# Ids are the series' own numbers, for the tables are new. Customers take turns, so that the rows of each lie scattered.
_STATEMENTS = f"""
INSERT INTO users (email, name, password_hash, role, is_verified, is_disabled, credits, created_at)
SELECT 'customer' || n || '@example.com', 'Customer ' || n, $hash$PASSWORD_HASH$hash$, 'customer', true, false,
    {_CREDITS}, now() - interval '60 days'
FROM generate_series(1, {USERS}) AS n;

INSERT INTO sessions (user_id, user_agent, ip, signed_in_by, counter, created_at, rotated_at, last_used_at)
SELECT n, 'benchmark', '127.0.0.1', 'password', 0, now(), now(), now() FROM generate_series(1, {USERS}) AS n;

INSERT INTO uploads (user_id, key, digest, width, height, size, created_at)
SELECT 1 + (n - 1) % {USERS}, 'uploads/' || md5('upload' || n) || '.jpg', sha256(('photo' || n)::bytea),
    1536, 2048, 420000, now() - interval '50 days'
FROM generate_series(1, {_UPLOADS}) AS n;

INSERT INTO images (user_id, style_id, prompt_version, upload_id, folder, status, is_favourite, created_at)
SELECT 1 + (n - 1) % {USERS}, style.id, style.prompt_version,
    1 + (n - 1) % {_UPLOADS}, md5('image' || n),
    CASE (n - 1) / {USERS} % 50
        WHEN {_ROUND_IN_PROGRESS} THEN 'PROCESSING' WHEN 11 THEN 'FAILED' WHEN 31 THEN 'FAILED' ELSE 'COMPLETED' END,
    n % 9 = 0, now() - interval '40 days' + n * interval '30 seconds'
FROM generate_series(1, {IMAGES}) AS n
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
FROM images, generate_series(1, 1 + (images.id / {USERS})::int % 4) AS place,
    LATERAL (SELECT CASE images.status WHEN 'PROCESSING' THEN now() + interval '1 day' ELSE images.created_at END)
    AS due(at)
ORDER BY images.id, place;
"""  # noqa: S608 - our own numbers


_RESTORE = f"""
SET LOCAL session_replication_role = replica;  -- the ledger refuses deletions, and nothing else is to look on
TRUNCATE image_events, outbox, expected_files, holds, ledger_entries;
DELETE FROM views WHERE image_id > {IMAGES};
DELETE FROM images WHERE id > {IMAGES};
DELETE FROM uploads WHERE id > {_UPLOADS};
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
    return f"customer{user_id}@example.com"


def images_of(user_id: int) -> range:
    """The ids of a customer's try-ons."""
    return range(user_id, IMAGES + 1, USERS)


def open_image_of(user_id: int) -> int:
    """One of a customer's try-ons that are in progress."""
    return images_of(user_id)[_ROUND_IN_PROGRESS]


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


async def populate(database_url: str) -> None:
    """Fill the tables of a migrated database in one go, and leave nothing for the autovacuum to do meanwhile."""
    passwords = Argon2Passwords()
    password_hash = await passwords.hash(PASSWORD)
    passwords.close()
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(_STATEMENTS.replace("PASSWORD_HASH", password_hash))
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
