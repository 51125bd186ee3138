"""How operators read accounts."""

from collections.abc import Mapping
from typing import Any

from application.images.ports import PictureStorage
from application.users.ports import UserDetails, UserEntry, UserFilter, UserRecords
from domain.identifiers import LARGEST_ID
from domain.users import Role
from infrastructure.database.engine import ReadPool

_ENTRY = "id, email, name, role, is_verified, is_disabled, credits, created_at, deleted_at"

_USERS = f"""
SELECT {_ENTRY}
FROM users
WHERE id < $1
    AND ($3::text IS NULL OR strpos(email, lower($3)) > 0 OR strpos(lower(name), lower($3)) > 0)
    AND ($4::text IS NULL OR role = $4)
    AND ($5::boolean IS NULL OR is_verified = $5)
    AND ($6::boolean IS NULL OR is_disabled = $6)
    AND (deleted_at IS NOT NULL) = $7::boolean
ORDER BY id DESC LIMIT $2
"""  # noqa: S608 - the columns above

_USER = f"""
SELECT {_ENTRY}, profile_picture, password_hash IS NOT NULL AS has_password, credits_held, credits_frozen,
    EXISTS (SELECT FROM identities WHERE identities.user_id = users.id) AS signs_in_with_google,
    (SELECT count(*) FROM images WHERE images.user_id = users.id AND images.deleted_at IS NULL) AS images,
    (SELECT max(last_used_at) FROM sessions WHERE sessions.user_id = users.id) AS last_seen_at
FROM users WHERE id = $1
"""  # noqa: S608 - the columns above


class SqlUserRecords(UserRecords):
    def __init__(self, pool: ReadPool, storage: PictureStorage) -> None:
        self._pool = pool
        self._storage = storage

    async def users(self, *, before: int | None, limit: int, only: UserFilter) -> list[UserEntry]:
        rows = await self._pool.fetch(
            _USERS,
            LARGEST_ID if before is None else before,
            limit,
            only.search,
            only.role,
            only.is_verified,
            only.is_disabled,
            only.is_erased,
        )
        return [UserEntry(**_entry(row)) for row in rows]

    async def user(self, user_id: int) -> UserDetails | None:
        row = await self._pool.fetchrow(_USER, user_id)
        if row is None:
            return None
        picture = row["profile_picture"]
        return UserDetails(
            **_entry(row),
            profile_picture=await self._storage.url(picture) if picture else None,
            oauth_provider="google" if row["signs_in_with_google"] else None,
            has_password=row["has_password"],
            credits_held=row["credits_held"],
            credits_frozen=row["credits_frozen"],
            credits_available=row["credits"] - row["credits_held"] - row["credits_frozen"],
            images=row["images"],
            last_seen_at=row["last_seen_at"],
        )


def _entry(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in UserEntry.__struct_fields__} | {"role": Role(row["role"])}
