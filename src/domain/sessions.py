"""Sessions: one row per sign-in, and the counter that makes every refresh token usable once."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto

REFRESH_GRACE = timedelta(seconds=10)
SESSION_LIFE = timedelta(days=30)
FRESH = timedelta(minutes=5)


class SignInMethod(StrEnum):
    PASSWORD = "password"  # noqa: S105 - the word
    LINK = "link"
    GOOGLE = "google"


class Refresh(Enum):
    ROTATED = auto()
    REPEATED = auto()
    """The token spent last came again within the grace: two tabs, not a thief. It yields the same successor."""
    REUSED = auto()
    """An older token came again: somebody holds a copy. The session is over."""


@dataclass(kw_only=True, eq=False)
class Session:
    """A sign-in on one device. `counter` is the number of the only refresh token that is unspent."""

    user_id: int
    user_agent: str
    ip: str
    signed_in_by: SignInMethod
    created_at: datetime
    rotated_at: datetime
    last_used_at: datetime
    counter: int = 0
    revoked_at: datetime | None = None
    id: int = field(init=False, repr=False)

    def alive(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.created_at + SESSION_LIFE

    def fresh(self, method: SignInMethod, now: datetime) -> bool:
        """Whether it began by this method a moment ago, so that whoever holds it need not prove themselves again."""
        return self.signed_in_by is method and now < self.created_at + FRESH

    def revoke(self, now: datetime) -> None:
        self.revoked_at = self.revoked_at or now

    def refresh(self, counter: int, now: datetime) -> Refresh:
        """Spend the refresh token with this number."""
        if counter == self.counter:
            self.counter += 1
            self.rotated_at = self.last_used_at = now
            return Refresh.ROTATED
        if counter == self.counter - 1 and now <= self.rotated_at + REFRESH_GRACE:
            return Refresh.REPEATED
        self.revoke(now)
        return Refresh.REUSED
