"""The endpoints of the OpenID provider, by the paths of Google's discovery document."""

import base64
import binascii
import secrets
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

import msgspec
from litestar import Controller, Request, Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath

from sandbox.config import SandboxConfig
from sandbox.control import control_router
from sandbox.google.consent import consent_page, error_page
from sandbox.google.grants import (
    CODE_SECONDS,
    TOKEN_SECONDS,
    AuthorizationRequest,
    Consent,
    RefusedError,
    Vouchers,
    first_values,
)
from sandbox.google.id_tokens import about, id_token, new_id
from sandbox.google.keys import KeyRing
from sandbox.google.people import Person, listed, portrait
from sandbox.script import IdTokenFault, Rule
from sandbox.wire import OPERATION, RULE, Wire, wire_middleware

OPERATIONS = frozenset({"discovery", "authorize", "token", "userinfo", "jwks", "picture"})
ERRORS = {400: "invalid_grant", 401: "invalid_client", 403: "access_denied", 429: "rate_limit_exceeded"}
SCOPES = "https://www.googleapis.com/auth/userinfo."

Caller = Request[Any, Any, Any]


class Google:
    """One provider with one client, or with whoever comes where the configuration names none."""

    def __init__(self, config: SandboxConfig) -> None:
        self.issuer = f"{config.public_url}/google"
        self.client_id = config.google_client_id
        self.client_secret = config.google_client_secret
        self.redirect_uri = config.google_redirect_uri
        self.people = listed(f"{self.issuer}/a")
        self.keys = KeyRing()
        self.codes: Vouchers[Consent] = Vouchers("4/0", CODE_SECONDS)
        self.access: Vouchers[Consent] = Vouchers("sandbox-access-", TOKEN_SECONDS)

    def knows(self, client_id: str, secret: str) -> bool:
        if self.client_id not in {None, client_id}:
            return False
        return self.client_secret is None or secrets.compare_digest(self.client_secret.encode(), secret.encode())

    def person_of(self, form: dict[str, str]) -> Person:
        """Who was picked, or made up on the spot; `RefusedError` when it is nobody."""
        picked = next((person for person in self.people if person.sub == form.get("person")), None)
        if picked is not None:
            return picked
        if not form.get("email"):
            raise RefusedError("Nobody was picked, and an account has an e-mail address.")
        return Person(
            sub=form.get("sub") or new_id(),
            email=form["email"],
            email_verified=form.get("email_verified") == "true",
            name=form.get("name", ""),
            picture=form.get("picture"),
        )


class BrowserController(Controller):
    """What browsers visit.

    A program signs somebody in by posting to the address that it was sent to: `email`, and where wanted `sub`, `name`,
    `email_verified` (`true`) and `picture`; or `person`, a number on the page; or `deny`.
    """

    path = "/"

    @get("/o/oauth2/v2/auth", opt={OPERATION: "authorize"})
    async def ask(self, request: Caller, google: NamedDependency[Google]) -> Response[str]:
        return consent_page(asked(request, google), google.people)

    @post("/o/oauth2/v2/auth", opt={OPERATION: "authorize"})
    async def answer(self, request: Caller, google: NamedDependency[Google]) -> Response[Any]:
        wanted = asked(request, google)
        form = await form_of(request)
        if "deny" in form:
            return back_to(wanted, {"error": "access_denied"})
        person = google.person_of(form)
        granted = [word for word in ("email", "profile") if word in wanted.scope.split()]
        told = {
            "iss": google.issuer,
            "code": google.codes.issue(Consent(person, wanted)),
            "scope": " ".join([*granted, "openid", *(SCOPES + word for word in granted)]),
            "authuser": "0",
            "prompt": "consent",
        }
        return back_to(wanted, told)

    @get("/a/{picture:str}", opt={OPERATION: "picture"})
    async def portrait(self, picture: FromPath[str]) -> Response[bytes]:
        headers = {"Cache-Control": "public, max-age=86400"}
        return Response(portrait(picture.partition("=")[0]), media_type="image/jpeg", headers=headers)


class ProgramController(Controller):
    """What programs call."""

    path = "/"

    @get("/.well-known/openid-configuration", opt={OPERATION: "discovery"})
    async def discovery(self, google: NamedDependency[Google]) -> Response[Any]:
        document = {
            "issuer": google.issuer,
            "authorization_endpoint": f"{google.issuer}/o/oauth2/v2/auth",
            "token_endpoint": f"{google.issuer}/token",
            "userinfo_endpoint": f"{google.issuer}/v1/userinfo",
            "jwks_uri": f"{google.issuer}/oauth2/v3/certs",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "email", "profile"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "grant_types_supported": ["authorization_code"],
            "code_challenge_methods_supported": ["plain", "S256"],
        }
        return Response(document, headers={"Cache-Control": "public, max-age=3600"})

    @post("/token", opt={OPERATION: "token"})
    async def token(self, request: Caller, google: NamedDependency[Google]) -> Response[Any]:
        form = await form_of(request)
        client_id, secret = basic_credentials(request) or (form.get("client_id", ""), form.get("client_secret", ""))
        if not google.knows(client_id, secret):
            return refusal(401, "invalid_client", "Unauthorized")
        if form.get("grant_type") != "authorization_code":
            return refusal(400, "unsupported_grant_type", "Invalid grant_type: " + form.get("grant_type", ""))
        consent = google.codes.take(form.get("code", ""))
        if consent is None or consent.request.client_id != client_id:
            return refusal(400, "invalid_grant", "Malformed auth code.")
        if form.get("redirect_uri") != consent.request.redirect_uri:
            return refusal(400, "redirect_uri_mismatch", "Bad Request")
        if not consent.request.verifier_fits(form.get("code_verifier", "")):
            return refusal(400, "invalid_grant", "Invalid code verifier.")
        rule: Rule | None = request.scope["state"].get(RULE)
        fault = (rule and rule.id_token) or IdTokenFault()
        access_token = google.access.issue(consent)
        answer = {
            "access_token": access_token,
            "expires_in": TOKEN_SECONDS,
            "scope": consent.request.scope,
            "token_type": "Bearer",
            "id_token": id_token(google.issuer, consent, access_token, google.keys, fault),
        }
        return Response(answer, status_code=200, headers={"Cache-Control": "no-store"})

    @get("/v1/userinfo", opt={OPERATION: "userinfo"})
    async def userinfo(self, request: Caller, google: NamedDependency[Google]) -> Response[Any]:
        consent = google.access.find(request.headers.get("authorization", "").removeprefix("Bearer "))
        if consent is None:
            return refusal(401, "invalid_request", "Invalid Credentials")
        return Response(about(consent.person, consent.request.scope))

    @get("/oauth2/v3/certs", opt={OPERATION: "jwks"})
    async def jwks(self, google: NamedDependency[Google]) -> Response[Any]:
        headers = {"Cache-Control": "public, max-age=21600, must-revalidate, no-transform"}
        return Response({"keys": google.keys.shown()}, headers=headers)


class KeyControl(Controller):
    path = "/keys"

    @post("/", status_code=200)
    async def rotate(self, google: NamedDependency[Google]) -> dict[str, list[str]]:
        google.keys.rotate()
        return {"kids": [key.kid for key in google.keys.keys]}


def asked(request: Caller, google: Google) -> AuthorizationRequest:
    query = first_values(parse_qs(request.scope["query_string"].decode("latin-1")))
    try:
        wanted = msgspec.convert(query, AuthorizationRequest)
    except msgspec.ValidationError as error:
        raise RefusedError(f"invalid_request: {error}") from error
    wanted.check(google.client_id, google.redirect_uri)
    return wanted


def back_to(wanted: AuthorizationRequest, told: dict[str, str]) -> Response[Any]:
    state = {} if wanted.state is None else {"state": wanted.state}
    joint = "&" if urlsplit(wanted.redirect_uri).query else "?"
    return Response(
        None, status_code=303, headers={"Location": f"{wanted.redirect_uri}{joint}{urlencode(state | told)}"}
    )


async def form_of(request: Caller) -> dict[str, str]:
    return first_values(parse_qs((await request.body()).decode("utf-8", "replace")))


def basic_credentials(request: Caller) -> tuple[str, str] | None:
    """`client_secret_basic`: both words form-encoded, then base64 (RFC 6749, section 2.3.1)."""
    scheme, _, words = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(words, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(client_id), unquote_plus(secret)


def error_body(status: int) -> dict[str, str]:
    return {
        "error": ERRORS.get(status, "server_error"),
        "error_description": f"Scripted answer {status} of the sandbox",
    }


def refusal(status: int, error: str, description: str) -> Response[Any]:
    return Response({"error": error, "error_description": description}, status_code=status)


def refused(_request: Caller, error: RefusedError) -> Response[str]:
    return error_page(str(error))


def google_router(config: SandboxConfig) -> Router:
    wire = Wire(OPERATIONS, error_body)
    google = Google(config)
    return Router(
        "/google",
        route_handlers=[BrowserController, ProgramController, control_router(wire, KeyControl)],
        dependencies={"google": Provide(lambda: google, sync_to_thread=False)},
        middleware=[wire_middleware(wire)],
        exception_handlers={RefusedError: refused},
    )
