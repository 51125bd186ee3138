"""What the OpenAPI document says of refusals."""

from collections.abc import Mapping

from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Reference, SecurityRequirement, SecurityScheme

from presentation.http.problems import MEDIA_TYPE, Problem

_MEANINGS = {
    400: "The request is not valid (`validation_failed`, `malformed_json` or a code named in the description).",
    401: "Not signed in, or the credential is not valid (`not_authenticated`, `token_expired`, ...).",
    402: "Not enough credits (`insufficient_credits`).",
    403: "Not allowed (`forbidden`, `csrf_rejected`, `account_disabled`, `email_not_verified`).",
    404: "Not there, or not yours (`not_found`, `image_not_found`, `style_not_found`, ...).",
    409: "The present state does not allow it (`conflict`, `idempotency_in_progress`, `image_not_ready`).",
    413: "Too large (`payload_too_large`).",
    415: "A content type that this route does not read (`unsupported_media_type`).",
    422: "Well formed, and refused for what it means (`image_url_not_allowed`, `image_unreadable`, ...).",
    429: "Too many requests (`rate_limited`); `Retry-After` says how long to wait.",
    503: "Something behind the API is away (`service_unavailable`, `storage_unavailable`); `Retry-After` is set.",
}

SECURITY_SCHEMES: dict[str, SecurityScheme | Reference] = {
    "bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT"),
    "cookie": SecurityScheme(type="apiKey", name="access_token", security_scheme_in="cookie"),
}
SIGNED_IN: list[SecurityRequirement] = [{"bearer": []}, {"cookie": []}]


def refusals(*statuses: int) -> Mapping[int, ResponseSpec]:
    """Describe the refusals of a route: problem documents with a stable code."""
    return {
        status: ResponseSpec(Problem, description=_MEANINGS[status], media_type=MEDIA_TYPE, generate_examples=False)
        for status in (*statuses, 503)
    }
