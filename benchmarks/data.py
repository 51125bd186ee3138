"""A database as it looks after a while: 1,000 customers with 100 try-ons each, and the catalogue already imported."""

import asyncpg

from infrastructure.passwords import Argon2Passwords

USERS = 1_000
IMAGES = 100_000
PASSWORD = "correct horse battery staple"  # noqa: S105 - of customers that live for minutes

_UPLOADS_PER_USER = 10

# Ids are the series' own numbers, for the tables are new. Customers take turns, so that the rows of each lie scattered.
_STATEMENTS = f"""
INSERT INTO users (email, name, password_hash, role, is_verified, is_disabled, created_at)
SELECT 'customer' || n || '@example.com', 'Customer ' || n, $hash$PASSWORD_HASH$hash$, 'customer', true, false,
    now() - interval '60 days'
FROM generate_series(1, {USERS}) AS n;

INSERT INTO sessions (user_id, user_agent, ip, signed_in_by, counter, created_at, rotated_at, last_used_at)
SELECT n, 'benchmark', '127.0.0.1', 'password', 0, now(), now(), now() FROM generate_series(1, {USERS}) AS n;

INSERT INTO uploads (user_id, key, width, height, size, created_at)
SELECT 1 + (n - 1) % {USERS}, 'uploads/' || md5('upload' || n) || '.jpg', 1536, 2048, 420000, now() - interval '50 days'
FROM generate_series(1, {USERS * _UPLOADS_PER_USER}) AS n;

INSERT INTO images (user_id, style_id, prompt_version, upload_id, folder, status, is_favourite, created_at)
SELECT 1 + (n - 1) % {USERS}, style.id, style.prompt_version,
    1 + (n - 1) % {USERS * _UPLOADS_PER_USER}, md5('image' || n),
    CASE (n - 1) / {USERS} % 50
        WHEN 7 THEN 'PROCESSING' WHEN 11 THEN 'FAILED' WHEN 31 THEN 'FAILED' ELSE 'COMPLETED' END,
    n % 9 = 0, now() - interval '40 days' + n * interval '30 seconds'
FROM generate_series(1, {IMAGES}) AS n
JOIN (SELECT id, prompt_version, row_number() OVER (ORDER BY id) AS place, count(*) OVER () AS total FROM styles)
    AS style ON style.place = 1 + n % style.total
ORDER BY n;

INSERT INTO views (image_id, view, status, round, attempt, claim, stumbles, accepted_at, deadline_at, due_at,
    output_key, output_width, output_height, error, finished_at)
SELECT images.id, (ARRAY['front', 'right', 'left', 'back'])[place], images.status, 1, 1, 1, 0, images.created_at,
    images.created_at + interval '15 minutes', images.created_at,
    CASE images.status WHEN 'COMPLETED' THEN
        'images/' || images.folder || '/' || (ARRAY['front', 'right', 'left', 'back'])[place] || '-1-1.jpg' END,
    1536, 2048,
    CASE images.status WHEN 'FAILED' THEN 'provider_timeout' END,
    CASE WHEN images.status <> 'PROCESSING' THEN images.created_at + (10 + place) * interval '1.001 seconds' END
FROM images, generate_series(1, 1 + (images.id / {USERS})::int % 4) AS place
ORDER BY images.id, place;
"""  # noqa: S608 - our own numbers


def email_of(user_id: int) -> str:
    return f"customer{user_id}@example.com"


def images_of(user_id: int) -> range:
    """The ids of a customer's try-ons."""
    return range(user_id, IMAGES + 1, USERS)


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
