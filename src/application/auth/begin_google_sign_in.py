import secrets
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import unquote

from msgspec import Struct

from application.actor import Actor
from application.auth.ports import IdentityProvider, SignInAttempt, Tokens
from application.ports import Clock
from domain.errors import Invalid

ATTEMPT_LIFE = timedelta(minutes=10)

_LONGEST_PATH = 512
"""Bytes: the cookie that keeps it has 4,096 at most."""
_MOST_ENCODINGS = 3
"""Layers of percent-encoding. A frontend's path has one, or two where it holds an address itself."""


class BeginGoogleSignIn(Struct, frozen=True):
    next: str = "/"


class GoogleSignInBegun(Struct, frozen=True):
    authorization_url: str
    attempt: str
    """To be kept by the browser, and shown when it comes back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginGoogleSignInHandler:
    """Send a browser to Google. What its return is checked against stays in the browser, signed, for ten minutes."""

    provider: IdentityProvider
    tokens: Tokens
    clock: Clock

    async def __call__(self, command: BeginGoogleSignIn, actor: Actor) -> GoogleSignInBegun:
        attempt = SignInAttempt(
            token_id=secrets.token_urlsafe(16),
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(32),
            next=frontend_path(command.next),
            expires_at=self.clock.now() + ATTEMPT_LIFE,
        )
        url = await self.provider.authorization_url(state=attempt.state, nonce=attempt.nonce, verifier=attempt.verifier)
        return GoogleSignInBegun(url, self.tokens.attempt(attempt))


def frontend_path(text: str) -> str:
    """The path as it came, or `Invalid` for what some browser or router might take for another site's address.

    It is held to the rule however often it is decoded on its way. Browsers read a backslash as a slash, and drop tabs
    and line feeds (WHATWG URL, sections 4.1 and 4.4); some routers resolve repeated slashes.
    """
    decoded = text if len(text.encode("utf-8", "replace")) <= _LONGEST_PATH else ""
    for _ in range(_MOST_ENCODINGS + 1):
        if not _leads_within(decoded):
            break
        decoded, before = unquote(decoded), decoded
        if decoded == before:
            return text
    raise Invalid("validation_failed", "This is not a path that starts with exactly one slash.", field="next")


def _leads_within(path: str) -> bool:
    route = path.partition("?")[0].partition("#")[0]
    return route.startswith("/") and "//" not in route and "\\" not in path and path.isprintable()
