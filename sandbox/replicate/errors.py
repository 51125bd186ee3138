"""Replicate's error bodies, in the manner of RFC 7807."""

from typing import Any

from litestar import Response

from sandbox.replicate.seedream import InvalidField

BODIES: dict[int, dict[str, Any]] = {
    401: {"title": "Unauthenticated", "detail": "You did not pass a valid authentication token"},
    402: {
        "title": "Insufficient credit",
        "detail": "You have insufficient credit to run this model. "
        "Go to https://replicate.com/account/billing#billing to purchase credit.",
    },
    404: {"title": "Not found", "detail": "The requested resource could not be found."},
    429: {"detail": "Request was throttled. Your rate limit resets in ~9s.", "retry_after": 9},
}


def error_body(status: int) -> dict[str, Any]:
    unknown = {"title": "Scripted error", "detail": f"Scripted answer {status} of the sandbox"}
    return {**BODIES.get(status, unknown), "status": status}


def error(status: int, detail: str | None = None) -> Response[Any]:
    body = error_body(status)
    if detail is not None:
        body["detail"] = detail
    return Response(body, status_code=status, media_type="application/problem+json")


def invalid(fields: list[InvalidField]) -> Response[Any]:
    body = {
        "title": "Input validation failed",
        "detail": "".join(f"- {wrong.field}: {wrong.description}\n" for wrong in fields),
        "status": 422,
        "invalid_fields": fields,
    }
    return Response(body, status_code=422, media_type="application/problem+json")
