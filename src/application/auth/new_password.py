from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from application.auth.ports import Passwords
from domain.errors import Invalid
from domain.users import PASSWORD_LENGTH

Password = Annotated[str, Meta(min_length=PASSWORD_LENGTH[0], max_length=PASSWORD_LENGTH[1])]
"""A password that somebody chooses. Length is all that is asked of it, and that it is not a common one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPassword:
    """Take a password that somebody chose: at registration, at a reset, at a change."""

    passwords: Passwords

    async def hash(self, password: str, *, field: str) -> str:
        """Its hash; raise `Invalid` (`password_too_common`) for what attackers try first."""
        if self.passwords.common(password):
            raise Invalid("password_too_common", "Attackers try this password first.", field=field)
        return await self.passwords.hash(password)
