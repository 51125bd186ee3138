"""Stand-ins for what is outside. They keep the promises of their ports in memory; `tests/contract` holds them to it."""

from collections.abc import Sequence

from application.images.ports import ImageModel, PictureStorage, Prediction
from application.mail import Mail, Mailer
from domain.errors import NotFound, Unavailable


class InMemoryStorage(PictureStorage):
    def __init__(self) -> None:
        self.pictures: dict[str, bytes] = {}
        self.is_away = False

    async def put(self, key: str, data: bytes, *, content_type: str = "image/jpeg") -> None:
        assert content_type.startswith("image/")
        await self.ping()
        self.pictures[key] = data

    async def get(self, key: str) -> bytes:
        await self.ping()
        if key not in self.pictures:
            raise NotFound("not_found", "There is no such picture.")
        return self.pictures[key]

    async def delete(self, key: str) -> None:
        await self.ping()
        self.pictures.pop(key, None)

    async def url(self, key: str) -> str:
        return f"https://pictures.test/{key}"

    async def public_url(self, key: str) -> str | None:
        return await self.url(key)

    async def ping(self) -> None:
        if self.is_away:
            raise Unavailable("storage_unavailable", "The storage is away.")


class FakeImageModel(ImageModel):
    """Renders when told to. `troubles` are raised by the next calls, one each."""

    def __init__(self) -> None:
        self.predictions: dict[str, Prediction] = {}
        self.prompts: list[str] = []
        self.uploads: dict[str, bytes] = {}
        self.troubles: list[Exception] = []

    async def upload(self, data: bytes, *, name: str) -> str:
        self._trouble()
        address = f"https://provider.test/files/{len(self.uploads) + 1}/{name}"
        self.uploads[address] = data
        return address

    async def create(self, *, prompt: str, inputs: Sequence[str], webhook: str | None) -> Prediction:
        assert inputs
        assert webhook != ""
        self._trouble()
        prediction = Prediction(id=f"prediction{len(self.predictions) + 1}", status="starting")
        self.predictions[prediction.id] = prediction
        self.prompts.append(prompt)
        return prediction

    async def get(self, prediction_id: str) -> Prediction | None:
        self._trouble()
        return self.predictions.get(prediction_id)

    async def cancel(self, prediction_id: str) -> None:
        self._trouble()
        prediction = self.predictions.get(prediction_id)
        if prediction is not None and not prediction.finished:
            self.finish(prediction_id, status="canceled", output=None)

    def finish(
        self,
        prediction_id: str,
        *,
        status: str = "succeeded",
        output: object = ("https://provider.test/output.jpg",),
        error: str | None = None,
    ) -> None:
        made = list(output) if isinstance(output, tuple) else output
        self.predictions[prediction_id] = Prediction(id=prediction_id, status=status, output=made, error=error)

    def _trouble(self) -> None:
        if self.troubles:
            raise self.troubles.pop(0)


class FakeMailer(Mailer):
    """Keeps each mail once per key. `troubles` are raised by the next calls, one each."""

    def __init__(self) -> None:
        self.sent: dict[str, Mail] = {}
        self.troubles: list[Exception] = []

    async def send(self, mail: Mail) -> None:
        if self.troubles:
            raise self.troubles.pop(0)
        self.sent.setdefault(mail.key, mail)
