"""Renderings by a model on Replicate (https://replicate.com/docs/reference/http)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from math import isfinite
from typing import Annotated, TypeVar

import httpx
import msgspec
from msgspec import Meta, Struct
from replicate import APIConnectionError, APIStatusError, AsyncReplicate, omit

from application.images.ports import ImageModel, ModelBusy, ModelRefused, ModelUnavailable, Prediction

CALL_SECONDS = 30.0

_NOT_FOUND = 404
_TOO_MANY_REQUESTS = 429
_CLIENT_ERRORS = range(400, 500)

T = TypeVar("T")


class _Prediction(Struct, frozen=True):
    """What we read of a prediction; its id goes into paths, so it is held to letters, digits, `-` and `_`."""

    id: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{1,100}\Z")]
    status: str
    output: object = None
    error: object = None


class _FileUrls(Struct, frozen=True):
    get: str


class _File(Struct, frozen=True):
    urls: _FileUrls


class _Throttled(Struct, frozen=True):
    retry_after: float | None = None


class ReplicateModel(ImageModel):
    """A model with the inputs of `bytedance/seedream-4`, through Replicate's own client.

    The client is told everything it would otherwise take from the environment (token, address, proxies), follows no
    redirects and repeats nothing: a create has no idempotency key, so that a second one is rendered and billed again.
    Replies are read by our own rules, for the client does not check theirs.
    """

    def __init__(self, *, model: str, base_url: str, token: str | None, timeout: float = CALL_SECONDS) -> None:
        self._owner, separator, self._name = model.partition("/")
        if not (self._owner and separator and self._name):
            raise ValueError(f"a model is named owner/name, not {model!r}")
        self._timeout = timeout
        self._client = AsyncReplicate(
            bearer_token=token or "none",  # without one it would search the environment; Replicate answers 401
            base_url=base_url,
            max_retries=0,
            http_client=httpx.AsyncClient(
                timeout=httpx.Timeout(timeout, connect=5),
                limits=httpx.Limits(max_connections=100, max_keepalive_connections=20),
                follow_redirects=False,
                trust_env=False,
            ),
        )

    async def upload(self, data: bytes, *, name: str) -> str:
        async with self._call():
            reply = await self._client.files.with_raw_response.create(
                content=(name, data, "image/jpeg"), filename=name, type="image/jpeg"
            )
        return _read(reply.http_response, _File).urls.get

    async def create(self, *, prompt: str, inputs: Sequence[str], webhook: str | None) -> Prediction:
        async with self._call():
            reply = await self._client.models.predictions.with_raw_response.create(
                model_owner=self._owner,
                model_name=self._name,
                input={
                    "prompt": prompt,
                    "image_input": list(inputs),
                    "size": "2K",
                    "aspect_ratio": "match_input_image",
                    "max_images": 1,
                    "sequential_image_generation": "disabled",
                    "enhance_prompt": False,
                },
                webhook=webhook or omit,
                webhook_events_filter=["completed"] if webhook else omit,
            )
        return _prediction(reply.http_response)

    async def get(self, prediction_id: str) -> Prediction | None:
        try:
            async with self._call():
                reply = await self._client.predictions.with_raw_response.get(prediction_id=prediction_id)
        except ModelRefused as refused:
            if refused.status == _NOT_FOUND:
                return None
            raise
        return _prediction(reply.http_response)

    async def cancel(self, prediction_id: str) -> None:
        try:
            async with self._call():
                await self._client.predictions.with_raw_response.cancel(prediction_id=prediction_id)
        except ModelRefused as refused:
            if refused.status != _NOT_FOUND:
                raise

    async def aclose(self) -> None:
        await self._client.close()

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[None]:
        """Bound the whole call (httpx bounds each read alone), and turn its failures into the port's."""
        try:
            async with asyncio.timeout(self._timeout):
                yield
        except APIStatusError as error:
            raise _refusal(error.response) from error
        except (APIConnectionError, TimeoutError) as error:
            raise ModelUnavailable(f"Replicate did not answer: {error.__cause__ or error!r}") from error


def _refusal(response: httpx.Response) -> ModelBusy | ModelRefused | ModelUnavailable:
    """The port's exception for a status that is no success; the body is kept for the log, never branched on."""
    told = f"Replicate answered {response.status_code}: {response.text[:500]}"
    if response.status_code == _TOO_MANY_REQUESTS:
        return ModelBusy(told, retry_after=_retry_after(response))
    if response.status_code in _CLIENT_ERRORS:
        return ModelRefused(told, status=response.status_code)
    return ModelUnavailable(told)


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds, from the header or else the body: which of the two Replicate sends is not documented."""
    try:
        seconds = float(response.headers["Retry-After"])
    except (KeyError, ValueError):
        try:
            seconds = msgspec.json.decode(response.content, type=_Throttled).retry_after or 0
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
    return seconds if isfinite(seconds) and seconds > 0 else None


def _prediction(response: httpx.Response) -> Prediction:
    reply = _read(response, _Prediction)
    error = reply.error if reply.error is None or isinstance(reply.error, str) else repr(reply.error)
    return Prediction(id=reply.id, status=reply.status, output=reply.output, error=error)


def _read(response: httpx.Response, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(response.content, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelUnavailable(f"Replicate answered something else than a {shape.__name__[1:].lower()}") from error
