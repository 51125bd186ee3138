"""Stand-ins for what is outside. They keep the promises of their ports in memory; `tests/contract` holds them to it."""

from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec import Struct

from application.auth.ports import IdentityProvider, ProviderIdentity
from application.images.ports import ImageModel, OutputDownloads, PictureStorage, Prediction, UploadForm
from application.mail import Mail, Mailer
from domain.errors import Invalid, NotFound, TooLarge, Unavailable
from infrastructure.database.outbox import Doorbell
from infrastructure.database.progress_log import LogGrown, ProgressBell

OUTPUT = "https://provider.test/output.jpg"


class InMemoryStorage(PictureStorage):
    def __init__(self) -> None:
        self.pictures: dict[str, bytes] = {}
        self.is_away = False
        self.is_public = True
        """Whether the image model's servers could reach it."""

    async def put(self, key: str, data: bytes, *, content_type: str = "image/jpeg") -> None:
        assert content_type.startswith("image/")
        await self.ping()
        self.pictures[key] = data

    async def get(self, key: str, *, largest: int | None = None) -> bytes:
        await self.ping()
        if key not in self.pictures:
            raise NotFound("not_found", "There is no such picture.")
        if largest is not None and len(self.pictures[key]) > largest:
            raise TooLarge("payload_too_large", "The picture is larger than allowed.")
        return self.pictures[key]

    async def delete(self, key: str) -> None:
        await self.ping()
        self.pictures.pop(key, None)

    async def url(self, key: str) -> str:
        return f"https://pictures.test/{key}"

    async def form(self, key: str, *, largest: int, seconds: int) -> UploadForm:
        return UploadForm("https://pictures.test", {"key": key, "largest": str(largest), "seconds": str(seconds)})

    async def public_url(self, key: str) -> str | None:
        return await self.url(key) if self.is_public else None

    async def ping(self) -> None:
        if self.is_away:
            raise Unavailable("storage_unavailable", "The storage is away.", retry_after=5)


class Order(Struct, frozen=True):
    """A create that the model was asked for."""

    prompt: str
    inputs: Sequence[str]
    webhook: str | None


class FakeImageModel(ImageModel):
    """Renders when told to. `troubles` are raised by the next calls, one each."""

    def __init__(self) -> None:
        self.predictions: dict[str, Prediction] = {}
        self.orders: list[Order] = []
        """Every create that arrived, answered with a prediction or with trouble."""
        self.cancelled: list[str] = []
        self.uploads: dict[str, bytes] = {}
        self.troubles: list[Exception] = []
        self.before_answering: Callable[[Prediction, Order], Awaitable[None]] | None = None
        """What happens while the create's answer is still on its way."""
        self._planned: list[Prediction] = []
        self._ends: dict[str, Prediction] = {}

    async def upload(self, data: bytes, *, name: str) -> str:
        self._trouble()
        address = f"https://provider.test/files/{len(self.uploads) + 1}/{name}"
        self.uploads[address] = data
        return address

    async def create(self, *, prompt: str, inputs: Sequence[str], webhook: str | None) -> Prediction:
        assert inputs
        assert webhook != ""
        order = Order(prompt, inputs, webhook)
        self.orders.append(order)
        self._trouble()
        prediction = Prediction(id=f"prediction{len(self.predictions) + 1}", status="starting")
        self.predictions[prediction.id] = prediction
        if self._planned:
            self._ends[prediction.id] = self._planned.pop(0)
        if self.before_answering is not None:
            await self.before_answering(prediction, order)
        return prediction

    async def get(self, prediction_id: str) -> Prediction | None:
        self._trouble()
        return self.predictions.get(prediction_id)

    async def cancel(self, prediction_id: str) -> None:
        self._trouble()
        self.cancelled.append(prediction_id)
        prediction = self.predictions.get(prediction_id)
        if prediction is not None and not prediction.finished:
            self.finish(prediction_id, status="canceled", output=None)

    def plan(self, *statuses: str, output: object = ..., error: str | None = None) -> None:
        """How the predictions made next shall end, one status each; those after them succeed."""
        for status in statuses:
            usual = [OUTPUT] if status == "succeeded" else None
            self._planned.append(Prediction("", status, usual if output is ... else output, error))

    def render(self) -> bool:
        """End, as planned, whatever is being rendered; tells whether there was anything."""
        ended = False
        for prediction in list(self.predictions.values()):
            if prediction.finished:
                continue
            end = self._ends.get(prediction.id, Prediction(id="", status="succeeded", output=[OUTPUT]))
            self.predictions[prediction.id] = Prediction(prediction.id, end.status, end.output, end.error)
            ended |= self.predictions[prediction.id].finished
        return ended

    def finish(
        self,
        prediction_id: str,
        *,
        status: str = "succeeded",
        output: object = (OUTPUT,),
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


class FakeIdentityProvider(IdentityProvider):
    """Knows whoever a test says consented. `troubles` are raised by the next calls, one each."""

    def __init__(self) -> None:
        self.issuer = "https://provider.test"
        self.troubles: list[Exception] = []
        self._codes: dict[str, tuple[ProviderIdentity, str, str]] = {}

    async def authorization_url(self, *, state: str, nonce: str, verifier: str) -> str:
        self._trouble()
        return f"{self.issuer}/auth?{urlencode({'state': state, 'nonce': nonce, 'verifier': verifier})}"

    def consent(self, url: str, identity: ProviderIdentity) -> tuple[str, str]:
        """Say yes as this person; the state and the code that the browser brings back."""
        asked = dict(parse_qsl(urlsplit(url).query))
        code = f"4/{len(self._codes) + 1}"
        self._codes[code] = (identity, asked["nonce"], asked["verifier"])
        return asked["state"], code

    async def identify(self, *, code: str, nonce: str, verifier: str, issuer: str | None) -> ProviderIdentity:
        self._trouble()
        identity, *expected = self._codes.pop(code, (None, "", ""))
        if identity is None or expected != [nonce, verifier] or issuer not in {None, self.issuer}:
            raise Invalid("token_invalid", "This cannot be trusted.")
        return identity

    def _trouble(self) -> None:
        if self.troubles:
            raise self.troubles.pop(0)


class FakeDownloads(OutputDownloads):
    """Finds one picture at every address. `troubles` are raised by the next calls, one each."""

    def __init__(self, picture: bytes) -> None:
        self.picture = picture
        self.fetched: list[str] = []
        self.troubles: list[Exception] = []

    async def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        if self.troubles:
            raise self.troubles.pop(0)
        return self.picture


class FakeDoorbell(Doorbell):
    """Counts how often it was rung."""

    def __init__(self) -> None:
        self.rings = 0

    def ring(self) -> None:
        self.rings += 1


class FakeProgressBell(ProgressBell):
    """Remembers what it was to tell."""

    def __init__(self) -> None:
        self.told: list[LogGrown] = []

    def ring(self, grown: Sequence[LogGrown]) -> None:
        self.told.extend(grown)
