"""The control API: how a test reads what a service was asked, and scripts how it misbehaves.

Every service has one, at `{root}/{service}/__control`. All bodies are JSON; an unknown field is a 400 that names it.

`GET ?operation=&since=`
    `{"calls": [...], "counts": {operation: n}, "rules": [{"rule", "left"}]}`. `calls` are the latest 5,000, oldest
    first: `number, at, operation, method, path, query, headers, body, size, status, fault, seconds`. `body` is the
    JSON that came, else its text, else null; credentials in headers read `[hidden]`; `status` is null while a call is
    under way and when its connection was cut (`fault` says how: `reset`, `truncated`, `silence`). Webhooks that
    are sent are listed too (`operation` is `webhook`, `path` the address, `status` what the receiver answered,
    `fault` why it could not be reached). `counts` are complete. `since` is the last `number` already seen.
`PUT {"rules": [...]}` / `POST {"rules": [...]}`
    replaces the script / appends to it: 200 with the rules in force.
`DELETE`
    clears script and log, and restores the settings of Replicate's model and of Dodo's account: 204. Predictions,
    files, mails and payments stay.

A **rule** answers the next `times` calls of one operation; the first rule that fits a call is the one used.

| field | meaning |
|---|---|
| `on` | Replicate: `create`, `get`, `list`, `cancel`, `files`, `model`, `secret`, `output` (the download of a picture), `webhook`. Brevo: `send`. Google: `discovery`, `authorize`, `token`, `userinfo`, `jwks`, `picture`. Dodo: `create_checkout`, `get_checkout`, `get_payment`, `list_payments`, `list_line_items`, `create_refund`, `get_refund`, `list_refunds`, `get_dispute`, `list_disputes`, `get_secret`, `page` and `pay` (of a checkout in the browser), `webhook` |
| `times` | how many calls it serves, default 1; null: all, until cleared |
| `contains` | only calls with this text in the path, the body, or the input of the prediction they are about, for example `"View: back"`; at Dodo in the metadata of the session or payment, and of a webhook anywhere in the event. Text is compared as it stands in the JSON |
| `delay` | seconds waited before anything else is done |
| `signals` | `[{"pid", "signal": "SIGKILL", "at": "received" or "processed" or "replied", "delay": 0}]`: signals sent to a process at that point of the call; `delay` seconds after it. `processed` is just before the answer leaves, `replied` just after |
| `reply` | `{"status", "headers", "json" or "text" or "base64"}` sent in place of the true answer; with no body, the service's own error of that status. `{"status": 429, "headers": {"Retry-After": "2"}}`, `{"text": "<html>"}` |
| `reset` | true: the connection is reset |
| `hang` | seconds of silence, after which the connection is closed without an answer |
| `processed` | with `reply`, `reset`, `hang`: the service does its work first, and only the answer is lost. Default false |
| `truncate` | the answer is cut after so many bytes of its body, its Content-Length as if it were whole |
| `outcome` | on `create`: how that prediction ends. `{"status": "succeeded", "error": null, "output", "latency_seconds"}`. On `create_refund`: how that refund ends, `{"status": "failed", "latency_seconds"}` |
| `delivery` | on `output`: what the download yields |
| `webhook` | on `webhook`: how the webhooks of one prediction behave, taken when it is created; at Dodo those of one event, taken when it happens. `{"mode", "delay"}` |
| `id_token` | on `token`: what is wrong with the ID token. `{"claims": {"nonce": "another", "email": null}, "signature"}` |

`outcome.status` may be any word: `failed`, `canceled` and `aborted` end the prediction so, `starting` and `processing`
last until it is cancelled, a word that Replicate does not know is a last state too. `error` is the text of a failed
one; the content filter's is `The input or output was flagged as sensitive. Please try again with different inputs.
(E005)`. `output` is any JSON (null, [], {}, several URLs, another scheme); in its strings `{output}` stands for the
address of the true picture.

`delivery` is one of `{"kind": "html"}` (200), `{"kind": "large", "bytes", "declared"}` (declared: with a Content-Length),
`{"kind": "slow", "seconds"}` (the whole picture, drop by drop), `{"kind": "redirect", "to", "status"}`, `{"kind": "bomb",
"width", "height"}` (a small PNG of that many pixels), `{"kind": "expired", "status"}` (403, 404 or 410).

`webhook.mode` is `normal`, `never`, `twice` (each event, under the same id), `forged` (signed with another key); at
Replicate also `before_reply` (the prediction ends and its webhook is delivered before the create is answered); at Dodo
also `unsigned` and `held` (until it is released). `delay` is seconds waited before each delivery.

`id_token.claims` replace the true ones, and leave them out where null. `id_token.signature` is `right`, `none` (unsigned),
`HS256` (with the public key as its secret), `unknown_key` (one that is not shown) or `forged` (that one, under the true
key's name). `POST {root}/google/__control/keys` makes a new signing key; the one before it is still shown.

Replicate's model has settings of its own: `GET` and `PUT {root}/replicate/__control/model`
`{"latency_seconds": 0, "picture": "drawn" or "fixed"}`. `fixed` gives every prediction the same small picture, made once,
and fetches no input: for load.

What else happens at Dodo, by customers, banks and the dashboard, is in `sandbox.dodo.control`.
"""  # noqa: E501

from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Request, Router, delete, get, post, put
from litestar.exceptions import ClientException
from litestar.params import FromQuery, QueryParameter
from litestar.types import ControllerRouterHandler
from msgspec import Struct

from sandbox.script import Rule
from sandbox.wire import Wire

T = TypeVar("T")


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    rules: list[Rule]


async def strict_body(request: Request[Any, Any, Any], shape: type[T]) -> T:
    """Decode the body, whatever content type it was given; ClientException (400) names what is wrong with it."""
    try:
        return msgspec.json.decode(await request.body(), type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ClientException(str(error)) from error


def control_router(wire: Wire, *more: ControllerRouterHandler) -> Router:
    """The control API of one service, to be mounted under its prefix; `more` are settings of its own."""

    async def rules_of(request: Request[Any, Any, Any]) -> list[Rule]:
        rules = (await strict_body(request, Rules)).rules
        for rule in rules:
            if rule.on not in wire.operations:
                raise ClientException(f"on must be one of {sorted(wire.operations)}, not {rule.on!r}")
            if rule.webhook is not None and rule.webhook.mode not in wire.webhook_modes:
                raise ClientException(f"mode must be one of {sorted(wire.webhook_modes)}, not {rule.webhook.mode!r}")
        return rules

    @get("/")
    async def read(
        operation: FromQuery[str | None] = None, since: Annotated[int, QueryParameter(ge=0)] = 0
    ) -> dict[str, Any]:
        return {
            "calls": wire.calls.listing(operation, since),
            "counts": wire.calls.counts,
            "rules": wire.script.remaining(),
        }

    @put("/")
    async def replace(request: Request[Any, Any, Any]) -> dict[str, Any]:
        rules = await rules_of(request)
        wire.script.clear()
        wire.script.append(rules)
        return {"rules": wire.script.remaining()}

    @post("/", status_code=200)
    async def append(request: Request[Any, Any, Any]) -> dict[str, Any]:
        wire.script.append(await rules_of(request))
        return {"rules": wire.script.remaining()}

    @delete("/")
    async def reset() -> None:
        wire.reset()

    return Router("/__control", route_handlers=[read, replace, append, reset, *more])
