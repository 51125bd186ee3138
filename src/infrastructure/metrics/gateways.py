"""The ports that lead outside, measured: each passes every call on as it is, and counts it."""

from collections.abc import Coroutine, Sequence
from typing import Any

from application.auth.ports import IdentityProvider, ProviderIdentity
from application.images.ports import ImageModel, OutputDownloads, PictureStorage, Prediction, UploadForm
from application.mail import Mail, Mailer
from application.payments.ports import Checkout, CheckoutOrder, PaymentProvider, PaymentState, RefundReport
from infrastructure.metrics.calls import CallMetrics


class MeasuredModel(ImageModel):
    def __init__(self, model: ImageModel, metrics: CallMetrics) -> None:
        self._model = model
        self._call = metrics.call

    async def upload(self, data: bytes, *, name: str) -> str:
        with self._call("replicate", "upload"):
            return await self._model.upload(data, name=name)

    async def create(self, *, prompt: str, inputs: Sequence[str], webhook: str | None) -> Prediction:
        with self._call("replicate", "create"):
            return await self._model.create(prompt=prompt, inputs=inputs, webhook=webhook)

    async def get(self, prediction_id: str) -> Prediction | None:
        with self._call("replicate", "get"):
            return await self._model.get(prediction_id)

    async def cancel(self, prediction_id: str) -> None:
        with self._call("replicate", "cancel"):
            await self._model.cancel(prediction_id)


class MeasuredDownloads(OutputDownloads):
    def __init__(self, downloads: OutputDownloads, metrics: CallMetrics, *, provider: str) -> None:
        self._downloads = downloads
        self._call = metrics.call
        self._provider = provider

    async def fetch(self, url: str) -> bytes:
        with self._call(self._provider, "download"):
            return await self._downloads.fetch(url)


class MeasuredPayments(PaymentProvider):
    def __init__(self, provider: PaymentProvider, metrics: CallMetrics) -> None:
        self._provider = provider
        self._call = metrics.call

    async def open_checkout(self, order: CheckoutOrder) -> Checkout:
        with self._call("dodo", "open_checkout"):
            return await self._provider.open_checkout(order)

    async def paid_with(self, session_id: str) -> str | None:
        with self._call("dodo", "paid_with"):
            return await self._provider.paid_with(session_id)

    async def payment(self, payment_id: str) -> PaymentState | None:
        with self._call("dodo", "payment"):
            return await self._provider.payment(payment_id)

    async def refund(self, payment_id: str, *, amount: int | None, reason: str) -> RefundReport:
        with self._call("dodo", "refund"):
            return await self._provider.refund(payment_id, amount=amount, reason=reason)


class MeasuredMailer(Mailer):
    def __init__(self, mailer: Mailer, metrics: CallMetrics) -> None:
        self._mailer = mailer
        self._call = metrics.call

    async def send(self, mail: Mail) -> None:
        with self._call("brevo", "send"):
            await self._mailer.send(mail)


class MeasuredIdentities(IdentityProvider):
    def __init__(self, provider: IdentityProvider, metrics: CallMetrics) -> None:
        self._provider = provider
        self._call = metrics.call

    async def authorization_url(self, *, state: str, nonce: str, verifier: str) -> str:
        with self._call("google", "authorization_url"):
            return await self._provider.authorization_url(state=state, nonce=nonce, verifier=verifier)

    async def identify(self, *, code: str, nonce: str, verifier: str, issuer: str | None) -> ProviderIdentity:
        with self._call("google", "identify"):
            return await self._provider.identify(code=code, nonce=nonce, verifier=verifier, issuer=issuer)


class MeasuredStorage(PictureStorage):
    """Addresses are signed here, dozens for a page: that is no call, and is not counted."""

    def __init__(self, storage: PictureStorage, metrics: CallMetrics) -> None:
        self._storage = storage
        self._call = metrics.call

    async def put(self, key: str, data: bytes, *, content_type: str = "image/jpeg") -> None:
        with self._call("storage", "put"):
            await self._storage.put(key, data, content_type=content_type)

    async def get(self, key: str, *, largest: int | None = None) -> bytes:
        with self._call("storage", "get"):
            return await self._storage.get(key, largest=largest)

    async def delete(self, key: str) -> None:
        with self._call("storage", "delete"):
            await self._storage.delete(key)

    async def ping(self) -> None:
        with self._call("storage", "ping"):
            await self._storage.ping()

    def url(self, key: str) -> Coroutine[Any, Any, str]:
        return self._storage.url(key)

    def public_url(self, key: str) -> Coroutine[Any, Any, str | None]:
        return self._storage.public_url(key)

    def form(self, key: str, *, largest: int, seconds: int) -> Coroutine[Any, Any, UploadForm]:
        return self._storage.form(key, largest=largest, seconds=seconds)
