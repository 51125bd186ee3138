"""Who asks. The same handlers serve customers, the worker and operators."""

from enum import StrEnum

from msgspec import Struct

from domain.errors import Forbidden, Unauthenticated
from domain.users import Role

_ACCOUNT = "user:"
"""How the records name whoever is signed in, followed by the account's id."""


class ActorKind(StrEnum):
    ANONYMOUS = "anonymous"
    USER = "user"
    SYSTEM = "system"
    OPERATOR = "operator"


class Client(Struct, frozen=True):
    """Where a request came from, as far as it can be trusted."""

    ip: str = ""
    user_agent: str = ""


class Actor(Struct, frozen=True):
    kind: ActorKind
    name: str
    user_id: int | None = None
    session_id: int | None = None
    token_id: str | None = None
    """The `jti` of the access token that was shown, so that logging out can revoke it."""
    token_expires_at: int | None = None
    """Seconds since the epoch."""
    role: Role = Role.CUSTOMER
    client: Client = Client()

    @classmethod
    def anonymous(cls, client: Client) -> "Actor":
        return cls(ActorKind.ANONYMOUS, "anonymous", client=client)

    @classmethod
    def user(
        cls,
        user_id: int,
        *,
        session_id: int,
        token_id: str | None = None,
        token_expires_at: int | None = None,
        role: Role = Role.CUSTOMER,
        client: Client = Client(),  # noqa: B008 - frozen
    ) -> "Actor":
        return cls(
            ActorKind.USER, f"{_ACCOUNT}{user_id}", user_id, session_id, token_id, token_expires_at, role, client
        )

    @classmethod
    def system(cls, name: str) -> "Actor":
        return cls(ActorKind.SYSTEM, name)

    @classmethod
    def operator(cls, name: str) -> "Actor":
        return cls(ActorKind.OPERATOR, name)

    def require_user(self) -> int:
        """The customer's id, or `Unauthenticated`."""
        if self.user_id is None:
            raise Unauthenticated("not_authenticated", "Please log in.")
        return self.user_id

    def require_operator(self) -> str:
        """The operator's name for the records, or `Forbidden`, also where it is chosen to look like an account's."""
        if self.kind is ActorKind.OPERATOR and self.name.startswith(_ACCOUNT):
            raise Forbidden("forbidden", f"The records name accounts {_ACCOUNT}...: use a name of your own.")
        if self.kind is ActorKind.OPERATOR or (self.kind is ActorKind.USER and self.role is Role.ADMIN):
            return self.name
        raise Forbidden("forbidden", "This is for operators.")
