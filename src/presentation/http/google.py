"""Signing in with Google: two redirects of a browser, to Google and back."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

import structlog
from dishka.integrations.litestar import FromDishka
from litestar import Controller, get
from litestar.datastructures import Cookie
from litestar.di import Provide
from litestar.params import QueryParameter
from litestar.response import Redirect

from application.auth.begin_google_sign_in import ATTEMPT_LIFE, BeginGoogleSignIn, BeginGoogleSignInHandler
from application.auth.finish_google_sign_in import FinishGoogleSignIn, FinishGoogleSignInHandler
from domain.errors import Failure
from presentation.http.authentication import AnyRequest, TokenCookies, Visitor, provide_visitor
from presentation.http.documentation import refusals

log = structlog.get_logger()

ATTEMPT_COOKIE = "google_attempt"
_PATH = "/api/v1/auth/google"
_NOT_KEPT = {"Cache-Control": "no-store"}

Next = Annotated[
    str,
    QueryParameter(
        pattern=r"^/([^/\\].*)?$",
        max_length=512,
        description="The frontend's path to go to afterwards, such as `/gallery?page=2`.",
    ),
]
Word = Annotated[str, QueryParameter()]


class BrowserReturn:
    """Where a browser goes on, and with which cookies. Tokens travel in cookies only: addresses are kept in logs."""

    def __init__(self, cookies: TokenCookies, *, frontend_url: str, secure: bool) -> None:
        self._cookies = cookies
        self._page = f"{frontend_url.rstrip('/')}/auth/callback"
        self._secure = secure

    def to_google(self, url: str, attempt: str) -> Redirect:
        cookie = self._attempt(attempt, int(ATTEMPT_LIFE.total_seconds()))
        return Redirect(url, status_code=303, cookies=[cookie], headers=_NOT_KEPT)

    def to_frontend(self, query: Mapping[str, str], *token_cookies: Cookie) -> Redirect:
        cookies = [self._attempt("", 0), *token_cookies]
        return Redirect(f"{self._page}?{urlencode(query)}", status_code=303, cookies=cookies, headers=_NOT_KEPT)

    def _attempt(self, value: str, seconds: int) -> Cookie:
        """SameSite is lax whatever the settings say of the others: the browser comes back from another site."""
        return Cookie(
            key=ATTEMPT_COOKIE,
            value=value,
            path=_PATH,
            max_age=seconds,
            httponly=True,
            secure=self._secure,
            samesite="lax",
        )


class GoogleController(Controller):
    path = "/auth/google"
    tags = ("auth",)
    dependencies = {"visitor": Provide(provide_visitor)}  # noqa: RUF012 - Litestar's shape

    @get(status_code=303, operation_id="beginGoogleSignIn", responses=refusals(400, 429))
    async def begin_google_sign_in(
        self,
        visitor: Visitor,
        handle: FromDishka[BeginGoogleSignInHandler],
        browser: FromDishka[BrowserReturn],
        next: Next = "/",  # noqa: A002 - refusals name the parameter
    ) -> Redirect:
        """Send the browser here; it goes on to Google, and comes back signed in. For navigation, not for `fetch`."""
        begun = await handle(BeginGoogleSignIn(next), visitor)
        return browser.to_google(begun.authorization_url, begun.attempt)

    @get("/callback", status_code=303, operation_id="finishGoogleSignIn", responses=refusals(400, 429))
    async def finish_google_sign_in(
        self,
        request: AnyRequest,
        visitor: Visitor,
        handle: FromDishka[FinishGoogleSignInHandler],
        browser: FromDishka[BrowserReturn],
        cookies: FromDishka[TokenCookies],
        code: Word = "",
        oauth_state: Annotated[str, QueryParameter(name="state")] = "",
        error: Word = "",
        iss: Annotated[str | None, QueryParameter()] = None,
    ) -> Redirect:
        """Where Google sends the browser.

        It goes on to the frontend's `/auth/callback` with `?success=true&next=...` and the tokens as cookies, or with
        `?error=` and `oauth_state_invalid`, `access_denied`, `email_not_verified`, `conflict`, `account_disabled`,
        `token_invalid`, `provider_unavailable` or `service_unavailable`.
        """
        attempt = request.cookies.get(ATTEMPT_COOKIE, "")
        try:
            done = await handle(FinishGoogleSignIn(attempt, oauth_state, code, error, iss), visitor)
        except Failure as failure:
            log.info("google_sign_in_ended", code=failure.code)
            return browser.to_frontend({"error": failure.code})
        return browser.to_frontend({"success": "true", "next": done.next}, *cookies.of(done.tokens))
