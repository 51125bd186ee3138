"""The use cases that change try-ons and nothing else. The same ports as everywhere, on transactions without SQLAlchemy.

They make a component of their own: there, `Transaction` is the quick one, and so are the adapters that stand on it.
What knows no transaction they take from the other providers.
"""

from collections.abc import AsyncIterator

from dishka import Provider, Scope, WithParents, provide, provide_all

from application.images.add_views import AddViewsHandler
from application.images.cancel_image import CancelImageHandler
from application.images.cancellation_allowance import CancellationAllowance
from application.images.delete_image import DeleteImageHandler
from application.images.discard_output import DiscardOutputHandler
from application.images.finish_view import FinishViewHandler
from application.images.mark_favourite import MarkFavouriteHandler
from application.images.model_gate import CreateRate, ModelGate
from application.images.poll_prediction import PollPredictionHandler
from application.images.ports import (
    ImageModel,
    ImageReader,
    Leases,
    OutputDownloads,
    PictureProcessor,
    PictureStorage,
    RenderReader,
)
from application.images.provider_webhook import ProviderWebhook
from application.images.record_prediction import RecordPredictionHandler
from application.images.retry_image import RetryImageHandler
from application.images.settlement import Settlement
from application.images.submit_view import SubmitViewHandler
from application.images.sweep_view import SweepViewHandler
from application.ports import Alerts, UnitOfWork
from bootstrap.settings import Settings
from domain.views import RenderPolicy
from infrastructure.database.holds import SqlHolds
from infrastructure.database.idempotency import SqlIdempotencyKeys
from infrastructure.database.model_gate import SqlModelGate
from infrastructure.database.outbox import Doorbell, SqlOutbox
from infrastructure.database.progress_log import ProgressBell, ProgressLog
from infrastructure.database.tally import Tally
from infrastructure.database.transaction import Transaction, WritePool
from infrastructure.database.try_ons import SqlTryOns
from infrastructure.database.unit_of_work import SqlUnitOfWork
from infrastructure.metrics.work import WorkMetrics
from infrastructure.origins import Origins

_NAME = "try_ons"
_HANDLERS = (
    AddViewsHandler,
    RetryImageHandler,
    CancelImageHandler,
    DeleteImageHandler,
    MarkFavouriteHandler,
    SubmitViewHandler,
    RecordPredictionHandler,
    PollPredictionHandler,
    FinishViewHandler,
    SweepViewHandler,
    DiscardOutputHandler,
)
_FROM_ELSEWHERE = (
    Settings,
    WritePool,
    RenderPolicy,
    ProviderWebhook,
    Doorbell,
    ProgressBell,
    ImageModel,
    PictureStorage,
    PictureProcessor,
    OutputDownloads,
    ImageReader,
    RenderReader,
    Leases,
    Alerts,
    WorkMetrics,
    Origins,
)


class TryOns(Provider):
    component = _NAME
    scope = Scope.REQUEST

    @provide
    async def transaction(self, pool: WritePool) -> AsyncIterator[Transaction]:
        async with pool.transaction() as transaction:
            yield transaction

    @provide
    def model_gate(self, transaction: Transaction, tally: Tally, alerts: Alerts, settings: Settings) -> ModelGate:
        rate = CreateRate(settings.replicate_creates_per_minute)
        return SqlModelGate(transaction, tally, alerts, model=settings.replicate_model, rate=rate)

    unit_of_work = provide(SqlUnitOfWork, provides=UnitOfWork)
    adapters = provide_all(
        WithParents[SqlTryOns],
        WithParents[SqlHolds],
        WithParents[SqlOutbox],
        WithParents[SqlIdempotencyKeys],
        ProgressLog,
        Tally,
    )
    rules = provide_all(Settlement, CancellationAllowance)
    handlers = provide_all(*_HANDLERS)


def try_ons() -> tuple[Provider, Provider]:
    """The component, and the names under which its use cases are found from outside."""
    inside, outside = TryOns(), Provider()
    for source in _FROM_ELSEWHERE:
        inside.alias(source, component="")
    for handler in _HANDLERS:
        outside.alias(handler, component=_NAME)
    return inside, outside
