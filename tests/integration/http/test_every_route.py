"""What holds for every route there is: what it costs the database, and who may keep its answer."""

import asyncio
from collections.abc import Awaitable

import httpx

from benchmarks.relay import Relay, Statement
from infrastructure.database.estimates import SqlEstimates
from tests.contract.conftest import RunningSandbox
from tests.integration.http.conftest import Start
from tests.integration.http.every_route import ask_every_route
from tests.integration.http.test_google import google

STATEMENTS = {
    "register": 8,
    "verifyEmail": 17,
    "verifyEmailByLink": 17,
    "resendVerification": 9,
    "logIn": 11,
    "refresh": 8,
    "logOut": 9,
    "forgotPassword": 8,
    "resetPassword": 20,
    "changePassword": 13,
    "beginGoogleSignIn": 0,
    "finishGoogleSignIn": 22,
    "listSessions": 2,
    "revokeSession": 7,
    "getProfile": 2,
    "updateProfile": 7,
    "changePicture": 12,
    "removePicture": 7,
    "exportUser": 14,
    "deleteUser": 17,
    "getBalance": 2,
    "listHistory": 2,
    "listImages": 2,
    "listUploads": 2,
    "listStyles": 1,
    "uploadPhoto": 12,
    "beginUpload": 8,
    "completeUpload": 19,
    "generateImage": 3,
    "getStatus": 4,
    "watchImage": 2,
    "addViews": 11,
    "retryImage": 13,
    "cancelImage": 13,
    "addFavourite": 6,
    "removeFavourite": 6,
    "deleteImage": 8,
    "receivePrediction": 7,
    "createCheckout": 14,
    "listTransactions": 2,
    "getTransaction": 2,
    "receivePaymentEvent": 18,
    "isAlive": 0,
    "isReady": 4,
    "getMetrics": 3,
    "activateStyle": 10,
    "addStyle": 10,
    "auditLedger": 5,
    "cancelAnyImage": 14,
    "changeRole": 9,
    "changeThumbnail": 12,
    "createUser": 11,
    "deactivateStyle": 10,
    "disableUser": 11,
    "editStyle": 11,
    "enableUser": 9,
    "eraseUser": 15,
    "exportNamedUser": 19,
    "failImage": 14,
    "grantCredits": 10,
    "listAllImages": 2,
    "listAllStyles": 2,
    "listAuditLog": 2,
    "listHistoryOfUser": 3,
    "listPaymentEvents": 2,
    "listPurchases": 2,
    "listUsers": 2,
    "reconcilePurchase": 22,
    "refundPurchase": 27,
    "releasePayment": 20,
    "replayPaymentEvent": 12,
    "retryAnyImage": 15,
    "revokeCredits": 10,
    "showAnalytics": 6,
    "showImage": 3,
    "showPaymentEvent": 2,
    "showPurchase": 6,
    "showQueue": 3,
    "showStyle": 3,
    "showUser": 3,
    "verifyUser": 18,
}
"""How many statements each route sends to PostgreSQL, `BEGIN`, `COMMIT` and the pool's look at its connection included.

One that grows makes the route slower for everybody: it must have a reason. One that shrinks is written down.
"""
_QUIET_SECONDS = 0.002


async def test_no_route_asks_the_database_oftener_than_is_known(
    start: Start, sandbox: RunningSandbox, relay: tuple[Relay, str]
) -> None:
    """Counted on the wire. A route without a row in the table fails, and so does a row without a route."""
    counter, address = relay
    service = await start(DATABASE_URL=address, **google(sandbox))

    estimates = await service.container.get(SqlEstimates)

    async def count(answer: Awaitable[httpx.Response]) -> tuple[httpx.Response, list[Statement]]:
        estimates._read_at = float("-inf")  # what it knows it keeps for three seconds: count it asking
        await _quiet(counter)
        before = len(counter.statements)
        response = await answer
        await _quiet(counter)
        return response, counter.statements[before:]

    sent = {answer.operation: answer.noted async for answer in ask_every_route(service, count)}
    counts = {operation: len(statements) for operation, statements in sent.items()}
    others = {operation for operation, count in counts.items() if count != STATEMENTS.get(operation)}
    assert counts == STATEMENTS, "\n".join(
        f"{operation}: {' '.join(statement.text.split())[:150]}"
        for operation in sorted(others)
        for statement in sent[operation]
    )


async def test_nobodys_cache_keeps_what_somebody_was_shown(start: Start, sandbox: RunningSandbox) -> None:
    """Every answer to a signed-in request is `no-store`; the rest says so too, or says for how long it may be kept.

    What says nothing, a cache may keep for as long as it thinks right (RFC 9111, section 4.2.2).
    """
    service = await start(**google(sandbox))

    async def note(answer: Awaitable[httpx.Response]) -> tuple[httpx.Response, None]:
        return await answer, None

    kept = {
        answer.operation: told
        async for answer in ask_every_route(service, note)
        if (told := answer.response.headers.get("Cache-Control")) != "no-store"
        and (answer.signed_in or "max-age=" not in (told or ""))
    }
    assert kept == {}


async def _quiet(relay: Relay) -> None:
    """Wait for what goes on after an answer."""
    known = -1
    while known != len(relay.statements):
        known = len(relay.statements)
        await asyncio.sleep(_QUIET_SECONDS)
