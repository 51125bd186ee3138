"""Problem documents (RFC 9457): the one shape of every refusal."""

import math
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct

from domain.errors import (
    Conflict,
    Failure,
    Forbidden,
    Invalid,
    NotFound,
    Throttled,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unpaid,
    Unprocessable,
)

MEDIA_TYPE = "application/problem+json"

STATUSES: dict[type[Failure], HTTPStatus] = {
    Invalid: HTTPStatus.BAD_REQUEST,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Unpaid: HTTPStatus.PAYMENT_REQUIRED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Unprocessable: HTTPStatus.UNPROCESSABLE_ENTITY,
    Throttled: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


class FieldProblem(Struct, frozen=True):
    field: str
    code: str
    message: str


class Problem(Struct, frozen=True, kw_only=True):
    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldProblem] = []


def problem_of(
    status: int, code: str, detail: str, request_id: str, errors: list[FieldProblem] | None = None
) -> Problem:
    title = HTTPStatus(status).phrase
    return Problem(title=title, status=status, detail=detail, code=code, request_id=request_id, errors=errors or [])


def problem_of_failure(failure: Failure, request_id: str) -> Problem:
    status = next(STATUSES[category] for category in type(failure).__mro__ if category in STATUSES)
    errors = [FieldProblem(failure.field, failure.code, failure.detail)] if failure.field else []
    return problem_of(status, failure.code, failure.detail, request_id, errors)


def problem_of_fault(request_id: str) -> Problem:
    """A fault of ours: it tells nothing, the log does."""
    detail = "Something went wrong on our side; the request id helps us to find it."
    return problem_of(500, "internal_error", detail, request_id)


def headers_of(failure: Failure) -> dict[str, str]:
    headers = {}
    if failure.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(failure.retry_after)))
    if isinstance(failure, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return headers


def request_id_of(scope: Any) -> str:
    """The id that the edge gave the request."""
    return str(scope.get("state", {}).get("request_id", ""))


def encode(problem: Problem) -> bytes:
    return msgspec.json.encode(problem)
