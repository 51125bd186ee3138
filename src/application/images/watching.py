"""What every stream of progress does between two looks at the log."""

from application.actor import Actor
from application.auth.ports import AccessClaims, SessionGate
from application.images.progress import Listening, News
from domain.errors import Unauthenticated, Unavailable

CHECK_SECONDS = 5.0
"""So long after a session has ended, at most, its streams end."""


async def next_news(listening: Listening, gate: SessionGate, actor: Actor) -> News:
    """Wait for news, though not for long, and see whether the session behind the stream still stands.

    Raises `Unauthenticated` or `Forbidden` when it does not, and `GoingAway`.
    """
    news = await listening.news(CHECK_SECONDS)
    try:
        await gate.admit(_claims_of(actor))
    except Unavailable:
        return news  # nobody can say now, and nothing can be read either
    return news


def _claims_of(actor: Actor) -> AccessClaims:
    if actor.session_id is None or actor.token_id is None or actor.token_expires_at is None:
        raise Unauthenticated("not_authenticated", "Please log in.")
    return AccessClaims(actor.require_user(), actor.session_id, actor.token_id, actor.token_expires_at)
