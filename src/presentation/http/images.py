"""Try-ons: uploading a photo, asking for renders, watching, keeping or deleting them; and the provider's events."""

from typing import Annotated, Any

import msgspec
from dishka.integrations.litestar import FromDishka
from litestar import Controller, Response, delete, get, post, put
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from application.actor import Actor
from application.images.acceptances import ImageAccepted
from application.images.add_views import AddViews, AddViewsHandler
from application.images.begin_upload import BeginUpload, BeginUploadHandler, UploadBegun
from application.images.cancel_image import CancelImage, CancelImageHandler
from application.images.complete_upload import CompleteUpload, CompleteUploadHandler
from application.images.delete_image import DeleteImage, DeleteImageHandler
from application.images.generate_image import GenerateImageHandler
from application.images.get_status import GetStatus, GetStatusHandler
from application.images.mark_favourite import MarkFavourite, MarkFavouriteHandler
from application.images.ports import ImageStatus, Prediction
from application.images.price_image import ImagePrice, PriceImage, PriceImageHandler
from application.images.provider_webhook import ProviderWebhook
from application.images.record_prediction import RecordPrediction, RecordPredictionHandler
from application.images.retry_image import RetryImage, RetryImageHandler
from application.images.upload_photo import UploadedPhoto, UploadPhoto, UploadPhotoHandler
from application.images.wanted_try_on import GenerateImage
from application.webhooks import WebhookVerifier
from domain.errors import Invalid
from domain.identifiers import LARGEST_ID
from presentation.http.authentication import AnyRequest, SignedIn
from presentation.http.bodies import LARGEST_WEBHOOK
from presentation.http.documentation import SIGNED_IN, refusals
from presentation.http.forms import LARGEST_FORM, FileUpload, Intake, uploaded_file
from presentation.http.idempotency import IdempotencyKey
from presentation.http.limits import Limiter
from presentation.http.metrics import WebhookMetrics
from presentation.http.webhooks import telling_refusals
from presentation.spans import Spans, ViewTraces

LargeId = Annotated[int, QueryParameter(ge=1, le=LARGEST_ID)]

_PRICED = ResponseSpec(ImagePrice, description="With `dry_run`: the price, and what it would leave.")


class ImageController(Controller):
    path = "/image"
    tags = ("image",)
    security = SIGNED_IN

    @post(
        "/upload",
        operation_id="uploadPhoto",
        operation_class=FileUpload,
        request_max_body_size=LARGEST_FORM,
        responses=refusals(400, 401, 403, 413, 415, 422, 429),
    )
    async def upload(
        self, request: AnyRequest, actor: SignedIn, handle: FromDishka[UploadPhotoHandler]
    ) -> UploadedPhoto:
        return await handle(UploadPhoto(await uploaded_file(request)), actor)

    @post("/upload-url", operation_id="beginUpload", responses=refusals(401, 403, 415, 429))
    async def begin_upload(self, actor: SignedIn, handle: FromDishka[BeginUploadHandler]) -> UploadBegun:
        """A form by which a browser sends a photo straight to storage; then complete the upload by its key."""
        return await handle(BeginUpload(), actor)

    @post(
        "/upload-complete",
        operation_id="completeUpload",
        responses=refusals(400, 401, 403, 404, 409, 413, 415, 422, 429),
    )
    async def complete_upload(
        self,
        request: AnyRequest,
        data: JSONBody[CompleteUpload],
        actor: SignedIn,
        handle: FromDishka[CompleteUploadHandler],
    ) -> UploadedPhoto:
        """Asked again within a day, the answer is the same. A photo that is refused ends the upload."""
        completions: Intake = request.app.state.completions
        with completions.place(actor.name):
            return await handle(data, actor)

    @post(
        "/generate",
        status_code=202,
        operation_id="generateImage",
        responses={200: _PRICED, **refusals(400, 401, 402, 403, 404, 409, 415, 422, 429)},
    )
    async def generate(
        self,
        data: JSONBody[GenerateImage],
        actor: SignedIn,
        handle: FromDishka[GenerateImageHandler],
        price: FromDishka[PriceImageHandler],
        limiter: FromDishka[Limiter],
        idempotency_key: IdempotencyKey = None,
        dry_run: FromQuery[bool] = False,
    ) -> Response[ImageAccepted]:
        """With `dry_run`, everything is checked and nothing changes: the answer is 200, and what it would cost."""
        limiter.hit("default" if dry_run else "generate", actor.name)
        if dry_run:
            priced: Any = await price(PriceImage(data), actor)  # the OpenAPI document takes the 202 from the signature
            return Response(priced, status_code=200)
        return Response(await handle(data, actor, idempotency_key))

    @get("/status/{image_id:int}", operation_id="getStatus", responses=refusals(400, 401, 403, 404, 429))
    async def status(
        self, image_id: FromPath[int], actor: SignedIn, handle: FromDishka[GetStatusHandler]
    ) -> ImageStatus:
        return await handle(GetStatus(image_id), actor)

    @post(
        "/{image_id:int}/views",
        status_code=202,
        operation_id="addViews",
        responses=refusals(400, 401, 402, 403, 404, 409, 415, 422, 429),
    )
    async def add_views(
        self,
        image_id: FromPath[int],
        data: JSONBody[AddViews],
        actor: SignedIn,
        handle: FromDishka[AddViewsHandler],
        limiter: FromDishka[Limiter],
        idempotency_key: IdempotencyKey = None,
    ) -> ImageAccepted:
        limiter.hit("generate", actor.name)
        return await handle(data, actor, image_id=image_id, key=idempotency_key)

    @post(
        "/{image_id:int}/retry",
        status_code=202,
        operation_id="retryImage",
        responses=refusals(400, 401, 402, 403, 404, 409, 415, 422, 429),
    )
    async def retry(
        self,
        image_id: FromPath[int],
        actor: SignedIn,
        handle: FromDishka[RetryImageHandler],
        limiter: FromDishka[Limiter],
        idempotency_key: IdempotencyKey = None,
    ) -> ImageStatus:
        """Render the views that failed again, at the price of each."""
        limiter.hit("generate", actor.name)
        return await handle(RetryImage(image_id), actor, idempotency_key)

    @post(
        "/{image_id:int}/cancel",
        status_code=202,
        operation_id="cancelImage",
        responses=refusals(400, 401, 403, 404, 409, 415, 429),
    )
    async def cancel(
        self, image_id: FromPath[int], actor: SignedIn, handle: FromDishka[CancelImageHandler]
    ) -> ImageStatus:
        """Stop what is in progress. What was begun already can be stopped five times a day, as it may be billed."""
        return await handle(CancelImage(image_id), actor)

    @put(
        "/{image_id:int}/favourite",
        status_code=204,
        operation_id="addFavourite",
        responses=refusals(400, 401, 403, 404, 415, 429),
    )
    async def add_favourite(
        self, image_id: FromPath[int], actor: SignedIn, handle: FromDishka[MarkFavouriteHandler]
    ) -> None:
        await handle(MarkFavourite(image_id, is_favourite=True), actor)

    @delete(
        "/{image_id:int}/favourite", operation_id="removeFavourite", responses=refusals(400, 401, 403, 404, 415, 429)
    )
    async def remove_favourite(
        self, image_id: FromPath[int], actor: SignedIn, handle: FromDishka[MarkFavouriteHandler]
    ) -> None:
        await handle(MarkFavourite(image_id, is_favourite=False), actor)

    @delete("/{image_id:int}", operation_id="deleteImage", responses=refusals(400, 401, 403, 404, 409, 415, 429))
    async def delete_image(
        self, image_id: FromPath[int], actor: SignedIn, handle: FromDishka[DeleteImageHandler]
    ) -> None:
        """Cancels what is in progress, within the limits of cancelling.

        The pictures follow within minutes, and the photo, unless another try-on has it.
        """
        await handle(DeleteImage(image_id), actor)


class ProviderWebhookController(Controller):
    path = "/image/webhook"
    tags = ("webhooks",)

    @post(
        status_code=204,
        operation_id="receivePrediction",
        request_max_body_size=LARGEST_WEBHOOK,
        responses=refusals(400, 401, 413),
    )
    async def receive(
        self,
        request: AnyRequest,
        view_id: LargeId,
        attempt: LargeId,
        signatures: FromDishka[WebhookVerifier],
        webhook: FromDishka[ProviderWebhook],
        handle: FromDishka[RecordPredictionHandler],
        metrics: FromDishka[WebhookMetrics],
        spans: FromDishka[Spans],
        traces: FromDishka[ViewTraces],
        proof: Annotated[str, QueryParameter(max_length=64)] = "",
    ) -> None:
        """Take the provider's signed news of a prediction: the prediction itself, as it stands."""
        body = await request.body()
        with telling_refusals("replicate", request, metrics):
            signatures.verify(body, dict(request.headers))
            webhook.require(view_id, attempt, proof)
        try:
            prediction = msgspec.json.decode(body, type=Prediction)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
            metrics.count("replicate", metrics.UNREADABLE)
            raise Invalid("malformed_json", "The body is no prediction.") from fault
        # The provider knows nothing of the trace that its news belongs to; the view does.
        with spans.begin("record_prediction", parent=await traces.traceparent(view_id)):
            is_news = await handle(RecordPrediction(view_id, attempt, prediction), Actor.system("replicate"))
        metrics.count("replicate", metrics.APPLIED if is_news else metrics.REPEATED)
