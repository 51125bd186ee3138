"""Everything that rendering a try-on touches: records in memory, and a provider, a storage and downloads that fail at
once when they are called while a transaction is open."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from application.actor import Actor
from application.events import ViewSubmittable
from application.images.cancellation_allowance import CancellationAllowance
from application.images.delete_image import DeleteImageHandler
from application.images.discard_output import DiscardOutputHandler
from application.images.erase_image import EraseImageHandler
from application.images.finish_view import FinishViewHandler
from application.images.generate_image import GenerateImageHandler
from application.images.mark_favourite import MarkFavouriteHandler
from application.images.model_gate import CreateRate
from application.images.new_files import NewFiles
from application.images.picture_removal import PictureRemoval
from application.images.poll_prediction import PollPredictionHandler
from application.images.ports import Leases, Picture, PictureProcessor
from application.images.provider_webhook import ProviderWebhook
from application.images.record_prediction import RecordPrediction, RecordPredictionHandler
from application.images.settlement import Settlement
from application.images.submit_view import SubmitViewHandler
from application.images.sweep_view import SweepViewHandler
from application.images.wanted_try_on import GenerateImage, TryOnRequests
from domain.credits import Cause
from domain.errors import Unprocessable
from domain.images import GeneratedImage
from domain.renders import ViewRender
from domain.uploads import Upload
from domain.views import Status, View, ViewError
from tests.factories import StyleFactory
from tests.fakes import FakeDownloads, FakeImageModel, InMemoryStorage
from tests.in_memory import InMemoryAccounts, InMemoryModelGate, InMemoryOutbox, Transaction
from tests.unit.application.expected import InMemoryExpectedFiles
from tests.unit.application.records import (
    InMemoryAcceptances,
    InMemoryImages,
    InMemoryMaterials,
    InMemoryRenders,
    InMemoryStyles,
    InMemoryUploads,
)
from tests.unit.factories import NOW, POLICY, UploadFactory

CUSTOMER = 7
WORKER = Actor.system("worker")
WEBHOOK = "https://api.tryon.example/api/v1/image/webhook"
BROKEN = b"no picture"
RATE = CreateRate(600)


class WatchedModel(FakeImageModel):
    def __init__(self, transaction: Transaction) -> None:
        super().__init__()
        self._transaction = transaction

    def _trouble(self) -> None:
        assert not self._transaction.is_open, "the provider is asked inside a transaction"
        super()._trouble()


class WatchedStorage(InMemoryStorage):
    def __init__(self, transaction: Transaction) -> None:
        super().__init__()
        self._transaction = transaction

    async def ping(self) -> None:
        assert not self._transaction.is_open, "the storage is asked inside a transaction"
        await super().ping()


class WatchedDownloads(FakeDownloads):
    def __init__(self, transaction: Transaction) -> None:
        super().__init__(b"a rendered picture")
        self._transaction = transaction

    async def fetch(self, url: str) -> bytes:
        assert not self._transaction.is_open, "an output is fetched inside a transaction"
        return await super().fetch(url)


class WatchedPictures(PictureProcessor):
    """Takes anything for a picture but `BROKEN`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def normalise(self, data: bytes, *, max_side: int = 2048, min_side: int = 256) -> Picture:
        assert not self._transaction.is_open, "a picture is encoded inside a transaction"
        if data == BROKEN:
            raise Unprocessable("image_unreadable", "This is not a picture.")
        return Picture(b"normalised " + data, max_side, min_side)

    async def square(self, data: bytes, *, side: int, min_side: int) -> Picture:
        picture = await self.normalise(data, max_side=side, min_side=min_side)
        return Picture(picture.data, side, side)


class InMemoryLeases(Leases):
    """Which claims are kept alive at this moment."""

    def __init__(self) -> None:
        self.kept: set[tuple[int, int]] = set()

    @asynccontextmanager
    async def held(self, view_id: int, claim: int) -> AsyncIterator[None]:
        self.kept.add((view_id, claim))
        try:
            yield
        finally:
            self.kept.remove((view_id, claim))


@dataclass
class Studio:
    """The handlers that render, over one world."""

    uow: Transaction = field(default_factory=lambda: Transaction(NOW))
    webhook: ProviderWebhook = field(default_factory=lambda: ProviderWebhook(WEBHOOK))

    def __post_init__(self) -> None:
        self.outbox = InMemoryOutbox(self.uow)
        self.accounts = InMemoryAccounts(self.uow)
        self.styles = InMemoryStyles(self.uow)
        self.uploads = InMemoryUploads(self.uow)
        self.images = InMemoryImages(self.uow)
        self.renders = InMemoryRenders(self.images, self.styles, self.uploads)
        self.leases = InMemoryLeases()
        self.gate = InMemoryModelGate(self.uow, RATE)
        self.model = WatchedModel(self.uow)
        self.storage = WatchedStorage(self.uow)
        self.downloads = WatchedDownloads(self.uow)
        self.pictures = WatchedPictures(self.uow)
        self.settlement = Settlement(holds=self.accounts, outbox=self.outbox)
        self.uploads.images = self.images
        self.expected = InMemoryExpectedFiles(self.uow)
        self.files = NewFiles(expected=self.expected, storage=self.storage, outbox=self.outbox, uow=self.uow)
        self.materials = InMemoryMaterials(self.styles, self.uploads, self.images)
        self.requests = TryOnRequests(materials=self.materials)
        self.acceptances = InMemoryAcceptances(self.uow, self.images, self.uploads, self.accounts, self.outbox)
        self.generate = GenerateImageHandler(requests=self.requests, acceptances=self.acceptances, policy=POLICY)
        self.submit = SubmitViewHandler(
            images=self.images,
            leases=self.leases,
            gate=self.gate,
            orders=self.renders,
            storage=self.storage,
            model=self.model,
            settlement=self.settlement,
            outbox=self.outbox,
            uow=self.uow,
            policy=POLICY,
            webhook=self.webhook,
        )
        self.finish = FinishViewHandler(
            images=self.images,
            leases=self.leases,
            downloads=self.downloads,
            pictures=self.pictures,
            storage=self.storage,
            settlement=self.settlement,
            outbox=self.outbox,
            uow=self.uow,
            policy=POLICY,
        )
        self.discard = DiscardOutputHandler(images=self.images, storage=self.storage, uow=self.uow)
        self.record = RecordPredictionHandler(images=self.images, outbox=self.outbox, uow=self.uow)
        self.poll = PollPredictionHandler(
            images=self.images, model=self.model, outbox=self.outbox, uow=self.uow, policy=POLICY
        )
        self.favourite = MarkFavouriteHandler(images=self.images, uow=self.uow)
        self.delete = DeleteImageHandler(
            images=self.images,
            allowance=CancellationAllowance(images=self.images),
            settlement=self.settlement,
            outbox=self.outbox,
            uow=self.uow,
        )
        self.erase = EraseImageHandler(
            images=self.images,
            uploads=self.uploads,
            removal=PictureRemoval(storage=self.storage, outbox=self.outbox, uow=self.uow),
            outbox=self.outbox,
            uow=self.uow,
        )
        self.sweep = SweepViewHandler(images=self.images, settlement=self.settlement, uow=self.uow, policy=POLICY)

    @classmethod
    async def with_credits(cls, credits_: int, *, webhook: str | None = WEBHOOK) -> "Studio":
        """A studio with one style, and a customer who has uploaded a photo."""
        studio = cls(webhook=ProviderWebhook(webhook))
        studio.accounts.open(CUSTOMER)
        if credits_:
            await studio.accounts.record(CUSTOMER, credits_, Cause.GRANT, natural_key="to begin with")
        await studio.styles.add(StyleFactory.build())
        photo = UploadFactory.build(user_id=CUSTOMER)
        await studio.uploads.add(photo)
        studio.storage.pictures[photo.key] = b"a photo"
        await studio.uow.commit()
        return studio

    @property
    def photo(self) -> Upload:
        return self.uploads.rows.kept[1]

    @property
    def address(self) -> str:
        return f"https://api.tryon.example/media/{self.photo.key}?signature=x"

    async def accept(self, *sides: View) -> GeneratedImage:
        customer = Actor.user(CUSTOMER, session_id=1)
        accepted = await self.generate(GenerateImage(1, self.address, (View.FRONT, *sides)), customer)
        return self.images.rows.kept[accepted.image_id]

    async def accept_and_submit(self, *sides: View) -> GeneratedImage:
        image = await self.accept(*sides)
        await self.submit(ViewSubmittable(image.front.id), WORKER)
        return image

    async def accept_and_render(self, *sides: View, status: str = "succeeded") -> GeneratedImage:
        """Up to a prediction that has ended and waits to be stored."""
        self.model.plan(status)
        image = await self.accept_and_submit(*sides)
        self.model.render()
        await self.tell(image.front)
        return image

    async def tell(self, render: ViewRender) -> None:
        """Have the end of a view's prediction noted."""
        assert render.prediction_id is not None
        prediction = self.model.predictions[render.prediction_id]
        news = RecordPrediction(render.id, render.attempt, prediction)
        await self.record(news, Actor.system("replicate"))

    def standing(self, render: ViewRender) -> tuple[Status, ViewError | None]:
        return render.status, render.error
